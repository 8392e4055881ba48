"""Which column means what, from the columns' names."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from shuke.base.errors import BadInput
from shuke.collect.model import FIELDS, FieldMatch, Note

#: What ``mapping`` may hold beside fields: how to read 03/04/2024 (``dmy`` or ``mdy``).
DATE_ORDER = "date_order"

_BRACKETS = re.compile(r"[\[(【][^\])】]*[\])】]")
_NOT_WORD = re.compile(r"[\W_]+")


@cache
def vocabulary() -> dict[str, Any]:
    """The data file ``headers.toml``: names of fields, platforms, statuses, fees and cost columns."""
    with (resources.files("shuke.collect") / "headers.toml").open("rb") as file:
        return tomllib.load(file)


@lru_cache(maxsize=8192)
def plain(name: str) -> str:
    """A column's name without case, width, spaces and punctuation: ``Lineitem name`` → ``lineitemname``."""
    return _NOT_WORD.sub("", unicodedata.normalize("NFKC", name).casefold())


def plain_forms(name: str) -> tuple[str, ...]:
    """The name as a whole, then without what stands in brackets: ``单价(元)`` → ``单价元``, ``单价``."""
    text = unicodedata.normalize("NFKC", name)
    whole, bare = plain(text), plain(_BRACKETS.sub("", text))
    return (whole,) if bare in ("", whole) else (whole, bare)


@cache
def known_names() -> frozenset[str]:
    """Every plain name that any field, platform or cost file goes by."""
    words = vocabulary()
    names = {plain(name) for tiers in words["fields"].values() for tier in tiers for name in tier}
    for platform in words["platforms"].values():
        names.update(platform["signature"], platform["fields"].values())
    for cost_names in words["costs"].values():
        names.update(plain(name) for name in cost_names)
    return frozenset(names)


def is_known(name: str) -> bool:
    """Whether a cell looks like the name of a column that order files have."""
    return any(form in known_names() for form in plain_forms(name))


def find_column(wanted: str, columns: Sequence[str]) -> int | None:
    """The position of the column that a person means: its exact name, its plain name, or its number from 1."""
    if wanted in columns:
        return columns.index(wanted)
    same = [at for at, column in enumerate(columns) if plain(column) == plain(wanted) != ""]
    if len(same) == 1:
        return same[0]
    if wanted.strip().isdecimal() and 1 <= int(wanted) <= len(columns):
        return int(wanted) - 1
    return None


def check_mapping(mapping: Mapping[str, str]) -> None:
    """Refuse what is no field. Raises BadInput ``collect.unknown_field``, ``collect.bad_date_order``."""
    for field, given in mapping.items():
        if field == DATE_ORDER:
            if given not in ("dmy", "mdy"):
                raise BadInput("collect.bad_date_order", given=given)
        elif field not in FIELDS:
            raise BadInput("collect.unknown_field", field=field, fields=", ".join(FIELDS))


@dataclass(frozen=True)
class _Names:
    columns: Sequence[str]

    def at(self, name: str) -> list[int]:
        wanted = plain(name)
        whole = [at for at, column in enumerate(self.columns) if plain_forms(column)[0] == wanted]
        return whole or [at for at, column in enumerate(self.columns) if wanted in plain_forms(column)[1:]]


def recognise(
    columns: Sequence[str], *, file: str, mapping: Mapping[str, str], need: Sequence[str]
) -> tuple[FieldMatch, ...]:
    """The fields that these columns hold, in the order of `FIELDS`.

    What the person gave comes first, then the platform whose signature the columns carry, then names by tiers.

    Raises BadInput ``collect.ambiguous_column`` where two columns are equally good for an indispensable field.
    """
    names = _Names(columns)
    found: dict[str, FieldMatch] = {}
    taken: set[int] = set()
    for field, at, why in (*_given(columns, mapping), *_by_platform(names)):
        if field not in found and at not in taken:
            found[field] = FieldMatch(file, field, columns[at], why, 1.0)
            taken.add(at)
    for field, tiers in vocabulary()["fields"].items():
        if field in found:
            continue
        rank, free = next(
            ((rank, free) for rank, tier in enumerate(tiers) if (free := _free_of_tier(names, tier, taken))), (0, [])
        )
        if len(free) > 1 and field in need:
            candidates = ", ".join(columns[at] for at in sorted(free))
            raise BadInput("collect.ambiguous_column", field=field, file=file, candidates=candidates)
        if free:
            sure = 0.95 - 0.1 * rank if len(free) == 1 else 0.6
            others = tuple(columns[at] for at in free[1:])
            why = "one_of_several" if others else "name"
            found[field] = FieldMatch(file, field, columns[free[0]], why, round(sure, 2), others)
            taken.add(free[0])
    if "postage" in found and found["postage"].why != "given" and not contains_postage(found.get("amount")):
        del found["postage"]
    return tuple(found[field] for field in FIELDS if field in found)


def contains_postage(amount: FieldMatch | None) -> bool:
    """Whether a column of amounts is one into which shops put the postage that the customer paid."""
    names = vocabulary()["postage"]["included_in"]
    return amount is not None and any(form in names for form in plain_forms(amount.column))


def notes_on(matches: Sequence[FieldMatch]) -> tuple[Note, ...]:
    """What the reader should know of a choice of columns: equally good ones, and postage within the amounts."""
    fields = {match.field: match for match in matches}
    notes = [
        Note("one_of_several", (("file", match.file), ("column", match.column), ("others", ", ".join(match.others))))
        for match in matches
        if match.others
    ]
    amount = fields.get("amount")
    if amount is not None and "postage" in fields:
        postage = fields["postage"].column
        notes.append(Note("postage_taken", (("file", amount.file), ("column", amount.column), ("postage", postage))))
    elif amount is not None and contains_postage(amount):
        notes.append(Note("postage_within", (("file", amount.file), ("column", amount.column))))
    return tuple(notes)


def _given(columns: Sequence[str], mapping: Mapping[str, str]) -> Iterator[tuple[str, int, str]]:
    for field, name in mapping.items():
        at = None if field == DATE_ORDER else find_column(name, columns)
        if at is not None:
            yield field, at, "given"


def _by_platform(names: _Names) -> Iterator[tuple[str, int, str]]:
    for platform in vocabulary()["platforms"].values():
        if all(names.at(name) for name in platform["signature"]):
            for field, name in platform["fields"].items():
                for at in names.at(name)[:1]:
                    yield field, at, platform["name"]
            return


def _free_of_tier(names: _Names, tier: Sequence[str], taken: set[int]) -> list[int]:
    free: list[int] = []
    for name in tier:
        free += [at for at in names.at(name) if at not in taken and at not in free]
    return free


def check_needed(fields: Sequence[str], *, columns: Sequence[str], file: str, need: Sequence[str]) -> None:
    """Raises BadInput ``collect.missing_<field>`` for an indispensable field that no column holds.

    The amount may also be quantity times price.
    """
    for field in need:
        if field in fields or (field == "amount" and {"quantity", "price"} <= set(fields)):
            continue
        raise BadInput(f"collect.missing_{field}", file=file, columns=", ".join(columns))
