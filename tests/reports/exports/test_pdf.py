"""The PDF has every chapter, its Chinese font, bookmarks and tags, and obeys no name."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest

from shuke.base.language import Language
from shuke.reports.exports.pdf import with_latin_quotes, write_pdf
from shuke.reports.model import Chapter, Report, Text


@pytest.fixture(scope="module")
def path(report: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pdf") / "report.pdf"
    write_pdf(report, path)
    return path


def text_of(path: Path) -> str:
    with pypdfium2.PdfDocument(path) as document:
        pages = [page.get_textpage().get_text_bounded() for page in document]
    # Lines are broken anywhere in Chinese, and the space between Chinese and Latin is set by the layout.
    return "".join("".join(pages).split())


def test_every_chapter_is_there_and_bookmarked(path: Path, report: Report) -> None:
    text = text_of(path)
    for chapter in report.chapters:
        assert "".join(chapter.title.split()) in text
    with pypdfium2.PdfDocument(path) as document:
        marks = [mark.get_title() for mark in document.get_toc(max_depth=1)]
        assert marks == [chapter.title for chapter in report.chapters]
        assert document.get_metadata_dict()["Title"] == report.title
        assert document.get_metadata_dict()["Author"] == report.brand


def test_names_are_shown_and_not_obeyed(path: Path) -> None:
    text = text_of(path)
    assert '#setpage(fill:red)#panic("x")' in text
    assert "$x^2$*bold*_it_`raw`\\///*<label>@ref" in text
    with pypdfium2.PdfDocument(path) as document:
        corners = {document[i].render(scale=0.1).to_pil().getpixel((1, 1)) for i in range(len(document))}
    assert corners == {(255, 255, 255)}


def test_it_is_a4_tagged_and_carries_its_font(path: Path) -> None:
    raw = path.read_bytes()
    assert b"/MarkInfo" in raw
    assert b"NotoSansSC" in raw
    assert b"LibertinusSerif" not in raw  # Typst's own font would stand in for one that was not found
    assert b"pdfuaid" in raw  # it claims PDF/UA-1, which Typst checks while it writes
    with pypdfium2.PdfDocument(path) as document:
        assert document.get_page_size(0) == pytest.approx((595.28, 841.89), abs=0.01)


def test_pictographs_keep_their_shape(path: Path) -> None:
    assert "🎁" in text_of(path)
    assert b"NotoEmoji" in path.read_bytes()


def test_quotation_marks_in_pictures_are_as_narrow_as_their_letters() -> None:
    svg = with_latin_quotes('<text aria-label="a “b”">a “b”, c’s</text>')
    assert svg == (
        '<text aria-label="a “b”">a<tspan letter-spacing="-0.561em"> </tspan><tspan letter-spacing="0.036em">“</tspan>'
        'b<tspan letter-spacing="-0.525em">”</tspan>, c<tspan letter-spacing="-0.721em">’</tspan>s</text>'
    )


def test_a_chapter_shares_the_page_of_one_that_leaves_half_of_it(
    sample: Callable[[Language], Report], tmp_path: Path
) -> None:
    chapters = tuple(
        Chapter(code=code, short=code, title=f"This is {code}", blocks=(Text(("A line.",) * lines),))
        for code, lines in (("first", 1), ("second", 16), ("third", 1))
    )
    write_pdf(replace(sample(Language.ENGLISH), chapters=chapters), tmp_path / "short.pdf")
    with pypdfium2.PdfDocument(tmp_path / "short.pdf") as document:
        _, *pages = [page.get_textpage().get_text_bounded() for page in document]
    assert [[c.code for c in chapters if c.title in page] for page in pages] == [["first", "second"], ["third"]]


def test_the_same_report_gives_the_same_bytes(sample: Callable[[Language], Report], tmp_path: Path) -> None:
    for name in ("a.pdf", "b.pdf"):
        write_pdf(sample(Language.CHINESE), tmp_path / name)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
