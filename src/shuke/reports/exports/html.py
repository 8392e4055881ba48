"""The report as one web page that needs nothing else: no network, no fonts, no folder beside it.

The page may run only the two scripts it was written with (their digests are in its policy), may fetch nothing at all,
and shows every text of the report escaped. Drawings travel as JSON that cannot end a script element.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import vl_convert
from markupsafe import Markup

from shuke.reports.exports.charts import VEGA_LITE, picture
from shuke.reports.exports.outline import Outline, outline
from shuke.reports.model import Report

__all__ = ["page_policy", "script_json", "write_html"]


def write_html(
    report: Report,
    path: Path,
    *,
    laid_out: Outline | None = None,
    pictures: dict[str, str] | None = None,
    linked: bool = True,
) -> None:
    """Write the page. ``laid_out`` and ``pictures`` (SVG by figure) save work when another export has them.

    ``linked`` is whether the lists lie beside it, so that the page can lead to them.
    """
    laid_out = laid_out or outline(report)
    pictures = pictures or {name: picture(drawing) for name, drawing in laid_out.drawings.items()}
    library, script = _library(), _template_text("report.js")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("shuke.reports.exports"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    text = environment.get_template("report.html.j2").render(
        page=laid_out.page,
        linked=linked,
        words=laid_out.page["words"],
        pictures={name: _data_address(svg) for name, svg in pictures.items()},
        drawings={name: Markup(script_json(drawing)) for name, drawing in laid_out.drawings.items()},  # noqa: S704 - see there
        policy=page_policy(),
        style=Markup(_template_text("report.css")),  # noqa: S704 - our own file
        library=Markup(library),  # noqa: S704 - the packaged library
        script=Markup(script),  # noqa: S704 - our own file
    )
    path.write_text(text, encoding="utf-8")


def script_json(value: Any) -> str:
    """JSON that is safe inside a script element: it cannot close it, open a comment or break a line in JavaScript."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


@cache
def page_policy() -> str:
    """What a page of this release may do: run the two scripts that it is written with, and fetch nothing."""
    scripts = (_library(), _template_text("report.js"))
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    # Styles in attributes carry the widths of the bars in tables; with nothing to fetch they can do no harm.
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _data_address(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


@cache
def _library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script."""
    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VEGA_LITE))


def _template_text(name: str) -> str:
    return (resources.files("shuke.reports.exports") / "templates" / name).read_text(encoding="utf-8")
