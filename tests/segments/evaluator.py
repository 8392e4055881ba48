"""Whom a tree means, worked out customer by customer in plain Python, from what ``shuke.segments.model`` says alone.

Nothing is shared with the measures: no Ibis, no regular expressions of theirs, no moments at which days begin (a moment
is put on the brand's calendar instead), sequences by trying all chains. It is slow and obvious, which is its worth.

Where the model leaves a choice, this is the reading:

* A property or an attribute is compared as what the test asks for: the text "12" is the number 12, and the number 12 is
  the text "12". What cannot be read so is not known.
* Capitals are those of ASCII only, for the operator that begins, too.
* A birthday of 29 February comes on the 28th in the years that have no other.
* What is dated later than now is not "within this long before now", but happened at some time.
* ``within`` of a window after or before something else is exact, as in a sequence.
* ``first`` and ``last`` look at what is known: a fact without the property is not the last one. The greater of two
  texts is that of the greater code points; of two orders at one moment the one with the lower id is the first.
* ``unless`` of a sequence that is all of one session, or product, is about that session, or product, too.
"""

from __future__ import annotations

import calendar
import hashlib
import json
import string
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from shuke.base import year
from shuke.segments.model.tree import (
    Anchored,
    Attribute,
    Between,
    Consented,
    Did,
    Facts,
    Figure,
    Goods,
    Group,
    HasIdentity,
    Last,
    Listed,
    Measured,
    Moved,
    Node,
    Op,
    Orders,
    Property,
    Sequence,
    Share,
    SinceStage,
    Span,
    Step,
    Tagged,
    Test,
    Top,
    Unit,
    What,
    Window,
)

from .histories import KINDS, History

