"""The PDF has every chapter, its Chinese font, bookmarks and tags, and obeys no name."""

from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest

from shuke.base.language import Language
from shuke.reports.exports.pdf import printable, write_pdf
from shuke.reports.model import Report


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


def test_no_letter_of_the_page_lacks_its_shape() -> None:
    assert printable({"name": ["🎁 Gift ❤️ bag"]}) == {"name": ["Gift bag"]}
    assert printable("围巾（冬季）& ¥1,234 − 5") == "围巾（冬季）& ¥1,234 − 5"


def test_the_same_report_gives_the_same_bytes(sample: Callable[[Language], Report], tmp_path: Path) -> None:
    for name in ("a.pdf", "b.pdf"):
        write_pdf(sample(Language.CHINESE), tmp_path / name)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
