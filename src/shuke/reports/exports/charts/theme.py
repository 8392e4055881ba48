"""The colours and the type of every chart, and of the pages around them.

The five series colours keep at least 3:1 contrast with white and stay more than 30 CIELAB units apart for readers
with protanopia, deuteranopia and tritanopia (simulated with the matrices of Machado, Oliveira and Fernandes, 2009).
"""

from __future__ import annotations

from typing import Any

__all__ = ["DIVERGING", "FONTS", "GREY", "INK", "LINE", "MUTED", "NAVY", "ORANGE", "SEQUENTIAL", "SERIES", "config"]

NAVY, ORANGE, TEAL, LAVENDER, BROWN, GREY = "#123f5e", "#d9730d", "#12a08a", "#877cc0", "#62250f", "#8c9aa5"
SERIES = (NAVY, ORANGE, TEAL, LAVENDER, BROWN, GREY)

INK = "#1b2733"
MUTED = "#54626d"
LINE = "#dfe4e8"
FADED = "#c3ccd3"  # what the title does not speak of
SEQUENTIAL = ("#f1f6f9", "#cfe1eb", "#97bfd4", "#5b97b8", "#2b6a90", "#123f5e")
DIVERGING = ("#a34f00", "#e3a15f", "#f7f5f2", "#7fb0cb", "#123f5e")

# Noto Sans SC is embedded in the PDF; a web page takes the first of these that the reader has.
FONTS = "Noto Sans SC, Source Han Sans SC, PingFang SC, Microsoft YaHei, Helvetica Neue, Arial, sans-serif"


def config() -> dict[str, Any]:
    """The Vega-Lite configuration."""
    return {
        "font": FONTS,
        "background": "white",
        "view": {"stroke": None},
        "title": {
            "anchor": "start",
            "frame": "bounds",
            "fontSize": 12,
            "fontWeight": "normal",
            "color": MUTED,
            "subtitleColor": MUTED,
            "subtitleFontSize": 11,
            "offset": 10,
        },
        "axis": {
            "labelColor": MUTED,
            "labelFontSize": 12,
            "titleColor": MUTED,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "titlePadding": 8,
            "domainColor": "#9aa7b1",
            "tickColor": "#9aa7b1",
            "tickSize": 4,
            "gridColor": LINE,
            "labelPadding": 5,
            "labelLimit": 230,
        },
        "legend": {
            "orient": "top",
            "direction": "horizontal",
            "title": None,
            "labelColor": INK,
            "labelFontSize": 12,
            "labelLimit": 260,
            "symbolSize": 110,
            "symbolStrokeWidth": 2,
            "columnPadding": 16,
            "offset": 6,
            "padding": 0,
        },
        "text": {"fontSize": 12, "color": INK},
        "range": {"category": list(SERIES)},
        "bar": {"color": NAVY},
        "line": {"strokeWidth": 2.4},
    }
