"""What reading order files yields (fields, what was recognised, what each row became), and what events are. Pure.

Amounts of files are exact decimals to a ten-thousandth (`MONEY_DIGITS`), so that the treatments add up to the file;
amounts of events are whole minor units.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import ibis.expr.types as ir
import msgspec

from shuke.insight.tables import Tables

#: Everything that a column of an order file can be.
FIELDS: tuple[str, ...] = (
    "customer",
    "order",
    "time",
    "amount",
    "quantity",
    "price",
    "product",
    "product_name",
    "category",
    "brand",
    "discount",
    "cost",
    "unit_cost",
    "margin",
    "channel",
    "store",
    "region",
    "currency",
    "status",
    "refund",
    "postage",
)
#: Fields that are one of a whole order; a line that lacks one takes it from another line of its order.
ORDER_FIELDS: tuple[str, ...] = ("customer", "time", "channel", "store", "region", "currency", "status")
NUMBER_FIELDS: tuple[str, ...] = (
    "amount",
    "quantity",
    "price",
    "discount",
    "cost",
    "unit_cost",
    "margin",
    "refund",
    "postage",
)
ID_FIELDS: tuple[str, ...] = ("customer", "order", "product")

MONEY_PRECISION = 18
MONEY_DIGITS = 4

FILES_MAX = 1_000
COLUMNS_MAX = 1_000
TEXT_FILE_BYTES_MAX = 200 * 1024**3
SHEET_FILE_BYTES_MAX = 256 * 1024**2
SHEET_ROWS_MAX = 1_048_576
#: A workbook is packed, and a small one may unpack to any size.
SHEET_UNPACKED_BYTES_MAX = 4 * 1024**3
SHEET_PARTS_MAX = 10_000
PREAMBLE_LINES_MAX = 50
FEE_PRODUCTS_MAX = 1_000_000
STATUSES_MAX = 10_000
#: Lines that cannot be split, kept of one file to be written out; beyond it they are counted.
UNREADABLE_KEPT_MAX = 100_000
EARLIEST_YEAR = 1990


class Treatment(StrEnum):
    """What becomes of a row."""

    KEPT = "kept"  # a sale: in every analysis
    REFUND = "refund"  # money given back: in refunds
    SET_ASIDE = "set_aside"  # understood, and not part of customer analysis
    REJECTED = "rejected"  # could not be understood, or is there twice


#: What a row can be, in the order in which the rules are tried: the first that fits counts.
#: The position is the number that the rows carry through the engine.
TREATMENTS: tuple[tuple[str, Treatment], ...] = (
    ("sale", Treatment.KEPT),
    ("unreadable_line", Treatment.REJECTED),
    ("duplicate_line", Treatment.REJECTED),
    ("overlap_line", Treatment.REJECTED),
    ("ambiguous_id", Treatment.REJECTED),
    ("unreadable_amount", Treatment.REJECTED),
    ("unreadable_time", Treatment.REJECTED),
    ("impossible_time", Treatment.REJECTED),
    ("after_as_of", Treatment.SET_ASIDE),
    ("other_currency", Treatment.SET_ASIDE),
    ("cancelled_order", Treatment.SET_ASIDE),
    ("unpaid_order", Treatment.SET_ASIDE),
    ("fee_line", Treatment.SET_ASIDE),
    ("no_customer", Treatment.SET_ASIDE),
    ("zero_price", Treatment.SET_ASIDE),
    ("return_line", Treatment.REFUND),
    ("postage_part", Treatment.SET_ASIDE),  # no row of its own: what rows of every kind contain beside the goods
)
NUMBER_OF: dict[str, int] = {code: number for number, (code, _) in enumerate(TREATMENTS)}


@dataclass(frozen=True)
class FieldMatch:
    """One field found in one file: the column, by what rule, how sure.

    ``why`` is ``given``, a platform's name, ``name``, or ``one_of_several`` where ``others`` were as good.
    """

    file: str
    field: str
    column: str
    why: str
    confidence: float
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recognised:
    """Which columns mean what, file by file, to be shown to the person."""

    matches: tuple[FieldMatch, ...]
    unused: tuple[tuple[str, str], ...]  # (file, column)

    def column(self, field: str, file: str | None = None) -> str | None:
        """The column of a field, in one file or in the first that has it."""
        for match in self.matches:
            if match.field == field and file in (None, match.file):
                return match.column
        return None


@dataclass(frozen=True)
class FileRead:
    """One file as it was understood. ``encoding``, ``delimiter`` and ``sheet`` are None where they mean nothing."""

    name: str
    rows: int
    columns: tuple[str, ...]
    kind: str  # "csv" | "xlsx" | "parquet"
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    skipped_lines: int = 0


@dataclass(frozen=True)
class Note:
    """A decision about a file that the reader should see: a code of the catalogue under ``notes``, and its values."""

    code: str
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class QualityCount:
    """How many rows, and how much money, one rule took."""

    code: str
    rows: int
    amount: Decimal
    treatment: Treatment


@dataclass(frozen=True)
class Quality:
    """The whole file, accounted for: every row is in exactly one count.

    ``rows`` and ``amount`` are counted over the files without any rule; ``counts`` is in the order of the rules.
    """

    files: tuple[FileRead, ...]
    counts: tuple[QualityCount, ...]
    rows: int
    amount: Decimal
    notes: tuple[Note, ...] = ()

    @property
    def reconciles(self) -> bool:
        """Whether rows and money of the treatments sum to those of the files, exactly."""
        return (
            sum(count.rows for count in self.counts) == self.rows
            and sum((count.amount for count in self.counts), Decimal()) == self.amount
        )

    def count(self, code: str) -> QualityCount:
        """The count of one rule, zero where no row met it."""
        for count in self.counts:
            if count.code == code:
                return count
        return QualityCount(code, 0, Decimal(), dict(TREATMENTS)[code])


@dataclass(frozen=True)
class RowRules:
    """What the rules need to know of the whole file. An empty tuple means that the rule finds nothing.

    ``latest`` is the first impossible moment, ``as_of`` the first that is left out. Where nobody ``needs_amount``, a
    purchase counts whatever it cost. ``fee_codes`` have the type of ``product``.
    """

    latest: datetime
    as_of: datetime | None = None
    needs_amount: bool = True
    currency: str | None = None
    cancelled: tuple[str, ...] = ()
    unpaid: tuple[str, ...] = ()
    refunded: tuple[str, ...] = ()
    fee_codes: tuple[str | int, ...] = ()
    fee_names: tuple[str, ...] = ()
    credit_orders: bool = False  # orders named C… are credit notes, as in Online Retail


@dataclass(frozen=True)
class Source:
    """Where the rows of one file can be seen again, to write out those that were not used."""

    file: FileRead
    scan: str  # DuckDB SQL that yields ``row`` and the original columns as c1, c2, …
    lines_scan: str  # DuckDB SQL that yields ``row``, the typed columns and, where rows carry one, their flag
    columns: dict[str, str]  # field → column of lines_scan
    texts: tuple[str, ...]  # id fields that are text because another file's are
    unreadable: tuple[tuple[int, str], ...] = ()  # (line number, text) of lines that are no rows


@dataclass(frozen=True)
class Collected:
    """Order files, understood.

    ``tables.orders`` and, where the files have products, ``tables.order_lines`` hold what was sold to known
    customers; ``tables.refunds`` what they got back. ``lines`` is every row of every file with its treatment
    (``rule``, a position in `TREATMENTS`) and exact ``money``. ``first_at`` and ``last_at`` span the sales.
    """

    tables: Tables
    quality: Quality
    recognised: Recognised
    currency: str | None
    first_at: datetime
    last_at: datetime
    has_lines: bool
    lines: ir.Table
    rules: RowRules
    sources: tuple[Source, ...]


# ---- Events, as they come in over HTTP. Structs rather than dataclasses: they are made by the tens of thousands a
# second, and msgspec makes and reads them several times faster. None can be part of a cycle, so that the collector of
# garbage need not look at them.

#: One event, with the context of its batch.
EVENT_BYTES_MAX = 32 * 1024
BATCH_BYTES_MAX = 500 * 1024
BATCH_EVENTS_MAX = 2_500
#: The events of one batch as they are stored, each with the batch's context.
BATCH_STORED_BYTES_MAX = 4 * 1024**2
MESSAGE_ID_CHARACTERS_MAX = 99
#: A write key, a session, an order number.
CODE_CHARACTERS_MAX = 200
NAME_CHARACTERS_MAX = 200
ORDER_LINES_MAX = 1_000
DEPTH_MAX = 8
FIELDS_MAX = 300

EVENT_TYPES: tuple[str, ...] = ("identify", "track", "page", "screen", "group", "alias")

Json = dict[str, Any]


class Reject(Exception):  # noqa: N818 - an outcome of an event, not an error of the program
    """An event cannot become a fact. ``reason`` is a code of the catalogue, under ``event_reasons``."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Incoming(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """The parts of a Segment event that mean something here; all may be absent. ``context`` is left as it came."""

    type: str | None = None
    event: str | None = None
    name: str | None = None
    category: str | None = None
    message_id: str | None = None
    user_id: str | int | None = None
    anonymous_id: str | int | None = None
    previous_id: str | int | None = None
    group_id: str | int | None = None
    timestamp: str | None = None
    original_timestamp: str | None = None
    sent_at: str | None = None
    properties: Json | None = None
    traits: Json | None = None
    context: msgspec.Raw = msgspec.Raw(b"null")


class Envelope(msgspec.Struct, frozen=True, array_like=True):
    """What lies in the inbox: the event as its sender wrote it, and what its request said of it."""

    event: msgspec.Raw
    type: str | None = None
    sent_at: str | None = None
    context: msgspec.Raw = msgspec.Raw(b"null")


class OrderLine(msgspec.Struct, frozen=True):
    """One product of an order."""

    product_id: str | None
    product_name: str | None
    category: str | None
    brand: str | None
    quantity: Decimal
    amount_minor: int
    cost_minor: int | None


class OrderStatement(msgspec.Struct, frozen=True):
    """What one event says of an order; without an amount it says only that the order was cancelled."""

    order_id: str
    state: str  # "completed", "updated" or "cancelled"
    amount_minor: int | None
    discount_minor: int
    currency: str | None
    region: str | None
    lines: tuple[OrderLine, ...]


class RefundStatement(msgspec.Struct, frozen=True):
    """Money given back on an order."""

    refund_id: str
    order_id: str
    amount_minor: int
    currency: str


class Event(msgspec.Struct, frozen=True, gc=False):
    """An event, understood: what may lie open, and what is personal, apart.

    ``ids`` are (kind, value), as sent. ``personal`` holds what was taken out of ``properties``, by its path; ``traits``
    all that ``identify`` said of the person, personal or not. ``fields`` are the names and types of the properties as
    sent.
    """

    type: str
    kind: str
    name: str
    message_id: str
    occurred_at: datetime
    original_at: datetime | None
    received_at: datetime
    ids: tuple[tuple[str, str], ...]
    properties: Json
    personal: dict[str, Any]
    traits: Json
    fields: tuple[tuple[str, str], ...]
    channel: str | None = None
    store: str | None = None
    session: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    order_id: str | None = None
    order: OrderStatement | None = None
    refund: RefundStatement | None = None


# ---- Orders and refunds as a shop states them, by the API or in a file.

#: Orders or refunds of one call.
STATEMENTS_MAX = 10_000


class OrderStatus(StrEnum):
    """How far an order has come."""

    PENDING = "pending"  # not paid yet
    COMPLETED = "completed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True)
class Order:
    """An order as it stands now, by its source's own number; the customer's ids are (kind, value).

    ``amount_minor`` is what is paid for goods after discounts, as in the canonical tables. ``stated_at`` is when the
    source said so; without it, now. Of two statements the later counts, whichever comes in first. ``lines`` are all of
    them; None says nothing about them.
    """

    source_id: int
    order_id: str
    ordered_at: datetime
    amount_minor: int
    currency: str
    ids: tuple[tuple[str, str], ...] = ()
    discount_minor: int = 0
    status: OrderStatus = OrderStatus.COMPLETED
    channel: str | None = None
    store: str | None = None
    region: str | None = None
    cancelled_at: datetime | None = None
    lines: tuple[OrderLine, ...] | None = None
    stated_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Refund:
    """Money given back; without ids it belongs to the customer of its order, which need not be known."""

    source_id: int
    refund_id: str
    order_id: str
    refunded_at: datetime
    amount_minor: int
    currency: str
    line: int | None = None
    ids: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Stated:
    """What became of statements; those that are ``outdated`` came after a later one and change nothing."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    outdated: int = 0


