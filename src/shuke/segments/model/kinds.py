"""What each value is that a tree can name, and so how it is compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import TypeAlias

from shuke.segments.model.tree import Attribute, Did, Figure, FigureName, Goods, Measured, Orders, Test, What

__all__ = ["COMPARING", "FIGURES", "MEASURED", "OWN", "Comparing", "Kind", "kind_of", "kind_of_values", "measured_of"]

#: The nodes that hold where a value of the customer is what their test wants.
Comparing: TypeAlias = Attribute | Figure | Did | Measured
COMPARING = (Attribute, Figure, Did, Measured)


class Kind(Enum):
    """What a value is, and so how it is compared."""

    TEXT = "text"
    NUMBER = "number"
    TRUTH = "truth"
    DATE = "date"  # a day
    MOMENT = "moment"  # in microseconds since 1970
    YEARLY = "yearly"  # the day of the year of a date that is kept encrypted, as a number that says which to the keys


_TEXTS = ("stage", "rfm_group", "value_group", "first_channel", "first_store", "region")
_MOMENTS = ("stage_since", "first_order_at", "last_order_at", "created_at")
#: What each figure is.
FIGURES: dict[FigureName, Kind] = {
    name: Kind.TEXT
    if name in _TEXTS
    else Kind.MOMENT
    if name in _MOMENTS
    else Kind.DATE
    if name is FigureName.NEXT_ORDER
    else Kind.NUMBER
    for name in FigureName
}

#: What can be measured of lines (and of orders by them) beside ``amount_minor`` and ``day``.
MEASURED = ("quantity", "product_id", "category", "brand")

#: Columns of facts themselves that a condition may name beside properties.
OWN = {"channel": Kind.TEXT, "store": Kind.TEXT, "session": Kind.TEXT, "amount_minor": Kind.NUMBER}


def kind_of_values(test: Test) -> Kind:
    """What a property has to be that this test can be asked of."""
    first = test.values[0] if test.values else None
    if isinstance(first, bool):
        return Kind.TRUTH
    if isinstance(first, float | int):
        return Kind.NUMBER
    return Kind.TEXT


def kind_of(node: Comparing, attributes: Mapping[str, Kind]) -> Kind:
    """What the value is that a node compares; ``attributes`` says it of those of customers."""
    match node:
        case Attribute():
            return attributes[node.name]
        case Figure():
            return FIGURES[node.name]
        case Did():
            return Kind.NUMBER
        case Measured():
            return _kind_measured(node)


def _kind_measured(node: Measured) -> Kind:
    if node.by == "distinct":
        return Kind.NUMBER
    if node.of == "day":
        return Kind.MOMENT
    number = node.of == "amount_minor" or (node.of == "quantity" and isinstance(node.what, Orders))
    if node.by in ("first", "last") and not number and node.test.than is None:
        return kind_of_values(node.test)
    return Kind.NUMBER


def measured_of(node: Measured) -> What:
    """What a node looks at: where it measures what only lines of orders have, or a share of what was spent on all of
    them, all lines.
    """
    of_lines = isinstance(node.what, Orders) and node.what.goods is None and node.of in MEASURED
    if isinstance(node.what, Orders) and (of_lines or node.by == "share"):
        return replace(node.what, goods=Goods())
    return node.what
