"""Whether an order or a refund that a shop states can be kept. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from hashlib import sha256

from shuke.base.errors import BadInput
from shuke.base.money import AMOUNT_MAX, known_currency
from shuke.collect.model import (
    CODE_CHARACTERS_MAX,
    EARLIEST_YEAR,
    ORDER_LINES_MAX,
    STATEMENTS_MAX,
    Order,
    OrderLine,
    OrderStatus,
    Refund,
)
from shuke.collect.rules.moments import FUTURE_MAX
from shuke.collect.rules.personal import is_personal_text

__all__ = ["check_orders", "check_refunds", "digest"]

TEXT_CHARACTERS_MAX = 500
QUANTITY_MAX = Decimal(1_000_000_000)


def check_orders(orders: Sequence[Order], now: datetime) -> None:
    """Refuse what cannot be kept.

    Raises:
        BadInput: ``collect.too_many_statements``, ``collect.stated_twice``, ``collect.bad_statement`` with the order
            and the field, ``base.unknown_currency``.
    """
    _check_batch([(order.source_id, order.order_id) for order in orders])
    for order in orders:
        _check_code(order.order_id, "?", "order_id")
        _check_moment(order.ordered_at, now, order.order_id, "ordered_at")
        for name in ("cancelled_at", "stated_at"):
            moment = getattr(order, name)
            if moment is not None:
                _check_moment(moment, now, order.order_id, name)
        for name in ("amount_minor", "discount_minor"):
            _check_amount(getattr(order, name), order.order_id, name)
        for name in ("channel", "store", "region"):
            _check_words(getattr(order, name), order.order_id, name)
        _check_currency(order.currency)
        if order.cancelled_at is not None and order.status is not OrderStatus.CANCELLED:
            raise BadInput("collect.bad_statement", id=order.order_id, field="cancelled_at")
        lines = order.lines or ()
        if len(lines) > ORDER_LINES_MAX:
            raise BadInput("collect.bad_statement", id=order.order_id, field="lines")
        for line in lines:
            _check_line(line, order.order_id)


def check_refunds(refunds: Sequence[Refund], now: datetime) -> None:
    """Refuse what cannot be kept; errors as for :func:`check_orders`."""
    _check_batch([(refund.source_id, refund.refund_id) for refund in refunds])
    for refund in refunds:
        _check_code(refund.refund_id, "?", "refund_id")
        _check_code(refund.order_id, refund.refund_id, "order_id")
        _check_moment(refund.refunded_at, now, refund.refund_id, "refunded_at")
        _check_amount(refund.amount_minor, refund.refund_id, "amount_minor")
        _check_currency(refund.currency)


def digest(order: Order) -> bytes:
    """Sixteen bytes of what an order says, by which statements of one moment come in one order for everybody."""
    return sha256(repr(replace(order, ids=(), stated_at=None)).encode()).digest()[:16]


def _check_batch(keys: Sequence[tuple[int, str]]) -> None:
    if len(keys) > STATEMENTS_MAX:
        raise BadInput("collect.too_many_statements", found=len(keys), limit=STATEMENTS_MAX)
    seen: set[tuple[int, str]] = set()
    for key in keys:
        if key in seen:
            raise BadInput("collect.stated_twice", id=key[1])
        seen.add(key)


def _check_line(line: OrderLine, of: str) -> None:
    for name in ("product_id", "product_name", "category", "brand"):
        _check_words(getattr(line, name), of, f"lines.{name}")
    _check_amount(line.amount_minor, of, "lines.amount_minor")
    if line.cost_minor is not None:
        _check_amount(line.cost_minor, of, "lines.cost_minor")
    if not (line.quantity.is_finite() and 0 <= line.quantity <= QUANTITY_MAX):
        raise BadInput("collect.bad_statement", id=of, field="lines.quantity")


def _check_code(code: str, of: str, field: str) -> None:
    """A number of the shop's own; it lies open, so that it must not be anybody's address."""
    plain = 1 <= len(code) <= CODE_CHARACTERS_MAX and code.isprintable() and code.strip() == code
    if not plain or is_personal_text(code, reference=True):
        raise BadInput("collect.bad_statement", id=of, field=field)


def _check_words(text: str | None, of: str, field: str) -> None:
    if text is None:
        return
    if len(text) > TEXT_CHARACTERS_MAX or any(ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 for letter in text):
        raise BadInput("collect.bad_statement", id=of, field=field)
    if is_personal_text(text, reference=True):
        raise BadInput("collect.bad_statement", id=of, field=field)


def _check_moment(moment: datetime, now: datetime, of: str, field: str) -> None:
    if moment.tzinfo is None or moment.year < EARLIEST_YEAR or moment > now + FUTURE_MAX:
        raise BadInput("collect.bad_statement", id=of, field=field)


def _check_amount(minor: int, of: str, field: str) -> None:
    if not 0 <= minor <= AMOUNT_MAX:
        raise BadInput("collect.bad_statement", id=of, field=field)


def _check_currency(currency: str) -> None:
    if known_currency(currency) != currency:
        raise BadInput("base.unknown_currency", given=currency)
