"""Drawings whose length is the number: bars, lollipops, ladders, histograms."""

from __future__ import annotations

from typing import Any

import altair as alt

from shuke.reports.exports.charts.frame import WIDE_ONLY, Frame, text_width
from shuke.reports.exports.charts.theme import INK, NAVY
from shuke.reports.model import Axis, Kind

ROW_PX = 27
_SHARE = Axis(field="", label="", kind=Kind.PERCENT)


def draw_bar(frame: Frame) -> Any:
    """One bar a category, its value written at its end while there is room."""
    return _lying(frame, lollipop=False) if frame.spec.horizontal else _standing(frame, lollipop=False)


def draw_lollipop(frame: Frame) -> Any:
    """A thin stem and a dot: for many categories, or where zero is far from the values' differences."""
    return _lying(frame, lollipop=True) if frame.spec.horizontal else _standing(frame, lollipop=True)


def _measure_title(frame: Frame) -> alt.TitleParams:
    return alt.TitleParams(text=frame.writing.axis_title(frame.spec.y, frame.largest("y")))


def _with_labels(frame: Frame) -> list[dict[str, Any]]:
    shown = frame.spec.y
    rows = []
    for made, raw in zip(frame.rows, frame.spec.rows, strict=True):
        value = made["y"] or 0
        rows.append(made | {"label": frame.writing.short(raw[shown.field], shown), "positive": value >= 0})
    return rows


def _lying(frame: Frame, *, lollipop: bool) -> Any:
    rows = _with_labels(frame)
    category = alt.Y(
        field="xt",
        type="nominal",
        sort=frame.categories,
        axis=alt.Axis(
            title=None,
            ticks=False,
            domain=False,
            labelColor=INK,
            labelLimit=130 if frame.half else 260,
            labelOverlap=False,
        ),
    )
    measure = alt.X(field="y", type="quantitative", axis=None, scale=alt.Scale(zero=True, nice=False, padding=0))
    base = alt.Chart(frame.data(rows)).encode(category, measure, tooltip=frame.tip("x", "y", "i"))
    layers = _bodies(frame, base, lollipop=lollipop)
    for positive in (True, False):
        words = base.transform_filter(f"datum.positive === {str(positive).lower()}").mark_text(
            align="left" if positive else "right", dx=(10 if lollipop else 5) * (1 if positive else -1), color=INK
        )
        if all(row["positive"] is not positive for row in rows):
            continue
        layers.append(words.encode(alt.Text(field="label", type="nominal")))
    layers += _intervals(frame, base, horizontal=True)
    height = ROW_PX * len(frame.categories)
    return alt.layer(*layers).properties(height=height, title=_measure_title(frame))


def _standing(frame: Frame, *, lollipop: bool) -> Any:
    rows = _with_labels(frame)
    largest = frame.largest("y")
    crowded = max((text_width(row["label"]) for row in rows), default=0) + 4 > (frame.width - 60) / max(1, len(rows))
    base = alt.Chart(frame.data(rows)).encode(
        _category(frame), frame.quantity(alt.Y, "y", frame.spec.y, largest=largest), tooltip=frame.tip("x", "y", "i")
    )
    layers = _bodies(frame, base, lollipop=lollipop)
    if not crowded and not any("it" in row for row in rows):
        words = base.mark_text(baseline="bottom", dy=-9 if lollipop else -4, color=INK, fontSize=11)
        labels = words.encode(_category(frame), alt.Text(field="label", type="nominal"))
        layers.append(labels.properties(name=f"{WIDE_ONLY}_labels"))
    layers += _intervals(frame, base, horizontal=False) + frame.reference_marks()
    return alt.layer(*layers).properties(height=frame.height, title=_measure_title(frame))


def _category(frame: Frame) -> Any:
    return frame.band(alt.X, room=frame.width - 60)


def _bodies(frame: Frame, base: Any, *, lollipop: bool) -> list[Any]:
    if not lollipop:
        return [base.mark_bar().encode(color=frame.accent())]
    stem: dict[str, Any] = {"x2" if frame.spec.horizontal else "y2": alt.datum(0)}
    return [
        base.mark_rule(strokeWidth=2).encode(color=frame.accent(), **stem),
        base.mark_circle(size=110, opacity=1).encode(color=frame.accent()),
    ]


def _intervals(frame: Frame, base: Any, *, horizontal: bool) -> list[Any]:
    if not any("it" in row for row in frame.rows):
        return []
    low, high = (alt.X, alt.X2) if horizontal else (alt.Y, alt.Y2)
    rule = base.mark_rule(strokeWidth=1.5, color=INK)
    return [rule.encode(low(field="lo", type="quantitative"), high(field="hi"))]


