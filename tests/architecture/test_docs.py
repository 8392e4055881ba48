"""The documents say what is true: links lead somewhere, both languages say the same, names exist in the code."""

import ast
import re
from functools import cache
from pathlib import Path

import duckdb
import pytest

import shuke
from shuke.app.cli import FIELDS, program
from shuke.base.language import Language, catalogue
from shuke.platform import documented_settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    path for path in (*ROOT.glob("*.md"), *DOCS.rglob("*.md")) if "_build" not in path.parts and "api" not in path.parts
)
GUIDES = sorted(path.name for path in (DOCS / "guide").glob("*.md"))
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def headings(path: Path) -> list[str]:
    """The levels of the headings in order, without those inside code."""
    text = re.sub(r"^```.*?^```", "", text_of(path), flags=re.DOTALL | re.MULTILINE)
    return [line.split(" ")[0] for line in text.splitlines() if line.startswith("#")]


@cache
def names_in_the_code() -> set[str]:
    house = Path(shuke.__file__).parent
    sources = [path for pattern in ("*.py", "*.toml") for path in house.rglob(pattern) if "locale" not in path.parts]
    return {word for path in sources for word in WORD.findall(text_of(path))}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(text_of(page)):
        if re.match(r"[a-z]+:", target) or "reference/api/" in target:
            continue
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("decision", sorted((DOCS / "adr").glob("0*.md")), ids=lambda path: path.name)
def test_decisions_are_whole_and_linked(decision: Path) -> None:
    text = text_of(decision)
    number = decision.name[:4]
    assert text.startswith(f"# {number}. ")
    for part in ("Context", "Decision", "Alternatives", "Consequences"):
        assert f"\n## {part}\n" in text, part
    assert f"docs/adr/{decision.name}" in text_of(ROOT / "ARCHITECTURE.md")


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in sorted((DOCS / "adr").glob("0*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


def test_both_readmes_have_the_same_sections() -> None:
    english, chinese = ROOT / "README.md", ROOT / "README.zh-CN.md"
    assert headings(english) == headings(chinese)
    for path, language in ((english, Language.ENGLISH), (chinese, Language.CHINESE)):
        text = text_of(path)
        assert f"docs/images/report-{language.value}.png" in text
        assert "make demo" in text
        assert "make test" in text


@pytest.mark.parametrize("name", GUIDES)
def test_each_guide_is_there_in_both_languages(name: str) -> None:
    english, chinese = DOCS / "guide" / name, DOCS / "zh-CN" / "guide" / name
    assert headings(english) == headings(chinese)
    # Tables and lists say the same number of things.
    for mark in ("| ", "- ", "```"):
        count = [sum(line.startswith(mark) for line in text_of(path).splitlines()) for path in (english, chinese)]
        assert count[0] == count[1], mark
    assert sorted(path.name for path in (DOCS / "zh-CN" / "guide").glob("*.md")) == GUIDES


@pytest.mark.parametrize("index", [DOCS / "index.md", DOCS / "zh-CN" / "index.md"], ids=["en", "zh-CN"])
def test_each_guide_is_in_the_index(index: Path) -> None:
    for name in GUIDES:
        assert f"\nguide/{Path(name).stem}\n" in text_of(index)


def glossary(section: str) -> list[list[str]]:
    part = text_of(ROOT / "GLOSSARY.md").split(f"## {section}\n")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("|")]
    return rows[2:]


@pytest.mark.parametrize("row", glossary("In the code"), ids=lambda row: row[1])
def test_names_of_the_glossary_exist(row: list[str]) -> None:
    assert len(row) == 4
    name = row[2].strip("`")
    assert name in names_in_the_code()


def test_one_name_for_each_term() -> None:
    names = [row[2] for row in glossary("In the code")]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("row", glossary("Planned"), ids=lambda row: row[1])
def test_planned_rooms_are_of_the_house_and_not_there_yet(row: list[str]) -> None:
    room = row[2].strip("`")
    assert f"`{room}`" in text_of(ROOT / "ARCHITECTURE.md")
    assert not (ROOT / "src" / "shuke" / room).exists()


@pytest.mark.parametrize(
    ("page", "language"),
    [(DOCS / "guide" / "settings.md", Language.ENGLISH), (DOCS / "zh-CN" / "guide" / "settings.md", Language.CHINESE)],
    ids=["en", "zh-CN"],
)
def test_settings_are_documented_as_they_are_declared(page: Path, language: Language) -> None:
    rows = [line.replace("`", "") for line in text_of(page).splitlines() if line.startswith("| `")]
    assert rows == [f"| {row.variable} | {row.default} | {row.meaning} |" for row in documented_settings(language)]


@pytest.mark.parametrize("page", [DOCS / "guide" / "get-started.md", DOCS / "zh-CN" / "guide" / "get-started.md"])
def test_every_option_is_documented(page: Path) -> None:
    text = text_of(page)
    for name, command in program.commands.items():
        assert f"`shuke {name}" in text
        for option in command.params:
            if getattr(option, "hidden", False):
                continue
            for spelled in (word for word in option.opts if word.startswith("--")):
                assert f"`{spelled}" in text, (name, spelled)


@pytest.mark.parametrize("page", [DOCS / "guide" / "orders.md", DOCS / "zh-CN" / "guide" / "orders.md"])
def test_every_field_of_an_order_file_is_documented(page: Path) -> None:
    text = text_of(page)
    for field in FIELDS:
        assert f"`{field}`" in text, field


@pytest.mark.parametrize(
    ("page", "language"),
    [(DOCS / "guide" / "report.md", Language.ENGLISH), (DOCS / "zh-CN" / "guide" / "report.md", Language.CHINESE)],
    ids=["en", "zh-CN"],
)
def test_chapters_are_explained_by_their_names(page: Path, language: Language) -> None:
    texts = catalogue("shuke.reports", language).texts
    chapters = [text for key, text in texts.items() if re.fullmatch(r"chapter\.[a-z]+\.short", key)]
    explained = [line.split("|")[1].strip() for line in text_of(page).splitlines() if line.startswith("| ")]
    assert explained[1:] == chapters


def test_nothing_is_promised_that_is_not_there() -> None:
    """The states in the table of floors are those of the folders."""
    for line in text_of(ROOT / "ARCHITECTURE.md").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("| ") or len(cells) != 4 or not cells[0].isdigit():
            continue
        for room in re.findall(r"`([a-z]+)`", cells[1]):
            there = (ROOT / "src" / "shuke" / room).is_dir()
            assert there == (cells[3] != "planned"), room


@pytest.mark.slow
def test_the_notebook_guide_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both languages show the same code, and it runs on the shipped data."""
    monkeypatch.chdir(tmp_path)
    shipped = ROOT / "src" / "shuke" / "app" / "data" / "online_retail.parquet"
    sold = f"FROM read_parquet('{shipped}') WHERE CustomerID IS NOT NULL AND Quantity > 0 AND UnitPrice > 0"
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT * {sold} LIMIT 50000) TO 'orders.csv' (HEADER)")
        con.execute(
            f"""COPY (SELECT CustomerID AS customer_id, InvoiceNo AS order_id, min(InvoiceDate) AS ordered_at,
                             sum(Quantity * UnitPrice) AS amount {sold} GROUP BY ALL) TO 'orders.parquet'"""
        )
    pages = (DOCS / "guide" / "notebook.md", DOCS / "zh-CN" / "guide" / "notebook.md")
    blocks = [re.findall(r"```python\n(.*?)```", text_of(page), flags=re.DOTALL) for page in pages]
    shown, translated = ("\n".join(of_page) for of_page in blocks)
    # But for what they remark.
    assert ast.dump(ast.parse(shown)) == ast.dump(ast.parse(translated))
    exec(compile(shown, str(pages[0]), "exec"), {})  # noqa: S102 - the guide's own code
    assert capsys.readouterr().out == "insight.too_short_for_seasons {'needed': 24, 'found': 12}\n"
