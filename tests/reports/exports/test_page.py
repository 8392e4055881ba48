"""The web page is one harmless file that says everything the report says."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from shuke.base.language import Language
from shuke.reports.exports.html import script_json, write_html
from shuke.reports.model import ChartBlock, Report

HOSTILE = "<script>alert('x')</script>"


class Page(HTMLParser):
    """What a browser would make of the page, as far as these tests ask."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.open.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += data
        elif "style" not in self.open:
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def text(report: Report, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_html(report, path)
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def harmless(page: Page, charts: int) -> bool:
    """Whether the page has exactly the scripts it should have, no image from outside and no handler in an attribute."""
    own = len(page.scripts) == charts + 2
    images = all((image["src"] or "").startswith("data:image/svg+xml;base64,") for image in page.all("img"))
    handlers = [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    return own and images and len(page.all("img")) == charts and not handlers


def charts_of(report: Report) -> list[ChartBlock]:
    return [block for chapter in report.chapters for block in chapter.blocks if isinstance(block, ChartBlock)]


def test_it_is_harmless(page: Page, report: Report) -> None:
    assert harmless(page, len(charts_of(report)))


def test_hostile_names_are_shown_as_they_are(page: Page) -> None:
    assert any(HOSTILE in word for word in page.words)
    assert any("{{ 7*7 }} {% raw %}" in word for word in page.words)


def test_unescaped_texts_would_be_noticed(text: str, report: Report) -> None:
    # The planted fault: the escaped name put back as it came, as a template without autoescape would have it.
    faulty = text.replace("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;", HOSTILE)
    assert faulty != text
    assert not harmless(Page(faulty), len(charts_of(report)))


def test_unescaped_drawings_would_be_noticed(text: str, report: Report) -> None:
    # The planted fault: drawings written with plain json.dumps, in which a name can end the script.
    faulty = re.sub(
        r'(<script type="application/json"[^>]*>)(.*?)(</script>)',
        lambda found: found[1] + json.dumps(json.loads(found[2]), ensure_ascii=False) + found[3],
        text,
        flags=re.DOTALL,
    )
    assert not harmless(Page(faulty), len(charts_of(report)))


@pytest.mark.parametrize("value", ["</script>", "<!--", "a & b", "\u2028"])
def test_json_in_a_script_cannot_end_it(value: str) -> None:
    written = script_json({"name": value})
    assert not set("<>&\u2028\u2029") & set(written)
    assert json.loads(written) == {"name": value}


def test_it_may_fetch_nothing(page: Page) -> None:
    (policy,) = [m["content"] or "" for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    assert "unsafe" not in rules["script-src"]
    assert "connect-src" not in rules
    addresses = [a.get(name) or "" for tag, a in page.elements for name in ("src", "href") if tag != "a"]
    assert all(address.startswith("data:") for address in addresses if address)


def test_links_lead_into_the_page_or_to_a_list(page: Page, report: Report) -> None:
    names = {attributes.get("id") for _, attributes in page.elements}
    files = {known.file_name for known in report.lists}
    for link in page.all("a"):
        address = link["href"] or ""
        assert address in files or (address.startswith("#") and address[1:] in names), address


def test_it_can_be_read_without_seeing_it(page: Page, report: Report) -> None:
    assert page.all("html") == [{"lang": report.language.value}]
    assert [image["alt"] for image in page.all("img")] == [block.reading for block in charts_of(report)]
    assert len(page.all("figure")) == len(page.all("details")) - 1 == len(charts_of(report))  # one is the contents
    assert page.elements[page.elements.index(("body", {})) + 1] == ("a", {"class": "skip", "href": "#main"})
    ranks = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert ranks[0] == 1
    assert ranks.count(1) == 1


def test_it_is_small_enough_to_send(text: str) -> None:
    assert len(text.encode()) < 3_000_000


def test_every_sentence_is_there(page: Page, report: Report) -> None:
    said = "\n".join(page.words)
    for chapter in report.chapters:
        assert chapter.title in said
        assert chapter.lead in said
    for block in charts_of(report):
        assert block.title in said
        assert block.source in said


def test_the_same_report_gives_the_same_page(sample: Callable[[Language], Report], tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_html(sample(Language.CHINESE), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