def draw_grouped_bar(frame: Frame) -> Any:
    """The series side by side within each category."""
    spec, largest = frame.spec, frame.largest("y")
    colour, tip = frame.colours(), frame.tip("x", "s", "y", "i")
    base = alt.Chart(frame.data())
    measure_title = _measure_title(frame)
    if spec.horizontal:
        shift = alt.YOffset(field="st", type="nominal", sort=frame.series)
        category = _lying_categories(frame)
        measure = frame.quantity(alt.X, "y", spec.y, largest=largest)
        made = base.mark_bar().encode(category, measure, shift, colour, tooltip=tip)
        return made.properties(height=(ROW_PX + 10) * len(frame.categories), title=measure_title)
    shift_x = alt.XOffset(field="st", type="nominal", sort=frame.series)
    measure = frame.quantity(alt.Y, "y", spec.y, largest=largest)
    made = base.mark_bar().encode(frame.band(alt.X, room=frame.width - 60), measure, shift_x, colour, tooltip=tip)
    return made.properties(height=frame.height, title=measure_title)


def draw_stacked_bar(frame: Frame) -> Any:
    """The series on top of each other, or as shares of 100%."""
    spec = frame.spec
    totals: dict[str, float] = {}
    for row in frame.rows:
        totals[row["xt"]] = totals.get(row["xt"], 0.0) + (row["y"] or 0)
    rank = {name: place for place, name in enumerate(frame.series)}
    rows = [row | {"rank": rank[row["st"]]} for row in frame.rows]
    for row in rows:
        whole = totals[row["xt"]]
        row["part"] = frame.writing.value((row["y"] or 0) / whole if whole else None, _SHARE)
    largest = max((abs(total) for total in totals.values()), default=0.0)
    stack: Any = "normalize" if spec.share else "zero"
    axis = _SHARE if spec.share else spec.y
    title = spec.y.label if spec.share else frame.writing.axis_title(spec.y, largest)
    tip = [*frame.tip("x", "s", "y"), alt.Tooltip(field="part", type="nominal", title="%")]
    base = alt.Chart(frame.data(rows)).mark_bar(stroke="white", strokeWidth=1)
    order = alt.Order(field="rank", type="quantitative", sort="ascending")
    measure_channel = alt.X if spec.horizontal else alt.Y
    scale = alt.Scale(domain=[0, 1]) if spec.share else alt.Scale(zero=True, nice=True)
    measure = frame.quantity(
        measure_channel, "y", axis, largest=1.0 if spec.share else largest, stack=stack, scale=scale
    )
    category = _lying_categories(frame) if spec.horizontal else _category(frame)
    made = base.encode(category, measure, frame.colours(), order, tooltip=tip)
    height = ROW_PX * len(frame.categories) if spec.horizontal else frame.height
    return made.properties(height=height, title=title)


def _lying_categories(frame: Frame) -> Any:
    ticks = alt.Axis(title=None, ticks=False, domain=False, labelColor=INK, labelLimit=130 if frame.half else 260)
    return alt.Y(field="xt", type="nominal", sort=frame.categories, axis=ticks)


def draw_histogram(frame: Frame) -> Any:
    """Bins of stated edges, the count as height."""
    largest = frame.largest("y")
    base = alt.Chart(frame.data()).mark_rect(stroke="white", strokeWidth=1, color=NAVY)
    made = base.encode(
        frame.across(),
        alt.X2(field="x2"),
        frame.quantity(alt.Y, "y", frame.spec.y, largest=largest),
        alt.Y2(datum=0),
        tooltip=frame.tip("x", "y"),
    )
    return alt.layer(made, *frame.reference_marks()).properties(height=frame.height, title=_measure_title(frame))


def draw_ladder(frame: Frame) -> Any:
    """Steps downwards: how many reached each, as a share of the first and of the one before."""
    words, rows = frame.writing.words, []
    first: float | None = None
    previous: float | None = None
    for made, raw in zip(frame.rows, frame.spec.rows, strict=True):
        count = float(made["y"] or 0)
        shares = [frame.writing.value(count / whole if whole else None, _SHARE) for whole in (first, previous)]
        first = count if first is None else first
        text = frame.writing.short(raw[frame.spec.y.field], frame.spec.y)
        rows.append(
            made
            | {
                "label": text if previous is None else f"{text}  ({shares[0]})",
                "first": frame.writing.value(1.0, _SHARE) if previous is None else shares[0],
                "previous": frame.writing.value(1.0, _SHARE) if previous is None else shares[1],
            }
        )
        previous = count
    tip = [
        *frame.tip("x", "y"),
        alt.Tooltip(field="first", type="nominal", title=words("chart.share_of_first")),
        alt.Tooltip(field="previous", type="nominal", title=words("chart.share_of_previous")),
    ]
    measure = alt.X(field="y", type="quantitative", axis=None, scale=alt.Scale(zero=True, nice=False))
    base = alt.Chart(frame.data(rows)).encode(_lying_categories(frame), measure, tooltip=tip)
    bars = base.mark_bar().encode(color=frame.accent())
    labels = base.mark_text(align="left", dx=5).encode(alt.Text(field="label", type="nominal"))
    return alt.layer(bars, labels).properties(height=(ROW_PX + 6) * len(rows), title=_measure_title(frame))
