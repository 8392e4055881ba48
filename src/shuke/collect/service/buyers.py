"""Customers by what they bought: each found by an index, whether one starts from the goods or from a customer.

An order counts here when it counts in the analyses of the lake: neither cancelled nor unpaid, of more than nothing, in
one currency, and before one moment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shuke import profiles
from shuke.collect.model import Bought, OrderedOn, OrderStatus
from shuke.collect.tables import order_lines, orders
from shuke.platform import among

__all__ = ["buyers", "first_buyers", "ordered_again", "ordered_on"]

NOT_SOLD = (OrderStatus.CANCELLED.value, OrderStatus.PENDING.value)


def buyers(bought: Bought, *, currency: str | None, before: datetime | None) -> profiles.Chosen:
    """The customers with an order of this kind.

    Args:
        bought: which orders.
        currency: of the orders that count; None is any.
        before: the first moment that does not count.
    """
    conditions = [*counts(orders, currency, before), *_of_kind(bought)]
    asked = [(one,) for one in bought.products] if bought.together else [bought.products] if bought.products else []
    lines = [_products(one) for one in asked]
    if bought.categories or bought.no_category:
        lines.append(_categories(bought))
    return _chosen(lines, conditions)


def first_buyers(products: Sequence[str], *, currency: str | None, before: datetime | None) -> profiles.Chosen:
    """The customers in whose first order one of these products was.

    Of several orders at one moment, the first is the one whose number comes first, as in the analyses of the lake.
    """
    owners, other = profiles.owners().subquery("first_owners"), orders.alias("other")
    others = profiles.owners().subquery("other_owners")
    earlier = (
        sa.select(sa.literal(1))
        .select_from(owners)
        .join(others, others.c.customer_id == owners.c.customer_id)
        .join(other, other.c.identity_id == others.c.identity_id)
        .where(
            owners.c.identity_id == orders.c.identity_id,
            *counts(other, currency, before),
            sa.tuple_(other.c.ordered_at, _number(other)) < sa.tuple_(orders.c.ordered_at, _number(orders)),
        )
        .correlate(orders)
    )
    return _chosen([_products(products)], [*counts(orders, currency, before), ~earlier.exists()])


def ordered_again(
    customer: sa.ColumnElement[UUID],
    first_at: sa.ColumnElement[datetime],
    *,
    within_days: int,
    time_zone: str,
    currency: str | None,
    before: datetime | None,
) -> sa.ColumnElement[bool]:
    """Whether a customer ordered on another day, at most so many days after that of ``first_at`` in this zone."""
    owners = profiles.owners().subquery("again_owners")

    def day(moment: sa.ColumnElement[datetime]) -> sa.ColumnElement[date]:
        return sa.cast(sa.func.timezone(time_zone, moment), sa.Date)

    again = (
        sa.select(sa.literal(1))
        .select_from(owners)
        .join(orders, orders.c.identity_id == owners.c.identity_id)
        .where(
            owners.c.customer_id == customer,
            *counts(orders, currency, before),
            day(orders.c.ordered_at) - day(first_at) >= 1,
            day(orders.c.ordered_at) - day(first_at) <= within_days,
        )
    )
    return again.limit(1).scalar_subquery().is_not(None)


def ordered_on(
    customer: sa.ColumnElement[UUID],
    asked: OrderedOn,
    *,
    time_zone: str,
    currency: str | None,
    before: datetime | None,
) -> sa.ColumnElement[bool]:
    """Whether a customer had ordered on so many days of this zone."""
    owners = profiles.owners().subquery("days_owners")
    days = sa.func.count(sa.distinct(sa.cast(sa.func.timezone(time_zone, orders.c.ordered_at), sa.Date)))
    found = (
        sa.select(days)
        .select_from(owners)
        .join(orders, orders.c.identity_id == owners.c.identity_id)
        .where(owners.c.customer_id == customer, *counts(orders, currency, before), orders.c.ordered_at <= asked.until)
        .scalar_subquery()
    )
    most = 2**31 - 1 if asked.days_max is None else asked.days_max
    return found.between(asked.days_min, most)


_Line = Callable[[Any], sa.ColumnElement[bool]]


def _products(any_of: Sequence[str]) -> _Line:
    return lambda line: sa.func.coalesce(line.c.product_id, line.c.product_name) == among("text", any_of)


def _categories(bought: Bought) -> _Line:
    def fits(line: Any) -> sa.ColumnElement[bool]:
        # What names no product is in no analysis.
        some = sa.func.coalesce(line.c.product_id, line.c.product_name).is_not(None)
        none = sa.and_(line.c.category.is_(None), some) if bought.no_category else sa.false()
        return sa.or_(line.c.category == among("text", bought.categories), none)

    return fits


def _chosen(lines: Sequence[_Line], conditions: Sequence[sa.ColumnElement[bool]]) -> profiles.Chosen:
    """The customers with an order that meets the conditions and has a line of each kind."""
    owners = profiles.owners().subquery("owners")
    chosen = sa.select(owners.c.customer_id).join(orders, orders.c.identity_id == owners.c.identity_id)
    for number, fits in enumerate(lines):
        line = order_lines.alias(f"line_{number}")
        of_order = (line.c.source_id == orders.c.source_id) & (line.c.order_id == orders.c.order_id)
        chosen = chosen.join(line, of_order & fits(line))
    chosen = chosen.where(*conditions)

    def one(customer: sa.ColumnElement[UUID]) -> sa.ColumnElement[bool]:
        return chosen.where(owners.c.customer_id == customer).limit(1).scalar_subquery().is_not(None)

    def some(limit: int) -> sa.Select[Any]:
        return chosen.distinct().limit(limit)

    return profiles.Chosen(some, one)


def counts(table: Any, currency: str | None, before: datetime | None) -> list[sa.ColumnElement[bool]]:
    conditions = [table.c.status.not_in(NOT_SOLD), table.c.amount_minor > 0]
    if currency is not None:
        conditions.append(table.c.currency == currency)
    if before is not None:
        conditions.append(table.c.ordered_at < before)
    return conditions


def _of_kind(bought: Bought) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if bought.since is not None:
        conditions.append(orders.c.ordered_at >= bought.since)
    if bought.until is not None:
        conditions.append(orders.c.ordered_at <= bought.until)
    words = ((orders.c.channel, bought.channels), (orders.c.store, bought.stores))
    return conditions + [column == among("text", given) for column, given in words if given]


def _number(table: Any) -> sa.ColumnElement[str]:
    """What the lake calls an order, compared as it compares."""
    return sa.collate(sa.cast(table.c.source_id, sa.Text) + "/" + table.c.order_id, "C")
