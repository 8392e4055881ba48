"""Sparse answers: ``?fields=a,b`` has a route answer with these fields and leave out the others.

What can be named is said by the model that a route answers with: its own fields, or, of a list or a page, those of its
items. Nothing else changes: who may see what, the tag (``ETag``) and the ``next`` of a page are those of the whole.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from shuke.base.errors import BadInput

__all__ = ["Shape", "asked_fields", "shape_of"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


@dataclass(frozen=True)
class Shape:
    """What can be left out of an answer: ``fields`` of its own, or of its items.

    ``items`` is the field of a page that holds them, "" where the answer itself is a list, and None where there are
    none. ``beside`` are a page's other fields, which are told always.
    """

    fields: tuple[str, ...]
    items: str | None = None
    beside: tuple[str, ...] = ()

    def included(self, wanted: Collection[str]) -> Any:
        """The fields as a serialiser is told to include them."""
        if self.items is None:
            return set(wanted)
        each: dict[str, Any] = {"__all__": set(wanted)}
        return {self.items: each, **dict.fromkeys(self.beside, True)} if self.items else each

    def parameter(self) -> dict[str, Any]:
        """How the description of the API says what can be asked for."""
        one = f"(?:{'|'.join(self.fields)})"
        said = "Answer with these fields only" if self.items is None else "Answer with these fields of each item only"
        return {
            "name": "fields",
            "in": "query",
            "required": False,
            "description": f"{said}, separated by commas; with all of them when absent",
            "schema": {"type": "string", "pattern": f"^{one}(?:,{one})*$"},
            "example": ",".join(self.fields[:2]),
        }


@cache
def shape_of(model: Any) -> Shape | None:
    """The shape of what a route answers with; None where that has no fields."""
    schema = TypeAdapter(model).json_schema(mode="serialization")
    known = schema.get("$defs", {})
    whole = _resolved(schema, known)
    if whole.get("type") == "array":
        fields = _fields(whole.get("items", {}), known)
        return Shape(fields, "") if fields else None
    own = _fields(whole, known)
    if not own:
        return None
    lists = {
        name: inside
        for name, one in whole["properties"].items()
        if one.get("type") == "array" and (inside := _fields(one.get("items", {}), known))
    }
    # A page has its rows as `items`, or beside the `next` that asks for more.
    items = "items" if "items" in lists else next(iter(lists), None) if "next" in own and len(lists) == 1 else None
    if items is None:
        return Shape(own)
    return Shape(lists[items], items, tuple(name for name in own if name != items))


def asked_fields(shape: Shape, given: Sequence[str]) -> frozenset[str] | None:
    """The fields that somebody asked for by ``fields``, once or several times; None for all.

    Raises:
        BadInput: ``platform.unknown_fields``.
    """
    if not given:
        return None
    wanted = [name.strip() for names in given for name in names.split(",")]
    if unknown := [name for name in wanted if name not in shape.fields]:
        # What is no name may be a value that was sent in its place.
        said = sorted({name if _NAME.fullmatch(name) else "?" for name in unknown})
        raise BadInput("platform.unknown_fields", fields=said, known=list(shape.fields))
    return frozenset(wanted)


def _fields(schema: dict[str, Any], known: dict[str, Any]) -> tuple[str, ...]:
    return tuple(_resolved(schema, known).get("properties", ()))


def _resolved(schema: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """What a reference leads to; of something that may be null, the thing."""
    while True:
        some = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
        if len(some) == 1:
            schema = some[0]
        elif "$ref" in schema:
            schema = known[schema["$ref"].rpartition("/")[2]]
        else:
            return schema
