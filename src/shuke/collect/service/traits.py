"""What events say of a person, in the vault with the moment that it was said, and from there in the profile.

With the moment, since events come late and in any order: of each trait the latest word counts, whenever it arrives.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from shuke import access, privacy, profiles
from shuke.collect.model import Reject, Trait
from shuke.collect.rules.personal import apart, is_personal_text
from shuke.platform import Keyring, Transaction

__all__ = ["SaidTrait", "read_traits", "write_traits"]

#: What is shown of something personal of which no part may be seen.
HIDDEN = "***"

_PREFIX = "trait:"
_NAME_CHARACTERS_MAX = 100
_VALUE_CHARACTERS_MAX = 15_000

#: Person, moment, trait, value.
SaidTrait = tuple[UUID, datetime, str, Any]


class _Word(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A value and when it was said; ``value`` is JSON text, which also puts two words of one moment in order."""

    at: str
    value: str


_word = msgspec.json.Decoder(_Word)


def write_traits(tx: Transaction, keyring: Keyring, said: Iterable[SaidTrait], now: datetime) -> None:
    """Keep these where nothing later is known, and tell the profile. Values beyond the vault's size are left out."""
    latest: dict[tuple[UUID, str], _Word] = {}
    for person_id, moment, trait, value in said:
        text = msgspec.json.encode(value).decode()
        if len(text) > _VALUE_CHARACTERS_MAX or len(trait) > _NAME_CHARACTERS_MAX:
            continue
        word = _Word(moment.isoformat(timespec="microseconds"), text)
        place = (person_id, _PREFIX + trait)
        latest[place] = max(word, latest.get(place, word))
    if not latest:
        return
    known = _known(tx, keyring, {person_id for person_id, _ in latest}, {field for _, field in latest})
    later = {place: word for place, word in latest.items() if place not in known or known[place] < word}
    privacy.write_many(
        tx, keyring, ((*place, msgspec.json.encode(word).decode()) for place, word in later.items()), now
    )
    changes: dict[UUID, dict[str, Any]] = {}
    for (person_id, field), word in later.items():
        changes.setdefault(person_id, {})[field.removeprefix(_PREFIX)] = msgspec.json.decode(word.value)
    definitions = profiles.attribute_definitions_of(tx)
    known_attributes = [
        (person_id, attributes)
        for person_id, traits in changes.items()
        if (attributes := _attributes(traits, definitions))
    ]
    if known_attributes:
        profiles.set_attributes(tx, keyring, known_attributes, now)


def _attributes(traits: dict[str, Any], definitions: Mapping[str, profiles.AttributeDefinition]) -> dict[str, object]:
    """What of the traits is an attribute; something personal is none that lies open, whatever its name says."""
    return {
        name: value
        for name, value in profiles.of_traits(traits).items()
        if (known := definitions.get(name)) is not None
        and (known.personal or not (isinstance(value, str) and is_personal_text(value)))
    }


def _known(tx: Transaction, keyring: Keyring, person_ids: set[UUID], fields: set[str]) -> dict[tuple[UUID, str], _Word]:
    read = privacy.read_fields(tx, keyring, person_ids, fields)
    return {(person_id, field): _word.decode(text) for person_id, kept in read.items() for field, text in kept.items()}


def read_traits(
    tx: Transaction, keyring: Keyring, person_ids: Collection[UUID], *, fields: access.Fields = access.MASKED
) -> dict[str, Trait]:
    """The latest word on each trait of one customer, who may have been several persons before a merge.

    By name. What is personal in them is shown as ``fields`` say, masked if they say nothing.
    """
    latest: dict[str, _Word] = {}
    for of_person in privacy.read_fields(tx, keyring, person_ids, prefixes=(_PREFIX,)).values():
        for field, kept in of_person.items():
            word = _word.decode(kept)
            name = field.removeprefix(_PREFIX)
            latest[name] = max(word, latest.get(name, word))
    read = {name: (msgspec.json.decode(word.value), word.at) for name, word in sorted(latest.items())}
    return {name: Trait(_shown(name, value, fields), datetime.fromisoformat(at)) for name, (value, at) in read.items()}


def _shown(name: str, value: Any, fields: access.Fields) -> Any:
    """The value where it may lie open by the rules for events; else as the reader sees its group."""
    known = next(iter(profiles.of_traits({name: value})), name)
    seen = fields[profiles.group_of_attribute(known)]
    if seen is access.Seen.CLEAR or not _is_personal(name, value):
        return value
    if seen is access.Seen.HIDDEN:
        return None
    return profiles.masked_attribute(known, value) if isinstance(value, str) else HIDDEN


def _is_personal(name: str, value: Any) -> bool:
    try:
        _, personal = apart({name: value}, of_person=True)
    except Reject:
        return True
    return bool(personal)
