"""Every kind of chart is a valid drawing that holds its numbers and needs no network."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date

import pytest
import vl_convert

from shuke.base.language import Language
from shuke.reports.exports.charts import VEGA_LITE, draw, picture
from shuke.reports.exports.charts.frame import Frame, in_order
from shuke.reports.exports.charts.grids import draw_flow
from shuke.reports.exports.charts.theme import BROWN, INK, LAVENDER, MUTED, NAVY, ORANGE, TEAL
from shuke.reports.exports.writing import Writing
from shuke.reports.model import Axis, ChartBlock, ChartKind, ChartSpec, Kind, Report, TableBlock

POUNDS = Writing(Language.ENGLISH, "GBP")
RENMINBI = Writing(Language.CHINESE, "CNY")


def charts_of(report: Report) -> Iterator[ChartBlock]:
    return (block for chapter in report.chapters for block in chapter.blocks if isinstance(block, ChartBlock))


def numbers_of(report: Report) -> Writing:
    return Writing(report.language, report.currency)


def test_the_sample_has_every_kind(sample: Callable[[Language], Report]) -> None:
    assert {block.chart.kind for block in charts_of(sample(Language.ENGLISH))} == set(ChartKind)


def test_each_chart_compiles_and_names_no_address(report: Report) -> None:
    for block in charts_of(report):
        drawing = draw(block, numbers_of(report))
        compiled = vl_convert.vegalite_to_vega(drawing, vl_version=VEGA_LITE)
        addresses = {word for word in json.dumps(compiled).split('"') if "://" in word}
        assert addresses == {"https://vega.github.io/schema/vega/v6.json"}, block.code  # its version, never fetched
        assert drawing["description"] == block.reading


def test_no_script_survives_in_a_picture(report: Report) -> None:
    for block in charts_of(report):
        svg = picture(draw(block, numbers_of(report)))
        assert svg.startswith("<svg")
        assert "<script" not in svg
        assert "onerror=alert(1)>" not in svg.replace("onerror=alert(1)&gt;", "")


def chart(kind: ChartKind, rows: list[dict[str, object]], **more: object) -> ChartBlock:
    spec = ChartSpec(kind=kind, rows=tuple(rows), **{"x": NAME, "y": AMOUNT, **more})  # type: ignore[arg-type]
    table = TableBlock(code="t", title="t", columns=(), rows=())
    return ChartBlock(code="c", title="t", reading="r", chart=spec, table=table)


NAME = Axis(field="a.b[c]", label="Name")
AMOUNT = Axis(field="£ net", label="Net", kind=Kind.MONEY)


def test_fields_may_be_called_anything() -> None:
    drawing = draw(chart(ChartKind.BAR, [{"a.b[c]": "x", "£ net": 1234.5}]), POUNDS)
    (rows,) = drawing["datasets"].values()
    assert rows == [{"x": "x", "xt": "x", "y": 1234.5, "yt": "£1,234", "label": "£1,234", "positive": True}]


def test_categories_stand_in_the_order_asked_for() -> None:
    rows = [{"a.b[c]": name, "£ net": 1.0} for name in ("three", "one", "two", "four")]
    frame = Frame(chart(ChartKind.BAR, rows, order=("one", "two", "three")).chart, POUNDS, half=False)
    assert frame.categories == ["one", "two", "three", "four"]
    assert in_order(["b", "a", "b"], ("c", "a")) == ["a", "b"]


def test_negative_bars_carry_their_numbers_on_the_left() -> None:
    drawing = draw(chart(ChartKind.BAR, [{"a.b[c]": "loss", "£ net": -20_000.0}], horizontal=True), POUNDS)
    (words,) = [layer for layer in drawing["layer"] if layer["mark"]["type"] == "text"]
    assert words["mark"]["align"] == "right"
    assert drawing["datasets"]["d0"][0]["label"] == "−£20k"


@pytest.mark.parametrize(
    ("months", "room", "named"),
    [
        (13, 8.0, ["Dec 2010", "Feb 2011", "Apr 2011", "Jun 2011", "Aug 2011", "Oct 2011", "Dec 2011"]),
        (13, 5.0, ["Jan 2011", "Apr 2011", "Jul 2011", "Oct 2011"]),
        (25, 3.0, ["Jan 2011", "Jan 2012"]),
    ],
)
def test_months_are_bars_side_by_side_and_some_are_named(months: int, room: float, named: list[str]) -> None:
    days = [date(2010 + (11 + i) // 12, (11 + i) % 12 + 1, 1) for i in range(months)]
    rows: list[dict[str, object]] = [{"a.b[c]": day, "£ net": 1.0} for day in days]
    block = chart(ChartKind.BAR, rows, x=Axis(field="a.b[c]", label="Month", kind=Kind.MONTH))
    assert Frame(block.chart, POUNDS, half=False).months_named(room) == named
    across = draw(block, POUNDS)["layer"][0]["encoding"]["x"]
    assert across["type"] == "nominal"  # a band each, with room between; the axis ends with the last month


def test_a_flow_gives_stages_the_colours_of_the_series(sample: Callable[[Language], Report]) -> None:
    (block,) = [b for b in charts_of(sample(Language.ENGLISH)) if b.chart.kind is ChartKind.FLOW]
    names = in_order([str(r[block.chart.x.field]) for r in block.chart.rows], block.chart.order)
    spec = replace(block.chart, series_order=tuple(reversed(names[1:])))
    scale = draw(replace(block, chart=spec), POUNDS)["layer"][0]["encoding"]["color"]["scale"]
    colours = dict(zip(scale["domain"], scale["range"], strict=True))
    assert colours[names[0]] == MUTED
    assert colours[names[-1]] == NAVY


def test_an_empty_chart_is_drawn_empty() -> None:
    for kind in ChartKind:
        more = {"value": AMOUNT, "series": NAME if kind in {ChartKind.STACKED_BAR, ChartKind.GROUPED_BAR} else None}
        assert picture(draw(chart(kind, [], **more), POUNDS)).startswith("<svg"), kind


def test_missing_numbers_leave_gaps() -> None:
    rows: list[dict[str, object]] = [{"a.b[c]": str(i), "£ net": None if i == 1 else float(i)} for i in range(4)]
    for kind in (ChartKind.LINE, ChartKind.AREA, ChartKind.BAR, ChartKind.LOLLIPOP, ChartKind.LADDER):
        assert picture(draw(chart(kind, rows), POUNDS)).startswith("<svg"), kind


def test_what_flows_out_flows_in(sample: Callable[[Language], Report]) -> None:
    (block,) = [b for b in charts_of(sample(Language.ENGLISH)) if b.chart.kind is ChartKind.FLOW]
    frame = Frame(block.chart, POUNDS, half=False)
    draw_flow(frame)
    ribbons = next(rows for rows in frame.datasets.values() if rows and "link" in rows[0])
    nodes = [node for rows in frame.datasets.values() for node in rows if "side" in node]
    sides = {side: {n["name"]: n["bottom"] - n["top"] for n in nodes if n["side"] == side} for side in ("from", "to")}
    ends = {side: dict.fromkeys(sides[side], 0.0) for side in sides}
    for points in ({r["link"]: r for r in ribbons}.values(),):  # the last point of each ribbon
        for point in points:
            ends["from"][point["xt"]] += point["bottom"] - point["top"]
            ends["to"][point["yt"]] += point["bottom"] - point["top"]
    for side, sizes in sides.items():
        assert ends[side] == pytest.approx(sizes, abs=2e-4)


def test_a_legend_stands_in_one_row_where_there_is_room() -> None:
    series = Axis(field="series", label="Series")

    def columns(names: list[str]) -> int:
        rows: list[dict[str, object]] = [{"a.b[c]": "x", "series": name, "£ net": 1.0} for name in names]
        made = draw(chart(ChartKind.STACKED_BAR, rows, series=series), POUNDS)
        return int(made["encoding"]["color"]["legend"]["columns"])

    assert columns(["Prospect", "First purchase", "Repeat", "Loyal", "At risk", "Lost"]) == 6
    assert columns([f"A name that is rather long {n}" for n in range(6)]) == 3


def test_what_flows_back_is_a_dashed_line_and_counts() -> None:
    flows = [("a", "a", 300.0), ("a", "b", -20.0), ("b", "b", 0.0), ("b", "a", None)]
    rows = [{"from": start, "to": end, "amount": amount} for start, end, amount in flows]
    axes = {name: Axis(field=name, label=name) for name in ("from", "to")}
    money = Axis(field="amount", label="Amount", kind=Kind.MONEY)
    spec = ChartSpec(kind=ChartKind.FLOW, rows=tuple(rows), x=axes["from"], y=axes["to"], value=money)
    frame = Frame(spec, POUNDS, half=False)
    made = draw_flow(frame).to_dict()
    curves = [points for points in frame.datasets.values() if points and "link" in points[0]]
    dashed = [points for points in curves if points[0]["top"] == points[0]["bottom"]]
    assert [{(p["xt"], p["yt"], p["vt"]) for p in points} for points in dashed] == [
        {("a", "b", "−£20"), ("b", "b", "£0")}
    ]
    assert made["title"]["subtitle"] == POUNDS.words("chart.not_above_zero")
    labels = {(n["side"], n["label"]) for rows in frame.datasets.values() for n in rows if "side" in n}
    assert labels == {("from", "a\n£280"), ("from", "b\n£0"), ("to", "a\n£300"), ("to", "b\n−£20")}


@pytest.mark.parametrize(
    ("value", "kind", "english", "chinese"),
    [
        (1_234_567.0, Kind.MONEY, "£1.23m", "¥123万"),
        (2_000_000.0, Kind.MONEY, "£2m", "¥200万"),
        (9_999.0, Kind.INTEGER, "9,999", "9,999"),
        (12_345, Kind.INTEGER, "12.3k", "12,345"),
        (345_600_000.0, Kind.MONEY, "£346m", "¥3.46亿"),
        (-50_000.0, Kind.MONEY, "−£50k", "−¥5万"),
        (0.1234, Kind.PERCENT, "12.3%", "12.3%"),
        (None, Kind.MONEY, "–", "–"),
    ],
)
def test_numbers_on_charts_are_short(value: float | None, kind: Kind, english: str, chinese: str) -> None:
    axis = Axis(field="v", label="v", kind=kind)
    assert POUNDS.short(value, axis) == english
    assert RENMINBI.short(value, axis) == chinese


def test_chinese_axes_carry_their_unit_in_the_title() -> None:
    assert RENMINBI.axis_title(AMOUNT, 700_000) == "Net（万元）"
    assert Writing(Language.CHINESE, "GBP").axis_title(AMOUNT, 3e9) == "Net（亿英镑）"
    assert RENMINBI.axis_title(replace(AMOUNT, kind=Kind.INTEGER), 700) == "Net"
    assert POUNDS.axis_title(AMOUNT, 700_000) == "Net"


def test_no_number_is_made_up() -> None:
    with pytest.raises(ValueError, match="say None"):
        POUNDS.value(float("nan"), AMOUNT)


def contrast(colour: str) -> float:
    """With white, as WCAG 2.2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


def test_colours_are_seen_and_texts_are_read() -> None:
    assert min(contrast(colour) for colour in (NAVY, ORANGE, TEAL, LAVENDER, BROWN)) >= 3  # WCAG 1.4.11
    assert min(contrast(colour) for colour in (INK, MUTED, NAVY, "#a34f00", "#12507b")) >= 4.5  # WCAG 1.4.3
