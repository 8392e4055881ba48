"""A tree as one expression: everything that it asks of one table is worked out in one pass over that table."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Sequence as Several
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from typing import TypeAlias

import ibis
import ibis.expr.types as ir

from shuke.segments.measures.happenings import (
    Meant,
    Pass,
    Worked,
    followed,
    matching,
    moved,
    now_of,
    of_goods,
    reaching,
    table_of,
    value_of,
    within,
)
from shuke.segments.measures.subjects import MIX, Subjects
from shuke.segments.measures.values import NO, YES, holds
from shuke.segments.model.clock import Clock
from shuke.segments.model.kinds import COMPARING, Comparing, Kind, kind_of, measured_of
from shuke.segments.model.tree import (
    Anchored,
    Attribute,
    Consented,
    Did,
    Facts,
    Figure,
    FigureName,
    Goods,
    Group,
    HasIdentity,
    Listed,
    Measured,
    Moved,
    Node,
    Orders,
    Sequence,
    Share,
    SinceStage,
    Tagged,
    Test,
    Top,
    What,
    Window,
)

__all__ = ["leaves", "members", "parted"]

#: Whether a customer is meant, asked of the table of people with all answers beside.
Holds: TypeAlias = Callable[[ir.Table], ir.BooleanValue]
#: What is known of a customer, asked likewise.
Valued: TypeAlias = Callable[[ir.Table], ir.Value]

_SHARES = 10_000
_ENDS = ("first", "last")
_MOVES = Facts(kind="stage")
_PEOPLE = "people"


def members(node: Node, subjects: Subjects, clock: Clock, kinds: Mapping[str, Kind]) -> ir.Table:
    """The customers (``customer_id``) of whom a tree holds.

    Args:
        node: a tree that can be asked, in which no other segment is named any more.
        subjects: of whom.
        clock: when.
        kinds: of the attributes that it names.
    """
    asked = _Asked(subjects, clock, kinds)
    meant = asked.holds(node)
    people = asked.people()
    return people.filter(meant(people)).select("customer_id")


def leaves(nodes: Several[Node], subjects: Subjects, clock: Clock, kinds: Mapping[str, Kind]) -> ir.Table:
    """Of every customer whether each of these nodes holds (customer_id, ``holds_0``, ``holds_1``, …), and of each node
    that compares a value what it is (``value_0``, …): of what happened how often, a moment in microseconds since 1970.

    Arguments as for :func:`members`.
    """
    asked = _Asked(subjects, clock, kinds)
    meant = {f"holds_{number}": asked.holds(node) for number, node in enumerate(nodes)}
    values = {f"value_{number}": asked.value(node) for number, node in enumerate(nodes) if isinstance(node, COMPARING)}
    people = asked.people()
    return people.select("customer_id", **{name: one(people) for name, one in {**meant, **values}.items()})


def parted(nodes: Several[Node], subjects: Subjects, clock: Clock, kinds: Mapping[str, Kind]) -> Iterator[ir.Table]:
    """What :func:`leaves` says of these nodes without their values, in a table for each thing that is asked.

    A table has ``customer_id`` and ``holds_<number>`` of the nodes that ask its thing, which are in no other. Of
    customers who have no row in it the row without a customer says what holds, and without such a row nothing does.
    Customers may have several rows that say the same. To put a row of each table beside everybody, as one expression
    of all nodes has to, takes longer than to read most tables.

    Arguments as for :func:`members`; the nodes are no groups.
    """
    asked = _Asked(subjects, clock, kinds)
    of_thing: dict[object, dict[str, Node]] = {}
    for number, node in enumerate(nodes):
        of_thing.setdefault(asked.thing(node) or number, {})[f"holds_{number}"] = node
    for by_name in of_thing.values():
        yield _Asked(subjects, clock, kinds).apart(by_name)


@dataclass
class _Asked:
    """What is asked of each table."""

    subjects: Subjects
    clock: Clock
    kinds: Mapping[str, Kind]
    passes: dict[tuple[str, str], Pass] = field(default_factory=dict)
    ends: list[ir.Table] = field(default_factory=list)

    def people(self) -> ir.Table:
        """Everybody with the answers."""
        people = self.subjects.people
        answers = [*(each.answers() for each in self.passes.values()), *self.ends]
        values = [name for one in answers for name in one.columns if name != "customer_id"]
        beside = people
        for number, one in enumerate(answers):
            beside = beside.left_join(one, "customer_id", rname=f"{{name}}_{number}")
        return beside.select(*people.columns, *values)

    def thing(self, node: Node) -> object:
        """What has to be read for a node that is no group; None for something that no other node asks."""
        if isinstance(node, Attribute | Figure | Share) or _beside_another(node):
            return _PEOPLE
        if isinstance(node, Moved):
            return self._pass(_MOVES, node.window)
        if isinstance(node, Did):
            return self._pass(node.what, node.window)
        if isinstance(node, Measured) and node.by not in _ENDS:
            return self._pass(measured_of(node), node.window)
        return None

    def apart(self, nodes: Mapping[str, Node]) -> ir.Table:
        """A table of :func:`parted`: of nodes that ask the same thing, by the names of their columns."""
        node = next(iter(nodes.values()))
        thing = self.thing(node)
        if thing is None and not isinstance(node, Measured):
            return self._set(node).select("customer_id", **dict.fromkeys(nodes, YES))
        meant = {name: self.holds(node) for name, node in nodes.items()}
        if thing == _PEOPLE:
            rows = self.people()
        else:
            (rows,) = [*(each.answers() for each in self.passes.values()), *self.ends]
            nothing = {name: ibis.null(kind) for name, kind in rows.schema().items()}
            rows = rows.union(self.subjects.people.limit(1).select(**nothing))
        return rows.select("customer_id", **{name: one(rows) for name, one in meant.items()})

    def holds(self, node: Node) -> Holds:
        """Whether the node holds."""
        match node:
            case Group():
                found = self._group(node)
            case Attribute() | Figure() | Did() | Measured():
                found = self._compared(node)
            case Share():
                found = partial(_drawn, node=node)
            case Moved():
                found = self._moved(node)
            case _:
                found = self._among(self._set(node))
        return found

    def _group(self, node: Group) -> Holds:
        of = [self.holds(one) for one in node.of]
        if node.node == "all":
            return lambda people: reduce(lambda left, right: left & right, (one(people) for one in of), YES)
        if node.node == "any":
            return lambda people: reduce(lambda left, right: left | right, (one(people) for one in of), NO)
        return lambda people: ~reduce(lambda left, right: left | right, (one(people) for one in of), NO)

    # ---- Nodes that compare a value.

    def value(self, node: Comparing) -> Valued:
        """What the node compares."""
        match node:
            case Attribute():
                kind = self.kinds[node.name]
                return lambda people: self.subjects.read(people.attributes, node.name, kind)
            case Figure():
                return lambda people: people[node.name.value]
            case Did():
                return self._times(node)
            case Measured():
                return self._measured(node)

    def _compared(self, node: Comparing) -> Holds:
        value, kind = self.value(node), kind_of(node, self.kinds)
        test = _test_of(node)

        def compared(people: ir.Table) -> ir.BooleanValue:
            other = None if test.than is None else self.subjects.read(people.attributes, test.than, kind)
            return holds(value(people), kind, test, self.clock, other)

        return compared

    def _times(self, node: Did) -> Valued:
        def times(rows: ir.Table, meant: ir.BooleanValue | None) -> ir.Value:
            of_lines = isinstance(node.what, Orders) and node.what.goods is not None
            return rows.order_id.nunique(where=meant) if of_lines else rows.count(where=meant)

        name = self._ask(node.what, node.window, times)
        return lambda people: ibis.coalesce(people[name], 0)

    def _measured(self, node: Measured) -> Valued:
        goods = node.what.goods if isinstance(node.what, Orders) else None
        node = replace(node, what=measured_of(node))
        if node.by == "share" and goods is not None:
            return self._share(node, goods)
        numeric = kind_of(node, self.kinds) is Kind.NUMBER and node.by != "distinct"

        def value(rows: ir.Table) -> ir.Value:
            return value_of(rows, node.of, self.subjects, numeric=numeric)

        if node.by in _ENDS:
            name = self._end(node, value)
        else:
            name = self._ask(node.what, node.window, lambda rows, meant: _together(value(rows), meant, node.by))
        return lambda people: ibis.coalesce(people[name], 0) if node.by == "distinct" else people[name]

    def _share(self, node: Measured, goods: Goods) -> Valued:
        """Of what was spent on all lines the part that was spent on some: both sums of whole numbers, in one pass."""

        def share(rows: ir.Table, meant: ir.BooleanValue | None) -> ir.Value:
            these = of_goods(rows, goods)
            part = rows.amount_minor.sum(where=these if meant is None else these & meant)
            whole = rows.amount_minor.sum(where=meant)
            return ibis.coalesce(part, 0).cast("float64") / whole.cast("float64").nullif(0.0)

        name = self._ask(node.what, node.window, share)
        return lambda people: people[name]

    # ---- Nodes of a set: whoever is in it.

    def _set(self, node: Node) -> ir.Table:
        subjects = self.subjects
        if isinstance(node, Tagged):
            tags = subjects.tags
            lasting = tags.expires_us.isnull() | (tags.expires_us > now_of(subjects, self.clock))
            rows = tags.filter((tags.tag == node.tag) & lasting)
            rows = rows if node.source is None else rows.filter(rows.source == node.source)
        elif isinstance(node, HasIdentity):
            rows = subjects.identities.filter(subjects.identities.kind == node.kind)
        elif isinstance(node, Consented):
            said = subjects.consents
            about = (said.purpose == node.purpose) & (said.channel == node.channel)
            rows = said.filter(about & (said.state == node.state))
        elif isinstance(node, Listed):
            rows = subjects.listed.filter(subjects.listed.list_id == str(node.list_id))
        elif isinstance(node, Top):
            rows = _top(subjects.everybody, node)
        elif isinstance(node, Sequence):
            return followed(node, subjects, self.clock)
        else:
            raise TypeError(node)
        return rows

    def _among(self, rows: ir.Table) -> Holds:
        return lambda people: people.customer_id.isin(rows.customer_id)

    # ---- What happened.

    def _moved(self, node: Moved) -> Holds:
        meant_by = node, moved(node, self.subjects, self.clock)
        name = self._ask(_MOVES, node.window, lambda rows, meant: rows.count(where=meant), meant_by)
        return lambda people: ibis.coalesce(people[name], 0) > 0

    def _ask(
        self,
        what: What,
        window: Window,
        value: Worked,
        about: tuple[Moved, Meant] | None = None,
    ) -> str:
        """Have a value worked out of the rows that are meant, in the window; returns the name of its column."""
        _, matches = matching(what, self.subjects, self.clock)
        key = self._pass(what, window)
        if key not in self.passes:
            table = reaching(window, table_of(key[0], self.subjects), self.subjects, self.clock)
            self.passes[key] = Pass(table, self.subjects, self.clock)
        name = f"value_{sum(len(each.asked) for each in self.passes.values())}"
        subject, meant = about or (what, matches)
        # By how they are written, likewise.
        rows_meant = repr((subject, window))
        each = self.passes[key]
        each.meant[rows_meant] = lambda rows: meant(rows) & within(window, rows, self.subjects, self.clock)
        each.asked[name] = rows_meant, value
        each.about.append((what, window))
        return name

    def _pass(self, what: What, window: Window) -> tuple[str, str]:
        """Which pass it is that these are asked in."""
        name, _ = matching(what, self.subjects, self.clock)
        # By how it is written: to Python, what asks for 1 equals what asks for the truth.
        return name, repr(window) if isinstance(window, SinceStage | Anchored) else ""

    def _end(self, node: Measured, value: Callable[[ir.Table], ir.Value]) -> str:
        """The value of the first or the last row that is meant and has one."""
        table_name, matches = matching(node.what, self.subjects, self.clock)
        rows = reaching(node.window, table_of(table_name, self.subjects), self.subjects, self.clock)
        rows = rows.filter(matches(rows) & within(node.window, rows, self.subjects, self.clock))
        rows = rows.select("customer_id", "us", value=value(rows))
        rows = rows.filter(rows["value"].notnull())
        time = rows.us if node.by == "first" else rows.us.desc()
        place = ibis.row_number().over(ibis.window(group_by=rows.customer_id, order_by=[time, rows["value"].desc()]))
        ends = rows.mutate(place=place)
        name = f"end_{len(self.ends)}"
        self.ends.append(ends.filter(ends.place == 0).select("customer_id", **{name: ends["value"]}))
        return name


def _test_of(node: Comparing) -> Test:
    return node.times if isinstance(node, Did) else node.test


def _beside_another(node: Node) -> bool:
    """Whether a value is compared with another one of the same customer."""
    return isinstance(node, COMPARING) and _test_of(node).than is not None


def _together(value: ir.Value, meant: ir.BooleanValue, by: str) -> ir.Value:
    """One figure of many values; never the engine's own average, which each sums in a way of its own."""
    if by == "average":
        return value.sum(where=meant) / value.count(where=meant).nullif(0)
    # By name, for texts, whose distinct ones are counted, have no sum to be got.
    return getattr(value, {"sum": "sum", "least": "min", "greatest": "max", "distinct": "nunique"}[by])(where=meant)


