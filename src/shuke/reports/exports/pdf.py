"""The report on A4, with bookmarks, tags for screen readers and its fonts embedded.

Typst lays it out. The report reaches the template as JSON, so a product called ``#set page(fill: red)`` is only a name.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from importlib import resources
from pathlib import Path

import typst

from shuke.base.language import Language
from shuke.reports.exports.charts import picture
from shuke.reports.exports.outline import Outline, outline
from shuke.reports.model import Report

__all__ = ["write_pdf"]

# Quotation marks are as wide as a Chinese character in the font. Typst can ask it for those of a Latin one, but not
# inside a picture, where they are drawn together by what they are too wide, in em: before and after the mark.
TOO_WIDE = {"\u2018": (-0.743, 0.022), "\u201c": (-0.561, 0.036), "\u2019": (0, -0.721), "\u201d": (0, -0.525)}
BETWEEN_TAGS = re.compile(">[^<]+<")
MARKS = re.compile(" (?=[\u2018\u201c])|[\u2018\u2019\u201c\u201d]")


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
        (root / "report.json").write_text(json.dumps(laid_out.page, ensure_ascii=False), encoding="utf-8")
        (root / "pictures").mkdir()
        for name, svg in pictures.items():
            drawn = with_latin_quotes(svg) if report.language is Language.ENGLISH else svg
            (root / "pictures" / f"{name}.svg").write_text(drawn, encoding="utf-8")
        typst.compile(
            root / "report.typ",
            output=path,
            root=root,
            font_paths=[fonts],
            ignore_system_fonts=True,
            pdf_standards="ua-1",
            timestamp=report.generated_at,
        )


def with_latin_quotes(svg: str) -> str:
    """The picture with the quotation marks of its texts as narrow as those of a Latin font."""

    def narrowed(mark: re.Match[str]) -> str:
        letter = mark[0]
        wide = TOO_WIDE[mark.string[mark.end()]][0] if letter == " " else TOO_WIDE[letter][1]
        return f'<tspan letter-spacing="{wide}em">{letter}</tspan>'

    return BETWEEN_TAGS.sub(lambda text: MARKS.sub(narrowed, text[0]), svg)
