"""What the commerce events say of orders: amounts in whole minor units, lines, refunds.

``subtotal`` is after discounts, before tax and shipping; ``total = subtotal + shipping + tax``; ``revenue`` includes
discounts and excludes shipping and tax. An order's amount is what was paid for the goods: the same as in order files,
where postage stands apart.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from shuke.base.errors import BadInput
from shuke.base.money import known_currency, to_minor
from shuke.collect.model import (
    CODE_CHARACTERS_MAX,
    ORDER_LINES_MAX,
    Json,
    OrderLine,
    OrderStatement,
    RefundStatement,
    Reject,
)
from shuke.collect.rules.personal import is_personal_text

_QUANTITY_MAX = Decimal(1_000_000_000)


def order_of(state: str, properties: Json, *, default_currency: str | None) -> OrderStatement:
    """What ``Order Completed``, ``Order Updated`` or ``Order Cancelled`` says.

    Raises:
        Reject: ``no_order_id``, ``no_amount`` (for all but a cancellation), ``no_currency``, ``unknown_currency``,
            ``bad_amount``, ``bad_products`` (no list of objects, or more than :data:`ORDER_LINES_MAX`).
    """
    order_id = _order_id(properties)
    currency = _currency(properties, default_currency)
    products = _products(properties)
    paid = _paid(properties, products)
    if paid is None and state != "cancelled":
        raise Reject("no_amount")
    if paid is not None and currency is None:
        raise Reject("no_currency")
    return OrderStatement(
        order_id=order_id,
        state=state,
        amount_minor=None if paid is None or currency is None else _minor(paid, currency),
        discount_minor=_minor(abs(_number(properties.get("discount")) or Decimal()), currency) if currency else 0,
        currency=currency,
        region=_words(properties.get("region")) or _words(properties.get("province")),
        lines=tuple(_line(product, currency) for product in products) if currency else (),
    )


def refund_of(properties: Json, *, default_currency: str | None, message_id: str) -> RefundStatement:
    """What ``Order Refunded`` says; without a ``refund_id`` each message is a refund of its own.

    Raises:
        Reject: as :func:`order_of`; ``no_amount`` when neither a total nor priced products are given.
    """
    order_id = _order_id(properties)
    currency = _currency(properties, default_currency)
    products = _products(properties)
    given = _first(properties, "amount", "refund_amount", "total", "revenue", "value")
    if given is None:
        given = _sum(products)
    if given is None:
        raise Reject("no_amount")
    if currency is None:
        raise Reject("no_currency")
    refund_id = _text(properties.get("refund_id")) or f"message:{message_id}"
    return RefundStatement(refund_id, order_id, _minor(abs(given), currency), currency)


def _order_id(properties: Json) -> str:
    order_id = _text(properties.get("order_id")) or _text(properties.get("orderId"))
    if order_id is None:
        raise Reject("no_order_id")
    if is_personal_text(order_id, reference=True):
        raise Reject("bad_order_id")
    return order_id


def _currency(properties: Json, default: str | None) -> str | None:
    given = _text(properties.get("currency"))
    if given is None:
        return default
    try:
        return known_currency(given)
    except BadInput:
        raise Reject("unknown_currency") from None


def _paid(properties: Json, products: list[Json]) -> Decimal | None:
    """What was paid for the goods, by the first way in which the event says it."""
    paid = _first(properties, "revenue", "subtotal")
    if paid is None and (total := _number(properties.get("total"))) is not None:
        other = (_number(properties.get(name)) or Decimal() for name in ("shipping", "tax"))
        paid = max(total - sum(other, Decimal()), Decimal())
    if paid is None:
        paid = _number(properties.get("value"))
    if paid is None:
        paid = _sum(products)
    if paid is not None and paid < 0:
        raise Reject("bad_amount")
    return paid


def _products(properties: Json) -> list[Json]:
    products = properties.get("products")
    if products is None:
        return []
    if not isinstance(products, list) or len(products) > ORDER_LINES_MAX:
        raise Reject("bad_products")
    if not all(isinstance(product, dict) for product in products):
        raise Reject("bad_products")
    return products


def _sum(products: list[Json]) -> Decimal | None:
    prices = [_number(product.get("price")) for product in products]
    if not prices or any(price is None for price in prices):
        return None
    return sum(
        ((price or Decimal()) * _quantity(product) for price, product in zip(prices, products, strict=True)), Decimal()
    )


def _line(product: Json, currency: str) -> OrderLine:
    quantity = _quantity(product)
    cost = _number(product.get("cost"))
    return OrderLine(
        product_id=next((text for name in ("product_id", "id", "sku") if (text := _number_of(product, name))), None),
        product_name=_words(product.get("name")),
        category=_words(product.get("category")),
        brand=_words(product.get("brand")),
        quantity=quantity,
        amount_minor=_minor((_number(product.get("price")) or Decimal()) * quantity, currency),
        cost_minor=None if cost is None else _minor(cost * quantity, currency),
    )


def _quantity(product: Json) -> Decimal:
    quantity = _number(product.get("quantity"))
    if quantity is None:
        return Decimal(1)
    if not 0 <= quantity <= _QUANTITY_MAX:
        raise Reject("bad_amount")
    return quantity


def _first(properties: Json, *names: str) -> Decimal | None:
    return next((number for name in names if (number := _number(properties.get(name))) is not None), None)


def _number(value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Reject("bad_amount")
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise Reject("bad_amount") from None
    if not number.is_finite():
        raise Reject("bad_amount")
    return number


def _minor(amount: Decimal, currency: str) -> int:
    try:
        return to_minor(amount, currency)
    except BadInput:
        raise Reject("bad_amount") from None


def _text(value: Any) -> str | None:
    """A name or number as text; None where there is none."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).replace("\0", "").strip()
    return text[:CODE_CHARACTERS_MAX] or None


def _words(value: Any) -> str | None:
    """Text that lies open; None for what is personal."""
    text = _text(value)
    return None if text is None or is_personal_text(text) else text


def _number_of(product: Json, name: str) -> str | None:
    """The number of a product, which may look like a phone number."""
    text = _text(product.get(name))
    return None if text is None or is_personal_text(text, reference=True) else text
