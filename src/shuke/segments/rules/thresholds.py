"""From paths of a decision tree to a statement of the segment language, no longer than it has to be.

A path leaves of each feature an interval (more than one number, not more than another; what is not known is less than
all numbers), and so is a box; a group is what several boxes cover. The thresholds divide everything into few cells, by
which it is said with the fewest boxes that are as wide as they can be without covering a cell of others.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import TypeAlias

from shuke.segments.model.features import Feature
from shuke.segments.model.tree import Did, Figure, FigureName, Goods, Group, Measured, Node, Op, Orders, Test

__all__ = ["Condition", "definition_of", "rounded"]

#: A feature is more than a threshold, or not.
Condition: TypeAlias = tuple[Feature, float, bool]
#: Of each feature more than the first and not more than the second; nothing of those that may be anything.
_Box: TypeAlias = dict[Feature, tuple[float, float]]
_Cells: TypeAlias = frozenset[tuple[int, ...]]

_WHOLE = ("days", "discounted", "channel")
_ANYTHING = (-math.inf, math.inf)
_ORDERS = Feature("figure", FigureName.ORDERS.value)
#: More cells than this are not looked through; a tree of eight leaves has at most 128.
_CELLS_MAX = 1_000


def rounded(threshold: float) -> float:
    """To three significant digits, as people say it."""
    return threshold if threshold == 0 else round(threshold, 2 - math.floor(math.log10(abs(threshold))))


def definition_of(paths: Iterable[Sequence[Condition]]) -> Node:
    """Customers with an order to whom one of these paths leads."""
    boxes = _fewest([_box(path) for path in paths])
    common = {
        feature: limits for feature, limits in boxes[0].items() if all(box.get(feature) == limits for box in boxes)
    }
    ways = [_all(_said({feature: box[feature] for feature in box if feature not in common})) for box in boxes]
    said = _said(common) + (ways if len(ways) == 1 and boxes[0] != common else [])
    if len(ways) > 1:
        said.append(Group(node="any", of=tuple(ways)))
    ordered = Figure(name=FigureName.ORDERS, test=Test(op=Op.AT_LEAST, values=(1.0,)))
    # Who has more orders than some has one.
    known = common.get(_ORDERS, _ANYTHING)[0] >= 0
    return Group(node="all", of=(*([] if known else [ordered]), *said))


def _all(said: list[Node]) -> Node:
    return said[0] if len(said) == 1 else Group(node="all", of=tuple(said))


def _box(path: Sequence[Condition]) -> _Box:
    """All conditions of a path; of several with one feature the narrowest."""
    box: _Box = {}
    for feature, threshold, more in path:
        low, high = box.get(feature, _ANYTHING)
        limit = _limit(feature, threshold)
        box[feature] = (max(low, limit), high) if more else (low, min(high, limit))
    return box


def _limit(feature: Feature, threshold: float) -> float:
    whole = feature.of in _WHOLE or feature == _ORDERS
    return float(math.floor(threshold)) if whole else rounded(threshold)


# ---- As few boxes as can be.


def _fewest(boxes: list[_Box]) -> list[_Box]:
    """Boxes that cover the same, not more of them, and with no more limits."""
    ends = _ends(boxes)
    if math.prod(len(one) - 1 for one in ends.values()) > _CELLS_MAX:
        return boxes
    covered = {number: _cells(box, ends) for number, box in enumerate(boxes)}
    wanted = frozenset[tuple[int, ...]]().union(*covered.values())
    if not wanted:
        # Limits that are the same once they are rounded leave nothing between them.
        return boxes[:1]
    found = _cover(wanted, _widest(wanted, ends))
    return found if _length(found) <= _length(boxes) else boxes


def _ends(boxes: list[_Box]) -> dict[Feature, list[float]]:
    """Where the cells of each feature begin and end, with both ends of all numbers."""
    ends: dict[Feature, set[float]] = {}
    for box in boxes:
        for feature, limits in box.items():
            ends.setdefault(feature, set(_ANYTHING)).update(limits)
    return {feature: sorted(one) for feature, one in ends.items()}


def _cells(box: _Box, ends: Mapping[Feature, list[float]]) -> _Cells:
    """The cells that a box covers, each by its number on every feature."""
    each = []
    for feature, one in ends.items():
        low, high = box.get(feature, _ANYTHING)
        each.append([number for number in range(len(one) - 1) if low <= one[number] and one[number + 1] <= high])
    return frozenset(product(*each))


def _widest(wanted: _Cells, ends: Mapping[Feature, list[float]]) -> list[tuple[_Box, _Cells]]:
    """All boxes of nothing else than these cells, those with the fewest limits first."""
    spans = [[(low, high) for place, low in enumerate(one) for high in one[place + 1 :]] for one in ends.values()]
    found = []
    for limits in product(*spans):
        box = {feature: span for feature, span in zip(ends, limits, strict=True) if span != _ANYTHING}
        cells = _cells(box, ends)
        if cells <= wanted:
            found.append((box, cells))
    return sorted(found, key=lambda one: _length([one[0]]))


def _cover(wanted: _Cells, candidates: list[tuple[_Box, _Cells]]) -> list[_Box]:
    """Boxes that cover the cells, each time the one that covers most of what is left (Chvátal 1979)."""
    chosen, left = [], wanted
    while left:
        box, cells = max(candidates, key=lambda one: len(one[1] & left))
        chosen.append(box)
        left -= cells
    return chosen


def _length(boxes: list[_Box]) -> int:
    return sum(math.isfinite(limit) for box in boxes for limits in box.values() for limit in limits)


# ---- In the segment language.


def _said(box: _Box) -> list[Node]:
    """A statement for each limit."""
    said = []
    for feature, (low, high) in box.items():
        if math.isfinite(low):
            said.append(_statement(feature, low, more=True))
        if math.isfinite(high):
            said.append(_statement(feature, high, more=False))
    return said


def _statement(feature: Feature, limit: float, *, more: bool) -> Node:
    if feature.of == "days":
        op = Op.DAYS_AGO if more else Op.LAST_DAYS
        return Figure(name=FigureName.LAST_ORDER, test=Test(op=op, values=(limit,)))
    # What is always known is at most this, where it is not more.
    counted = feature.of in _WHOLE or feature == _ORDERS
    test = Test(op=Op.AT_MOST if counted and not more else Op.MORE, values=(limit,))
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
    return said if more or counted else Group(node="none", of=(said,))
