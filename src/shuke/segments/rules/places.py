"""Who lives near a store, as a statement of customers' own attributes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shuke.segments.model.tree import Attribute, Group, Near, Node, Op, Test

__all__ = ["Place", "living_near"]

_IDEOGRAPHS = re.compile(r"[\u4e00-\u9fff]{2,}")
# What the name of a place may end in, or may leave out.
_ENDINGS = {"city": "市", "district": "区县市"}


@dataclass(frozen=True)
class Place:
    """Where a store is, and what it is called; a district is one of its city."""

    name: str | None
    city: str | None
    district: str | None

    def known(self, within: Literal["city", "district"]) -> bool:
        """Whether it says where that is."""
        return self.city is not None and (within == "city" or self.district is not None)


def living_near(node: Near, stores: Mapping[str, Place]) -> Node:
    """The same, said of the attributes ``city`` and ``district``; the stores are there, and say where they are."""
    places = [stores[store] for store in node.stores]
    if node.within == "city":
        return _is("city", {place.city or "" for place in places})
    districts: dict[str, set[str]] = {}
    for place in places:
        districts.setdefault(place.city or "", set()).add(place.district or "")
    # Many cities have a district of the same name.
    of = tuple(
        Group(node="all", of=(_is("city", {city}), _is("district", within)))
        for city, within in sorted(districts.items())
    )
    return of[0] if len(of) == 1 else Group(node="any", of=of)


def _is(level: Literal["city", "district"], names: set[str]) -> Attribute:
    spelt = {one for name in names for one in _spellings(name, _ENDINGS[level])}
    return Attribute(name=level, test=Test(op=Op.IS, values=tuple(sorted(spelt))))


def _spellings(name: str, endings: str) -> set[str]:
    """A name with and without what says that it is a city or a district."""
    if not _IDEOGRAPHS.fullmatch(name):
        return {name}
    bare = name[:-1] if name[-1] in endings and len(name) > 2 else name
    return {name, bare, *((bare + ending for ending in endings) if bare == name else ())}
