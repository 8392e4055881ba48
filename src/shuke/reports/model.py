"""What a report consists of: chapters of blocks, each a frozen value. Pure.

The service fills a :class:`Report`; the exports (web page, PDF, workbook, JSON, CSV) only render it, so a sentence, a
number or a chart that is in one export is in all of them. Every text here is already in the reader's language and is
plain: no markup, and whatever it holds (a product may be called ``<script>`` or ``=cmd()``) is shown, never obeyed.

Chapters, figures and tables are numbered by the exports in the order in which they stand here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

import pyarrow as pa

from shuke.base.language import Language

__all__ = [
    "Axis",
    "Block",
    "Callout",
    "CalloutKind",
    "Chapter",
    "ChartBlock",
    "ChartKind",
    "ChartSpec",
    "Column",
    "Confidence",
    "CustomerList",
    "FindingBlock",
    "Heading",
    "KeyFigure",
    "KeyFigures",
    "Kind",
    "Mark",
    "Report",
    "StrategyBlock",
    "TableBlock",
    "Text",
    "Value",
]

Value = str | int | float | date | datetime | bool | None
"""One cell. None is "nothing to say" and is shown as a dash; NaN and infinities are refused."""


class Kind(StrEnum):
    """How a value is written, in tables, on axes and in workbooks alike."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    MONEY = "money"  # in the report's currency
    PERCENT = "percent"  # a share: 0.123 is 12.3%
    DATE = "date"
    MONTH = "month"  # a date, its first day


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table. ``digits`` are decimals; None: 0 for integer and money, 1 for percent, 2 for number."""

    key: str
    label: str
    kind: Kind = Kind.TEXT
    digits: int | None = None
    bar: bool = False  # a quiet bar behind the number, its share of the column's largest


@dataclass(frozen=True, kw_only=True)
class TableBlock:
    """A table. ``rows`` hold the values in the order of ``columns``; ``total_rows`` says how many there are when only
    the first are shown; ``last_is_total`` sets the last row apart as the sum."""

    code: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    note: str = ""
    total_rows: int | None = None
    last_is_total: bool = False

    def __post_init__(self) -> None:
        """Refuse a row that does not fit the columns."""
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"table {self.code}: {len(row)} values for {len(self.columns)} columns")


class ChartKind(StrEnum):
    """The drawings. What ``x``, ``y``, ``series`` and ``value`` mean in each is in :class:`ChartSpec`."""

    BAR = "bar"
    GROUPED_BAR = "grouped_bar"
    STACKED_BAR = "stacked_bar"
    LOLLIPOP = "lollipop"
    HISTOGRAM = "histogram"
    LINE = "line"
    AREA = "area"
    SCATTER = "scatter"
    HEATMAP = "heatmap"
    LORENZ = "lorenz"
    FLOW = "flow"
    LADDER = "ladder"


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A field of the rows, what it is called and how its values are written."""

    field: str
    label: str
    kind: Kind = Kind.TEXT
    digits: int | None = None
    log: bool = False
    zero: bool = True  # whether a quantitative axis starts at zero; bars always do


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A reference line across a chart: a mean, a target, the day on which the calibration ends."""

    axis: str  # "x" or "y"
    value: float | date
    label: str


@dataclass(frozen=True, kw_only=True)
class ChartSpec:
    """A drawing, as data::

      bar, lollipop             x a category (or date), y a number; horizontal lays them down (for long names)
      grouped_bar, stacked_bar  likewise, with series; share stacks to 100%
      histogram                 one row per bin: x its lower edge, x_end the field of its upper edge, y the count
      line, area                x a date or number, y a number, series optional, low/high the fields of an
                                interval drawn as a band; area is one filled line, with the others over it as lines
      scatter                   x, y numbers, value the size of the bubble, label the field that names a point
      heatmap                   x, y categories, value the colour; written into the cell when there is room
      lorenz                    x cumulative share of customers, y cumulative share of value; the diagonal is added
      flow                      x the stage left, y the stage entered, value how much; series_order gives the colours
      ladder                    x the step, y how many reached it; shares of the first and the previous step are added

    Rows are mappings from field to value. Categories and series stand in the order of ``order`` and ``series_order``,
    else in which they come; ``emphasis`` names the categories (or the series) that the title speaks of: the others
    are drawn grey. ``dashed`` names the series that are predictions.
    """

    kind: ChartKind
    rows: tuple[Mapping[str, Value], ...]
    x: Axis
    y: Axis
    series: Axis | None = None
    value: Axis | None = None
    label: str | None = None
    low: str | None = None
    high: str | None = None
    x_end: str | None = None
    interval_label: str = ""
    horizontal: bool = False
    share: bool = False
    diverging: bool = False  # heatmap: colours on both sides of zero
    order: tuple[str, ...] = ()
    series_order: tuple[str, ...] = ()
    emphasis: tuple[str, ...] = ()
    dashed: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ChartBlock:
    """A figure: ``title`` says what it shows (a sentence), ``reading`` what to take from it (also the text for those
    who do not see it), ``source`` where it comes from and how it was computed. ``half`` figures stand in pairs."""

    code: str
    title: str
    reading: str
    chart: ChartSpec
    table: TableBlock
    source: str = ""
    half: bool = False


@dataclass(frozen=True)
class Heading:
    """A section inside a chapter."""

    text: str


@dataclass(frozen=True)
class Text:
    """Paragraphs, then points of a list."""

    paragraphs: tuple[str, ...]
    points: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class KeyFigure:
    """A number that the eye falls on first, already written out, with a short note under it."""

    code: str
    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class KeyFigures:
    """A row of key figures, best three to eight."""

    items: tuple[KeyFigure, ...]


class CalloutKind(StrEnum):
    """What a boxed remark is."""

    NOTE = "note"
    WARNING = "warning"
    CANNOT_SAY = "cannot_say"


@dataclass(frozen=True)
class Callout:
    """A boxed remark; ``title`` may be empty."""

    kind: CalloutKind
    text: str
    title: str = ""


class Confidence(StrEnum):
    """How far a finding is to be trusted."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, kw_only=True)
