"""What a segment says: a small tree of typed nodes, each a statement that holds for a customer or does not.

**Two values, not three.** A statement about something that is not known does not hold: a customer without a city is
not in Hangzhou. The negated operators (``is_not``, ``lacks``) and ``none`` are exact complements, so that customer *is*
among those who are "not in Hangzhou (or not known)", as the text of the statement says. Who means only those whose
city is known adds ``known``. Nothing depends on how an engine treats null.

**Days.** A day is one of the brand's zone. "The last 90 days" are the 90 days before today and what there is of today;
"between 1 and 31 March" begins with the first moment of the 1st and ends with the last of the 31st. Hours and minutes
are counted back from now. Weeks are seven days; a month is back to the same day of the month, or to its last.

**Orders** are those that count as sales elsewhere: paid, not cancelled, of more than nothing, in the brand's currency.
Money is in minor units.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, TypeAlias
from uuid import UUID

from pydantic import ConfigDict, Field, Strict

__all__ = [
    "DEPTH_MAX",
    "NODES_MAX",
    "STEPS_MAX",
    "VALUES_MAX",
    "Anchored",
    "Attribute",
    "Between",
    "Consented",
    "Did",
    "Ever",
    "Facts",
    "Figure",
    "FigureName",
    "Goods",
    "Group",
    "HasIdentity",
    "InSegment",
    "Last",
    "Listed",
    "Measured",
    "Moved",
    "Near",
    "Node",
    "Op",
    "Orders",
    "Property",
    "Sequence",
    "Share",
    "SinceStage",
    "Span",
    "Step",
    "Tagged",
    "Test",
    "Top",
    "Unit",
    "Unless",
    "Value",
    "What",
    "Window",
]

#: How deep groups may lie in each other, how many nodes a tree may have, other segments' included, how many values a
#: test may name, how many steps a sequence may have.
DEPTH_MAX = 8
NODES_MAX = 100
VALUES_MAX = 500
STEPS_MAX = 5


class Op(StrEnum):
    """How a value is compared."""

    IS = "is"  # one of the values
    IS_NOT = "is_not"  # none of them, or not known
    CONTAINS = "contains"  # one of the values, whether A to Z are capitals or not
    LACKS = "lacks"  # none of them, or not known
    BEGINS = "begins"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    MORE = "more"
    LESS = "less"
    BETWEEN = "between"  # both ends included; of dates, whole days
    KNOWN = "known"
    UNKNOWN = "unknown"
    BEFORE = "before"  # a day
    SINCE = "since"  # a day, itself included
    LAST_DAYS = "last_days"  # the so many days before today, and today
    NEXT_DAYS = "next_days"  # today and the so many days after it
    DAYS_AGO = "days_ago"  # more than so many days before today
    ANNIVERSARY = "anniversary"  # its day and month come in the next so many days, today included


class Unit(StrEnum):
    """Of lengths of time. In "the last …" minutes and hours are exact, the others whole days of the brand's zone."""

    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"


