"""What every drawing needs first: the rows under neutral names, with their values written out, and the axes.

Fields of the report may be called anything; here they become ``x``, ``y``, ``s`` (series), ``v`` (value), ``lo``,
``hi``, ``x2`` and ``n`` (name), each with a written-out twin (``xt``, ``yt`` …) for labels and tooltips, so that a
chart, a table and a sentence write the same number alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

import altair as alt

from shuke.reports.exports.charts.theme import FADED, INK, MUTED, NAVY, ORANGE, SERIES
from shuke.reports.exports.writing import Writing
from shuke.reports.model import Axis, ChartSpec, Kind, Value

__all__ = ["HALF_WIDTH", "WIDTH", "Frame", "text_width"]

WIDTH, HALF_WIDTH = 680, 320
"""Of a figure's drawing, in pixels, where it is not made to fit its container."""

WIDE_ONLY = "wide_only"
"""Layers whose name begins so are left out on narrow screens."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Frame:
    """A chart's specification, how to write its values and how much room there is."""

    spec: ChartSpec
    writing: Writing
    half: bool
    datasets: dict[str, list[Row]] = field(default_factory=dict, compare=False)

    @property
    def width(self) -> int:
        """Of the whole drawing, in pixels."""
        return HALF_WIDTH if self.half else WIDTH

    @property
    def height(self) -> int:
        """Of the plot, where it does not follow from the number of rows."""
        return 190 if self.half else 208

    @cached_property
    def rows(self) -> list[Row]:
        """The rows under neutral names."""
        return [self._row(row) for row in self.spec.rows]

    def _row(self, row: Any) -> Row:
        spec, say = self.spec, self.writing.value
        made: Row = {}
        for name, axis in (("x", spec.x), ("y", spec.y), ("s", spec.series), ("v", spec.value)):
            if axis is not None:
                made[name] = plain(row[axis.field], axis.kind)
                made[f"{name}t"] = say(row[axis.field], axis)
        if spec.low and spec.high and row.get(spec.low) is not None and row.get(spec.high) is not None:
            made["lo"], made["hi"] = row[spec.low], row[spec.high]
            made["it"] = f"{say(made['lo'], spec.y)} – {say(made['hi'], spec.y)}"
        if spec.x_end:
            made["x2"] = plain(row[spec.x_end], spec.x.kind)
            made["xt"] = f"{made['xt']} – {say(row[spec.x_end], spec.x)}"
        if spec.label:
            made["n"] = str(row[spec.label])
        return made

    def largest(self, name: str) -> float:
        """The largest magnitude of a neutral field (with its interval, for y), which chooses the axis's unit."""
        names = (name, "lo", "hi") if name == "y" else (name, "x2") if name == "x" else (name,)
        found = [abs(row[n]) for row in self.rows for n in names if isinstance(row.get(n), int | float)]
        return max(found, default=0.0)

    @cached_property
    def categories(self) -> list[str]:
        """The written categories of x, in order."""
        return in_order((row["xt"] for row in self.rows), self.spec.order)

    @cached_property
    def series(self) -> list[str]:
        """The series, in order."""
        return in_order((row["st"] for row in self.rows if "st" in row), self.spec.series_order)

    def data(self, rows: list[Row] | None = None) -> Any:
        """Rows as a named data set, which :func:`draw` puts into the specification."""
        rows = self.rows if rows is None else rows
        for name, known in self.datasets.items():
            if known is rows:
                return alt.NamedData(name=name)
        name = f"d{len(self.datasets)}"
        self.datasets[name] = rows
        return alt.NamedData(name=name)

    def tip(self, *names: str, swap: dict[str, str] | None = None) -> list[Any]:
        """The tooltip: these neutral fields, written out, under their labels."""
        axes = {"x": self.spec.x, "y": self.spec.y, "s": self.spec.series, "v": self.spec.value}
        labels = {name: axis.label for name, axis in axes.items() if axis is not None and axis.label}
        labels |= {"i": self.spec.interval_label or self.writing.words("chart.interval"), "n": " "} | (swap or {})
        has_interval = any("it" in row for row in self.rows)
        wanted = [name for name in names if name in labels and (name != "i" or has_interval)]
        fields = {name: name if name == "n" else f"{name}t" for name in wanted}
        return [alt.Tooltip(field=fields[name], type="nominal", title=labels[name]) for name in wanted]

    # -- axes ------------------------------------------------------------------------------------------------------

    def quantity(self, channel: Any, field: str, axis: Axis, *, largest: float, **more: Any) -> Any:
        """A quantitative axis with light grid lines and no frame. Its title stands over the chart, or under it."""
        scale = alt.Scale(type="log", nice=True) if axis.log else alt.Scale(zero=axis.zero, nice=True)
        ticks = alt.Axis(
            labelExpr=self.writing.axis_expression(axis, largest),
            tickCount=4 if self.half else 5,
            domain=False,
            ticks=False,
            title=more.pop("title", None),
            titleAnchor="end",
            labelOverlap=True,
        )
        if axis.kind is Kind.INTEGER and largest < 6:
            ticks.tickMinStep = 1
        return channel(field=field, type="quantitative", axis=ticks, scale=more.pop("scale", scale), **more)

    def across(self, channel: Any = alt.X, *, field: str = "x") -> Any:
        """The x axis of lines and points: time or a number."""
        axis = self.spec.x
        if axis.kind in (Kind.DATE, Kind.MONTH):
            days = self.span_days()
            ticks = alt.Axis(
                labelExpr=self.writing.time_expression(days=days),
                grid=False,
                title=None,
                tickCount=self.time_ticks(),
                labelOverlap=True,
                labelFlush=True,
            )
            return channel(field=field, type="temporal", axis=ticks, scale=alt.Scale(type="utc"))
        if axis.kind is Kind.TEXT:
            return channel(
                field="xt",
                type="ordinal",
                sort=self.categories,
                axis=alt.Axis(labelAngle=0, title=axis.label or None, titleAnchor="end", labelOverlap=True),
            )
        largest = self.largest("x")
        return self.quantity(channel, field, axis, largest=largest, title=self.writing.axis_title(axis, largest))

    def span_days(self) -> float:
        """How long the time axis is."""
        found = sorted(str(row["x"]) for row in self.rows)
        return (date.fromisoformat(found[-1]) - date.fromisoformat(found[0])).days if found else 0

    def time_ticks(self) -> Any:
        """How many ticks a time axis has; from four months on, so many months apart that each January has one."""
        wanted = 5 if self.half else 9
        if self.span_days() <= 120:
            return wanted
        months = self.span_days() / 30.4 / wanted
        step = next((step for step in (1, 2, 3, 6) if step >= months), 12)
        return alt.TimeIntervalStep(interval="month", step=step)

    def band(self, channel: Any, *, room: float) -> Any:
        """A category axis; labels lean when ``room`` pixels are too few for all of them side by side."""
        widest = max((text_width(text) for text in self.categories), default=0.0)
        crowded = room / max(1, len(self.categories)) < widest + 6
        leaning = crowded and self.spec.x.kind is Kind.TEXT
        named = self.months_named(room / (widest + 10)) if crowded and self.spec.x.kind is Kind.MONTH else None
        ticks = alt.Axis(
            labelAngle=-38 if leaning else 0,
            labelLimit=150 if leaning else 230,
            labelOverlap="parity" if crowded and not leaning else False,
            ticks=False,
            values=alt.Undefined if named is None else named,
            title=(self.spec.x.label or None) if self.spec.x.kind is Kind.TEXT else None,
            titleAnchor="end",
        )
        return channel(
            field="xt",
            type="nominal",
            sort=self.categories,
            axis=ticks,
            scale=alt.Scale(paddingInner=0.28, paddingOuter=0.14),
        )

    def months_named(self, room: float) -> list[str]:
        """The months that an axis names when only ``room`` of them fit; steps of a quarter and more name Januaries."""
        months = sorted({str(row["x"]): str(row["xt"]) for row in self.rows}.items())
        step = next((step for step in (2, 3, 6, 12) if len(months) / step <= room), 24)
        if step == 2:
            return [text for _, text in months[::2]]
        return [text for day, text in months if (12 * int(day[:4]) + int(day[5:7]) - 1) % step == 0]

    def colours(self, *, strokes: bool = False) -> Any:
        """The colour of the series, in their order; those that the title does not speak of are grey."""
        names = self.series
        if self.spec.emphasis and set(self.spec.emphasis) & set(names):
            bright = iter(SERIES)
            palette = [next(bright) if name in self.spec.emphasis else FADED for name in names]
        else:
            palette = [SERIES[i % len(SERIES)] for i in range(len(names))]
        scale = alt.Scale(domain=names, range=palette)
        return alt.Color(
            field="st",
            type="nominal",
            scale=scale,
            sort=names,
            legend=self.legend(strokes=strokes) if len(names) > 1 else None,
        )

    def legend(self, *, strokes: bool = False) -> Any:
        """A legend over the chart, in one row if there is room, else in columns."""
        widths = [text_width(name) + 34 for name in self.series]
        columns = len(widths) if sum(widths) <= self.width - 40 else max(1, int(self.width // max(widths)))
        more: dict[str, Any] = {"symbolType": "stroke", "symbolSize": 320, "symbolStrokeWidth": 2.6} if strokes else {}
        return alt.Legend(columns=columns, symbolOpacity=1, **more)

    def accent(self) -> Any:
        """One colour; with an emphasis, those that the title speaks of in it and the others faded."""
        if not self.spec.emphasis:
            return alt.value(NAVY)
        chosen = alt.FieldOneOfPredicate(field="xt", oneOf=list(self.spec.emphasis))
        return alt.when(chosen).then(alt.value(ORANGE)).otherwise(alt.value(FADED))

    def reference_marks(self) -> list[Any]:
        """The reference lines with their labels."""
        layers: list[Any] = []
        for mark in self.spec.marks:
            value = plain(mark.value, Kind.DATE)
            upright = mark.axis == "x"
            timely = isinstance(value, str)
            channel: Any = alt.X if upright else alt.Y
            place = channel(
                field="m",
                type="temporal" if timely else "quantitative",
                **({"scale": alt.Scale(type="utc")} if timely else {}),
            )
            base = alt.Chart(self.data([{"m": value, "t": mark.label}]))
            layers.append(base.mark_rule(color=INK, strokeDash=[3, 3], strokeWidth=1).encode(place))
            words = base.mark_text(
                align="left" if upright else "right",
                baseline="bottom",
                dx=4 if upright else 0,
                dy=8 if upright else -3,
                color=MUTED,
                fontSize=11,
            )
            other: Any = alt.value(0) if upright else alt.value("width")
            layers.append(
                words.encode(place, alt.Text(field="t", type="nominal"), **{"y" if upright else "x": other}).properties(
                    name=f"{WIDE_ONLY}_mark_{len(layers)}"
                )
            )
        return layers


def plain(value: Value, kind: Kind) -> Any:
    """A value as JSON has it: dates as ISO days."""
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if kind is Kind.TEXT else value


def in_order(found: Iterable[str], wanted: tuple[str, ...]) -> list[str]:
    """The distinct values: the wanted ones first, in their order, then the others as they come."""
    distinct = list(dict.fromkeys(found))
    return [name for name in wanted if name in distinct] + [name for name in distinct if name not in wanted]


def text_width(text: str) -> float:
    """The width of a text at the charts' size, in pixels, nearly: a Chinese character is twice as wide as a Latin."""
    return sum(12.0 if ord(letter) > 0x2E80 else 6.4 for letter in text)
