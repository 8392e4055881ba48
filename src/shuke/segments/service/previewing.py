"""What somebody sees of a tree while they write it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shuke.platform import Workplace
from shuke.segments.model.segment import Preview
from shuke.segments.model.tree import Node
from shuke.segments.service.asking import Asking
from shuke.segments.service.columns import columns_now, latest_columns
from shuke.segments.service.definitions import list_segments
from shuke.segments.service.overlapping import sharing
from shuke.segments.service.sets import Sets

__all__ = ["preview"]

#: Customers that a preview shows.
SOME = 10


def preview(workplace: Workplace, asked: Asking, tree: Node) -> Preview:
    """Whom a checked tree would mean, by the newest columns and as of them; where there are none yet, they are made.

    Raises NotAvailable ``segments.busy`` when too many others are worked out at the same time.
    """
    columns = latest_columns(workplace) or columns_now(workplace)
    with workplace.database.read() as tx:
        there = list_segments(tx)
    with Sets(workplace, columns, asked) as sets:
        found = sets.meant(tree)
        overlap, compared = sharing(sets, found, there)
        numbers = sets.numbers(found)
        worth = sets.worth[numbers]
        return Preview(
            as_of=columns.at,
            customers=len(numbers),
            everybody=len(sets.worth),
            value_minor=int(worth.sum()),
            some=sets.ids(numbers[_most(worth, SOME)].tolist()),
            overlap=overlap,
            compared=compared,
        )


def _most(worth: npt.NDArray[np.int64], many: int) -> npt.NDArray[np.intp]:
    """The places of the ``many`` highest, the highest first; of equal ones the first."""
    if len(worth) > many:
        # Without putting all of them in order: whoever has at least as much as the last of them.
        candidates = np.flatnonzero(worth >= np.partition(worth, -many)[-many])
    else:
        candidates = np.arange(len(worth))
    return candidates[np.argsort(-worth[candidates], kind="stable")][:many]
