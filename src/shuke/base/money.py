"""Money: whole minor units of a currency (cents, 分, yen), never a float."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import cache, lru_cache

from babel.numbers import get_currency_precision, list_currencies

from shuke.base.errors import BadInput

__all__ = ["AMOUNT_MAX", "from_minor", "known_currency", "minor_digits", "to_minor"]

# What a PostgreSQL bigint and a float both hold exactly.
AMOUNT_MAX = 2**53


def known_currency(code: str) -> str:
    """The ISO 4217 code in capitals; BadInput ``base.unknown_currency`` when there is none such."""
    currency = code.strip().upper()
    if currency not in _currencies():
        raise BadInput("base.unknown_currency", given=code)
    return currency


@cache
def _currencies() -> frozenset[str]:
    return frozenset(list_currencies())


@lru_cache(maxsize=1024)
def minor_digits(currency: str) -> int:
    """The digits of the minor unit: 2 for cents, 0 for yen."""
    return get_currency_precision(currency)


def to_minor(amount: Decimal | float | str, currency: str) -> int:
    """An amount in major units as minor units, half to even: ``("12.345", "CNY")`` is 1234.

    Raises BadInput ``base.bad_amount`` for what is no number, or more than :data:`AMOUNT_MAX` minor units.
    """
    try:
        # By way of its text, a float is the decimal that a person wrote.
        exact = Decimal(str(amount)).scaleb(minor_digits(currency))
        minor = int(exact.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
    except (InvalidOperation, ValueError, OverflowError):
        raise BadInput("base.bad_amount", given=str(amount)) from None
    if abs(minor) > AMOUNT_MAX:
        raise BadInput("base.bad_amount", given=str(amount))
    return minor


def from_minor(minor: int, currency: str) -> Decimal:
    """Minor units as an exact amount in major units: ``(1234, "CNY")`` is 12.34."""
    return Decimal(minor).scaleb(-minor_digits(currency))
