"""Every text is there in both languages, with the same placeholders."""

import re
from pathlib import Path

import pytest

import shuke
from shuke.base.language import Language, catalogue, placeholders

ROOT = Path(shuke.__file__).parent
ROOMS = sorted(
    {".".join(("shuke", *path.parent.parent.relative_to(ROOT).parts)) for path in ROOT.rglob("locale/*.toml")}
)
REPORTED = ("shuke.collect", "shuke.insight", "shuke.reports", "shuke.reports.exports")
"""The rooms whose texts stand in reports, where marks are set as print sets them."""


@pytest.mark.parametrize("room", ROOMS)
def test_both_languages_say_the_same(room: str) -> None:
    english, chinese = (catalogue(room, language).texts for language in (Language.ENGLISH, Language.CHINESE))
    assert english.keys() == chinese.keys()
    for key, text in english.items():
        assert placeholders(text) == placeholders(chinese[key]), key
        assert text.strip(), key
        assert chinese[key].strip(), key


@pytest.mark.parametrize("room", REPORTED)
def test_english_has_true_apostrophes(room: str) -> None:
    for key, text in catalogue(room, Language.ENGLISH).texts.items():
        assert not re.search(r"\w'", text), (key, text)
