"""Whether a column says something of a line or of its whole order."""

from __future__ import annotations

from dataclasses import dataclass

from shuke.collect.rules.headers import plain, plain_forms

#: Names that mean the whole order in an export with one row per item.
_ORDER_NAMES = {
    plain(name)
    for name in (
        "total",
        "subtotal",
        "order total",
        "order amount",
        "order subtotal",
        "order total amount",
        "order subtotal amount",
        "grand total",
        "total amount",
        "refunded amount",
        "order refund amount",
        "discount amount",
        "cart discount amount",
        "应付金额",
        "结算金额",
        "总金额",
        "总价",
        "买家实际支付金额",
        "买家应付货款",
        "实付金额",
        "优惠金额",
        "退款金额",
        "买家应付邮费",
        "运费",
        "邮费",
        "快递费",
        "shipping",
        "postage",
    )
}
_SHARE_MIN = 0.95
_ORDERS_MIN = 20
_DIFFERENT_MIN = 3


@dataclass(frozen=True)
class OrderStatistics:
    """One column over the orders that have several rows; every figure but ``different`` counts orders.

    ``partly``: on some rows only; ``once``: on exactly one; ``constant``: the same on all; ``different``: about how
    many different values; ``present``: on any row; ``fits_order``/``fits_line``: the amount is about the sum of
    quantity × price of the order, or exactly that of each line.
    """

    orders: int
    partly: int
    once: int
    constant: int
    different: int
    present: int
    fits_order: int | None = None
    fits_line: int | None = None

    @property
    def partly_there(self) -> bool:
        """Whether rows must be filled from others of their order."""
        return self.partly > 0


def is_order_total(field: str, statistics: OrderStatistics, column: str) -> bool:
    """Whether a column of money repeats (or gives once) the total of the order, so that it must not be summed.

    Evidence, in this order: it stands on one row of nearly all orders; it fits the goods of the order better than
    those of the line; or it is the same on all rows of nearly all orders, and either is named as a total or occurs with
    enough different values to be no accident.
    """
    orders = statistics.present
    if not orders:
        return False
    # A refund or discount on one line of the order sums to the same, whether it is the line's or the order's.
    if field == "amount" and statistics.once >= _SHARE_MIN * orders:
        return True
    if statistics.constant < _SHARE_MIN * orders:
        return False
    if field == "amount" and statistics.fits_order is not None and statistics.fits_line is not None:
        return statistics.fits_order > statistics.fits_line
    named_total = any(form in _ORDER_NAMES or "订单" in form for form in plain_forms(column))
    return named_total or (orders >= _ORDERS_MIN and statistics.different >= _DIFFERENT_MIN)
