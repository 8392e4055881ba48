"""The real orders as arrays, which everything simulated has to fit; and the moments between them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

#: Nobody is taken to have heard of the shop earlier than this before the first order.
CONTACT_BEFORE = 21 * DAY


@dataclass(frozen=True)
class History:
    """Customers, their orders, refunds and products; moments are microseconds since 1970 in UTC.

    Customers are numbered by their first order. Orders are sorted by customer, then moment; lines by order. Whatever
    refers to another row does so by its place.
    """

    identity_ids: Ints  # of each customer
    order_ids: pa.Array  # text
    order_customer: Ints
    order_at: Ints
    order_minor: Ints
    line_order: Ints
    line_product: Ints
    refund_customer: Ints
    refund_at: Ints
    product_ids: tuple[str, ...]
    product_names: tuple[str, ...]
    product_minor: Ints  # what one costs, in minor units
    currency: str
    digits: int  # of the currency's minor unit

    @property
    def customers(self) -> int:
        """How many there are; each has an order."""
        return len(self.identity_ids)

    @cached_property
    def end(self) -> int:
        """The moment after which nothing is known."""
        return int(max(self.order_at.max(), self.refund_at.max(initial=0)))

    @cached_property
    def first_order(self) -> Ints:
        """The place of each customer's first order."""
        return np.searchsorted(self.order_customer, np.arange(self.customers))

    @cached_property
    def orders_of(self) -> Ints:
        """How many orders each customer has."""
        return np.bincount(self.order_customer, minlength=self.customers)

    @cached_property
    def previous_at(self) -> Ints:
        """The moment of the customer's order before each order; before the first, of the earliest contact."""
        before = np.concatenate([[0], self.order_at[:-1]])
        first = self.first_order
        before[first] = self.order_at[first] - CONTACT_BEFORE
        return before

    @cached_property
    def next_at(self) -> Ints:
        """The moment of the customer's order after each order; after the last, the end."""
        after = np.concatenate([self.order_at[1:], [0]])
        last = self.first_order + self.orders_of - 1
        after[last] = self.end
        return after

    @cached_property
    def first_line(self) -> Ints:
        """The place of each order's first line."""
        return np.searchsorted(self.line_order, np.arange(len(self.order_at)))

    @cached_property
    def lines_of(self) -> Ints:
        """How many lines each order has; an order may have none."""
        return np.bincount(self.line_order, minlength=len(self.order_at))

    def last_order_before(self, customer: Ints, at: Ints) -> Ints:
        """The place of each customer's last order at or before a moment; -1 where there is none yet."""
        # Customer and moment as one number, by which orders are sorted anyway.
        begin = self.order_at.min() - CONTACT_BEFORE
        span = np.int64(self.end + DAY - begin)
        ordered = self.order_customer * span + (self.order_at - begin)
        place = np.searchsorted(ordered, customer * span + (at - begin), side="right") - 1
        return np.where((place >= 0) & (self.order_customer[place] == customer), place, -1)