@dataclass(frozen=True)
class SourceHour:
    """Events of a source in an hour that became facts, were duplicates, or were rejected (``outcome`` is why)."""

    source: str
    hour: datetime
    outcome: str
    events: int


@dataclass(frozen=True)
class EventVolume:
    """Facts of one event of a source in an hour."""

    source: str
    kind: str
    name: str
    hour: datetime
    events: int


@dataclass(frozen=True)
class EventField:
    """A field of an event as seen; ``share`` of the events of this name have it, with this type."""

    source: str
    kind: str
    name: str
    field: str
    type: str
    events: int
    share: float
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True)
class SuddenChange:
    """An event that came in far more or far less often in an hour than is usual for that hour of the day."""

    source: str
    kind: str
    name: str
    hour: datetime
    events: int
    usual: float


@dataclass(frozen=True)
class DataQuality:
    """How good the data are; ``rejects`` counts by reason, most frequent first."""

    since: datetime
    hours: tuple[SourceHour, ...]
    rejects: dict[str, int]
    fields: tuple[EventField, ...]
    changes: tuple[SuddenChange, ...]


@dataclass(frozen=True)
class TimelineFact:
    """One fact as the timeline shows it."""

    fact_id: UUID
    occurred_at: datetime
    received_at: datetime
    identity_id: int
    kind: str
    name: str
    source: str | None
    channel: str | None
    store: str | None
    session: str | None
    amount_minor: int | None
    currency: str | None
    order_id: str | None
    simulated: bool
    properties: Json


