"""From a path of a decision tree to a statement of the segment language."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from shuke.segments.model.features import Feature
from shuke.segments.model.tree import Did, Figure, FigureName, Goods, Group, Measured, Node, Op, Orders, Test

__all__ = ["Condition", "definition_of", "rounded"]

#: A feature is more than a threshold, or not.
Condition: TypeAlias = tuple[Feature, float, bool]

_WHOLE = ("days", "discounted", "channel")


def rounded(threshold: float) -> float:
    """To three significant digits, as people say it."""
    return threshold if threshold == 0 else round(threshold, 2 - math.floor(math.log10(abs(threshold))))


def definition_of(paths: Iterable[Sequence[Condition]]) -> Node:
    """Customers with an order to whom one of these paths leads."""
    ways = [_path(path) for path in paths]
    way = ways[0] if len(ways) == 1 else Group(node="any", of=tuple(ways))
    ordered = Figure(name=FigureName.ORDERS, test=Test(op=Op.AT_LEAST, values=(1.0,)))
    return Group(node="all", of=(ordered, way))


def _path(path: Sequence[Condition]) -> Node:
    """All conditions of a path; of several with one feature the narrowest."""
    narrowest: dict[tuple[Feature, bool], float] = {}
    for feature, threshold, more in path:
        known = narrowest.get((feature, more), threshold)
        narrowest[feature, more] = max(known, threshold) if more else min(known, threshold)
    of = tuple(_statement(feature, limit, more=more) for (feature, more), limit in narrowest.items())
    return of[0] if len(of) == 1 else Group(node="all", of=of)


def _statement(feature: Feature, threshold: float, *, more: bool) -> Node:
    whole = feature.of in _WHOLE or feature.value == FigureName.ORDERS.value
    limit = float(math.floor(threshold)) if whole else rounded(threshold)
    if feature.of == "days":
        op = Op.DAYS_AGO if more else Op.LAST_DAYS
        return Figure(name=FigureName.LAST_ORDER, test=Test(op=op, values=(limit,)))
    test = Test(op=Op.MORE, values=(limit,))
    if feature.of == "figure":
        said: Node = Figure(name=FigureName(str(feature.value)), test=test)
    elif feature.of == "category":
        what = Orders(goods=Goods(categories=(str(feature.value),)))
        said = Measured(what=what, of="amount_minor", by="sum", test=test)
    elif feature.of == "channel":
        said = Did(what=Orders(channels=(str(feature.value),)), times=test)
    else:
        said = Did(what=Orders(discount_share=Test(op=Op.MORE, values=(0.0,))), times=test)
    # What is not known is not more: the complement has it.
    return said if more else Group(node="none", of=(said,))
