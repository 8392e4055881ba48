"""What a row has to be to be kept. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import available_timezones

from shuke.base.clock import known_timezone
from shuke.base.errors import BadInput
from shuke.base.money import AMOUNT_MAX, known_currency
from shuke.catalog.model import ATTRIBUTES_MAX, BATCH_MAX, ID_CHARACTERS_MAX, NAME_CHARACTERS_MAX, Brand

__all__ = ["check_batch", "check_brand", "check_row", "is_plain"]

BRAND_CHARACTERS_MAX = 100


def check_brand(brand: Brand) -> None:
    """Refuse what no brand is or reckons by.

    Raises:
        BadInput: ``catalog.bad_brand_name``, ``base.unknown_timezone``, ``base.unknown_currency``,
            ``catalog.bad_margin``.
    """
    name = brand.name
    if name is not None and not (is_plain(name, BRAND_CHARACTERS_MAX) and name and name == name.strip()):
        raise BadInput("catalog.bad_brand_name", limit=BRAND_CHARACTERS_MAX)
    if brand.time_zone is not None:
        known_timezone(brand.time_zone)
    if brand.currency is not None and known_currency(brand.currency) != brand.currency:
        raise BadInput("base.unknown_currency", given=brand.currency)
    if brand.margin is not None and not 0 < brand.margin <= 1:
        raise BadInput("catalog.bad_margin")


def check_batch(ids: Sequence[str]) -> None:
    """Refuse what is too many (BadInput ``catalog.too_many``) or names something twice (``catalog.given_twice``)."""
    if len(ids) > BATCH_MAX:
        raise BadInput("catalog.too_many", found=len(ids), limit=BATCH_MAX)
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            raise BadInput("catalog.given_twice", id=one)
        seen.add(one)


def check_row(row: Mapping[str, object], key: str) -> None:
    """Refuse a row with a value that cannot be kept.

    Raises:
        BadInput: ``catalog.bad_id``, ``catalog.bad_value`` with the field, ``catalog.no_currency`` for a price without
            one, ``base.unknown_currency``.
    """
    if not is_plain(row[key], ID_CHARACTERS_MAX) or not str(row[key]).strip():
        raise BadInput("catalog.bad_id", field=key)
    for name, value in row.items():
        if name == "attributes":
            _check_attributes(value)
        elif not (_is_amount(value) if name.endswith("_minor") else _is_text(value)):
            raise BadInput("catalog.bad_value", field=name)
    _check_money(row)
    zone = row.get("time_zone")
    if zone is not None and zone not in available_timezones():
        raise BadInput("catalog.bad_value", field="time_zone")


def _check_money(row: Mapping[str, object]) -> None:
    currency = row.get("currency")
    if isinstance(currency, str) and known_currency(currency) != currency:
        raise BadInput("base.unknown_currency", given=currency)
    if currency is None and (row.get("price_minor") is not None or row.get("cost_minor") is not None):
        raise BadInput("catalog.no_currency")


def _check_attributes(value: object) -> None:
    if not isinstance(value, Mapping) or len(value) > ATTRIBUTES_MAX:
        raise BadInput("catalog.bad_value", field="attributes")
    for name, held in value.items():
        if not is_plain(name, ID_CHARACTERS_MAX) or not _is_attribute(held):
            raise BadInput("catalog.bad_value", field="attributes")


def _is_attribute(value: object) -> bool:
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, str):
        return is_plain(value, NAME_CHARACTERS_MAX)
    return isinstance(value, int | float) and abs(value) <= AMOUNT_MAX


def is_plain(value: object, characters_max: int) -> bool:
    """Text that PostgreSQL and a person's screen take: no control characters, no halves of a character."""
    return (
        isinstance(value, str)
        and len(value) <= characters_max
        and not any(ord(letter) < 32 or ord(letter) == 127 or 0xD800 <= ord(letter) <= 0xDFFF for letter in value)
    )


def _is_text(value: object) -> bool:
    return not isinstance(value, str) or is_plain(value, NAME_CHARACTERS_MAX)


def _is_amount(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= AMOUNT_MAX)
