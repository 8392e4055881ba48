"""Definitions to begin with, as they are shipped beside this room."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from functools import cache
from importlib import resources

from shuke.base.errors import BadInput
from shuke.segments.model.segment import Template
from shuke.segments.rules.checking import Vocabulary, checked, read_tree

__all__ = ["templates", "templates_for"]


@cache
def templates() -> tuple[Template, ...]:
    """All of them, in their order."""
    with (resources.files("shuke.segments") / "templates.toml").open("rb") as file:
        found = tomllib.load(file)
    return tuple(
        Template(code=code, group=said["group"], definition=read_tree(said["definition"]))
        for code, said in found.items()
    )


def templates_for(vocabulary: Vocabulary) -> tuple[Template, ...]:
    """Those that can be asked here: a brand with stages of its own may not have one that a template names."""
    found = []
    for one in templates():
        with suppress(BadInput):
            checked(one.definition, vocabulary)
            found.append(one)
    return tuple(found)