@dataclass(frozen=True)
class TimelinePage:
    """Some facts of a customer, newest first; ``next`` asks for those before them, None where there are none."""

    facts: tuple[TimelineFact, ...]
    next: str | None


@dataclass(frozen=True)
class Trait:
    """The latest word of events on something about a person: a value of JSON, and when it was said."""

    value: Any
    said_at: datetime


@dataclass(frozen=True)
class SalesWeek:
    """What was sold in the seven days from ``monday`` on, and what was given back in them."""

    monday: date
    orders: int
    revenue_minor: int
    refunds_minor: int


@dataclass(frozen=True, kw_only=True)
class Bought:
    """Orders of a kind: with any of these products (as their lines call them), or all of them ``together``.

    Moments are included. Where neither product nor category is named, any order will do; ``no_category`` is a product
    of none, beside those that are named.
    """

    products: tuple[str, ...] = ()
    together: bool = False
    categories: tuple[str, ...] = ()
    no_category: bool = False
    since: datetime | None = None
    until: datetime | None = None
    channels: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()


@dataclass(frozen=True)
class OrderedOn:
    """On how many days somebody had ordered by a moment; all bounds are included, and None is none."""

    until: datetime
    days_min: int = 1
    days_max: int | None = None


@dataclass(frozen=True)
class BoughtLine:
    """One product of an order that is kept; amounts are in minor units, for all of the quantity."""

    product_id: str | None
    product_name: str | None
    category: str | None
    brand: str | None
    quantity: Decimal
    amount_minor: int


@dataclass(frozen=True)
class BoughtOrder:
    """An order that is kept, with its lines and what of it was given back."""

    source: str
    order_id: str
    ordered_at: datetime
    amount_minor: int
    discount_minor: int
    refunded_minor: int
    currency: str
    status: OrderStatus
    channel: str | None
    store: str | None
    region: str | None
    lines: tuple[BoughtLine, ...]


@dataclass(frozen=True)
class OrderPage:
    """A page of a customer's orders, newest first; ``next`` asks for those before them."""

    orders: tuple[BoughtOrder, ...]
    next: str | None
