"""Whom segments share: worked out of columns, beside which each segment's members are kept.

They are those of its present definition, as of the columns, whoever asks first; so that all figures are of one moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shuke.base.errors import BadInput, ShukeError
from shuke.platform import Transaction, Workplace
from shuke.segments.model.segment import Overlap, Segment, Shared
from shuke.segments.rules.checking import checked
from shuke.segments.service.asking import Asking
from shuke.segments.service.columns import columns_now, latest_columns
from shuke.segments.service.definitions import get_segment
from shuke.segments.service.sets import Bits, Sets, count

__all__ = ["OVERLAP_MAX", "overlap", "sharing"]

#: Segments of one comparison; of a preview, how many are shown, and how many are worked out where nobody has before.
OVERLAP_MAX = 12
SHARED_MAX = 10
NEW_MAX = 3


def sharing(sets: Sets, found: Bits, there: Sequence[Segment]) -> tuple[tuple[Shared, ...], int]:
    """The segments that share most with these customers, and how many segments were looked at.

    Args:
        sets: of whom.
        found: these customers.
        there: the segments. Of those that nobody has asked these columns for yet, the first :data:`NEW_MAX` are.
    """
    looked_at: list[tuple[float, Shared]] = []
    new = 0
    of_these = count(found)
    for one in there:
        try:
            tree = checked(one.definition, sets.asked.vocabulary)
        except ShukeError:
            # It cannot be built, as its own page says.
            continue
        if not sets.has(tree):
            if new == NEW_MAX:
                continue
            new += 1
        members = sets.of_segment(tree)
        customers, both = count(members), count(members & found)
        likeness = both / max(of_these + customers - both, 1)
        shared = Shared(segment_id=one.segment_id, name=one.name, customers=customers, both=both)
        looked_at.append((likeness, shared))
    most = sorted((pair for pair in looked_at if pair[1].both), key=lambda pair: -pair[0])
    return tuple(shared for _, shared in most[:SHARED_MAX]), len(looked_at)


def overlap(workplace: Workplace, tx: Transaction, asked: Asking, segment_ids: Sequence[UUID]) -> Overlap:
    """How many customers each two of these segments share, as of the newest columns.

    Raises:
        NotFound: ``segments.no_segment``.
        BadInput: ``segments.bad_overlap`` for other than 2 to :data:`OVERLAP_MAX` segments, and what is wrong with the
            definition of one by now.
        CannotSay: ``platform.no_table`` without a lake.
        NotAvailable: ``segments.busy``.
    """
    wanted = list(dict.fromkeys(segment_ids))
    if not 2 <= len(wanted) <= OVERLAP_MAX:
        raise BadInput("segments.bad_overlap", limit=OVERLAP_MAX)
    there = [get_segment(tx, one) for one in wanted]
    columns = latest_columns(workplace) or columns_now(workplace)
    with Sets(workplace, columns, asked) as sets:
        members = [sets.of_segment(checked(one.definition, asked.vocabulary)) for one in there]
    both = tuple(tuple(count(one & other) for other in members) for one in members)
    return Overlap(as_of=columns.at, segments=tuple(there), both=both)
