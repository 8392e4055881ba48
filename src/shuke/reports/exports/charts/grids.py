"""Drawings of two categories at once: the heatmap and the flow between stages."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any, Literal

import altair as alt

from shuke.reports.exports.charts.frame import Frame, in_order, text_width
from shuke.reports.exports.charts.theme import DIVERGING, INK, MUTED, SEQUENTIAL, SERIES
from shuke.reports.model import Kind

CURVE_POINTS = 24
STAGE_PX = 40  # of the flow, for each stage of its longer side
NAME_PX = 29  # of a stage's name with its number, two lines
FLOW_MARGIN = 0.34  # for the names of the stages on either side, in widths of the flow
FLOW_MARGIN_NARROW = 0.56
LINE_NAME_PX = 110  # of a heatmap's lines, at most, on a narrow screen


def draw_heatmap(frame: Frame) -> Any:
    """A cell for each pair, its colour the value, which is written into it when there is room."""
    spec = frame.spec
    if spec.value is None:
        raise ValueError("a heatmap needs a value")
    value = spec.value
    rows = [
        made | {"label": frame.writing.short(raw[value.field], value)}
        for made, raw in zip(frame.rows, frame.spec.rows, strict=True)
        if made["v"] is not None
    ]
    down = in_order((row["yt"] for row in frame.rows), spec.series_order)
    found = [row["v"] for row in rows] or [0.0]
    low, high = min(found), max(found)
    if spec.diverging:
        high = max(abs(low), abs(high))
        low = -high
        palette: tuple[str, ...] = DIVERGING
    else:
        low = min(0.0, low) if low < 0 or value.zero else low
        palette = SEQUENTIAL
    room = (frame.width - 110) / max(1, len(frame.categories))
    cell = max((text_width(row["label"]) for row in rows), default=0) * 0.92 + 4
    written = cell <= room
    stops = len(palette) - 1
    scale = alt.Scale(domain=[low + (high - low) * i / stops for i in range(stops + 1)], range=list(palette))
    legend: Any = None
    if not written:
        expression = frame.writing.axis_expression(value, max(abs(low), abs(high)))
        legend = alt.Legend(labelExpr=expression, gradientLength=200, gradientThickness=10, title=None, tickCount=4)
    leaning = spec.x.kind is Kind.TEXT and max(map(text_width, frame.categories), default=0) + 4 > room
    x = alt.X(
        field="xt",
        type="ordinal",
        sort=frame.categories,
        axis=alt.Axis(
            labelAngle=-38 if leaning else 0,
            labelAlign="left" if leaning else "center",
            ticks=False,
            domain=False,
            orient="top",
            title=spec.x.label or None,
            labelOverlap=not leaning,
            titleAnchor="start",
        ),
        scale=alt.Scale(padding=0),
    )
    y = alt.Y(
        field="yt",
        type="ordinal",
        sort=down,
        axis=alt.Axis(ticks=False, domain=False, title=None, labelColor=INK, labelLimit=150),
        scale=alt.Scale(padding=0),
    )
    base = alt.Chart(frame.data(rows)).encode(x, y, tooltip=frame.tip("y", "x", "v"))
    cells = base.mark_rect(stroke="white", strokeWidth=1.5).encode(
        alt.Color(field="v", type="quantitative", scale=scale, legend=legend)
    )
    layers = [cells]
    if written:
        dark = f"datum.v > {low + 0.68 * (high - low)}"
        if spec.diverging:
            dark += f" || datum.v < {low + 0.12 * (high - low)}"
        ink = alt.when(dark).then(alt.value("white")).otherwise(alt.value(INK))
        words = base.mark_text(fontSize=11).encode(alt.Text(field="label", type="nominal"), color=ink)
        layers.append(words)
    made = alt.layer(*layers).properties(height=26 * len(down), title=value.label or spec.y.label)
    if not written:
        return made
    names = min(LINE_NAME_PX, max(map(text_width, down), default=0)) + 20
    column = max(cell, 0 if leaning else max(map(text_width, frame.categories), default=0) + 4)
    return made.properties(usermeta={"leastWidth": math.ceil(names + column * len(frame.categories))})


def draw_flow(frame: Frame) -> Any:
    """Ribbons from the stages left to the stages entered, as thick as what flows; where that is nothing or less, which
    no thickness shows, a dashed line."""
    if frame.spec.value is None:
        raise ValueError("a flow needs a value")
    nodes, curves = _layout(frame)
    ribbons = [point for point in curves if point["bottom"] > point["top"]]
    dashes = [point for point in curves if point["bottom"] == point["top"]]
    unit = alt.Scale(domain=[-FLOW_MARGIN, 1 + FLOW_MARGIN], nice=False, zero=False)
    height = alt.Scale(domain=[1, 0], nice=False, zero=False)
    names = list(dict.fromkeys(node["name"] for node in nodes))
    # A stage has the colour that it has wherever the stages are a series; what is no such stage is grey.
    ranks = {name: rank for rank, name in enumerate(frame.spec.series_order or names)}
    colours = [SERIES[ranks[name] % len(SERIES)] if name in ranks else MUTED for name in names]
    palette = alt.Scale(domain=names, range=colours)

    def across(field: str) -> Any:
        return alt.X(field=field, type="quantitative", axis=None, scale=unit)

    def down(field: str) -> Any:
        return alt.Y(field=field, type="quantitative", axis=None, scale=height)

    colour = alt.Color(field="name", type="nominal", scale=palette, legend=None)
    links = alt.Chart(frame.data(ribbons)).mark_area(opacity=0.38, interpolate="linear")
    swap = {"x": frame.spec.x.label or frame.writing.words("chart.from")}
    swap["y"] = frame.spec.y.label or frame.writing.words("chart.to")
    drawn = links.encode(
        across("px"), down("top"), alt.Y2(field="bottom"), alt.Detail(field="link", type="nominal"), colour,
        tooltip=frame.tip("x", "y", "v", swap=swap),
    )  # fmt: skip
    blocks = (
        alt.Chart(frame.data(nodes))
        .mark_rect()
        .encode(across("left"), alt.X2(field="right"), down("top"), alt.Y2(field="bottom"), colour)
    )
    layers = [drawn, blocks]
    title = alt.TitleParams(text=frame.spec.value.label)
    if dashes:
        lines = alt.Chart(frame.data(dashes)).mark_line(strokeWidth=1.1, strokeDash=[3, 3], color=MUTED)
        layers.append(
            lines.encode(
                across("px"), down("top"), alt.Detail(field="link", type="nominal"),
                tooltip=frame.tip("x", "y", "v", swap=swap),
            )
        )  # fmt: skip
        title.subtitle = frame.writing.words("chart.not_above_zero")
    places: tuple[tuple[str, Literal["left", "right"], str, int], ...] = (
        ("from", "right", "left", -7),
        ("to", "left", "right", 7),
    )
    for side, align, field, dx in places:
        words = alt.Chart(frame.data([node for node in nodes if node["side"] == side]))
        text = words.mark_text(align=align, dx=dx, lineBreak="\n", fontSize=11, color=INK, baseline="middle")
        layers.append(text.encode(across(field), down("name_at"), alt.Text(field="label", type="nominal")))
    return (
        alt.layer(*layers)
        .properties(height=_flow_height(nodes), title=title)
        .properties(usermeta={"narrowDomain": [-FLOW_MARGIN_NARROW, 1 + FLOW_MARGIN_NARROW]})
    )


def _flow_height(nodes: list[dict[str, Any]]) -> int:
    tall = max(sum(1 for node in nodes if node["side"] == side) for side in ("from", "to"))
    return max(220, STAGE_PX * tall)


def _part_names(nodes: list[dict[str, Any]], *, least: float) -> None:
    """Put each name beside the middle of its stage, at least so far below the one above it."""
    for side in ("from", "to"):
        last = -least
        for node in nodes:
            if node["side"] == side:
                last = node["name_at"] = max(node["middle"], last + least)


def _layout(frame: Frame) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Nodes and ribbons in the unit square: stages stacked in order, ribbons leaving and entering in that order. The
    number of a stage is all that flows, also what is below zero."""
    value = frame.spec.value
    rows = [row | {"thick": max(row["v"], 0.0)} for row in frame.rows if row["v"] is not None]
    names = in_order([row["xt"] for row in rows] + [row["yt"] for row in rows], frame.spec.order)
    gap, thin = 0.035, 0.018
    total = sum(row["thick"] for row in rows) or 1.0
    tops: dict[tuple[str, str], float] = {}
    nodes: list[dict[str, Any]] = []
    sides = {side: [name for name in names if any(row[field] == name for row in rows)]
             for side, field in (("from", "xt"), ("to", "yt"))}  # fmt: skip
    usable = 1 - gap * (max(len(found) for found in sides.values()) - 1)
    for side, field in (("from", "xt"), ("to", "yt")):
        top = 0.0
        for name in sides[side]:
            size = sum(row["v"] for row in rows if row[field] == name)
            tall = sum(row["thick"] for row in rows if row[field] == name) / total * usable
            left = 0.0 if side == "from" else 1 - thin
            label = f"{name}\n{frame.writing.short(size, value)}" if value is not None else name
            nodes.append(
                {"name": name, "side": side, "label": label, "left": left, "right": left + thin, "top": top,
                 "bottom": top + tall, "middle": top + tall / 2}
            )  # fmt: skip
            tops[side, name] = top
            top += tall + gap
    _part_names(nodes, least=NAME_PX / _flow_height(nodes))
    used: dict[tuple[str, str], float] = defaultdict(float)
    ribbons: list[dict[str, Any]] = []
    ranked = sorted(rows, key=lambda row: (names.index(row["xt"]), names.index(row["yt"])))
    for number, row in enumerate(ranked):
        tall = row["thick"] / total * usable
        start, end = ("from", row["xt"]), ("to", row["yt"])
        y0, y1 = tops[start] + used[start], tops[end] + used[end]
        used[start] += tall
        used[end] += tall
        for step in range(CURVE_POINTS + 1):
            t = step / CURVE_POINTS
            y = y0 + (y1 - y0) * t * t * (3 - 2 * t)  # smoothstep: level where it leaves and where it enters
            ribbons.append(
                {"px": round(thin + (1 - 2 * thin) * t, 4), "top": round(y, 5), "bottom": round(y + tall, 5),
                 "link": number, "name": row["xt"], "xt": row["xt"], "yt": row["yt"], "vt": row["vt"]}
            )  # fmt: skip
    return nodes, ribbons
