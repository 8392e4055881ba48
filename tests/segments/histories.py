"""Random customers and what happened to them, with much on the edges: of days, of windows, of what can be read.

A history is made of one number, so that any can be made again; few moments, names and values that come again and again
make for ties, for duplicates and for things of several customers that differ in one point.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from shuke.base import year
from shuke.segments.model.kinds import Kind
from shuke.segments.model.tree import FigureName

Row = dict[str, Any]

#: The columns of each table, as Ibis calls their types; JSON has none that all engines share.
PERSON = {
    "customer_id": "uuid",
    "mix": "int64",
    "attributes": "string",
    **{name.value: "float64" for name in FigureName},
    **dict.fromkeys(("stage", "rfm_group", "value_group", "first_channel", "first_store", "region"), "string"),
    **dict.fromkeys(("stage_since", "first_order_at", "last_order_at", "created_at"), "int64"),
    **dict.fromkeys(("r_score", "f_score", "m_score", "orders", "order_days", "historic_clv_minor"), "int64"),
    "expected_date_of_next_order": "date",
}
SCHEMAS: dict[str, dict[str, str]] = {
    "people": PERSON,
    "everybody": PERSON,
    "facts": {
        "customer_id": "uuid",
        "us": "int64",
        **dict.fromkeys(("kind", "name", "channel", "store", "session"), "string"),
        "amount_minor": "int64",
        "properties": "string",
    },
    "orders": {
        "customer_id": "uuid",
        "order_id": "uuid",
        "us": "int64",
        **dict.fromkeys(("channel", "store"), "string"),
        **dict.fromkeys(("amount_minor", "discount_minor"), "int64"),
    },
    "lines": {
        "customer_id": "uuid",
        "order_id": "uuid",
        "us": "int64",
        **dict.fromkeys(("channel", "store"), "string"),
        **dict.fromkeys(("order_amount_minor", "order_discount_minor"), "int64"),
        **dict.fromkeys(("product_id", "category", "brand"), "string"),
        "quantity": "float64",
        "amount_minor": "int64",
    },
    "tags": {"customer_id": "uuid", "tag": "string", "source": "string", "expires_us": "int64"},
    "consents": {"customer_id": "uuid", "purpose": "string", "channel": "string", "state": "string"},
    "identities": {"customer_id": "uuid", "kind": "string"},
    "listed": {"list_id": "string", "customer_id": "uuid"},
}

#: The attributes, and what each should be.
KINDS = {
    "city": Kind.TEXT,
    "a.b": Kind.TEXT,
    "points": Kind.NUMBER,
    "goal": Kind.NUMBER,
    "vip": Kind.TRUTH,
    "vip 会员": Kind.TRUTH,
    "birthday": Kind.DATE,
    "member_until": Kind.DATE,
    "born": Kind.YEARLY,
}
TEXTS = (
    "Hangzhou",
    "HANGZHOU",
    "hangzhou",
    "杭州",
    "杭州市",
    "École",
    "école",
    "100%",
    "a_b",
    "it's",
    "x",
    "",
    "12",
    "true",
    "a\\b",
)
NUMBERS = (0, 1, -1, 2, 2.5, 12, 100, 0.1, 1000.0, -0.25)
DAYS = ("2024-02-29", "2000-02-29", "1990-03-01", "1990-12-31", "1991-01-01", "2024-03-31", "2023-09-03", "1988-02-28")
NO_NUMBERS = ("", "twelve", "1.", ".5", "1e", "0x10", " 5", "5\n", "１２", "NaN", "Infinity", "1,5", "--1")
NO_DAYS = (
    "2023-02-29",
    "1900-02-29",
    "2024-02-30",
    "0000-05-05",
    "2024-1-1",
    "2024-13-01",
    "2024-04-31",
    "2024-02-29\n",
)
OTHER_DAYS = ("2024-03-01T10:00:00Z", "20240301", "yesterday")

STAGES = ("outside", "new", "active", "sleeping", "lost")
NAMES = ("view", "cart", "pay")
PROPERTIES = ("size", "qty", "quantity", "product_id", "category", "flag", "尺码", "a.b", "nested", "*")
CHANNELS = ("web", "shop", "wechat")
STORES = ("s1", "s2")
SESSIONS = ("one", "two")
PRODUCTS = ("p1", "p2", "12")
CATEGORIES = ("shoes", "hats")
BRANDS = ("own", "other")
TAGS = ("vip", "slow")
SOURCES = ("hand", "import")
PURPOSES = ("marketing", "research")
STATES = ("granted", "withdrawn")
IDENTITIES = ("phone", "email")
LISTS = (UUID(int=1), UUID(int=2))
AMOUNTS = (1, 50, 100, 101, 1000, 9999)

#: By zone, days on which it is today, or near which: clocks are put forward, back, at midnight or by night.
ZONES = {
    "America/New_York": ("2024-03-10", "2024-11-03"),
    "Europe/Berlin": ("2024-03-31", "2024-10-27"),
    "America/Santiago": ("2024-09-08", "2024-04-07"),
    "Asia/Shanghai": ("2024-02-29", "2024-12-31"),
    "Asia/Kolkata": ("2024-03-31", "2025-01-01"),
    "UTC": ("2024-05-31", "2023-02-28"),
}
AGO_DAYS = (0, 1, 2, 3, 7, 14, 28, 30, 31, 60, 90, 365)
LENGTHS = (timedelta(minutes=1), timedelta(minutes=30), timedelta(hours=1), timedelta(days=1), timedelta(days=7))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ONE = timedelta(microseconds=1)


@dataclass(frozen=True)
class History:
    """Customers and what happened to them: rows of the tables of ``Subjects``, and when and where it is asked."""

    zone: str
    now: datetime
    everybody: tuple[Row, ...] = ()
    people: tuple[Row, ...] = ()
    facts: tuple[Row, ...] = ()
    orders: tuple[Row, ...] = ()
    lines: tuple[Row, ...] = ()
    tags: tuple[Row, ...] = ()
    consents: tuple[Row, ...] = ()
    identities: tuple[Row, ...] = ()
    listed: tuple[Row, ...] = ()

    def rows(self, table: str) -> tuple[Row, ...]:
        found: tuple[Row, ...] = getattr(self, table)
        return found

    def only(self, keep: Callable[[str, Row], bool]) -> History:
        """The history with fewer rows."""
        return replace(self, **{name: tuple(row for row in self.rows(name) if keep(name, row)) for name in SCHEMAS})


def us_of(moment: datetime) -> int:
    return (moment - EPOCH) // ONE


def document(values: dict[str, Any]) -> str:
    """JSON as it lies in the tables."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def history_of(seed: int, customers: int = 14) -> History:
    """A random history, always the same one of a number."""
    return _Maker(Random(seed)).history(customers)  # noqa: S311 - to be made again


