"""Drawings in which position is the number: lines, areas, points, the Lorenz curve."""

from __future__ import annotations

import math
from typing import Any

import altair as alt

from shuke.reports.exports.charts.frame import WIDE_ONLY, Frame
from shuke.reports.exports.charts.theme import INK, MUTED, NAVY

LABELLED_POINTS_MAX = 8
NAME_GAP = 0.06  # of the plot's height


def draw_line(frame: Frame) -> Any:
    """A line a series, its interval as a band, predictions dashed."""
    return _lines(frame, filled=False)


def draw_area(frame: Frame) -> Any:
    """The first series as a filled area, the others as lines over it."""
    return _lines(frame, filled=True)


def _lines(frame: Frame, *, filled: bool) -> Any:
    spec, largest = frame.spec, frame.largest("y")
    rows = [row for row in frame.rows if row["y"] is not None]
    several = spec.series is not None
    colour: Any = frame.colours(strokes=True) if several else alt.value(NAVY)
    measure = frame.quantity(alt.Y, "y", spec.y, largest=largest)
    base = alt.Chart(frame.data(rows)).encode(frame.across())
    layers: list[Any] = []
    if any("it" in row for row in rows):
        band = base.transform_filter("isValid(datum.lo)").mark_area(opacity=0.16)
        layers.append(band.encode(alt.Y(field="lo", type="quantitative"), alt.Y2(field="hi"), color=colour))
    if filled:
        first = f"datum.st === {frame.series[0]!r}" if several else "true"
        area = base.transform_filter(first) if several else base
        layers.append(area.mark_area(opacity=0.28, line=False).encode(measure, color=colour))
    dash: dict[str, Any] = {}
    if several and spec.dashed:
        strokes = [[5, 4] if name in spec.dashed else [1, 0] for name in frame.series]
        scale = alt.Scale(domain=frame.series, range=strokes)
        dash = {
            "strokeDash": alt.StrokeDash(field="st", type="nominal", scale=scale, legend=frame.legend(strokes=True))
        }
    layers.append(base.mark_line().encode(measure, color=colour, **dash))
    points = max((sum(1 for row in rows if row.get("st") == name) for name in frame.series), default=len(rows))
    # The dots are also what the pointer finds; where there are too many to see them, they are there unseen.
    seen = points <= 26
    dots = base.mark_circle(size=34 if seen else 90, opacity=1 if seen else 0)
    layers.append(dots.encode(measure, color=colour, tooltip=frame.tip("x", "s", "y", "i")))
    layers += frame.reference_marks()
    title = frame.writing.axis_title(spec.y, largest)
    return alt.layer(*layers).properties(height=frame.height, title=title)


def draw_scatter(frame: Frame) -> Any:
    """Points or bubbles; the few that matter are named."""
    spec = frame.spec
    largest = frame.largest("y")
    measure = frame.quantity(alt.Y, "y", spec.y, largest=largest)
    tip = frame.tip("n", "s", "x", "y", "v")
    colour: Any = frame.colours() if spec.series is not None else alt.value(NAVY)
    base = alt.Chart(frame.data()).encode(frame.across(), measure, tooltip=tip)
    size: dict[str, Any] = {}
    if spec.value is not None:
        size = {"size": alt.Size(field="v", type="quantitative", scale=alt.Scale(range=[20, 520]), legend=None)}
    dots = base.mark_circle(opacity=0.62, stroke="white", strokeWidth=0.8, size=70).encode(color=colour, **size)
    layers = [dots]
    across = [row["x"] for row in frame.rows if isinstance(row["x"], int | float)]
    middle = (min(across) + 2 * max(across)) / 3 if across else math.inf
    for left in (True, False):  # names stand right of their points, near the right edge left of them
        named = [row for row in _named(frame) if (not isinstance(row["x"], str) and row["x"] > middle) is not left]
        if not named:
            continue
        words = alt.Chart(frame.data(named)).mark_text(
            align="left" if left else "right", dx=15 if left else -15, fontSize=11, limit=170, color=INK
        )
        layers.append(
            words.encode(frame.across(), measure, alt.Text(field="n", type="nominal")).properties(
                name=f"{WIDE_ONLY}_names_{len(layers)}"
            )
        )
    layers += frame.reference_marks()
    return alt.layer(*layers).properties(height=frame.height + 40, title=frame.writing.axis_title(spec.y, largest))


def _named(frame: Frame) -> list[dict[str, Any]]:
    rows = [row for row in frame.rows if row.get("n")]
    if frame.spec.emphasis:
        return [row for row in rows if row["n"] in frame.spec.emphasis]
    ranked = sorted(rows, key=lambda row: -(row.get("v") or row["y"] or 0))[:LABELLED_POINTS_MAX]
    high = frame.largest("y") or 1.0
    named: list[dict[str, Any]] = []
    for row in ranked:  # a name that would lie on another one is left to the tooltip
        if all(abs((row["y"] or 0) - (other["y"] or 0)) / high > NAME_GAP for other in named):
            named.append(row)
    return named


def draw_lorenz(frame: Frame) -> Any:
    """The curve of unequal shares beside the line of equality, and the area between them."""
    spec = frame.spec
    unit = alt.Scale(domain=[0, 1], nice=False)
    x = frame.quantity(alt.X, "x", spec.x, largest=1.0, title=spec.x.label, scale=unit)
    y = frame.quantity(alt.Y, "y", spec.y, largest=1.0, scale=unit)
    base = alt.Chart(frame.data()).encode(x, y)
    between = base.mark_area(opacity=0.16, color=NAVY).encode(alt.Y2(field="x"))
    curve = base.mark_line(color=NAVY)
    ends = alt.Chart(frame.data([{"x": 0, "y": 0}, {"x": 1, "y": 1}]))
    equal = ends.mark_line(color=MUTED, strokeDash=[4, 4], strokeWidth=1.2).encode(x, y)
    name = alt.Chart(frame.data([{"x": 0.5, "y": 0.5, "t": frame.writing.words("chart.equality")}]))
    word = name.mark_text(align="right", dx=-8, dy=-6, color=MUTED, fontSize=11)
    dots = base.mark_circle(size=90, opacity=0).encode(tooltip=frame.tip("x", "y"))
    layers = [between, equal, curve, word.encode(x, y, alt.Text(field="t", type="nominal")), dots]
    return alt.layer(*layers, *frame.reference_marks()).properties(
        height=210 if frame.half else 250, title=spec.y.label
    )
