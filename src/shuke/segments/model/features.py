"""What customers are grouped by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Feature"]


@dataclass(frozen=True)
class Feature:
    """A value of each customer: a figure; days since the last order; orders with a discount, or by a channel; what was
    spent on a category.
    """

    of: Literal["figure", "days", "discounted", "channel", "category"]
    value: str | None = None
