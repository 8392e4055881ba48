"""What the words in rows mean: states of an order, and products that are none."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from shuke.collect.rules.headers import plain, vocabulary


def status_class(status: str) -> str | None:
    """``cancelled``, ``unpaid``, ``refunded``, or None for an order that stands.

    Partly refunded orders stand: what was given back is in the column of refunds, or in lines of its own.
    """
    word = plain(status)
    words = vocabulary()["statuses"]
    for kind in ("cancelled", "unpaid", "refunded"):
        if word in words[kind]:
            return kind
    for kind in ("refunded", "cancelled", "unpaid"):
        if any(part in word for part in words[f"{kind}_contains"]):
            return kind
    return None


@dataclass(frozen=True)
class Fees:
    """Product codes, and names of lines without a code, that are fees, adjustments or vouchers."""

    codes: tuple[str | int, ...]
    names: tuple[str, ...]


def is_fee_name(name: str) -> bool:
    """Whether a product's name is that of a fee: postage, 运费, 补差价, a manual adjustment, a gift voucher."""
    text = name.strip().casefold()
    names, pattern = _fee_names()
    return text in names or pattern.search(text) is not None


def is_fee_code(code: str) -> bool:
    """Whether a product code alone says that it is no product."""
    text = code.strip().casefold()
    words = vocabulary()["fees"]
    return text in words["codes"] or any(re.search(pattern, text) for pattern in words["code_patterns"])


def find_fees(products: Iterable[tuple[str | int | None, str | None, int]]) -> Fees:
    """The fees among (code, name, number of lines).

    A code is a fee by itself, or because most of its named lines carry the name of a fee: one letter may be a size in
    one shop and a manual adjustment in another, and the name tells.
    """
    votes: dict[str | int, list[int]] = {}
    names: set[str] = set()
    codes: set[str | int] = set()
    for code, name, lines in products:
        fee_name = name is not None and is_fee_name(name)
        if code is None:
            if name is not None and fee_name:
                names.add(name)
            continue
        if is_fee_code(str(code)):
            codes.add(code)
        elif name is not None:
            tally = votes.setdefault(code, [0, 0])
            tally[0 if fee_name else 1] += lines
    codes.update(code for code, (fee, other) in votes.items() if fee > other)
    return Fees(tuple(sorted(codes, key=str)), tuple(sorted(names)))


@cache
def _fee_names() -> tuple[frozenset[str], re.Pattern[str]]:
    words = vocabulary()["fees"]
    return frozenset(words["names"]), re.compile("|".join(words["name_patterns"]))