class _Part:
    """A part of a tree; a word that it does not know is an error, for what is left out reaches the wrong people."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, kw_only=True)
class Span(_Part):
    """A length of time."""

    n: Annotated[int, Strict()]
    unit: Unit


#: What a test names: a text (a day is one, too), a truth, a number.
Value: TypeAlias = str | bool | float


@dataclass(frozen=True, kw_only=True)
class Test(_Part):
    """What a value has to be.

    ``values`` are texts, numbers, truths or days (ISO); a moment's day is that of the brand's zone. ``than`` compares
    with another attribute of the customer instead.
    """

    op: Op
    values: tuple[Value, ...] = ()
    than: str | None = None


# ---- When.


@dataclass(frozen=True, kw_only=True)
class Ever(_Part):
    """At any time."""

    when: Literal["ever"] = "ever"


@dataclass(frozen=True, kw_only=True)
class Last(_Part):
    """Within this long before now."""

    when: Literal["last"] = "last"
    span: Span


@dataclass(frozen=True, kw_only=True)
class Between(_Part):
    """From one day to another, both included; an open end is None."""

    when: Literal["between"] = "between"
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True, kw_only=True)
class SinceStage(_Part):
    """Since the customer entered the stage in which they are now."""

    when: Literal["since_stage"] = "since_stage"


@dataclass(frozen=True, kw_only=True)
class Anchored(_Part):
    """After, or before, the first or the last time that something else happened; nothing where it never did.

    ``within``: and no longer than this after it, or before it, where a day is 24 hours. The moment itself is neither
    before nor after.
    """

    when: Literal["after", "before"]
    which: Literal["first", "last"] = "last"
    what: What
    within: Span | None = None


Window: TypeAlias = Annotated[Ever | Last | Between | SinceStage | Anchored, Field(discriminator="when")]


# ---- What.


@dataclass(frozen=True, kw_only=True)
class Property(_Part):
    """A condition on a property of a fact, or on ``channel``, ``store``, ``session`` or ``amount_minor`` of its own."""

    name: str
    test: Test


@dataclass(frozen=True, kw_only=True)
class Facts(_Part):
    """Facts of the timeline of this kind and name (any where it is None) that meet all conditions."""

    of: Literal["facts"] = "facts"
    kind: str | None = None
    name: str | None = None
    where: tuple[Property, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Goods(_Part):
    """Lines of orders with one of these products, of one of these categories, of one of these brands (all that are
    named).
    """

    products: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Orders(_Part):
    """Orders that meet all conditions; with ``goods``, that have such a line.

    The discount share is the discount of what the order would have cost without it. ``which`` looks only at the
    customer's first, or last, order, and then asks whether it meets the conditions.
    """

    of: Literal["orders"] = "orders"
    goods: Goods | None = None
    channels: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    amount: Test | None = None
    discount_share: Test | None = None
    which: Literal["any", "first", "last"] = "any"


What: TypeAlias = Annotated[Facts | Orders, Field(discriminator="of")]


# ---- Nodes.


@dataclass(frozen=True, kw_only=True)
class Group(_Part):
    """All of these hold; any of them; none of them. All of nothing is everybody."""

    node: Literal["all", "any", "none"]
    of: tuple[Node, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Attribute(_Part):
    """An attribute of the customer that is not personal."""

    node: Literal["attribute"] = "attribute"
    name: str
    test: Test


@dataclass(frozen=True, kw_only=True)
class Near(_Part):
    """Lives in the city, or in the district, of one of these stores, as the attributes of both say.

    Of a Chinese city or district it does not matter whether its name says what it is (杭州, 杭州市).
    """

    node: Literal["near"] = "near"
    stores: tuple[str, ...]
    within: Literal["city", "district"] = "city"


@dataclass(frozen=True, kw_only=True)
class Tagged(_Part):
    """A tag that has not expired, of any source or of this one."""

    node: Literal["tag"] = "tag"
    tag: str
    source: str | None = None


@dataclass(frozen=True, kw_only=True)
class HasIdentity(_Part):
    """An identity of this kind, such as ``phone``."""

    node: Literal["identity"] = "identity"
    kind: str


@dataclass(frozen=True, kw_only=True)
class Consented(_Part):
    """What the customer last said to a purpose, on a channel."""

    node: Literal["consent"] = "consent"
    purpose: str
    channel: str
    state: str


class FigureName(StrEnum):
    """What is worked out of each customer with an order, as of the last refresh; the stage is "outside" of others."""

    STAGE = "stage"
    STAGE_SINCE = "stage_since"
    RFM_GROUP = "rfm_group"
    VALUE_GROUP = "value_group"
    R_SCORE = "r_score"
    F_SCORE = "f_score"
    M_SCORE = "m_score"
    ORDERS = "orders"
    ORDER_DAYS = "order_days"
    AVERAGE_DAYS_BETWEEN_ORDERS = "average_days_between_orders"
    AVERAGE_ORDER = "average_order_minor"
    HISTORIC_CLV = "historic_clv_minor"
    PREDICTED_CLV = "predicted_clv_minor"
    PREDICTED_CLV_LOW = "predicted_clv_low_minor"
    PREDICTED_CLV_HIGH = "predicted_clv_high_minor"
    TOTAL_CLV = "total_clv_minor"
    P_ALIVE = "p_alive"
    CHURN_PROBABILITY = "churn_probability"
    PREDICTED_NUMBER_OF_ORDERS = "predicted_number_of_orders"
    NEXT_ORDER = "expected_date_of_next_order"
    FIRST_ORDER = "first_order_at"
    LAST_ORDER = "last_order_at"
    FIRST_CHANNEL = "first_channel"
    FIRST_STORE = "first_store"
    REGION = "region"
    JOINED = "created_at"  # of everybody: when they became a customer


@dataclass(frozen=True, kw_only=True)
class Figure(_Part):
    """One of the computed facts."""

    node: Literal["figure"] = "figure"
    name: FigureName
    test: Test


@dataclass(frozen=True, kw_only=True)
class Moved(_Part):
    """Entered, or left, one of these stages in a window."""

    node: Literal["moved"] = "moved"
    change: Literal["entered", "left"]
    stages: tuple[str, ...]
    window: Window = Ever()


@dataclass(frozen=True, kw_only=True)
class Did(_Part):
    """How many times something happened in a window: ``times`` compares the number, which is 0 for "did not"."""

    node: Literal["did"] = "did"
    what: What
    times: Test = Test(op=Op.AT_LEAST, values=(1.0,))
    window: Window = Ever()


@dataclass(frozen=True, kw_only=True)
class Measured(_Part):
    """A figure of what happened in a window, compared; where nothing happened it is not known, of ``distinct`` 0.

    ``of`` is ``amount_minor`` (of orders with goods: of those lines), ``day`` (when it happened: the least, the
    greatest, the first, the last), a property of facts, or what lines of orders have: ``quantity``, ``product_id``,
    ``category``, ``brand``; of orders without goods it is of all their lines. ``first`` and ``last`` are by
    time, of two at one moment the greater.

    ``share`` (of ``amount_minor`` of orders with goods) is the part, 0 to 1, of what was spent on all lines of such
    orders in the window that was spent on these goods; not known where nothing was spent.
    """

    node: Literal["measured"] = "measured"
    what: What
    of: str
    by: Literal["sum", "average", "least", "greatest", "first", "last", "distinct", "share"]
    window: Window = Ever()
    test: Test


@dataclass(frozen=True, kw_only=True)
class Unless(_Part):
    """… and nothing of this within so long after it, which is only known once so long has passed."""

    what: What
    within: Span


@dataclass(frozen=True, kw_only=True)
class Step(_Part):
    """Something that happened later than the step before, ``within`` so long of it."""

    what: What
    within: Span | None = None
    unless: Unless | None = None


@dataclass(frozen=True, kw_only=True)
class Sequence(_Part):
    """Steps one after the other, each later than the one before; the first of them in the window.

    ``same``: all of one session, or about one product (``product_id``). Spans here are exact: a day is 24 hours.
    """

    node: Literal["sequence"] = "sequence"
    steps: tuple[Step, ...]
    same: Literal["session", "product"] | None = None
    window: Window = Ever()


@dataclass(frozen=True, kw_only=True)
class InSegment(_Part):
    """Whoever another segment means, by its present definition."""

    node: Literal["segment"] = "segment"
    segment_id: UUID


@dataclass(frozen=True, kw_only=True)
class Share(_Part):
    """A random part of all customers, from one percentage to another, always the same ones for a ``seed``."""

    node: Literal["share"] = "share"
    seed: str
    since: Annotated[float, Strict()] = 0
    until: Annotated[float, Strict()]


@dataclass(frozen=True, kw_only=True)
class Top(_Part):
    """Of all customers of whom a figure is known, the ``n`` (or ``percent`` of them, rounded up) with the highest.

    Of equal ones whoever became a customer first comes first.
    """

    node: Literal["top"] = "top"
    by: FigureName
    n: Annotated[int, Strict()] | None = None
    percent: Annotated[float, Strict()] | None = None
    lowest: Annotated[bool, Strict()] = False


@dataclass(frozen=True, kw_only=True)
class Listed(_Part):
    """On a list that somebody gave."""

    node: Literal["list"] = "list"
    list_id: UUID


Node: TypeAlias = Annotated[
    Group
    | Attribute
    | Near
    | Tagged
    | HasIdentity
    | Consented
    | Figure
    | Moved
    | Did
    | Measured
    | Sequence
    | InSegment
    | Share
    | Top
    | Listed,
    Field(discriminator="node"),
]
