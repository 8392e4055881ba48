"""The gate before any prediction: with too little history, the honest answer is "cannot say".

The four conditions are the field's own for predicted value: enough customers, enough history, a shop that is still
selling, and customers who came back often enough for a rhythm to be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import ibis
import ibis.expr.types as ir

from shuke.base.errors import CannotSay
from shuke.insight.tables import Tables

__all__ = ["CUSTOMERS_MIN", "HISTORY_DAYS_MIN", "ORDERS_MIN", "SILENCE_DAYS_MAX", "Gate", "Reason", "gate"]

CUSTOMERS_MIN = 500
HISTORY_DAYS_MIN = 180
SILENCE_DAYS_MAX = 30
ORDERS_MIN = 3


@dataclass(frozen=True)
class Reason:
    """One condition that is not met.

    ``code`` is too_few_customers (``needed`` and ``found`` count customers with an order), history_too_short (days from
    the first order), no_recent_order (days since the last order; ``found`` is None without any order) or
    too_few_frequent_buyers (customers with three orders or more).
    """

    code: str
    needed: int
    found: int | None


@dataclass(frozen=True)
class Gate:
    """Whether the data support predictions, and if not, every reason why not."""

    ok: bool
    reasons: tuple[Reason, ...]

    def require(self) -> None:
        """Raise CannotSay ``insight.gate`` with the reasons, unless the gate is open."""
        if not self.ok:
            raise CannotSay("insight.gate", reasons=", ".join(reason.code for reason in self.reasons))


def gate(tables: Tables, as_of: datetime, *, summary: ir.Table | None = None) -> Gate:
    """Look at the orders before ``as_of`` and decide; runs one query.

    Where the customer summary as of the same moment has been kept, ``summary`` saves reading the orders again.
    Days are whole days of 24 hours up to ``as_of``: history counts from the first order, silence from the last.
    """
    if summary is None:
        known = tables.orders.filter(
            tables.orders.ordered_at < ibis.literal(as_of, type="timestamp"), tables.orders.customer_id.notnull()
        )
        per_customer = known.group_by("customer_id").aggregate(
            orders=known.count(), first=known.ordered_at.min(), last=known.ordered_at.max()
        )
    else:
        per_customer = summary.select("orders", first=summary.first_order_at, last=summary.last_order_at)
    found = (
        per_customer.aggregate(
            customers=per_customer.count(),
            frequent=(per_customer.orders >= ORDERS_MIN).cast("int64").sum(),
            first=per_customer["first"].min(),
            last=per_customer["last"].max(),
        )
        .to_pyarrow()
        .to_pylist()[0]
    )
    history_days = (as_of - found["first"].replace(tzinfo=None)).days if found["first"] else 0
    silence_days = (as_of - found["last"].replace(tzinfo=None)).days if found["last"] else None
    frequent = int(found["frequent"] or 0)
    checks = (
        (found["customers"] >= CUSTOMERS_MIN, Reason("too_few_customers", CUSTOMERS_MIN, found["customers"])),
        (history_days >= HISTORY_DAYS_MIN, Reason("history_too_short", HISTORY_DAYS_MIN, history_days)),
        (
            silence_days is not None and silence_days <= SILENCE_DAYS_MAX,
            Reason("no_recent_order", SILENCE_DAYS_MAX, silence_days),
        ),
        (frequent >= 1, Reason("too_few_frequent_buyers", 1, frequent)),
    )
    reasons = tuple(reason for met, reason in checks if not met)
    return Gate(ok=not reasons, reasons=reasons)
