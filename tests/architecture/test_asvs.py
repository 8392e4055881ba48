"""The map of OWASP ASVS names every requirement, and what it says of each is there."""

import re
import runpy
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
MAP = runpy.run_path(str(ROOT / "docs" / "security" / "pages.py"))
KNOWN: dict[str, Any] = MAP["read"]()
REQUIREMENTS: dict[str, dict[str, Any]] = KNOWN["requirements"]

# The sections of ASVS 5.0.0, and the numbers in each of level 1 and of level 2, from the standard itself.
LEVELS = {
    "1.1": ("", "1-2"),
    "1.2": ("1-5", "6-9"),
    "1.3": ("1-2", "3-11"),
    "1.4": ("", "1-3"),
    "1.5": ("1", "2"),
    "2.1": ("1", "2-3"),
    "2.2": ("1-2", "3"),
    "2.3": ("1", "2-4"),
    "2.4": ("", "1"),
    "3.2": ("1-2", ""),
    "3.3": ("1", "2-4"),
    "3.4": ("1-2", "3-6"),
    "3.5": ("1-3", "4-5"),
    "3.7": ("", "1-2"),
    "4.1": ("1", "2-3"),
    "4.2": ("", "1"),
    "4.3": ("", "1-2"),
    "4.4": ("1", "2-4"),
    "5.1": ("", "1"),
    "5.2": ("1-2", "3"),
    "5.3": ("1-2", ""),
    "5.4": ("", "1-3"),
    "6.1": ("1", "2-3"),
    "6.2": ("1-8", "9-12"),
    "6.3": ("1-2", "3-4"),
    "6.4": ("1-2", "3-4"),
    "6.5": ("", "1-5"),
    "6.6": ("", "1-3"),
    "6.8": ("", "1-4"),
    "7.1": ("", "1-3"),
    "7.2": ("1-4", ""),
    "7.3": ("", "1-2"),
    "7.4": ("1-2", "3-5"),
    "7.5": ("", "1-2"),
    "7.6": ("", "1-2"),
    "8.1": ("1", "2"),
    "8.2": ("1-2", "3"),
    "8.3": ("1", ""),
    "8.4": ("", "1"),
    "9.1": ("1-3", ""),
    "9.2": ("1", "2-4"),
    "10.1": ("", "1-2"),
    "10.2": ("", "1-2"),
    "10.3": ("", "1-4"),
    "10.4": ("1-5", "6-11"),
    "10.5": ("", "1-5"),
    "10.6": ("", "1-2"),
    "10.7": ("", "1-3"),
    "11.1": ("", "1-2"),
    "11.2": ("", "1-3"),
    "11.3": ("1-2", "3"),
    "11.4": ("1", "2-4"),
    "11.5": ("", "1"),
    "11.6": ("", "1"),
    "12.1": ("1", "2-3"),
    "12.2": ("1-2", ""),
    "12.3": ("", "1-4"),
    "13.1": ("", "1"),
    "13.2": ("", "1-5"),
    "13.3": ("", "1-2"),
    "13.4": ("1", "2-5"),
    "14.1": ("", "1-2"),
    "14.2": ("1", "2-4"),
    "14.3": ("1", "2-3"),
    "15.1": ("1", "2-3"),
    "15.2": ("1", "2-3"),
    "15.3": ("1", "2-7"),
    "16.1": ("", "1"),
    "16.2": ("", "1-5"),
    "16.3": ("", "1-4"),
    "16.4": ("", "1-3"),
    "16.5": ("", "1-3"),
    "17.1": ("", "1"),
    "17.2": ("", "1-4"),
    "17.3": ("", "1-2"),
}


def standard() -> dict[str, int]:
    """Every number and its level."""
    found = {}
    for section, both in LEVELS.items():
        for level, span in enumerate(both, start=1):
            first, _, last = span.partition("-")
            numbers = range(int(first), int(last or first) + 1) if span else ()
            found |= {f"{section}.{number}": level for number in numbers}
    return found


