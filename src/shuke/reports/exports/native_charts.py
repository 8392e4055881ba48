"""A figure's numbers as a plain grid, and the native chart of a workbook that is drawn from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from shuke.reports.exports.charts.frame import in_order
from shuke.reports.exports.charts.theme import FADED, GREY, LINE, MUTED, NAVY, ORANGE, SERIES
from shuke.reports.exports.writing import Writing
from shuke.reports.model import Axis, ChartKind, ChartSpec, Kind, Value

__all__ = ["MATRICES", "Grid", "Place", "grid_of", "native_chart"]

MATRICES = {ChartKind.HEATMAP, ChartKind.FLOW}
"""Drawings that a workbook shows as a grid with coloured cells."""

CHART_SIZE_PX = (760, 360)
POINTS_NAMED_MAX = 8


@dataclass(frozen=True)
class Grid:
    """A header and rows; each column has an axis that says how its values are written."""

    axes: tuple[Axis, ...]
    rows: tuple[tuple[Value, ...], ...]
    names: tuple[str, ...] = ()  # of the points, for a scatter


@dataclass(frozen=True)
class Place:
    """Where a grid stands: its sheet and the row of its header."""

    sheet: str
    row: int


def grid_of(spec: ChartSpec, writing: Writing) -> Grid:
    """The numbers of a figure: categories down, series (or, for a matrix, the second category) across."""
    if spec.kind in MATRICES:
        return _matrix(spec, writing)
    if spec.kind is ChartKind.HISTOGRAM and spec.x_end:
        bins = Axis(field="bin", label=spec.x.label)
        rows = [
            (
                f"{writing.value(row[spec.x.field], spec.x)} – {writing.value(row[spec.x_end], spec.x)}",
                row[spec.y.field],
            )
            for row in spec.rows
        ]
        return Grid((bins, spec.y), tuple(rows))
    if spec.kind is ChartKind.LORENZ:
        equal = Axis(field="equal", label=writing.words("chart.equality"), kind=spec.x.kind, digits=spec.x.digits)
        shares = tuple((row[spec.x.field], row[spec.y.field], row[spec.x.field]) for row in spec.rows)
        return Grid((spec.x, spec.y, equal), shares)
    if spec.series is None:
        names = tuple(str(row[spec.label]) for row in spec.rows) if spec.label else ()
        fields = [spec.x.field, spec.y.field, *_interval_fields(spec), *([spec.value.field] if spec.value else [])]
        axes = (spec.x, spec.y, *_interval_axes(spec, writing), *([spec.value] if spec.value else []))
        if names:
            axes = (*axes, Axis(field="name", label=" "))
        rows = [tuple(row.get(field) for field in fields) for row in _ordered(spec, writing)]
        return Grid(
            axes, tuple((*row, name) for row, name in zip(rows, names, strict=True)) if names else tuple(rows), names
        )
    return _by_series(spec, writing)


def _interval_fields(spec: ChartSpec) -> list[str]:
    return [spec.low, spec.high] if spec.low and spec.high else []


def _interval_axes(spec: ChartSpec, writing: Writing) -> list[Axis]:
    label = spec.interval_label or writing.words("chart.interval")
    return [
        Axis(field=field, label=f"{label} {end}", kind=spec.y.kind, digits=spec.y.digits)
        for field, end in zip(_interval_fields(spec), ("−", "+"), strict=False)
    ]


def _ordered(spec: ChartSpec, writing: Writing) -> list[Any]:
    if not spec.order:
        return list(spec.rows)
    ranks = {
        name: rank for rank, name in enumerate(in_order((_name(r, spec.x, writing) for r in spec.rows), spec.order))
    }
    return sorted(spec.rows, key=lambda row: ranks[_name(row, spec.x, writing)])


def _name(row: Any, axis: Axis, writing: Writing) -> str:
    return writing.value(row[axis.field], axis)


def _by_series(spec: ChartSpec, writing: Writing) -> Grid:
    if spec.series is None:
        raise ValueError("no series")
    series = in_order((_name(row, spec.series, writing) for row in spec.rows), spec.series_order)
    across: list[tuple[str, str]] = []  # series and field
    axes: list[Axis] = [spec.x]
    for name in series:
        across.append((name, spec.y.field))
        axes.append(Axis(field=name, label=name, kind=spec.y.kind, digits=spec.y.digits))
        for axis in _interval_axes(spec, writing):
            if any(_name(r, spec.series, writing) == name and r.get(axis.field) is not None for r in spec.rows):
                across.append((name, axis.field))
                axes.append(Axis(field=axis.field, label=f"{name} {axis.label}", kind=axis.kind, digits=axis.digits))
    cells: dict[Value, dict[tuple[str, str], Value]] = {}
    for row in _ordered(spec, writing):
        line = cells.setdefault(row[spec.x.field], {})
        for field in (spec.y.field, *_interval_fields(spec)):
            line[_name(row, spec.series, writing), field] = row.get(field)
    return Grid(tuple(axes), tuple((x, *(line.get(key) for key in across)) for x, line in cells.items()))


def _matrix(spec: ChartSpec, writing: Writing) -> Grid:
    if spec.value is None:
        raise ValueError(f"a {spec.kind} needs a value")
    # A flow reads from the left to the right: its rows are the stages left.
    across, down = (spec.y, spec.x) if spec.kind is ChartKind.FLOW else (spec.x, spec.y)
    columns = in_order((_name(row, across, writing) for row in spec.rows), spec.order)
    wanted = spec.order if spec.kind is ChartKind.FLOW else spec.series_order
    lines = in_order((_name(row, down, writing) for row in spec.rows), wanted)
    cells = {(_name(row, down, writing), _name(row, across, writing)): row[spec.value.field] for row in spec.rows}
    corner = Axis(field="line", label=f"{down.label} \\ {across.label}")
    axes = [Axis(field=name, label=name, kind=spec.value.kind, digits=spec.value.digits) for name in columns]
    rows = ((line, *(cells.get((line, column)) for column in columns)) for line in lines)
    return Grid((corner, *axes), tuple(rows))


def native_chart(workbook: Any, spec: ChartSpec, grid: Grid, place: Place, formats: dict[str, str]) -> Any:
    """The chart of a grid that stands at ``place``. ``formats`` are number formats by the field of the axis."""
    pointed = spec.kind in {ChartKind.SCATTER, ChartKind.LORENZ} or (
        spec.kind in {ChartKind.LINE, ChartKind.AREA} and spec.x.kind not in {Kind.TEXT, Kind.DATE, Kind.MONTH}
    )
    chart = workbook.add_chart(_type(spec, pointed=pointed))
    intervals = {f"{axis.label}" for axis in grid.axes[1:] if axis.field in _interval_fields(spec)}
    count = 0
    for column, axis in enumerate(grid.axes[1:], start=1):
        if (pointed and spec.kind is ChartKind.SCATTER and column > 1) or axis.field == "name":
            break
        options = {
            "name": [place.sheet, place.row, column],
            "categories": [place.sheet, place.row + 1, 0, place.row + len(grid.rows), 0],
            "values": [place.sheet, place.row + 1, column, place.row + len(grid.rows), column],
        }
        is_interval = axis.label in intervals
        options |= _look(spec, grid, axis, count, pointed=pointed, is_interval=is_interval)
        chart.add_series(options)
        count += not is_interval
    _axes(chart, spec, grid, formats, pointed=pointed)
    chart.set_title({"none": True})
    chart.set_legend({"position": "top", "font": _font()} if len(grid.axes) > 2 and not grid.names else {"none": True})
    chart.set_chartarea({"border": {"none": True}})
    chart.show_blanks_as("gap")
    chart.set_size({"width": CHART_SIZE_PX[0], "height": CHART_SIZE_PX[1]})
    return chart


def _type(spec: ChartSpec, *, pointed: bool) -> dict[str, str]:
    if spec.kind is ChartKind.SCATTER:
        return {"type": "scatter"}
    if pointed:
        return {"type": "scatter", "subtype": "straight"}
    if spec.kind in {ChartKind.LINE, ChartKind.AREA}:
        return {"type": "line"}
    lying = spec.horizontal or spec.kind is ChartKind.LADDER
    made = {"type": "bar" if lying else "column"}
    if spec.kind is ChartKind.STACKED_BAR:
        made["subtype"] = "percent_stacked" if spec.share else "stacked"
    return made


def _look(spec: ChartSpec, grid: Grid, axis: Axis, count: int, *, pointed: bool, is_interval: bool) -> dict[str, Any]:
    colour = SERIES[count % len(SERIES)]
    if is_interval:
        return {"line": {"color": GREY, "width": 1, "dash_type": "round_dot"}, "marker": {"type": "none"}}
    if spec.kind is ChartKind.SCATTER:
        labels = [
            {"value": literal(name)} if rank < POINTS_NAMED_MAX else {"delete": True}
            for rank, name in enumerate(grid.names)
        ]
        marker = {"type": "circle", "size": 7, "fill": {"color": NAVY}, "border": {"color": "white"}}
        named = {"data_labels": {"custom": labels, "position": "right", "font": _font()}} if labels else {}
        return {"marker": marker, **named}
    if pointed or spec.kind in {ChartKind.LINE, ChartKind.AREA}:
        line: dict[str, Any] = {"color": colour, "width": 2.25}
        if axis.label in spec.dashed:
            line["dash_type"] = "dash"
        return {"line": line, "marker": {"type": "none"}}
    made: dict[str, Any] = {"fill": {"color": colour}, "gap": 4 if spec.kind is ChartKind.HISTOGRAM else 45}
    if (spec.horizontal or spec.kind is ChartKind.LADDER) and spec.series is None:
        made["data_labels"] = {"value": True, "font": _font()}
    if spec.emphasis and spec.series is None:
        made["points"] = [{"fill": {"color": ORANGE if str(row[0]) in spec.emphasis else FADED}} for row in grid.rows]
    return made


def _axes(chart: Any, spec: ChartSpec, grid: Grid, formats: dict[str, str], *, pointed: bool) -> None:
    quiet = {"num_font": _font(), "name_font": _font(bold=False), "line": {"color": "#9aa7b1"}}
    x: dict[str, Any] = {"name": literal(spec.x.label), **quiet}
    y: dict[str, Any] = {
        "name": literal(spec.y.label),
        "num_format": "0%" if spec.share else formats[spec.y.field],
        "major_gridlines": {"visible": True, "line": {"color": LINE, "width": 0.75}},
        **quiet,
        "line": {"none": True},
    }
    if spec.y.log:
        y["log_base"] = 10
    if spec.x.kind in {Kind.DATE, Kind.MONTH} and not pointed:
        x |= {"date_axis": True, "num_format": formats[spec.x.field]} | _months([row[0] for row in grid.rows])
    elif pointed:
        x |= {"num_format": formats[spec.x.field]} | _bounds(spec.x, [row[0] for row in grid.rows])
    if spec.kind is ChartKind.LORENZ:
        x |= {"min": 0, "max": 1}
        y |= {"min": 0, "max": 1}
    if spec.horizontal or spec.kind is ChartKind.LADDER:
        # The library calls the horizontal axis of lying bars x. The first category is on top, as everywhere else.
        x, y = y | {"name": "", "visible": spec.series is not None}, x | {"reverse": True, "name": ""}
    chart.set_x_axis(x)
    chart.set_y_axis(y)


def _months(values: list[Value]) -> dict[str, Any]:
    """How many months apart the dates on an axis stand; days are left to the program."""
    days = [value for value in values if isinstance(value, date)]
    months = (max(days) - min(days)).days / 30.4 if days else 0.0
    return {"major_unit": max(1, math.ceil(months / 9)), "major_unit_type": "months"} if months > 4 else {}


def _bounds(axis: Axis, values: list[Value]) -> dict[str, float]:
    numbers = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, date | datetime)]
    if axis.zero or not numbers:
        return {"min": 0} if numbers and min(numbers) >= 0 else {}
    return {"min": min(numbers), "max": max(numbers)}


def literal(text: str) -> str:
    """A text that the library will not take for a reference, as it does with ``=A1`` and ``Sheet!A1``: invisible
    spaces part what makes it look like one."""
    return "\u200b" + text.replace("!", "!\u200b") if text.startswith("=") or "!" in text else text


def _font(*, bold: bool = False) -> dict[str, Any]:
    return {"size": 9, "color": MUTED, "bold": bold}