def _drawn(people: ir.Table, node: Share) -> ir.BooleanValue:
    """By a hash of each customer's own number that depends on the seed (Carter and Wegman 1979)."""
    digest = hashlib.sha256(node.seed.encode()).digest()
    factor, shift = (int.from_bytes(digest[begin : begin + 8]) % (MIX - 1) + 1 for begin in (0, 8))
    place = (people.mix * factor + shift) % MIX % _SHARES
    return (place >= round(node.since * _SHARES / 100)) & (place < round(node.until * _SHARES / 100))


def _top(everybody: ir.Table, node: Top) -> ir.Table:
    figure = everybody[node.by.value]
    known = everybody.filter(figure.notnull())
    highest = known[node.by.value] if node.lowest else known[node.by.value].desc()
    order = [highest, known.created_at, known.customer_id]
    if node.by is FigureName.JOINED:
        # Of a column that is named twice Ibis keeps the last order.
        order.pop(1)
    place = ibis.row_number().over(ibis.window(order_by=order))
    ranked = known.select("customer_id", place=place)
    if node.n is not None:
        return ranked.filter(ranked.place < node.n)
    # In whole numbers, which all engines compare alike; counted apart, since to put the count beside everybody takes as
    # long as to rank them.
    highest_places = known.count().as_scalar() * round((node.percent or 0) * _SHARES / 100)
    return ranked.filter(ranked.place * _SHARES < highest_places)
