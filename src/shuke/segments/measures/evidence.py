"""Which rows a statement looked at: what somebody is shown who asks why it holds of a customer, or why it does not."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence as Several
from functools import reduce

import ibis
import ibis.expr.types as ir

from shuke.segments.measures.happenings import Meant, begun, matching, moved, one_if, reaching, table_of, within
from shuke.segments.measures.subjects import Subjects
from shuke.segments.measures.values import YES
from shuke.segments.model.clock import Clock
from shuke.segments.model.kinds import measured_of
from shuke.segments.model.tree import Between, Did, Facts, Last, Measured, Moved, Node, Sequence, What, Window

__all__ = ["LOOKING", "evidence"]

#: The nodes that ask what happened.
LOOKING = (Did, Measured, Moved, Sequence)


def evidence(nodes: Several[Node], subjects: Subjects, clock: Clock, *, most: int) -> ir.Table:
    """Of every customer and each node that asks what happened, the latest rows that it is about.

    Args:
        nodes: that can be asked; at least one of :data:`LOOKING`.
        subjects: of whom.
        clock: when.
        most: how many rows of each node and customer at most. Of those outside the node's window only the latest, and
            only where none is within it.

    Returns:
        customer_id, ``number`` (of the node), ``us``, ``kind`` and ``name`` (of an order, "order" and null; of a change
        of stage that was left, the stage's name), ``product_id``, ``amount_minor``, ``counts`` (whether it lies in the
        window), ``found`` (how many rows do); by node, the latest first.
    """
    parts = [part for number, node in enumerate(nodes) for part in _rows(number, node, subjects, clock)]
    rows = reduce(lambda left, right: left.union(right), parts)
    each = ibis.window(group_by=[rows.customer_id, rows.number])
    latest = ibis.window(group_by=each.groupings, order_by=[rows.counts.desc(), rows.us.desc(), rows.product_id])
    rows = rows.mutate(place=ibis.row_number().over(latest), found=one_if(rows.counts).sum().over(each))
    rows = rows.filter((rows.place < most) & (rows.counts | (rows.place == 0))).drop("place")
    return rows.order_by([rows.number, rows.us.desc(), rows.product_id])


def _rows(number: int, node: Node, subjects: Subjects, clock: Clock) -> Iterable[ir.Table]:
    if isinstance(node, Did):
        yield _of(number, node.what, node.window, subjects, clock)
    elif isinstance(node, Measured):
        yield _of(number, measured_of(node), node.window, subjects, clock)
    elif isinstance(node, Moved):
        yield _of(number, node, node.window, subjects, clock)
    elif isinstance(node, Sequence):
        whats = [what for step in node.steps for what in (step.what, step.unless.what if step.unless else None)]
        # One that two steps are about is one row.
        for what in {repr(what): what for what in whats if what is not None}.values():
            yield _of(number, what, node.window, subjects, clock, follows=True)


def _of(
    number: int, what: What | Moved, window: Window, subjects: Subjects, clock: Clock, *, follows: bool = False
) -> ir.Table:
    """The rows of one thing; what ``follows`` counts from the beginning of the window on, however late it is."""
    name, meant = _meant(what, subjects, clock)
    if follows:
        rows = table_of(name, subjects)
        counts = begun(window, rows, subjects, clock) if isinstance(window, Last | Between) else YES
    else:
        rows = reaching(window, table_of(name, subjects), subjects, clock)
        counts = within(window, rows, subjects, clock)
    of_facts = name == "facts"
    text = ibis.null("string")
    called: ir.Value = text
    if of_facts:
        left = isinstance(what, Moved) and what.change == "left"
        called = subjects.inside_fact(rows, "from") if left else rows["name"]
    chosen = rows.mutate(counts=counts, called=called).filter(meant(rows))
    return chosen.select(
        "customer_id",
        "us",
        "counts",
        "amount_minor",
        number=ibis.literal(number, type="int64"),
        kind=chosen.kind if of_facts else ibis.literal("order"),
        name=chosen.called,
        product_id=chosen.product_id if name.startswith("lines") else text,
    )


def _meant(what: What | Moved, subjects: Subjects, clock: Clock) -> tuple[str, Meant]:
    if not isinstance(what, Moved):
        return matching(what, subjects, clock)
    name, _ = matching(Facts(kind="stage"), subjects, clock)
    return name, moved(what, subjects, clock)