class FindingBlock:
    """What the figures say, with evidence. ``money`` is the size in the report's currency (``money_label`` says of
    what: per year, at risk …), ``list_code`` the :class:`CustomerList` that it concerns."""

    code: str
    headline: str
    evidence: tuple[str, ...]
    confidence: Confidence
    confidence_reason: str = ""
    money: float | None = None
    money_label: str = ""
    customers: int | None = None
    list_code: str | None = None


@dataclass(frozen=True, kw_only=True)
class StrategyBlock:
    """What to do at a stage, because of which findings, for whom, worth what and measured how."""

    code: str
    stage: str  # as the reader calls it
    title: str
    why: str
    actions: tuple[str, ...]
    measure: str
    findings: tuple[str, ...] = ()  # codes of the findings that chose it
    expected_value: float | None = None
    expected_low: float | None = None
    expected_high: float | None = None
    expected_note: str = ""
    customers: int | None = None
    list_code: str | None = None


Block = Heading | Text | KeyFigures | TableBlock | ChartBlock | FindingBlock | StrategyBlock | Callout


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """A chapter; ``title`` may be a sentence that says the chapter's message, ``lead`` its first paragraph,
    ``short`` its name in contents, navigation and the workbook's tab."""

    code: str
    short: str
    title: str
    lead: str = ""
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CustomerList:
    """A list to work with. ``batches`` gives its rows anew at each call, columns named by the keys of ``columns``, so
    that a list of millions is never in memory at once (for a small one: ``table.to_batches``)."""

    code: str
    title: str
    columns: tuple[Column, ...]
    total_rows: int
    batches: Callable[[], Iterable[pa.RecordBatch]] = field(compare=False)

    @property
    def file_name(self) -> str:
        """Its file beside the report."""
        return f"lists/{self.code}.csv"


@dataclass(frozen=True, kw_only=True)
class Report:
    """The whole report. ``figures`` is every number behind it, nested by chapter, for report.json; ``as_of`` is the
    exclusive end of what was known; ``currency`` is an ISO 4217 code or None."""

    title: str
    subtitle: str
    brand: str
    language: Language
    as_of: datetime
    generated_at: datetime
    currency: str | None
    chapters: tuple[Chapter, ...]
    figures: Mapping[str, object] = field(default_factory=dict)
    lists: tuple[CustomerList, ...] = ()

    @property
    def data_until(self) -> date:
        """The last day of which anything was known: at midnight, the day before."""
        return (self.as_of - timedelta(microseconds=1)).date()

    def list_of(self, code: str | None) -> CustomerList | None:
        """The list with this code; None for None; KeyError for a code that is not there."""
        if code is None:
            return None
        return {known.code: known for known in self.lists}[code]