def faults(requirements: dict[str, dict[str, Any]]) -> list[str]:
    """What a map says that is not so."""
    found = []
    for number, one in requirements.items():
        found += [f"{number}: {place}" for place in one.get("tests", ()) if not _is_test(place)]
        found += [f"{number}: {place}" for place in one.get("files", ()) if not _stands(place)]
        if not {"tests", "files", "exempt", "open"} & one.keys():
            found.append(f"{number}: nothing")
    return found


def _is_test(place: str) -> bool:
    path, _, name = place.partition("::")
    file = ROOT / path
    return file.is_file() and re.search(rf"^(async )?def {name}\(", file.read_text("utf-8"), re.MULTILINE) is not None


def _stands(place: str) -> bool:
    path, _, text = place.partition(": ")
    file = ROOT / path
    return file.is_file() and bool(text) and text in re.sub(r"\s+", " ", file.read_text("utf-8"))


def test_every_requirement_is_there_once() -> None:
    expected = standard()
    assert Counter(expected.values()) == {1: 70, 2: 183}
    assert {number: one["level"] for number, one in REQUIREMENTS.items()} == expected
    # A name that stands twice is an error of the file's own format; the order is that of the standard.
    assert list(REQUIREMENTS) == sorted(REQUIREMENTS, key=lambda number: [int(part) for part in number.split(".")])
    assert KNOWN["chapters"].keys() == {number.partition(".")[0] for number in REQUIREMENTS}


def test_what_is_named_is_there() -> None:
    assert faults(REQUIREMENTS) == []


@pytest.mark.parametrize(
    "planted",
    [
        {"tests": ["tests/architecture/test_asvs.py::test_that_nobody_wrote"]},
        {"tests": ["tests/nowhere.py::test_what_is_named_is_there"]},
        {"files": ["pyproject.toml: a line that is not there"]},
        {"files": ["pyproject.toml"]},
        {"note": {"en": "", "zh": ""}},
    ],
)
def test_what_is_not_there_is_seen(planted: dict[str, Any]) -> None:
    assert len(faults({"1.1.1": planted})) == 1


def test_every_reason_is_given_in_both_languages() -> None:
    used = set()
    for number, one in REQUIREMENTS.items():
        for name in ("exempt", "open", "note"):
            reason = one.get(name, {"en": "-", "zh": "-"})
            if isinstance(reason, str):
                used.add(reason)
                reason = KNOWN["reasons"][reason]
            assert reason.keys() == {"en", "zh"}, number
            assert all(reason.values()), number
    assert used == KNOWN["reasons"].keys()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_says_what_the_map_says(language: str) -> None:
    """Renew it with: python docs/security/pages.py."""
    page = MAP["PAGES"][language].read_text("utf-8")
    assert page == MAP["page"](KNOWN, language)
    still_open = [number for number, one in REQUIREMENTS.items() if "open" in one]
    assert re.findall(r"^- \*\*V([\d.]+)\*\*", page, re.MULTILINE) == still_open
    last = [line for line in page.splitlines() if line.startswith("| ")][1 + len(KNOWN["chapters"])]
    counts = [int(cell) for cell in re.findall(r"\d+", last)]
    assert (sum(counts), counts[-1]) == (len(REQUIREMENTS), len(still_open))


def test_the_console_makes_no_code_of_texts() -> None:
    """React escapes what it shows; these are the ways past it, and to be talked to by other windows."""
    ways = re.compile(
        r"dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
    )
    heard = re.compile(r"postMessage|(?<![\w.])(window\.)?(onmessage|addEventListener\([\"']message)")
    for path in (ROOT / "console" / "src").rglob("*.ts*"):
        if path.name != "schema.ts":
            assert not ways.search(path.read_text("utf-8")), path
            assert not heard.search(path.read_text("utf-8")), path