Row = dict[str, Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ONE = timedelta(microseconds=1)
DAY = timedelta(days=1)
LENGTHS = {
    Unit.MINUTES: timedelta(minutes=1),
    Unit.HOURS: timedelta(hours=1),
    Unit.DAYS: DAY,
    Unit.WEEKS: 7 * DAY,
    Unit.MONTHS: timedelta(days=365.25) / 12,
}
MOMENTS = ("stage_since", "first_order_at", "last_order_at", "created_at")
OWN = ("channel", "store", "session", "amount_minor")


def meant(tree: Node, history: History) -> set[str]:
    """The ids of the customers of whom the tree holds."""
    oracle = _Oracle(history)
    return {person["customer_id"] for person in history.people if oracle.holds(tree, person)}


def text_of(value: Any) -> str | None:
    """A value of JSON as a text."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def number_of(text: str | None) -> float | None:
    """The number that a text is, written as JSON writes numbers, with zeros or a plus before it if need be."""
    digits = (text or "").lower()
    if not digits or not digits[-1].isdigit() or any(sign not in "0123456789+-.e" for sign in digits):
        return None
    if digits.lstrip("+-")[:1] in (".", "e") or ".e" in digits:
        return None
    try:
        return float(digits)
    except ValueError:
        return None


def day_of(text: str | None) -> date | None:
    """The day that a text is, as 2024-02-29."""
    if text is None or len(text) != 10 or text[4] != "-" or text[7] != "-":
        return None
    parts = text.split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    try:
        return date(*map(int, parts))
    except ValueError:
        return None


def truth_of(text: str | None) -> bool | None:
    return {"true": True, "false": False}.get(text or "")


def yearly_of(text: str | None) -> date | None:
    number = number_of(text)
    return year.day_at(int(number)) if number in range(year.DAYS) else None


READ = {"text": lambda text: text, "number": number_of, "date": day_of, "truth": truth_of, "yearly": yearly_of}


def kind_wanted(test: Test) -> str:
    first = test.values[0] if test.values else None
    return "truth" if isinstance(first, bool) else "text" if first is None or isinstance(first, str) else "number"


def small(text: Any) -> str:
    return "".join(sign.lower() if sign in string.ascii_uppercase else sign for sign in str(text))


class _Oracle:
    def __init__(self, history: History) -> None:
        self.history = history
        self.zone = ZoneInfo(history.zone)
        self.now = (history.now - EPOCH) // ONE
        self.today = history.now.astimezone(self.zone).date()

    # ---- Time.

    def day(self, us: int) -> date:
        return (EPOCH + us * ONE).astimezone(self.zone).date()

    def day_back(self, span: Span) -> date:
        if span.unit is not Unit.MONTHS:
            return self.today - timedelta(days=span.n * (7 if span.unit is Unit.WEEKS else 1))
        year, month = self.today.year, self.today.month
        for _ in range(span.n):
            year, month = (year, month - 1) if month > 1 else (year - 1, 12)
        return date(year, month, min(self.today.day, calendar.monthrange(year, month)[1]))

    def inside(self, us: int, window: Window, person: Row) -> bool:  # noqa: PLR0911 - one for each window
        """Whether a moment lies in a window."""
        if isinstance(window, Last):
            if us > self.now:
                return False
            if window.span.unit in (Unit.MINUTES, Unit.HOURS):
                return (self.now - us) * ONE <= window.span.n * LENGTHS[window.span.unit]
            return self.day(us) >= self.day_back(window.span)
        if isinstance(window, Between):
            day = self.day(us).isoformat()
            return (window.since is None or day >= window.since) and (window.until is None or day <= window.until)
        if isinstance(window, SinceStage):
            return person["stage_since"] is not None and us >= person["stage_since"]
        if isinstance(window, Anchored):
            moments = [row["us"] for row in self.happened(window.what, person)]
            if not moments:
                return False
            anchor = min(moments) if window.which == "first" else max(moments)
            far = us - anchor if window.when == "after" else anchor - us
            return far > 0 and (window.within is None or far * ONE <= self.length(window.within))
        return True

    @staticmethod
    def length(span: Span) -> timedelta:
        return span.n * LENGTHS[span.unit]

    # ---- Tests.

    def suits(self, value: Any, kind: str, test: Test, other: Any = None) -> bool:  # noqa: PLR0911 - each operator
        """Whether a value (None where it is not known) is what the test wants; ``other`` is that of ``than``."""
        if test.op is Op.KNOWN:
            return value is not None
        if test.op is Op.UNKNOWN:
            return value is None
        if test.op is Op.IS_NOT:
            return not self.suits(value, kind, Test(op=Op.IS, values=test.values, than=test.than), other)
        if test.op is Op.LACKS:
            return not self.suits(value, kind, Test(op=Op.CONTAINS, values=test.values, than=test.than), other)
        if value is None or (test.than is not None and other is None):
            return False
        values = test.values if test.than is None else (other,)
        if test.op is Op.CONTAINS:
            return any(small(part) in small(value) for part in values)
        if test.op is Op.BEGINS:
            return any(small(value)[: len(str(part))] == small(part) for part in values)
        if kind in ("date", "moment", "yearly"):
            return self.suits_day(self.day(value) if kind == "moment" else value, test.op, values)
        low = values[0]
        return bool(
            {
                Op.IS: lambda: any(value == one for one in values),
                Op.AT_LEAST: lambda: value >= low,
                Op.AT_MOST: lambda: value <= low,
                Op.MORE: lambda: value > low,
                Op.LESS: lambda: value < low,
                Op.BETWEEN: lambda: low <= value <= values[1],
            }[test.op]()
        )

    def suits_day(self, day: date, op: Op, values: tuple[Any, ...]) -> bool:
        if op in (Op.BEFORE, Op.SINCE, Op.BETWEEN):
            days = [date.fromisoformat(one) if isinstance(one, str) else one for one in values]
            if op is Op.BEFORE:
                return day < days[0]
            return days[0] <= day and (op is Op.SINCE or day <= days[1])
        far, count = (day - self.today).days, int(values[0])
        if op is Op.LAST_DAYS:
            return -count <= far <= 0
        if op is Op.NEXT_DAYS:
            return 0 <= far <= count
        if op is Op.DAYS_AGO:
            return far < -count
        return any(self.comes(day, self.today + timedelta(days=number)) for number in range(min(count, 366) + 1))

    @staticmethod
    def comes(birthday: date, day: date) -> bool:
        if (birthday.month, birthday.day) == (2, 29) and not calendar.isleap(day.year):
            return (day.month, day.day) == (2, 28)
        return (birthday.month, birthday.day) == (day.month, day.day)

    # ---- What happened.

    def of(self, rows: tuple[Row, ...], person: Row) -> list[Row]:
        return [row for row in rows if row["customer_id"] == person["customer_id"]]

    def happened(self, what: What, person: Row) -> list[Row]:
        """The facts, orders or lines that are meant; each line has its order beside it."""
        if isinstance(what, Facts):
            return [row for row in self.of(self.history.facts, person) if self.fact(row, what)]
        orders = sorted(self.of(self.history.orders, person), key=lambda row: (row["us"], row["order_id"]))
        orders = {"any": orders, "first": orders[:1], "last": orders[-1:]}[what.which]
        orders = [order for order in orders if self.order(order, what)]
        if what.goods is None:
            return orders
        return [line for order in orders for line in self.lines(order) if self.line(line, what.goods)]

    def lines(self, order: Row) -> list[Row]:
        return [line for line in self.history.lines if line["order_id"] == order["order_id"]]

    def fact(self, row: Row, what: Facts) -> bool:
        return (
            (what.kind is None or row["kind"] == what.kind)
            and (what.name is None or row["name"] == what.name)
            and all(self.condition(row, one) for one in what.where)
        )

    def condition(self, row: Row, one: Property) -> bool:
        if one.name in OWN:
            return self.suits(row[one.name], "number" if one.name == "amount_minor" else "text", one.test)
        kind = kind_wanted(one.test)
        return self.suits(READ[kind](text_of(json.loads(row["properties"]).get(one.name))), kind, one.test)

    def order(self, row: Row, what: Orders) -> bool:
        full = row["amount_minor"] + row["discount_minor"]
        share = row["discount_minor"] / full if full else None
        return (
            (not what.channels or row["channel"] in what.channels)
            and (not what.stores or row["store"] in what.stores)
            and (what.amount is None or self.suits(row["amount_minor"], "number", what.amount))
            and (what.discount_share is None or self.suits(share, "number", what.discount_share))
        )

    @staticmethod
    def line(row: Row, goods: Goods) -> bool:
        named = ((goods.products, "product_id"), (goods.categories, "category"), (goods.brands, "brand"))
        return all(not wanted or row[name] in wanted for wanted, name in named)

    def during(self, what: What, window: Window, person: Row) -> list[Row]:
        return [row for row in self.happened(what, person) if self.inside(row["us"], window, person)]

    # ---- Nodes.

    def holds(self, node: Node, person: Row) -> bool:
        """Whether a statement holds for a customer."""
        found: bool = getattr(self, f"_{type(node).__name__.lower()}")(node, person)
        return found

    def _group(self, node: Group, person: Row) -> bool:
        each = [self.holds(one, person) for one in node.of]
        return {"all": all, "any": any, "none": lambda each: not any(each)}[node.node](each)

    def attribute(self, person: Row, name: str, kind: str) -> Any:
        return READ[kind](text_of(json.loads(person["attributes"]).get(name)))

    def _attribute(self, node: Attribute, person: Row) -> bool:
        kind = KINDS[node.name].value
        other = None if node.test.than is None else self.attribute(person, node.test.than, kind)
        return self.suits(self.attribute(person, node.name, kind), kind, node.test, other)

    def _tagged(self, node: Tagged, person: Row) -> bool:
        return any(
            row["tag"] == node.tag
            and (node.source is None or row["source"] == node.source)
            and (row["expires_us"] is None or row["expires_us"] > self.now)
            for row in self.of(self.history.tags, person)
        )

    def _hasidentity(self, node: HasIdentity, person: Row) -> bool:
        return any(row["kind"] == node.kind for row in self.of(self.history.identities, person))

    def _consented(self, node: Consented, person: Row) -> bool:
        wanted = (node.purpose, node.channel, node.state)
        said = self.of(self.history.consents, person)
        return any((row["purpose"], row["channel"], row["state"]) == wanted for row in said)

    def _listed(self, node: Listed, person: Row) -> bool:
        return any(row["list_id"] == str(node.list_id) for row in self.of(self.history.listed, person))

    def _figure(self, node: Figure, person: Row) -> bool:
        value = person[node.name.value]
        kind = "moment" if node.name in MOMENTS else "date" if isinstance(value, date) else "text"
        return self.suits(value, kind, node.test)

    def _did(self, node: Did, person: Row) -> bool:
        rows = self.during(node.what, node.window, person)
        if isinstance(node.what, Orders):
            return self.suits(len({row["order_id"] for row in rows}), "number", node.times)
        return self.suits(len(rows), "number", node.times)

    def _moved(self, node: Moved, person: Row) -> bool:
        changes = self.during(Facts(kind="stage"), node.window, person)
        if node.change == "entered":
            return any(row["name"] in node.stages for row in changes)
        return any(json.loads(row["properties"]).get("from") in node.stages for row in changes)

    def _measured(self, node: Measured, person: Row) -> bool:
        if node.by == "share":
            return self.share_of_spending(node, person)
        facts = isinstance(node.what, Facts)
        kind = "moment" if node.of == "day" else "number"
        own = node.of == "amount_minor" or (node.of == "quantity" and not facts)
        if node.by in ("first", "last") and not own and node.of != "day" and node.test.than is None:
            kind = kind_wanted(node.test)
        values: list[tuple[int, Any]] = []
        what = node.what
        if isinstance(what, Orders) and node.of in ("quantity", "product_id", "category", "brand"):
            what = replace(what, goods=what.goods or Goods())
        for row in self.during(what, node.window, person):
            if node.of == "day":
                value: Any = row["us"]
            elif own:
                value = row[node.of]
            else:
                text = (
                    text_of(json.loads(row["properties"]).get(node.of))
                    if facts and node.of not in OWN
                    else row[node.of]
                )
                value = text if node.by == "distinct" else READ["number" if kind == "number" else "text"](text)
            if value is not None:
                values.append((row["us"], value))
        other = None if node.test.than is None else self.attribute(person, node.test.than, kind)
        if node.by == "distinct":
            return self.suits(len({value for _, value in values}), "number", node.test, other)
        found = self.together(values, node.by) if values else None
        return self.suits(truth_of(found) if kind == "truth" else found, kind, node.test, other)

    def share_of_spending(self, node: Measured, person: Row) -> bool:
        """Of all lines of the orders, and of those among them that are of the goods."""
        assert isinstance(node.what, Orders)
        orders = self.during(replace(node.what, goods=None), node.window, person)
        every = [line for order in orders for line in self.lines(order)]
        spent = sum(line["amount_minor"] for line in every)
        on_goods = sum(line["amount_minor"] for line in every if self.line(line, node.what.goods or Goods()))
        other = None if node.test.than is None else self.attribute(person, node.test.than, "number")
        return self.suits(on_goods / spent if spent else None, "number", node.test, other)

    @staticmethod
    def together(values: list[tuple[int, Any]], by: str) -> Any:
        plain = [value for _, value in values]
        if by in ("first", "last"):
            moments = [us for us, _ in values]
            moment = min(moments) if by == "first" else max(moments)
            return max(value for us, value in values if us == moment)
        if by == "average":
            return sum(plain) / len(plain)
        return {"sum": sum, "least": min, "greatest": max}[by](plain)

    def _share(self, node: Share, person: Row) -> bool:
        # Of the draw itself the model says nothing: it is this one, since the same customers must always be drawn.
        prime, parts = 2**31 - 1, 10_000
        digest = hashlib.sha256(node.seed.encode()).digest()
        factor, shift = (int.from_bytes(part, "big") % (prime - 1) + 1 for part in (digest[:8], digest[8:16]))
        drawn = (person["mix"] * factor + shift) % prime % parts
        return round(node.since * 100) <= drawn < round(node.until * 100)

    def _top(self, node: Top, person: Row) -> bool:
        known = [one for one in self.history.everybody if one[node.by.value] is not None]
        known.sort(key=lambda one: (one["created_at"], one["customer_id"]))
        # Sorting keeps the order of equal ones, backwards, too.
        known.sort(key=lambda one: one[node.by.value], reverse=not node.lowest)
        count = node.n
        if count is None:
            count = ceil(Fraction(str(node.percent)) * len(known) / 100)
        return person["customer_id"] in [one["customer_id"] for one in known[:count]]

    # ---- Sequences: every chain is tried.

    def _sequence(self, node: Sequence, person: Row) -> bool:
        keys: set[str | None] = {None}
        if node.same is not None:
            whats = [step.what for step in node.steps]
            keys = {key for what in whats for _, key in self.keyed(what, node.same, person)} - {None}
        return any(
            self.inside(us, node.window, person) and self.goes_on(node, 0, us, key, person)
            for key in keys
            for us in set(self.moments(node.steps[0].what, node.same, key, person))
        )

    def goes_on(self, node: Sequence, number: int, us: int, key: str | None, person: Row) -> bool:
        """Whether the step of this number, taken at this moment, stands, and all that follow can be taken."""
        if not self.stands(node.steps[number], node.same, us, key, person):
            return False
        if number + 1 == len(node.steps):
            return True
        step = node.steps[number + 1]
        return any(
            later > us
            and (step.within is None or (later - us) * ONE <= self.length(step.within))
            and self.goes_on(node, number + 1, later, key, person)
            for later in set(self.moments(step.what, node.same, key, person))
        )

    def stands(self, step: Step, same: str | None, us: int, key: str | None, person: Row) -> bool:
        if step.unless is None:
            return True
        length = self.length(step.unless.within)
        if (self.now - us) * ONE < length:
            return False
        return not any(
            us < later and (later - us) * ONE <= length for later in self.moments(step.unless.what, same, key, person)
        )

    def moments(self, what: What, same: str | None, key: str | None, person: Row) -> list[int]:
        return [us for us, of in self.keyed(what, same, person) if of == key]

    def keyed(self, what: What, same: str | None, person: Row) -> Iterator[tuple[int, str | None]]:
        """When it happened, and of which session or product."""
        for row in self.happened(what, person):
            if same is None:
                yield row["us"], None
            elif isinstance(what, Facts):
                found = row["session"] if same == "session" else json.loads(row["properties"]).get("product_id")
                yield row["us"], text_of(found)
            elif same == "product" and what.goods is not None:
                yield row["us"], row["product_id"]
            elif same == "product":
                yield from ((row["us"], line["product_id"]) for line in self.lines(row))
