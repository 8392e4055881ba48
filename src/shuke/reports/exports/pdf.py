"""The report on A4, with bookmarks, tags for screen readers and its Chinese font embedded.

Typst lays it out. The report reaches the template as JSON, so a product called ``#set page(fill: red)`` is only a name.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from importlib import resources
from pathlib import Path
from typing import Any

import typst

from shuke.base.language import Language
from shuke.reports.exports.charts import picture
from shuke.reports.exports.outline import Outline, outline
from shuke.reports.model import Report

__all__ = ["write_pdf"]

# Pictographs, which the embedded font does not have, with their joiners and selectors: an empty box says less than
# nothing. All other letters stay, whether the font knows them or not.
PICTOGRAPHS = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\ufe0f\u200d]+ ?")

# Typst can make the font's quotation marks as narrow as English has them, but not inside a picture.
STRAIGHT = str.maketrans({"\u201c": "&quot;", "\u201d": "&quot;", "\u2018": "'", "\u2019": "'"})


def write_pdf(
    report: Report, path: Path, *, laid_out: Outline | None = None, pictures: dict[str, str] | None = None
) -> None:
    """Write the PDF; the same report gives the same bytes. ``laid_out`` and ``pictures`` (SVG by figure) save work
    when another export has them."""
    laid_out = laid_out or outline(report)
    pictures = pictures or {name: picture(drawing) for name, drawing in laid_out.drawings.items()}
    exports = resources.files("shuke.reports.exports")
    with (
        resources.as_file(resources.files("shuke.reports") / "fonts") as fonts,
        tempfile.TemporaryDirectory(prefix="shuke-pdf-") as folder,
    ):
        root = Path(folder)
        with resources.as_file(exports / "templates" / "report.typ") as template:
            shutil.copyfile(template, root / "report.typ")
        (root / "report.json").write_text(json.dumps(printable(laid_out.page), ensure_ascii=False), encoding="utf-8")
        (root / "pictures").mkdir()
        for name, svg in pictures.items():
            if report.language is Language.ENGLISH:
                svg = svg.translate(STRAIGHT)  # noqa: PLW2901 - the same picture
            (root / "pictures" / f"{name}.svg").write_text(printable(svg), encoding="utf-8")
        typst.compile(
            root / "report.typ",
            output=path,
            root=root,
            font_paths=[fonts],
            ignore_system_fonts=True,
            pdf_standards="ua-1",
            timestamp=report.generated_at,
        )


def printable(value: Any) -> Any:
    """The same, without pictographs in any of its texts."""
    if isinstance(value, str):
        return PICTOGRAPHS.sub("", value)
    if isinstance(value, list):
        return [printable(part) for part in value]
    if isinstance(value, dict):
        return {key: printable(part) for key, part in value.items()}
    return value
