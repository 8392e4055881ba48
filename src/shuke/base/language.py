"""Chinese and English: the languages and their message catalogues.

A room keeps its texts in ``locale/en.toml`` and ``locale/zh-CN.toml`` beside its code: nested tables of
strings in which ``{name}`` stands for a value. Both files hold the same keys with the same placeholders; a
test compares them. Rooms load theirs with :func:`catalogue`.
"""

from __future__ import annotations

import os
import string
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from shuke.base.errors import ShukeError


class Language(StrEnum):
    """The languages that every text exists in."""

    ENGLISH = "en"
    CHINESE = "zh-CN"

    @property
    def babel(self) -> str:
        """The name that Babel knows this language by."""
        return "zh_Hans_CN" if self is Language.CHINESE else "en_US"

    @classmethod
    def of_environment(cls, environment: dict[str, str] | None = None) -> Language:
        """The language of the person at the terminal, from LC_ALL, LC_MESSAGES or LANG, else English."""
        values = os.environ if environment is None else environment
        for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
            if values.get(name):
                return cls.CHINESE if values[name].lower().startswith("zh") else cls.ENGLISH
        return cls.ENGLISH


@dataclass(frozen=True)
class Catalogue:
    """The texts of one room in one language."""

    language: Language
    texts: dict[str, str]

    def __call__(self, key: str, /, **values: Any) -> str:
        """The text at the dotted ``key`` with ``values`` filled in; KeyError when either is missing."""
        return self.texts[key].format_map(values)

    def has(self, key: str) -> bool:
        """Whether there is a text at this key."""
        return key in self.texts


@cache
def catalogue(room: str, language: Language) -> Catalogue:
    """The catalogue of a package, for example ``catalogue("shuke.reports", Language.CHINESE)``."""
    path = resources.files(room) / "locale" / f"{language.value}.toml"
    with path.open("rb") as file:
        return Catalogue(language, dict(_flatten(tomllib.load(file))))


def placeholders(text: str) -> set[str]:
    """The names of the values that a text wants, for the test that compares languages."""
    return {name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(text) if name}


def _flatten(tree: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in tree.items():
        if isinstance(value, dict):
            pairs += _flatten(value, f"{prefix}{name}.")
        else:
            pairs.append((f"{prefix}{name}", str(value)))
    return pairs


def explain(error: ShukeError, language: Language) -> str:
    """What went wrong, for the person: ``errors.<what>`` in the catalogue of the room that the code names first."""
    room, _, what = error.code.partition(".")
    separator = "、" if language is Language.CHINESE else ", "
    values = {
        name: separator.join(str(item) for item in value) if isinstance(value, list | tuple) else value
        for name, value in error.values.items()
    }
    return catalogue(f"shuke.{room}", language)(f"errors.{what}", **values)
