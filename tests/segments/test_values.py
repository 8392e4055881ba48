"""What each operator, window and kind of node means, on single customers that a reader can hold in the head.

Each is asked of every engine of the program and of the plain evaluator.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from shuke.base import year
from shuke.base.language import Language

# Pytest would take a class of this name for tests.
from shuke.segments.model.tree import (
    Anchored,
    Attribute,
    Between,
    Did,
    Ever,
    Facts,
    Figure,
    FigureName,
    Goods,
    Group,
    Last,
    Measured,
    Moved,
    Node,
    Op,
    Orders,
    Property,
    Sequence,
    Share,
    Span,
    Step,
    Tagged,
    Top,
    Unit,
    Unless,
    What,
    Window,
)
from shuke.segments.model.tree import Test as Wants
from shuke.segments.rules.wording import Names, sentence

from .engines import Asked, difference
from .evaluator import meant
from .histories import SCHEMAS, History, Row, us_of

Asks = Callable[..., set[str]]
NOON = datetime(2024, 3, 15, 4, tzinfo=UTC)  # 12 o'clock in Shanghai


@pytest.fixture
def asks(engines: dict[str, Asked]) -> Asks:
    """Whom of these customers, by name, a tree means, in which all agree."""

    def asked(tree: Node, customers: dict[str, Row], *, zone: str = "Asia/Shanghai", now: datetime = NOON) -> set[str]:
        history = history_with(customers, zone, now)
        for engine in engines.values():
            engine.load(history)
        assert difference(tree, history, engines) is None
        names = {str(UUID(int=number)): name for number, name in enumerate(customers)}
        return {names[one] for one in meant(tree, history)}

    return asked


def history_with(customers: dict[str, Row], zone: str, now: datetime) -> History:
    """Customers by name, each with figures, ``attributes`` and rows of tables: what is not said is not known."""
    told: dict[str, list[Row]] = {name: [] for name in SCHEMAS}
    for number, said in enumerate(customers.values()):
        mine = {"customer_id": str(UUID(int=number))}
        for name in ("people", "everybody"):
            figures = {column: value for column, value in said.items() if not isinstance(value, list | tuple)}
            known = {"stage": "outside", "created_at": 0, "mix": number, **figures}
            known["attributes"] = json.dumps(said.get("attributes", {}))
            told[name].append({column: known.get(column) for column in SCHEMAS[name]} | mine)
        for name in SCHEMAS:
            for row in said.get(name, ()):
                given = dict(row)
                if name == "facts":
                    given["properties"] = json.dumps(given.get("properties", {}))
                told[name].append({column: given.get(column) for column in SCHEMAS[name]} | mine)
    return History(zone=zone, now=now, **{name: tuple(rows) for name, rows in told.items()})


def at(text: str, zone: str = "Asia/Shanghai") -> int:
    """A moment by the clock of a zone."""
    return us_of(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


def did(name: str, moment: int, **more: Any) -> Row:
    return {"kind": "event", "name": name, "us": moment, **more}


def ordered(number: int, moment: int, amount: int, *products: str) -> Row:
    """What is known of a customer with one order of these products, each of a tenth of the amount."""
    order = {"order_id": str(UUID(int=number)), "us": moment, "amount_minor": amount, "discount_minor": 0}
    of_line = order | {"order_amount_minor": amount, "order_discount_minor": 0, "quantity": 1.0}
    lines = [of_line | {"product_id": product, "amount_minor": amount // 10} for product in products]
    return {"orders": [order], "lines": lines}


def of(*facts: Row) -> Row:
    return {"facts": facts}


VIEW, CART, PAY = (Facts(name=name) for name in ("view", "cart", "pay"))
DAY_SPAN, HOUR = Span(n=1, unit=Unit.DAYS), Span(n=1, unit=Unit.HOURS)

CITIES = {
    name: {"attributes": attributes}
    for name, attributes in {
        "hangzhou": {"city": "Hangzhou"},
        "small": {"city": "hangzhou east"},
        "chinese": {"city": "杭州市"},
        "french": {"city": "École"},
        "percent": {"city": "100%"},
        "empty": {"city": ""},
        "null": {"city": None},
        "missing": {},
    }.items()
}


@pytest.mark.parametrize(
    ("op", "value", "found"),
    [
        (Op.IS, "Hangzhou", {"hangzhou"}),
        (Op.IS, "hangzhou", set()),
        (Op.CONTAINS, "HANG", {"hangzhou", "small"}),
        (Op.CONTAINS, "州", {"chinese"}),
        (Op.CONTAINS, "%", {"percent"}),
        (Op.CONTAINS, "É", {"french"}),
        (Op.CONTAINS, "é", set()),
        (Op.BEGINS, "hang", {"hangzhou", "small"}),
        (Op.BEGINS, "ang", set()),
        (Op.IS_NOT, "Hangzhou", set(CITIES) - {"hangzhou"}),
        (Op.LACKS, "hang", set(CITIES) - {"hangzhou", "small"}),
        (Op.KNOWN, None, set(CITIES) - {"null", "missing"}),
        (Op.UNKNOWN, None, {"null", "missing"}),
    ],
)
def test_texts_and_what_is_not_known_of_them(asks: Asks, op: Op, value: str | None, found: set[str]) -> None:
    test = Wants(op=op, values=() if value is None else (value,))
    assert asks(Attribute(name="city", test=test), CITIES) == found


def test_none_of_these_holds_where_nothing_is_known(asks: Asks) -> None:
    in_town = Attribute(name="city", test=Wants(op=Op.IS, values=("Hangzhou",)))
    assert asks(Group(node="none", of=(in_town,)), CITIES) == set(CITIES) - {"hangzhou"}
    assert asks(Group(node="all"), CITIES) == set(CITIES)
    assert asks(Group(node="any"), CITIES) == set()


NUMBERS = {
    text if isinstance(text, str) else repr(text): {"attributes": {"points": text}}
    for text in (0, 2, 2.5, "2.50", "1e1", "+5", "٣", "", "5\n", " 5", "NaN", "0x10", None, True)
}


@pytest.mark.parametrize(
    ("op", "values", "found"),
    [
        (Op.IS, (2.5,), {"2.5", "2.50"}),
        (Op.AT_LEAST, (2.5,), {"2.5", "2.50", "1e1", "+5"}),
        (Op.MORE, (2.5,), {"1e1", "+5"}),
        (Op.AT_MOST, (2.5,), {"0", "2", "2.5", "2.50"}),
        (Op.LESS, (2.5,), {"0", "2"}),
        (Op.BETWEEN, (2.0, 5.0), {"2", "2.5", "2.50", "+5"}),
        (Op.IS_NOT, (0.0,), set(NUMBERS) - {"0"}),
        (Op.KNOWN, (), {"0", "2", "2.5", "2.50", "1e1", "+5"}),
    ],
)
def test_numbers_and_what_is_none(asks: Asks, op: Op, values: tuple[float, ...], found: set[str]) -> None:
    assert asks(Attribute(name="points", test=Wants(op=op, values=values)), NUMBERS) == found


DAYS = {
    str(text): {"attributes": {"birthday": text}}
    for text in (
        *("2024-02-29", "2024-03-14", "2024-03-15", "2024-03-16", "1990-03-22", "1990-03-23", "2023-02-29"),
        *("0000-05-05", "1900-02-29", "2024-3-15", "20240315", "2024-03-15T10:00:00Z", None),
    )
}


@pytest.mark.parametrize(
    ("op", "values", "found"),
    [
        (Op.BEFORE, ("2024-03-15",), {"2024-02-29", "2024-03-14", "1990-03-22", "1990-03-23"}),
        (Op.SINCE, ("2024-03-15",), {"2024-03-15", "2024-03-16"}),
        (Op.BETWEEN, ("2024-03-14", "2024-03-15"), {"2024-03-14", "2024-03-15"}),
        (Op.LAST_DAYS, (1.0,), {"2024-03-14", "2024-03-15"}),
        (Op.NEXT_DAYS, (1.0,), {"2024-03-15", "2024-03-16"}),
        (Op.DAYS_AGO, (15.0,), {"1990-03-22", "1990-03-23"}),
        (Op.DAYS_AGO, (14.0,), {"2024-02-29", "1990-03-22", "1990-03-23"}),
        (Op.ANNIVERSARY, (7.0,), {"2024-03-15", "2024-03-16", "1990-03-22"}),
        (
            Op.UNKNOWN,
            (),
            set(DAYS) - {"2024-02-29", "2024-03-14", "2024-03-15", "2024-03-16", "1990-03-22", "1990-03-23"},
        ),
    ],
)
def test_days_and_what_is_none(asks: Asks, op: Op, values: tuple[Any, ...], found: set[str]) -> None:
    assert asks(Attribute(name="birthday", test=Wants(op=op, values=values)), DAYS) == found


@pytest.mark.parametrize(
    ("now", "days", "comes"),
    [
        ("2023-02-27", 0, False),
        ("2023-02-27", 1, True),  # on the 28th, for there is no 29th
        ("2023-03-01", 30, False),
        ("2024-02-27", 1, False),
        ("2024-02-27", 2, True),
        ("2024-12-31", 58, False),
        ("2024-12-31", 59, True),
        ("2024-12-31", 400, True),
    ],
)
def test_a_birthday_of_29_february_comes_every_year(asks: Asks, now: str, days: int, comes: bool) -> None:
    attributes = {"birthday": "2000-02-29", "born": year.place_of(date(2000, 2, 29))}
    for name in attributes:
        tree = Attribute(name=name, test=Wants(op=Op.ANNIVERSARY, values=(float(days),)))
        found = asks(tree, {"one": {"attributes": attributes}}, now=datetime.fromisoformat(f"{now}T04:00Z"))
        assert found == ({"one"} if comes else set()), name


def test_truths_and_texts_that_are_none(asks: Asks) -> None:
    people = {str(value): {"attributes": {"vip": value}} for value in (True, False, "true", "maybe", 1, None)}
    people["text"] = people.pop("true")
    assert asks(Attribute(name="vip", test=Wants(op=Op.IS, values=(True,))), people) == {"True", "text"}
    assert asks(Attribute(name="vip", test=Wants(op=Op.IS_NOT, values=(True,))), people) == {
        "False",
        "maybe",
        "1",
        "None",
    }
    assert asks(Attribute(name="vip", test=Wants(op=Op.KNOWN)), people) == {"True", "False", "text"}


def test_another_attribute_on_the_other_side(asks: Asks) -> None:
    people = {
        "more": {"attributes": {"points": 3, "goal": "2"}},
        "equal": {"attributes": {"points": 2, "goal": 2.0}},
        "without": {"attributes": {"points": 3}},
        "neither": {},
    }
    assert asks(Attribute(name="points", test=Wants(op=Op.MORE, than="goal")), people) == {"more"}
    assert asks(Attribute(name="points", test=Wants(op=Op.AT_LEAST, than="goal")), people) == {"more", "equal"}


# ---- Windows.


@pytest.mark.parametrize(
    ("zone", "now", "span", "first"),
    [
        ("Asia/Shanghai", "2024-03-15 12:00", (1, Unit.DAYS), "2024-03-14 00:00"),
        ("Asia/Shanghai", "2024-03-15 12:00", (1, Unit.WEEKS), "2024-03-08 00:00"),
        ("Asia/Shanghai", "2024-03-31 12:00", (1, Unit.MONTHS), "2024-02-29 00:00"),
        ("Asia/Shanghai", "2024-01-15 12:00", (2, Unit.MONTHS), "2023-11-15 00:00"),
        ("Asia/Kolkata", "2024-03-15 00:00", (24, Unit.HOURS), "2024-03-14 00:00"),
        ("Asia/Kolkata", "2024-03-15 12:00", (90, Unit.MINUTES), "2024-03-15 10:30"),
        # The night has 23 hours, and the day that many.
        ("America/New_York", "2024-03-11 00:00", (1, Unit.DAYS), "2024-03-10 00:00"),
        ("America/New_York", "2024-03-11 00:00", (24, Unit.HOURS), "2024-03-09 23:00"),
        ("Europe/Berlin", "2024-10-28 00:00", (24, Unit.HOURS), "2024-10-27 01:00"),
        # Midnight is left out: the day begins at one.
        ("America/Santiago", "2024-09-09 12:00", (1, Unit.DAYS), "2024-09-08 01:00"),
    ],
)
def test_a_window_begins_at_its_very_moment_and_ends_now(
    asks: Asks, zone: str, now: str, span: tuple[int, Unit], first: str
) -> None:
    edge, end = at(first, zone), at(now, zone)
    moments = {"before": edge - 1, "edge": edge, "now": end, "later": end + 1}
    people = {name: of(did("view", moment)) for name, moment in moments.items()}
    tree = Did(what=VIEW, window=Last(span=Span(n=span[0], unit=span[1])))
    asked_at = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    assert asks(tree, people, zone=zone, now=asked_at) == {"edge", "now"}


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "UTC"])
def test_from_one_day_to_another_is_from_the_first_moment_to_the_last(asks: Asks, zone: str) -> None:
    since, until = at("2024-03-01", zone), at("2024-04-01", zone)
    moments = {"before": since - 1, "first": since, "last": until - 1, "after": until}
    people = {name: of(did("view", moment)) for name, moment in moments.items()}
    both, begun, ended = (
        asks(Did(what=VIEW, window=Between(since=one, until=other)), people, zone=zone)
        for one, other in (("2024-03-01", "2024-03-31"), ("2024-03-01", None), (None, "2024-03-31"))
    )
    assert (both, begun, ended) == ({"first", "last"}, {"first", "last", "after"}, {"before", "first", "last"})


@pytest.mark.parametrize(
    ("when", "which", "within", "found"),
    [
        ("after", "first", None, {"soon", "late", "between"}),
        ("after", "first", HOUR, {"soon", "between"}),
        ("after", "last", None, {"soon", "late"}),
        ("before", "last", None, {"early", "between"}),
        ("before", "last", HOUR, {"between"}),
        ("before", "first", None, {"early"}),
    ],
)
def test_after_and_before_something_else(
    asks: Asks, when: Literal["after", "before"], which: Literal["first", "last"], within: Span | None, found: set[str]
) -> None:
    noon, hour = at("2024-03-10 12:00"), 3_600_000_000
    one = did("pay", noon)
    people = {
        "soon": of(one, did("view", noon + hour)),
        "late": of(one, did("view", noon + hour + 1)),
        "same": of(one, did("view", noon)),
        "early": of(one, did("view", noon - hour - 1)),
        "between": of(one, did("pay", noon + hour), did("view", noon + 1)),
        "never": of(did("view", noon)),
    }
    window = Anchored(when=when, which=which, what=PAY, within=within)
    assert asks(Did(what=VIEW, window=window), people) == found


def test_a_change_of_stage_is_entering_one_and_leaving_another(asks: Asks) -> None:
    def change(before: str | None, after: str) -> Row:
        return {"kind": "stage", "name": after, "us": at("2024-03-10"), "properties": {"from": before}}

    people = {"won": of(change("lost", "active")), "lost": of(change("active", "lost")), "new": of(change(None, "new"))}
    assert asks(Moved(change="entered", stages=("lost", "new")), people) == {"lost", "new"}
    assert asks(Moved(change="left", stages=("lost", "new")), people) == {"won"}


# ---- What happened, and how much.


def test_everything_that_came_twice_counts_twice_but_an_order_once(asks: Asks) -> None:
    fact = did("view", at("2024-03-10"))
    people = {
        "twice": of(fact, fact),
        "once": of(fact),
        "never": {},
        "order": ordered(1, at("2024-03-10"), 100, "a", "b"),
    }
    assert asks(Did(what=VIEW, times=Wants(op=Op.IS, values=(2,))), people) == {"twice"}
    assert asks(Did(what=VIEW, times=Wants(op=Op.IS, values=(0,))), people) == {"never", "order"}
    assert asks(Did(what=VIEW, times=Wants(op=Op.IS_NOT, values=(1,))), people) == {"twice", "never", "order"}
    goods = Orders(goods=Goods(products=("a", "b")))
    assert asks(Did(what=goods, times=Wants(op=Op.IS, values=(1,))), people) == {"order"}
    # Of all lines, where no goods are named.
    different = Measured(what=Orders(), of="product_id", by="distinct", test=Wants(op=Op.IS, values=(2.0,)))
    assert asks(different, people) == {"order"}
    spent = Measured(what=goods, of="amount_minor", by="sum", test=Wants(op=Op.IS, values=(20.0,)))
    assert asks(spent, people) == {"order"}


def test_a_property_is_compared_as_what_it_is_asked_for(asks: Asks) -> None:
    values = {"one": 1, "true": True, "text": "1", "null": None, "nested": {"a": 1}}
    people = {name: of(did("view", 0, properties={"*": value})) for name, value in values.items()}

    def found(op: Op, *given: str | float | bool) -> set[str]:
        return asks(Did(what=Facts(where=(Property(name="*", test=Wants(op=op, values=given)),))), people)

    assert found(Op.IS, 1.0) == {"one", "text"}
    assert found(Op.IS, True) == {"true"}
    assert found(Op.IS, "1") == {"one", "text"}
    assert found(Op.IS_NOT, "1") == {"true", "null", "nested"}
    assert found(Op.KNOWN) == {"one", "true", "text", "nested"}


def test_properties_may_be_called_as_columns_of_lines(asks: Asks) -> None:
    bought = [did("view", number, properties={"product_id": f"p{number}", "quantity": 2}) for number in (1, 2)]
    people = {"two": of(*bought), "one": of(bought[0]), "none": {}}
    products = Measured(what=VIEW, of="product_id", by="distinct", test=Wants(op=Op.AT_LEAST, values=(2.0,)))
    assert asks(products, people) == {"two"}
    nothing = Measured(what=VIEW, of="product_id", by="distinct", test=Wants(op=Op.IS, values=(0.0,)))
    assert asks(nothing, people) == {"none"}
    pieces = Measured(what=VIEW, of="quantity", by="sum", test=Wants(op=Op.LESS, values=(4.0,)))
    assert asks(pieces, people) == {"one"}


TEA = Goods(categories=("tea",))


def spent(number: int, day: str, *lines: tuple[str, int], channel: str = "web") -> Row:
    """An order with lines of these categories and amounts, of which it has the sum and ten more."""
    amount = sum(one for _, one in lines) + 10
    order = {"order_id": str(UUID(int=number)), "us": at(day), "channel": channel}
    of_order = order | {"order_amount_minor": amount, "order_discount_minor": 0, "quantity": 3.0}
    return {
        "orders": [order | {"amount_minor": amount, "discount_minor": 0}],
        "lines": [of_order | {"category": category, "amount_minor": one} for category, one in lines],
    }


def together(*orders: Row) -> Row:
    return {name: [row for order in orders for row in order[name]] for name in ("orders", "lines")}


DRINKERS = {
    "two_fifths": together(
        spent(1, "2024-03-10", ("tea", 30), ("pot", 50)), spent(2, "2023-09-01", ("tea", 10), ("cup", 10))
    ),
    "all": spent(3, "2024-03-10", ("tea", 7)),
    "none": spent(4, "2024-03-10", ("pot", 7)),
    "third": spent(5, "2024-03-10", ("tea", 1), ("pot", 2)),
    "for_nothing": spent(6, "2024-03-10", ("tea", 0), ("pot", 0)),
    "without_lines": spent(7, "2024-03-10"),
    "by_hand": together(
        spent(8, "2024-03-10", ("pot", 9), channel="shop"), spent(9, "2024-03-10", ("tea", 4), ("pot", 12))
    ),
    "never": {},
}


@pytest.mark.parametrize(
    ("op", "values", "window", "channels", "wanted"),
    [
        # Of 100 it is 40, a number that is no double; of 80 in the last 90 days 30, which is 0.375.
        (Op.AT_LEAST, (0.4,), Ever(), (), {"two_fifths", "all"}),
        (Op.IS, (0.4,), Ever(), (), {"two_fifths"}),
        (Op.IS, (0.375,), Last(span=Span(n=90, unit=Unit.DAYS)), (), {"two_fifths"}),
        (Op.IS, (1 / 3,), Ever(), (), {"third"}),
        (Op.BETWEEN, (0.16, 0.375), Ever(), (), {"third", "by_hand"}),
        # 4 of 25, and 4 of 16 of those by one channel.
        (Op.IS, (0.16,), Ever(), (), {"by_hand"}),
        (Op.IS, (0.25,), Ever(), ("web",), {"by_hand"}),
        (Op.LESS, (0.1,), Ever(), (), {"none"}),
        (Op.KNOWN, (), Ever(), (), {"two_fifths", "all", "none", "third", "by_hand"}),
        (Op.UNKNOWN, (), Ever(), (), {"for_nothing", "without_lines", "never"}),
        (Op.IS_NOT, (0.0,), Ever(), (), set(DRINKERS) - {"none"}),
    ],
)
def test_a_share_is_of_all_that_was_spent(
    asks: Asks, op: Op, values: tuple[float, ...], window: Window, channels: tuple[str, ...], wanted: set[str]
) -> None:
    what = Orders(goods=TEA, channels=channels)
    node = Measured(what=what, of="amount_minor", by="share", window=window, test=Wants(op=op, values=values))
    assert asks(node, DRINKERS) == wanted


def test_a_share_of_the_first_order_is_of_that_alone(asks: Asks) -> None:
    first = Orders(goods=TEA, which="first")
    half = Measured(what=first, of="amount_minor", by="share", test=Wants(op=Op.IS, values=(0.5,)))
    assert asks(half, DRINKERS) == {"two_fifths"}


def test_of_the_first_and_the_last_at_one_moment_the_greater_counts(asks: Asks) -> None:
    def size(moment: int, value: str | None) -> Row:
        return did("view", moment, properties={"size": value})

    people = {
        "tie": of(size(1, "S"), size(1, "XL"), size(1, "M")),
        "last": of(size(1, "M"), size(2, "XL"), size(3, None)),
        "other": of(size(1, "XL"), size(2, "S")),
    }

    def sized(by: Literal["first", "last"]) -> Node:
        return Measured(what=VIEW, of="size", by=by, test=Wants(op=Op.IS, values=("XL",)))

    assert asks(sized("last"), people) == {"tie", "last"}
    assert asks(sized("first"), people) == {"tie", "other"}


def test_the_first_order_is_looked_at_before_the_conditions(asks: Asks) -> None:
    early, late, at_once = (ordered(*one) for one in ((1, 10, 50, "a"), (2, 20, 100, "b"), (3, 10, 100, "b")))
    people = {
        "grew": {name: early[name] + late[name] for name in early},
        "tie": {name: early[name] + at_once[name] for name in early},
        "large": late,
    }

    def large(which: Literal["first", "last"]) -> Node:
        return Did(what=Orders(amount=Wants(op=Op.AT_LEAST, values=(100.0,)), which=which))

    assert asks(large("first"), people) == {"large"}
    assert asks(large("last"), people) == {"grew", "tie", "large"}
    assert asks(Did(what=Orders(goods=Goods(products=("b",)), which="first")), people) == {"large"}


@pytest.mark.parametrize(("discount", "amount"), [(1, 100), (1, 6), (7, 97), (123, 9_999)])
def test_a_number_is_the_one_that_was_written(asks: Asks, discount: int, amount: int) -> None:
    """Many a double is not the one nearest to what a decimal says that is worked out digit by digit."""
    share = discount / (amount + discount)
    bought = {"orders": [{"order_id": str(UUID(int=9)), "us": 0, "amount_minor": amount, "discount_minor": discount}]}
    for op, values in (
        (Op.IS, (share,)),
        (Op.BETWEEN, (share, share)),
        (Op.AT_LEAST, (share,)),
        (Op.AT_MOST, (share,)),
    ):
        tree = Did(what=Orders(discount_share=Wants(op=op, values=values)))
        assert asks(tree, {"exactly": bought}) == {"exactly"}, op


def test_a_share_of_nothing_is_not_known(asks: Asks) -> None:
    people = {
        name: {
            "orders": [{"order_id": str(UUID(int=number)), "us": 0, "amount_minor": amount, "discount_minor": discount}]
        }
        for number, (name, amount, discount) in enumerate((("half", 50, 50), ("none", 100, 0), ("gift", 0, 0)))
    }
    half = Orders(discount_share=Wants(op=Op.AT_LEAST, values=(0.5,)))
    known = Orders(discount_share=Wants(op=Op.KNOWN))
    assert (asks(Did(what=half), people), asks(Did(what=known), people)) == ({"half"}, {"half", "none"})


# ---- One after the other.


def sequence(*steps: Step, same: Literal["session", "product"] | None = None, window: Window | None = None) -> Sequence:
    return Sequence(steps=steps, same=same, **({} if window is None else {"window": window}))


def test_a_step_is_strictly_later_and_within_its_time(asks: Asks) -> None:
    day = 86_400_000_000
    people = {
        "same": of(did("view", 0), did("pay", 0)),
        "next": of(did("view", 0), did("pay", 1)),
        "edge": of(did("view", 0), did("pay", day)),
        "late": of(did("view", 0), did("pay", day + 1)),
        "again": of(did("view", 0), did("view", 2), did("pay", day + 1)),
        "before": of(did("pay", 0), did("view", 1)),
    }
    tree = sequence(Step(what=VIEW), Step(what=PAY, within=DAY_SPAN))
    assert asks(tree, people) == {"next", "edge", "again"}
    assert asks(sequence(Step(what=VIEW), Step(what=VIEW)), people) == {"again"}


def test_nothing_came_of_it_is_known_only_once_the_time_is_over(asks: Asks) -> None:
    now, hour = us_of(NOON), 3_600_000_000
    people = {
        "over": of(did("cart", now - hour)),
        "not yet": of(did("cart", now - hour + 1)),
        "paid": of(did("cart", now - 2 * hour), did("pay", now - hour)),
        "paid late": of(did("cart", now - 2 * hour - 1), did("pay", now - hour)),
        "paid at once": of(did("cart", now - 2 * hour), did("pay", now - 2 * hour)),
    }
    left = sequence(Step(what=CART, unless=Unless(what=PAY, within=HOUR)))
    assert asks(left, people) == {"over", "paid late", "paid at once"}


def test_all_steps_are_of_one_session_or_about_one_product(asks: Asks) -> None:
    def fact(name: str, moment: int, session: str | None, product: str | float | None) -> Row:
        return did(name, moment, session=session, properties={"product_id": product})

    people = {
        "both": of(fact("view", 1, "s", "p"), fact("cart", 2, "s", "p")),
        "session": of(fact("view", 1, "s", "p"), fact("cart", 2, "s", "q")),
        "product": of(fact("view", 1, "s", 12), fact("cart", 2, "t", "12")),
        "neither": of(fact("view", 1, "s", "p"), fact("cart", 2, "t", "q")),
        "unknown": of(fact("view", 1, None, None), fact("cart", 2, None, None)),
        "bought": of(fact("view", 1, "s", "p")) | ordered(1, 2, 100, "q", "p"),
    }
    then: Callable[[What], tuple[Step, Step]] = lambda what: (Step(what=VIEW), Step(what=what))  # noqa: E731 - a line
    assert asks(sequence(*then(CART), same="session"), people) == {"both", "session"}
    assert asks(sequence(*then(CART), same="product"), people) == {"both", "product"}
    assert asks(sequence(*then(Orders()), same="product"), people) == {"bought"}
    assert asks(sequence(*then(Orders(goods=Goods(products=("q",)))), same="product"), people) == set()


def test_the_first_step_has_to_lie_in_the_window(asks: Asks) -> None:
    first, second = at("2024-03-31 23:00"), at("2024-04-01 01:00")
    people = {"in": of(did("view", first), did("pay", second)), "out": of(did("view", second), did("pay", second + 1))}
    tree = sequence(Step(what=VIEW), Step(what=PAY), window=Between(until="2024-03-31"))
    assert asks(tree, people, now=datetime(2024, 5, 1, tzinfo=UTC)) == {"in"}


def test_a_step_about_one_is_not_a_step_about_the_truth(asks: Asks) -> None:
    one, true = (Facts(where=(Property(name="flag", test=Wants(op=Op.IS, values=(value,))),)) for value in (1.0, True))
    people = {
        "one, true": of(*(did("view", moment, properties={"flag": flag}) for moment, flag in ((1, 1), (2, True)))),
        "one, one": of(*(did("view", moment, properties={"flag": 1}) for moment in (1, 2))),
    }
    assert asks(sequence(Step(what=one), Step(what=true)), people) == {"one, true"}


# ---- Of all customers.


def test_of_equal_ones_whoever_became_a_customer_first_comes_first(asks: Asks) -> None:
    people = {
        name: {"historic_clv_minor": worth, "created_at": joined}
        for name, worth, joined in (
            ("young", 5, 3),
            ("old", 5, 1),
            ("best", 9, 2),
            ("least", 1, 4),
            ("unknown", None, 0),
        )
    }

    def top(**more: Any) -> set[str]:
        return asks(Top(by=FigureName.HISTORIC_CLV, **more), people)

    assert top(n=2) == {"best", "old"}
    assert top(n=2, lowest=True) == {"least", "old"}
    assert top(percent=25.0) == {"best"}
    assert top(percent=25.01) == {"best", "old"}
    assert top(n=9) == {"best", "old", "young", "least"}
    assert asks(Top(by=FigureName.JOINED, n=1), people) == {"least"}


def test_shares_of_one_seed_are_parts_of_a_whole(asks: Asks) -> None:
    people = {f"customer {number}": {"mix": number * 7_919_317 % (2**31 - 1)} for number in range(200)}
    low, high = (asks(Share(seed="a", since=ends[0], until=ends[1]), people) for ends in ((0, 30), (30, 100)))
    assert low | high == set(people)
    assert not low & high
    assert 40 <= len(low) <= 80
    assert asks(Share(seed="b", until=30), people) != low


def test_a_tag_ends_at_the_moment_at_which_it_expires(asks: Asks) -> None:
    now = us_of(NOON)
    people = {
        name: {"tags": [{"tag": "vip", "source": "hand", "expires_us": expires}]}
        for name, expires in (("never", None), ("now", now), ("soon", now + 1))
    }
    assert asks(Tagged(tag="vip"), people) == {"never", "soon"}
    assert asks(Tagged(tag="vip", source="import"), people) == set()


def test_a_moment_is_of_the_day_of_the_brand(asks: Asks) -> None:
    people = {"late": {"first_order_at": at("2024-03-15") - 1}, "early": {"first_order_at": at("2024-03-15")}}
    tree = Figure(name=FigureName.FIRST_ORDER, test=Wants(op=Op.SINCE, values=("2024-03-15",)))
    assert asks(tree, people) == {"early"}


def test_a_share_is_said_with_what_it_is_of() -> None:
    year = Last(span=Span(n=12, unit=Unit.MONTHS))

    def said(language: Language, op: Op, *values: float, what: Orders = Orders(goods=TEA)) -> str:  # noqa: B008 - frozen
        test = Wants(op=op, values=values)
        node = Measured(what=what, of="amount_minor", by="share", window=year, test=test)
        return sentence(node, language, Names())

    english, chinese = Language.ENGLISH, Language.CHINESE
    assert said(english, Op.AT_LEAST, 0.4) == "at least 40.0% of what was spent in the last 12 months went to “tea”"
    assert said(chinese, Op.AT_LEAST, 0.4) == "最近 12 个月消费中至少 40.0% 花在“tea”上"
    assert said(english, Op.BETWEEN, 0.1, 0.25) == (
        "10.0% to 25.0% of what was spent in the last 12 months went to “tea”"
    )
    assert said(english, Op.IS_NOT, 1.0) == (
        "the share that went to “tea” of what was spent in the last 12 months is not 100.0% (or not known)"
    )
    web = Orders(goods=TEA, channels=("web",))
    assert said(english, Op.LESS, 0.4, what=web) == (
        "less than 40.0% of what was spent in the last 12 months (only in: order (by “web”)) went to “tea”"
    )
    assert (
        said(chinese, Op.LESS, 0.4, what=web) == "最近 12 个月消费（仅计订单（渠道为“web”））中不到 40.0% 花在“tea”上"
    )
