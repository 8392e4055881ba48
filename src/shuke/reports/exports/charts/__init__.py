"""A chart of the report as one Vega-Lite specification, for the web page, and as a picture of it, for paper."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any

import vl_convert

from shuke.reports.exports.charts import bars, grids, lines
from shuke.reports.exports.charts.frame import HALF_WIDTH, WIDTH, Frame
from shuke.reports.exports.charts.theme import config
from shuke.reports.exports.writing import Writing
from shuke.reports.model import ChartBlock, ChartKind

__all__ = ["VEGA_LITE", "draw", "picture"]

VEGA_LITE = "6.4"
"""The version of Vega-Lite that the page carries and the pictures are drawn with."""

DRAWINGS: dict[ChartKind, Callable[[Frame], Any]] = {
    ChartKind.BAR: bars.draw_bar,
    ChartKind.GROUPED_BAR: bars.draw_grouped_bar,
    ChartKind.STACKED_BAR: bars.draw_stacked_bar,
    ChartKind.LOLLIPOP: bars.draw_lollipop,
    ChartKind.HISTOGRAM: bars.draw_histogram,
    ChartKind.LADDER: bars.draw_ladder,
    ChartKind.LINE: lines.draw_line,
    ChartKind.AREA: lines.draw_area,
    ChartKind.SCATTER: lines.draw_scatter,
    ChartKind.LORENZ: lines.draw_lorenz,
    ChartKind.HEATMAP: grids.draw_heatmap,
    ChartKind.FLOW: grids.draw_flow,
}


def draw(block: ChartBlock, writing: Writing) -> dict[str, Any]:
    """The Vega-Lite specification of a figure. It names no address, holds its data, and is as wide as WIDTH or
    HALF_WIDTH until a page makes it fit its container."""
    frame = Frame(block.chart, writing, block.half)
    chart = DRAWINGS[block.chart.kind](frame)
    width = HALF_WIDTH if block.half else WIDTH
    made = chart.properties(
        width=width, autosize={"type": "fit-x", "contains": "padding"}, background="white", padding=4
    ).to_dict()
    made.pop("$schema", None)
    made["config"] = config()
    made["datasets"] = frame.datasets
    made["description"] = block.reading
    return dict(made)


def picture(specification: dict[str, Any]) -> str:
    """The figure as SVG, with text as text in Noto Sans SC."""
    _fonts()
    return str(vl_convert.vegalite_to_svg(specification, vl_version=VEGA_LITE))


@cache
def _fonts() -> None:
    with resources.as_file(resources.files("shuke.reports") / "fonts") as folder:
        vl_convert.register_font_directory(str(folder))
