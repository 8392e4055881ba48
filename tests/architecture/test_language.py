"""Every text is there in both languages, with the same placeholders."""

from pathlib import Path

import pytest

import shuke
from shuke.base.language import Language, catalogue, placeholders

ROOT = Path(shuke.__file__).parent
ROOMS = sorted(
    {".".join(("shuke", *path.parent.parent.relative_to(ROOT).parts)) for path in ROOT.rglob("locale/*.toml")}
)


@pytest.mark.parametrize("room", ROOMS)
def test_both_languages_say_the_same(room: str) -> None:
    english, chinese = (catalogue(room, language).texts for language in (Language.ENGLISH, Language.CHINESE))
    assert english.keys() == chinese.keys()
    for key, text in english.items():
        assert placeholders(text) == placeholders(chinese[key]), key
        assert text.strip(), key
        assert chinese[key].strip(), key
