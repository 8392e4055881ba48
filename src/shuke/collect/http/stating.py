"""``/api/orders`` and ``/api/refunds``: what a shop says its orders and refunds are, any number of times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import BaseRoute

from shuke import access
from shuke.base.money import AMOUNT_MAX
from shuke.collect.model import CODE_CHARACTERS_MAX, ORDER_LINES_MAX, Order, OrderLine, OrderStatus, Refund
from shuke.collect.rules.statements import QUANTITY_MAX, TEXT_CHARACTERS_MAX
from shuke.collect.service.orders import save_orders, save_refunds
from shuke.collect.service.origins import source_ids
from shuke.platform import Metrics, Workplace
from shuke.platform.http import Moment, api, refusal

__all__ = ["stating_routes"]

#: Orders or refunds of one request.
ROWS_MAX = 500
_IDS_MAX = 20

_Code = Annotated[str, Field(min_length=1, max_length=CODE_CHARACTERS_MAX)]
_CodeInPath = Annotated[str, Path(min_length=1, max_length=CODE_CHARACTERS_MAX)]
_Text = Annotated[str, Field(max_length=TEXT_CHARACTERS_MAX)]
_Amount = Annotated[int, Field(ge=0, le=AMOUNT_MAX, strict=True)]
_Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217")]
_Quantity = Annotated[Decimal, Field(ge=0, le=QUANTITY_MAX, max_digits=15, decimal_places=6, allow_inf_nan=False)]


Writing = Annotated[access.Visit, access.needs("orders.write")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CustomerIdBody(_Body):
    """One name of the customer, such as a phone number."""

    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    value: Annotated[str, Field(min_length=1, max_length=500)]


class LineBody(_Body):
    """One product of an order; amounts are in minor units, for all of the quantity."""

    product_id: _Text | None = None
    product_name: _Text | None = None
    category: _Text | None = None
    brand: _Text | None = None
    quantity: _Quantity = Decimal(1)
    amount_minor: _Amount
    cost_minor: _Amount | None = None


class OrderBody(_Body):
    """An order as it stands. The amount is what is paid for goods after discounts, in minor units such as cents.

    Of two statements the later `stated_at` counts, whichever comes in first; without it, the one that comes in last.
    Without `lines`, those that are known stay.
    """

    customer: Annotated[list[CustomerIdBody], Field(max_length=_IDS_MAX)] = []
    ordered_at: Moment
    amount_minor: _Amount
    discount_minor: _Amount = 0
    currency: _Currency
    status: OrderStatus = OrderStatus.COMPLETED
    channel: _Text | None = None
    store: _Text | None = None
    region: _Text | None = None
    cancelled_at: Moment | None = None
    lines: Annotated[list[LineBody], Field(max_length=ORDER_LINES_MAX)] | None = None
    stated_at: Moment | None = None


class OrderRow(OrderBody):
    """An order with its number, and the name of the source that knows it by this number."""

    source: _Code
    order_id: _Code


class OrdersBody(_Body):
    """Orders, each once."""

    orders: Annotated[list[OrderRow], Field(max_length=ROWS_MAX)]


class RefundBody(_Body):
    """Money given back. Without `customer` it belongs to the customer of its order."""

    customer: Annotated[list[CustomerIdBody], Field(max_length=_IDS_MAX)] = []
    order_id: _Code
    line: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)] | None = None
    refunded_at: Moment
    amount_minor: _Amount
    currency: _Currency


class RefundRow(RefundBody):
    """A refund with its number, and the name of the source that knows it by this number."""

    source: _Code
    refund_id: _Code


class RefundsBody(_Body):
    """Refunds, each once."""

    refunds: Annotated[list[RefundRow], Field(max_length=ROWS_MAX)]


class StatedBody(BaseModel):
    """How many were new, were changed, were already so, or came after a later statement and changed nothing."""

    created: int
    updated: int
    unchanged: int
    outdated: int


_NO_SOURCE = refusal(404, "There is no such source")


def stating_routes(_: Workplace, __: Metrics) -> list[BaseRoute]:
    """The routes by which orders and refunds are stated."""
    router = api("collect")

    def orders(visit: access.Visit, rows: Sequence[OrderRow]) -> StatedBody:
        now = datetime.now(UTC)
        with visit.begin() as tx:
            sources = source_ids(tx, {row.source for row in rows})
            given = [_order(row, sources[row.source]) for row in rows]
            return StatedBody(**asdict(save_orders(tx, visit.keyring, given, now)))

    def refunds(visit: access.Visit, rows: Sequence[RefundRow]) -> StatedBody:
        now = datetime.now(UTC)
        with visit.begin() as tx:
            sources = source_ids(tx, {row.source for row in rows})
            given = [_refund(row, sources[row.source]) for row in rows]
            return StatedBody(**asdict(save_refunds(tx, visit.keyring, given, now)))

    @router.put("/orders/{source}/{order_id}", responses=_NO_SOURCE)
    def put_order(visit: Writing, source: _CodeInPath, order_id: _CodeInPath, body: OrderBody) -> StatedBody:
        return orders(visit, [OrderRow(source=source, order_id=order_id, **dict(body))])

    @router.post("/orders", responses=_NO_SOURCE)
    def post_orders(visit: Writing, body: OrdersBody) -> StatedBody:
        return orders(visit, body.orders)

    @router.put("/refunds/{source}/{refund_id}", responses=_NO_SOURCE)
    def put_refund(visit: Writing, source: _CodeInPath, refund_id: _CodeInPath, body: RefundBody) -> StatedBody:
        return refunds(visit, [RefundRow(source=source, refund_id=refund_id, **dict(body))])

    @router.post("/refunds", responses=_NO_SOURCE)
    def post_refunds(visit: Writing, body: RefundsBody) -> StatedBody:
        return refunds(visit, body.refunds)

    return list(router.routes)


def _order(row: OrderRow, source_id: int) -> Order:
    plain = row.model_dump(exclude={"source", "customer", "lines"})
    lines = None if row.lines is None else tuple(OrderLine(**line.model_dump()) for line in row.lines)
    return Order(source_id=source_id, ids=_ids(row.customer), lines=lines, **plain)


def _refund(row: RefundRow, source_id: int) -> Refund:
    return Refund(source_id=source_id, ids=_ids(row.customer), **row.model_dump(exclude={"source", "customer"}))


def _ids(customer: Sequence[CustomerIdBody]) -> tuple[tuple[str, str], ...]:
    return tuple((one.kind, one.value) for one in customer)