def histories() -> st.SearchStrategy[History]:
    """Random histories. They are not made smaller by Hypothesis, but by :func:`engines.reduced`, which knows how."""
    return st.integers(0, 2**32 - 1).map(history_of)


class _Maker:
    def __init__(self, dice: Random) -> None:
        self.dice = dice
        self.zone = dice.choice(list(ZONES))
        zone = ZoneInfo(self.zone)
        today = date.fromisoformat(dice.choice(ZONES[self.zone])) + timedelta(days=dice.choice((0, 0, 1, 3, 30)))
        clock = dice.choice((time(), time(0, 0, 0, 1), time(12, 30), time(23, 59, 59, 999999), time(1, 30)))
        # There and back again, for a time that the zone's clocks leave out.
        self.now = datetime.combine(today, clock, zone).astimezone(UTC)
        self.today = self.now.astimezone(zone).date()
        self.moments = self._moments(zone)

    def _moments(self, zone: ZoneInfo) -> list[int]:
        """Few, so that much happens at once, and most of them on an edge or just beside it."""
        pool = []
        for _ in range(10):
            day = self.today - timedelta(days=self.dice.choice(AGO_DAYS))
            pool.append(us_of(datetime.combine(day, time(), zone)))
            if self.dice.random() < 0.3:
                # The day of UTC begins at another time, and some hours of it are of the day before or after.
                pool.append(us_of(datetime.combine(day, time(), UTC)))
        pool.append(us_of(self.now))
        pool += [us_of(self.now - self.dice.choice(LENGTHS)) for _ in range(4)]
        pool += [us_of(self.now - timedelta(minutes=self.dice.randrange(60 * 24 * 400))) for _ in range(3)]
        pool += [us_of(self.now + self.dice.choice(LENGTHS))]
        pool += [self.dice.choice(pool) + self.dice.choice(LENGTHS) // ONE for _ in range(10)]
        return [us + self.dice.choice((0, 0, 0, -1, 1)) for us in pool]

    def some(self, values: tuple[Any, ...], missing: float = 0.2) -> Any:
        return None if self.dice.random() < missing else self.dice.choice(values)

    def several(self, most: int) -> range:
        return range(self.dice.randrange(most + 1))

    def history(self, customers: int) -> History:
        everybody = tuple(self.person() for _ in range(customers))
        people = everybody
        if self.dice.random() < 0.3:
            people = tuple(person for person in everybody if self.dice.random() < 0.6)
        rows: dict[str, list[Row]] = {name: [] for name in SCHEMAS if name not in ("people", "everybody")}
        for person in people:
            for name, row in self.of(person):
                # Anything may have come twice.
                rows[name] += [row, dict(row)] if name == "facts" and self.dice.random() < 0.15 else [row]
        for each in rows.values():
            self.dice.shuffle(each)
        told = {name: tuple(each) for name, each in rows.items()}
        return History(zone=self.zone, now=self.now, everybody=everybody, people=people, **told)

    def person(self) -> Row:
        dice = self.dice
        created = dice.choice(self.moments)
        # Of version 7, which begins with the time: mostly that at which they became a customer.
        number = (
            (dice.choice((created, created, dice.choice(self.moments))) // 1000 << 80)
            | (7 << 76)
            | (dice.getrandbits(12) << 64)
            | (2 << 62)
        )
        number |= dice.getrandbits(62)
        moment = lambda: self.some(tuple(self.moments), 0.3)  # noqa: E731 - drawn anew for each
        figures: Row = dict.fromkeys(name.value for name in FigureName)
        figures |= {name: self.some(NUMBERS[:6], 0.3) for name, kind in PERSON.items() if kind == "float64"}
        figures |= {
            name: self.some((0, 1, 2, 3, 5), 0.3) for name in ("r_score", "f_score", "m_score", "orders", "order_days")
        }
        figures |= {
            "historic_clv_minor": self.some(AMOUNTS, 0.3),
            "stage": dice.choice(STAGES),
            "rfm_group": self.some(("champions", "at_risk")),
            "value_group": self.some(("high", "low")),
            "first_channel": self.some(CHANNELS),
            "first_store": self.some(STORES),
            "region": self.some(TEXTS),
            "stage_since": moment(),
            "first_order_at": moment(),
            "last_order_at": moment(),
            "created_at": created,
            "expected_date_of_next_order": None
            if dice.random() < 0.3
            else self.today + timedelta(days=dice.choice((-30, -1, 0, 1, 7, 30))),
        }
        return {
            "customer_id": str(UUID(int=number)),
            "mix": number % 10**12 % (2**31 - 1),
            "attributes": document(self.attributes()),
            **figures,
        }

    def attributes(self) -> Row:
        found = {}
        for name, kind in KINDS.items():
            if self.dice.random() < 0.85:
                found[name] = self.value(kind)
        return found

    def value(self, kind: Kind | None) -> Any:
        """A value of this kind, in five of six cases."""
        dice = self.dice
        luck = dice.random()
        if luck < 0.06:
            return None
        if luck < 0.16:
            return dice.choice((*NO_NUMBERS, *NO_DAYS, *OTHER_DAYS, True, 7, {"a": 1}, ["x", 1.5]))
        if kind is Kind.TEXT:
            return dice.choice(TEXTS)
        if kind is Kind.NUMBER:
            return dice.choice((*NUMBERS, "12", "+5", "1e2", "-0.50", "007"))
        if kind is Kind.TRUTH:
            return dice.choice((True, False, True, False, "true"))
        return self.dated(yearly=kind is Kind.YEARLY)

    def dated(self, *, yearly: bool) -> Any:
        """A day, or the place of one in the year, often near today."""
        near = self.today + timedelta(days=self.dice.choice((-31, -30, -1, 0, 1, 7, 30, 31)))
        day = self.dice.choice((*map(date.fromisoformat, DAYS), near, near))
        return year.place_of(day) if yearly else day.isoformat()

    def of(self, person: Row) -> list[tuple[str, Row]]:
        """All rows that are about a customer."""
        dice, mine = self.dice, {"customer_id": person["customer_id"]}
        rows: list[tuple[str, Row]] = [("facts", mine | self.fact()) for _ in self.several(10)]
        rows += [("facts", mine | self.change()) for _ in self.several(3)]
        for _ in self.several(4):
            rows += self.order(mine)
        expiries = (us_of(self.now), us_of(self.now) + 1, us_of(self.now) - 1, dice.choice(self.moments))
        for _ in self.several(2):
            rows.append(
                (
                    "tags",
                    mine
                    | {
                        "tag": dice.choice(TAGS),
                        "source": dice.choice(SOURCES),
                        "expires_us": self.some(expiries, 0.3),
                    },
                )
            )
        consent = {(dice.choice(PURPOSES), dice.choice(("sms", "email"))): dice.choice(STATES) for _ in self.several(2)}
        rows += [
            ("consents", mine | {"purpose": purpose, "channel": channel, "state": state})
            for (purpose, channel), state in consent.items()
        ]
        rows += [("identities", mine | {"kind": dice.choice(IDENTITIES)}) for _ in self.several(2)]
        rows += [("listed", {"list_id": str(one)} | mine) for one in LISTS if dice.random() < 0.4]
        return rows

    def fact(self) -> Row:
        dice = self.dice
        return {
            "us": dice.choice(self.moments),
            "kind": dice.choice(("event", "event", "service")),
            "name": dice.choice(NAMES),
            "channel": self.some(CHANNELS),
            "store": self.some((*STORES, "12")),
            "session": self.some(SESSIONS),
            "amount_minor": self.some(AMOUNTS, 0.4),
            "properties": document(self.properties()),
        }

    def properties(self) -> Row:
        found: Row = {}
        for name in PROPERTIES:
            if self.dice.random() < 0.55:
                kind = self.dice.choice((Kind.TEXT, Kind.NUMBER, Kind.TRUTH))
                found[name] = self.value(kind)
        if self.dice.random() < 0.7:
            found["product_id"] = self.dice.choice((*PRODUCTS, 12))
        if self.dice.random() < 0.3:
            found["nested"] = {"size": self.value(Kind.TEXT)}
        return found

    def change(self) -> Row:
        before, after = self.dice.choice(STAGES), self.dice.choice(STAGES)
        properties = document({"from": before} if self.dice.random() < 0.8 else {})
        empty = dict.fromkeys(("channel", "store", "session", "amount_minor"))
        return {"us": self.dice.choice(self.moments), "kind": "stage", "name": after, **empty, "properties": properties}

    def order(self, mine: Row) -> list[tuple[str, Row]]:
        dice = self.dice
        of_order = {
            "order_id": str(UUID(int=dice.getrandbits(128))),
            "us": dice.choice(self.moments),
            "channel": self.some(CHANNELS),
            "store": self.some(STORES),
        }
        amount, discount = dice.choice(AMOUNTS), dice.choice((0, 0, 1, 50, 100))
        rows = [("orders", mine | of_order | {"amount_minor": amount, "discount_minor": discount})]
        for _ in self.several(3):
            line = {
                "order_amount_minor": amount,
                "order_discount_minor": discount,
                "product_id": self.some(PRODUCTS, 0.1),
                "category": self.some(CATEGORIES),
                "brand": self.some(BRANDS),
                "quantity": dice.choice((1.0, 2.0, 0.5)),
                "amount_minor": dice.choice(AMOUNTS),
            }
            rows.append(("lines", mine | of_order | line))
        return rows
