"""What happened: which rows of facts, orders and lines are meant, when, and one after the other."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Several
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import reduce
from typing import TypeAlias, cast

import ibis
import ibis.expr.types as ir

from shuke.segments.measures.subjects import Subjects
from shuke.segments.measures.values import NO, YES, holds
from shuke.segments.model.clock import Clock, exact_us, is_exact
from shuke.segments.model.kinds import OWN, Kind, kind_of_values
from shuke.segments.model.tree import (
    Anchored,
    Between,
    Facts,
    Goods,
    Last,
    Moved,
    Op,
    Orders,
    Property,
    Sequence,
    SinceStage,
    Test,
    What,
    Window,
)

__all__ = [
    "Meant",
    "Pass",
    "begun",
    "followed",
    "matching",
    "moved",
    "now_of",
    "of_goods",
    "one_if",
    "reaching",
    "table_of",
    "value_of",
    "within",
]

#: Which rows of a table are meant; an aggregate of those of which this is true.
Meant: TypeAlias = Callable[[ir.Table], ir.BooleanValue]
#: What is worked out of rows, of those for which this is true; None for all of them.
Worked: TypeAlias = Callable[[ir.Table, ir.BooleanValue | None], ir.Value]


@dataclass
class Pass:
    """What is asked of one table, to be answered by reading it once.

    ``asked`` is by the name of an answer which rows it is about, and what is worked out of them; the same rows have the
    same key in ``meant``. ``about`` is what these rows are, and when.
    """

    table: ir.Table
    subjects: Subjects
    clock: Clock
    meant: dict[str, Meant] = field(default_factory=dict)
    asked: dict[str, tuple[str, Worked]] = field(default_factory=dict)
    about: list[tuple[What, Window]] = field(default_factory=list)

    def answers(self) -> ir.Table:
        """A row for each customer of whom any row is meant."""
        if len(self.meant) == 1:
            (condition,) = self.meant.values()
            rows = self.table.filter(condition(self.table))
            values = {name: value(rows, None) for name, (_, value) in self.asked.items()}
        else:
            table = _narrowed(self.table, self.about, self.subjects, self.clock)
            sign = {key: f"meant_{number}" for number, key in enumerate(self.meant)}
            signs = {sign[key]: condition(table) for key, condition in self.meant.items()}
            rows = table.mutate(**signs).filter(_any([ibis._[name] for name in signs]))
            values = {name: value(rows, rows[sign[key]]) for name, (key, value) in self.asked.items()}
        return rows.group_by("customer_id").aggregate(**values)


def _narrowed(table: ir.Table, about: Several[tuple[What, Window]], subjects: Subjects, clock: Clock) -> ir.Table:
    """The table without what none of these can be about, as far as one condition on a column can say it.

    By such conditions engines leave out whole parts of a table, which they do not by several that are joined by "or".
    """
    whats, windows = zip(*about, strict=True)
    if all(isinstance(what, Facts) for what in whats):
        for column in ("kind", "name"):
            given = {getattr(what, column) for what in whats}
            if None not in given:
                table = table.filter(table[column].isin(sorted(given)))
    if all(isinstance(window, Last | Between) for window in windows):
        table = table.filter(_any([begun(window, table, subjects, clock) for window in windows]))
    return table


def matching(what: What, subjects: Subjects, clock: Clock) -> tuple[str, Meant]:
    """The table that is to be looked at (``facts``, ``orders``, ``lines``; with an end of which orders), and which of
    its rows are meant.
    """
    if isinstance(what, Facts):
        return "facts", lambda table: _fact(table, what, subjects, clock)
    name = "lines" if what.goods is not None else "orders"
    name = name if what.which == "any" else f"{name}/{what.which}"
    return name, lambda table: _order(table, what, clock)


def moved(node: Moved, subjects: Subjects, clock: Clock) -> Meant:
    """Which facts are the change of stage that is meant; each has the name of the new one and keeps the old one."""
    stages = Test(op=Op.IS, values=node.stages)

    def meant(rows: ir.Table) -> ir.BooleanValue:
        stage = rows["name"] if node.change == "entered" else subjects.inside_fact(rows, "from")
        return (rows.kind == "stage") & holds(stage, Kind.TEXT, stages, clock)

    return meant


def table_of(name: str, subjects: Subjects) -> ir.Table:
    """The table of :func:`matching`."""
    kind, _, which = name.partition("/")
    table = cast(ir.Table, getattr(subjects, kind))
    if not which:
        return table
    orders = subjects.orders
    order = [orders.us, orders.order_id] if which == "first" else [orders.us.desc(), orders.order_id.desc()]
    place = ibis.row_number().over(ibis.window(group_by=orders.customer_id, order_by=order))
    ends = orders.mutate(place=place)
    ends = ends.filter(ends.place == 0)
    if kind == "orders":
        return ends.drop("place")
    return table.semi_join(ends.select("customer_id", "order_id"), ["customer_id", "order_id"])


def reaching(window: Window, table: ir.Table, subjects: Subjects, clock: Clock) -> ir.Table:
    """The table with what the window is measured from beside each row; the same table where that is the clock."""
    if isinstance(window, SinceStage):
        people = subjects.people
        since = people.filter(people.stage_since.notnull()).select("customer_id", from_us=people.stage_since)
        return table.inner_join(since, "customer_id")
    if isinstance(window, Anchored):
        return table.inner_join(_anchor(window, subjects, clock), "customer_id")
    return table


def within(window: Window, rows: ir.Table, subjects: Subjects, clock: Clock) -> ir.BooleanValue:
    """Which rows of the table of :func:`reaching` lie in the window."""
    if isinstance(window, Last):
        return begun(window, rows, subjects, clock) & (rows.us <= now_of(subjects, clock))
    if isinstance(window, Between):
        since = begun(window, rows, subjects, clock)
        if window.until is None:
            return since
        return since & (rows.us < clock.begins_us(date.fromisoformat(window.until) + timedelta(days=1)))
    if isinstance(window, SinceStage):
        return cast(ir.BooleanValue, rows.us >= rows.from_us)
    if isinstance(window, Anchored):
        far = rows.us - rows.from_us if window.when == "after" else rows.from_us - rows.us
        return _all([far > 0] + ([] if window.within is None else [far <= exact_us(window.within)]))
    return YES


def now_of(subjects: Subjects, clock: Clock) -> ir.IntegerValue:
    """Now, in microseconds since 1970."""
    return ibis.literal(clock.now_us) if subjects.now_us is None else subjects.now_us


def begun(window: Last | Between, rows: ir.Table, subjects: Subjects, clock: Clock) -> ir.BooleanValue:
    """Which rows do not lie before the window."""
    if isinstance(window, Between):
        return YES if window.since is None else rows.us >= clock.begins_us(date.fromisoformat(window.since))
    if is_exact(window.span):
        return cast(ir.BooleanValue, rows.us >= now_of(subjects, clock) - exact_us(window.span))
    return cast(ir.BooleanValue, rows.us >= clock.back_us(window.span))


def _anchor(window: Anchored, subjects: Subjects, clock: Clock) -> ir.Table:
    name, meant = matching(window.what, subjects, clock)
    table = table_of(name, subjects)
    rows = table.filter(meant(table))
    at = rows.us.min() if window.which == "first" else rows.us.max()
    return rows.group_by("customer_id").aggregate(from_us=at)


def _fact(table: ir.Table, what: Facts, subjects: Subjects, clock: Clock) -> ir.BooleanValue:
    conditions = []
    if what.kind is not None:
        conditions.append(table.kind == what.kind)
    if what.name is not None:
        conditions.append(table["name"] == what.name)
    for one in what.where:
        value, kind = property_of(table, one, subjects)
        conditions.append(holds(value, kind, one.test, clock))
    return _all(conditions)


def property_of(table: ir.Table, one: Property, subjects: Subjects) -> tuple[ir.Value, Kind]:
    """The value of a property, and how it is compared."""
    if one.name in OWN:
        return table[one.name], OWN[one.name]
    kind = kind_of_values(one.test)
    return subjects.read_text(subjects.inside_fact(table, one.name), kind), kind


def _order(table: ir.Table, what: Orders, clock: Clock) -> ir.BooleanValue:
    of_line = what.goods is not None
    amount = table.order_amount_minor if of_line else table.amount_minor
    discount = table.order_discount_minor if of_line else table.discount_minor
    conditions = [] if what.goods is None else [of_goods(table, what.goods)]
    conditions += [
        ibis.coalesce(table[name].isin(list(given)), NO)
        for name, given in (("channel", what.channels), ("store", what.stores))
        if given
    ]
    if what.amount is not None:
        conditions.append(holds(amount, Kind.NUMBER, what.amount, clock))
    if what.discount_share is not None:
        full = amount.cast("float64") + discount.cast("float64")
        conditions.append(holds(discount.cast("float64") / full.nullif(0.0), Kind.NUMBER, what.discount_share, clock))
    return _all(conditions)


def of_goods(lines: ir.Table, goods: Goods) -> ir.BooleanValue:
    """Which lines are of these goods."""
    named = (("product_id", goods.products), ("category", goods.categories), ("brand", goods.brands))
    return _all([ibis.coalesce(lines[name].isin(list(given)), NO) for name, given in named if given])


def value_of(table: ir.Table, of: str, subjects: Subjects, *, numeric: bool) -> ir.Value:
    """What is measured of each row; a property of facts as a number, or as text."""
    if of == "day":
        return table.us
    if of == "amount_minor":
        return table.amount_minor.cast("float64")
    of_facts = "properties" in table.columns
    if of == "quantity" and not of_facts:
        return table.quantity
    text = subjects.inside_fact(table, of) if of_facts and of not in OWN else table[of]
    return subjects.read_text(text, Kind.NUMBER) if numeric else text


def followed(sequence: Sequence, subjects: Subjects, clock: Clock) -> ir.Table:
    """Rows of the customers (``customer_id``) of whom the sequence holds.

    Of each step a row is good if it is such a thing and a good row of the step before lies in the time before it, which
    a window over the rows of a customer, in the order of time, can say.
    """
    # By how they are written: to Python, what asks for 1 equals what asks for the truth.
    whats = list({repr(what): what for what in _whats(sequence)}.values())
    numbers = {repr(what): number for number, what in enumerate(whats)}
    key = {"session": "session", "product": "product"}.get(sequence.same or "")
    rows = _rows(whats, key, sequence.window, subjects, clock)
    by = ["customer_id"] if key is None else ["customer_id", "key"]

    def near(name: str, begin: int | None, end: int) -> ir.IntegerValue:
        """Whether there is a row of this sign from one distance in microseconds to another."""
        value = rows[name]
        window = ibis.window(group_by=by, order_by="us", range=(begin, end))
        return ibis.coalesce(value.max().over(window), 0)

    for number, step in enumerate(sequence.steps):
        good = rows[f"is_{numbers[repr(step.what)]}"] == 1
        if number == 0:
            good &= rows.begins == 1
        else:
            reach = None if step.within is None else -exact_us(step.within)
            good &= near(f"good_{number - 1}", reach, -1) == 1
        if step.unless is not None:
            length = exact_us(step.unless.within)
            over = rows.us <= now_of(subjects, clock) - length
            good &= (near(f"is_{numbers[repr(step.unless.what)]}", 1, length) == 0) & over
        rows = rows.mutate(**{f"good_{number}": one_if(good)})
    last = rows[f"good_{len(sequence.steps) - 1}"]
    return rows.filter(last == 1)


def _whats(sequence: Sequence) -> list[What]:
    return [step.what for step in sequence.steps] + [
        step.unless.what for step in sequence.steps if step.unless is not None
    ]


def _rows(whats: list[What], key: str | None, window: Window, subjects: Subjects, clock: Clock) -> ir.Table:
    """All rows that any step is about: customer_id, us, (key,) begins (in the window), ``is_<n>`` for each thing."""
    signs: dict[str, dict[int, Meant]] = {}
    for number, what in enumerate(whats):
        # An order is about each of its goods.
        if isinstance(what, Orders) and key == "product" and what.goods is None:
            name, meant = matching(replace(what, goods=Goods()), subjects, clock)
        else:
            name, meant = matching(what, subjects, clock)
        signs.setdefault(name, {})[number] = meant
    parts = []
    for name, meant_by in signs.items():
        table = table_of(name, subjects)
        # Whatever follows the first step is later than the beginning of its window.
        table = _narrowed(table, [(whats[number], window) for number in meant_by], subjects, clock)
        sign = {number: meant(table) for number, meant in meant_by.items()}
        columns: dict[str, ir.Value] = {"begins": one_if(within(window, table, subjects, clock))}
        for number in range(len(whats)):
            columns[f"is_{number}"] = one_if(sign.get(number, NO))
        if key is not None:
            columns["key"] = _key(table, name, key, subjects)
        part = table.filter(_any(list(sign.values())))
        part = part.select("customer_id", "us", **columns)
        parts.append(part if key is None else part.filter(part.key.notnull()))
    return reduce(lambda left, right: left.union(right), parts)


def one_if(condition: ir.BooleanValue) -> ir.IntegerValue:
    """One or zero, of which there is a greatest; PostgreSQL casts no boolean to a bigint."""
    one, zero = (ibis.literal(value, type="int64") for value in (1, 0))
    return cast(ir.IntegerValue, ibis.ifelse(condition, one, zero))


def _key(table: ir.Table, name: str, key: str, subjects: Subjects) -> ir.Value:
    if name == "facts":
        return table.session if key == "session" else subjects.inside_fact(table, "product_id")
    return table.product_id if key == "product" else ibis.null("string")


def _all(conditions: list[ir.BooleanValue]) -> ir.BooleanValue:
    return reduce(lambda left, right: left & right, conditions) if conditions else YES


def _any(conditions: list[ir.BooleanValue]) -> ir.BooleanValue:
    return reduce(lambda left, right: left | right, conditions)
