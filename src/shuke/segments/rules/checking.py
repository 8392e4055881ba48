"""Whether a tree can be asked: its form, its limits, and that every test suits what it is about.

What is wrong is told with its place, in the words of the document: ``all/of/0/did/window``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from shuke.base.errors import BadInput
from shuke.segments.model.kinds import FIGURES, MEASURED, OWN, Kind, kind_of, kind_of_values, measured_of
from shuke.segments.model.tree import (
    DEPTH_MAX,
    NODES_MAX,
    STEPS_MAX,
    VALUES_MAX,
    Anchored,
    Attribute,
    Between,
    Did,
    Facts,
    Figure,
    Goods,
    Group,
    InSegment,
    Listed,
    Measured,
    Moved,
    Near,
    Node,
    Op,
    Orders,
    Property,
    Sequence,
    Share,
    SinceStage,
    Span,
    Test,
    Top,
    Unit,
)
from shuke.segments.rules.places import Place, living_near

__all__ = [
    "PROPERTY",
    "Vocabulary",
    "attributes_of",
    "checked",
    "expanded",
    "lists_of",
    "naming",
    "ranks",
    "read_tree",
    "segments_of",
    "written_tree",
]

TEXT_MAX = 500
#: The longest of each unit: some years.
SPANS_MAX = {Unit.MINUTES: 100_000, Unit.HOURS: 20_000, Unit.DAYS: 4_000, Unit.WEEKS: 600, Unit.MONTHS: 120}
DAYS_MAX = 10_000

# Without what engines would read as their own in the path of a property.
PROPERTY = re.compile(r"[^\"'\\*?\x00-\x1f]{1,100}")
_ORDERED = (Op.AT_LEAST, Op.AT_MOST, Op.MORE, Op.LESS, Op.BETWEEN)
_DATED = (Op.BEFORE, Op.SINCE, Op.BETWEEN, Op.LAST_DAYS, Op.NEXT_DAYS, Op.DAYS_AGO)
_EVER = (Op.KNOWN, Op.UNKNOWN)
_OPS: dict[Kind, tuple[Op, ...]] = {
    Kind.TEXT: (Op.IS, Op.IS_NOT, Op.CONTAINS, Op.LACKS, Op.BEGINS, *_EVER),
    Kind.NUMBER: (Op.IS, Op.IS_NOT, *_ORDERED, *_EVER),
    Kind.TRUTH: (Op.IS, Op.IS_NOT, *_EVER),
    Kind.DATE: (*_DATED, Op.ANNIVERSARY, *_EVER),
    Kind.MOMENT: (*_DATED, *_EVER),
    Kind.YEARLY: (Op.ANNIVERSARY, *_EVER),
}
_SEVERAL = (Op.IS, Op.IS_NOT, Op.CONTAINS, Op.LACKS, Op.BEGINS)
_COUNTS_DAYS = (Op.LAST_DAYS, Op.NEXT_DAYS, Op.DAYS_AGO, Op.ANNIVERSARY)
#: With another attribute on the other side.
_THAN: dict[Kind, tuple[Op, ...]] = {
    Kind.TEXT: (Op.IS,),
    Kind.NUMBER: (Op.IS, Op.AT_LEAST, Op.AT_MOST, Op.MORE, Op.LESS),
    Kind.TRUTH: (Op.IS,),
    Kind.DATE: (Op.BEFORE, Op.SINCE),
}


@dataclass(frozen=True)
class Vocabulary:
    """What a tree may speak of: attributes by name, stages, segments (their trees), lists and stores that there
    are.

    ``personal`` are attributes that are kept in the vault, of which nothing can be asked but of a date whether its day
    comes.
    """

    attributes: Mapping[str, Kind] = field(default_factory=dict)
    personal: frozenset[str] = frozenset()
    stages: frozenset[str] = frozenset()
    segments: Mapping[UUID, Node] = field(default_factory=dict)
    lists: frozenset[UUID] = frozenset()
    stores: Mapping[str, Place] = field(default_factory=dict)


@cache
def _adapter() -> TypeAdapter[Any]:
    return TypeAdapter(Node)


def read_tree(document: object) -> Node:
    """The tree of a document (what JSON says, as Python has it); BadInput ``segments.unreadable`` with the place."""
    _refuse_deep(document)
    try:
        node: Node = _adapter().validate_python(document)
    except ValidationError as reason:
        first = reason.errors(include_url=False, include_input=False)[0]
        place = "/".join(map(str, first["loc"]))
        raise BadInput("segments.unreadable", place=place, reason=first["msg"]) from None
    return node


def written_tree(node: Node) -> dict[str, Any]:
    """The document of a tree, which reads as the same tree."""
    document: dict[str, Any] = _adapter().dump_python(node, mode="json", exclude_none=True)
    return document


def checked(node: Node, vocabulary: Vocabulary) -> Node:
    """The tree itself, once it can be asked.

    Raises:
        BadInput: ``segments.too_large``, ``segments.no_attribute``, ``segments.personal_attribute``,
            ``segments.bad_test``, ``segments.bad_window``, ``segments.bad_sequence``, ``segments.bad_measure``,
            ``segments.bad_part``, ``segments.no_stage``, ``segments.no_segment``, ``segments.cycle``,
            ``segments.no_list``, ``segments.no_store``, ``segments.store_without_place``.
    """
    nodes, depth = _size(node, vocabulary.segments, (), {})
    if depth > DEPTH_MAX or nodes > NODES_MAX:
        raise BadInput("segments.too_large", depth=DEPTH_MAX, nodes=NODES_MAX)
    for place, part in _parts(node, node.node):
        _check(place, part, vocabulary)
    return node


def expanded(node: Node, vocabulary: Vocabulary) -> Node:
    """A checked tree, with what they mean in the place of the names of other segments and of stores."""
    match node:
        case Group():
            return replace(node, of=tuple(expanded(one, vocabulary) for one in node.of))
        case InSegment():
            return expanded(vocabulary.segments[node.segment_id], vocabulary)
        case Near():
            return living_near(node, vocabulary.stores)
        case _:
            return node


def segments_of(node: Node) -> frozenset[UUID]:
    """The segments that a tree names itself."""
    return frozenset(one.segment_id for one in _groups_and_leaves(node) if isinstance(one, InSegment))


def naming(segment_id: UUID, segments: Mapping[UUID, Node]) -> frozenset[UUID]:
    """The segments that mean others when this one does: whose trees name it, or one that does."""
    found: set[UUID] = {segment_id}
    while more := {one for one, tree in segments.items() if one not in found and segments_of(tree) & found}:
        found |= more
    return frozenset(found - {segment_id})


def lists_of(node: Node) -> frozenset[UUID]:
    """The lists that a tree names itself."""
    return frozenset(one.list_id for one in _groups_and_leaves(node) if isinstance(one, Listed))


def ranks(node: Node) -> bool:
    """Whether a tree compares customers with all others, so that one cannot be asked without everybody."""
    return any(isinstance(one, Top) for one in _groups_and_leaves(node))


def attributes_of(node: Node) -> frozenset[str]:
    """The attributes that a tree names."""
    named = {part.name for _, part in _parts(node, "") if isinstance(part, Attribute)}
    return frozenset(named | {part.than for _, part in _parts(node, "") if isinstance(part, Test) and part.than})


def _groups_and_leaves(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Group):
        for one in node.of:
            yield from _groups_and_leaves(one)


def _size(
    node: Node, segments: Mapping[UUID, Node], inside: tuple[UUID, ...], known: dict[UUID, tuple[int, int]]
) -> tuple[int, int]:
    """How many nodes, and how deep, the tree is with other segments in it; each of these is looked at once."""
    if isinstance(node, Group):
        sizes = [_size(one, segments, inside, known) for one in node.of]
        return 1 + sum(nodes for nodes, _ in sizes), 1 + max((depth for _, depth in sizes), default=0)
    if not isinstance(node, InSegment):
        return 1, 0
    named = node.segment_id
    if named in inside:
        raise BadInput("segments.cycle", segment_id=str(named))
    if named not in segments:
        raise BadInput("segments.no_segment", segment_id=str(named))
    if named not in known:
        known[named] = _size(segments[named], segments, (*inside, named), known)
    return known[named]


def _refuse_deep(document: object) -> None:
    """Before anything walks through it by calling itself."""
    level, depth = [document], 0
    # A group, its list, a leaf and what is in that.
    while level:
        depth += 1
        if depth > 2 * DEPTH_MAX + 20:
            raise BadInput("segments.too_large", depth=DEPTH_MAX, nodes=NODES_MAX)
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]


def _parts(part: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Every part of a tree with its place."""
    yield place, part
    for one in fields(part):
        value = getattr(part, one.name)
        values = enumerate(value) if isinstance(value, tuple) else [("", value)]
        for number, inner in values:
            if is_dataclass(inner):
                yield from _parts(inner, f"{place}/{one.name}" + (f"/{number}" if number != "" else ""))


def _check(place: str, part: Any, vocabulary: Vocabulary) -> None:
    check = _CHECKS.get(type(part))
    if check is not None:
        check(place, part, vocabulary)
    for one in fields(part):
        _check_words(place, getattr(part, one.name))


def _check_words(place: str, value: Any) -> None:
    values = value if isinstance(value, tuple) else (value,)
    if len(values) > VALUES_MAX or not all(_is_text(one) for one in values if isinstance(one, str)):
        raise BadInput("segments.bad_part", place=place, values=VALUES_MAX, characters=TEXT_MAX)


def _is_text(value: str) -> bool:
    try:
        # Half of a surrogate pair is no character, and the null character has no place in PostgreSQL.
        return len(value.encode()) > 0 and len(value) <= TEXT_MAX and "\x00" not in value
    except UnicodeEncodeError:
        return False


def _check_attribute(place: str, node: Attribute, vocabulary: Vocabulary) -> None:
    _check_test(place, node.test, _known_attribute(place, node.name, vocabulary), vocabulary)


def _known_attribute(place: str, name: str, vocabulary: Vocabulary) -> Kind:
    if name in vocabulary.attributes:
        return vocabulary.attributes[name]
    code = "personal_attribute" if name in vocabulary.personal else "no_attribute"
    raise BadInput(f"segments.{code}", place=place, attribute=name)


def _check_near(place: str, node: Near, vocabulary: Vocabulary) -> None:
    if not node.stores:
        raise BadInput("segments.bad_part", place=place, values=VALUES_MAX, characters=TEXT_MAX)
    for store in node.stores:
        if store not in vocabulary.stores:
            raise BadInput("segments.no_store", place=place, store=store)
        if not vocabulary.stores[store].known(node.within):
            raise BadInput("segments.store_without_place", place=place, store=store)


def _check_figure(place: str, node: Figure, vocabulary: Vocabulary) -> None:
    _check_test(place, node.test, FIGURES[node.name], vocabulary, than=False)
    if node.name == "stage" and node.test.op in (Op.IS, Op.IS_NOT):
        _check_stages(place, node.test.values, vocabulary)


def _check_stages(place: str, stages: tuple[Any, ...], vocabulary: Vocabulary) -> None:
    for stage in stages:
        if stage not in vocabulary.stages:
            raise BadInput("segments.no_stage", place=place, stage=stage)


def _check_moved(place: str, node: Moved, vocabulary: Vocabulary) -> None:
    if not node.stages:
        raise BadInput("segments.bad_part", place=place, values=VALUES_MAX, characters=TEXT_MAX)
    _check_stages(place, node.stages, vocabulary)


def _check_did(place: str, node: Did, vocabulary: Vocabulary) -> None:
    _check_test(place, node.times, Kind.NUMBER, vocabulary, than=False)
    if node.times.op in _EVER:
        raise BadInput("segments.bad_test", place=place, op=node.times.op.value, kind=Kind.NUMBER.value)


def _check_measured(place: str, node: Measured, vocabulary: Vocabulary) -> None:
    what = measured_of(node)
    of_facts, of_lines = isinstance(what, Facts), isinstance(what, Orders) and what.goods is not None
    known = node.of in ("amount_minor", "day") or (of_lines and node.of in MEASURED)
    summed = node.of != "quantity" and node.of in MEASURED and of_lines and node.by not in ("distinct", "first", "last")
    dated = node.of == "day" and node.by not in ("least", "greatest", "first", "last")
    of_goods = isinstance(node.what, Orders) and node.what.goods is not None
    shared = node.by == "share" and not (of_goods and node.of == "amount_minor")
    if not (known or (of_facts and (node.of in OWN or PROPERTY.fullmatch(node.of)))) or summed or dated or shared:
        raise BadInput("segments.bad_measure", place=place, of=node.of, by=node.by)
    _check_test(place, node.test, kind_of(node, vocabulary.attributes), vocabulary)


def _check_test(place: str, test: Test, kind: Kind, vocabulary: Vocabulary, *, than: bool = True) -> None:
    wrong = BadInput("segments.bad_test", place=place, op=test.op.value, kind=kind.value)
    if test.than is not None:
        if not than or test.op not in _THAN.get(kind, ()) or test.values:
            raise wrong
        if _known_attribute(place, test.than, vocabulary) is not kind:
            raise wrong
        return
    if (
        test.op not in _OPS[kind]
        or not _many_enough(test)
        or not all(_suits(one, kind, test.op) for one in test.values)
    ):
        raise wrong
    if test.op is Op.BETWEEN and test.values[0] > test.values[1]:  # type: ignore[operator] # both are of one kind by now
        raise wrong


def _many_enough(test: Test) -> bool:
    if test.op in _EVER:
        return not test.values
    if test.op in _SEVERAL:
        return 1 <= len(test.values) <= VALUES_MAX
    return len(test.values) == (2 if test.op is Op.BETWEEN else 1)


def _suits(value: object, kind: Kind, op: Op) -> bool:
    if op in _COUNTS_DAYS:
        return isinstance(value, int | float) and float(value).is_integer() and 0 <= value <= DAYS_MAX
    if kind is Kind.NUMBER:
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53
    if kind is Kind.TRUTH:
        return isinstance(value, bool)
    if kind is Kind.TEXT:
        return isinstance(value, str)
    return _is_day(value)


def _is_day(value: object) -> bool:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return False
    return day is not None and 1900 <= day.year <= 2999 and len(str(value)) == 10


def _check_property(place: str, one: Property, vocabulary: Vocabulary) -> None:
    if not PROPERTY.fullmatch(one.name):
        raise BadInput("segments.bad_part", place=place, values=VALUES_MAX, characters=100)
    _check_test(place, one.test, OWN.get(one.name) or kind_of_values(one.test), vocabulary, than=False)


def _check_orders(place: str, what: Orders, vocabulary: Vocabulary) -> None:
    for test in (what.amount, what.discount_share):
        if test is not None:
            _check_test(place, test, Kind.NUMBER, vocabulary, than=False)


def _check_goods(place: str, goods: Goods, _: Vocabulary) -> None:
    if not (goods.products or goods.categories or goods.brands):
        raise BadInput("segments.bad_part", place=place, values=VALUES_MAX, characters=TEXT_MAX)


def _check_between(place: str, window: Between, _: Vocabulary) -> None:
    days = [day for day in (window.since, window.until) if day is not None]
    if not days or not all(map(_is_day, days)) or days != sorted(days):
        raise BadInput("segments.bad_window", place=place)


def _check_span(place: str, span: Span, _: Vocabulary) -> None:
    if not 0 < span.n <= SPANS_MAX[span.unit]:
        raise BadInput("segments.bad_span", place=place, unit=span.unit.value, limit=SPANS_MAX[span.unit])


def _check_sequence(place: str, node: Sequence, _: Vocabulary) -> None:
    first = node.steps[0] if node.steps else None
    if (
        not 1 <= len(node.steps) <= STEPS_MAX
        or isinstance(node.window, SinceStage | Anchored)
        or (first is not None and first.within is not None)
    ):
        raise BadInput("segments.bad_sequence", place=place, limit=STEPS_MAX)


def _check_share(place: str, node: Share, _: Vocabulary) -> None:
    if not 0 <= node.since < node.until <= 100:
        raise BadInput("segments.bad_share", place=place)


def _check_top(place: str, node: Top, _: Vocabulary) -> None:
    one_of = (node.n is None) != (node.percent is None)
    good = one_of and (node.n is None or 0 < node.n <= 2**31 - 1) and (node.percent is None or 0 < node.percent <= 100)
    if not good or FIGURES[node.by] is Kind.TEXT:
        raise BadInput("segments.bad_top", place=place)


def _check_listed(place: str, node: Listed, vocabulary: Vocabulary) -> None:
    if node.list_id not in vocabulary.lists:
        raise BadInput("segments.no_list", place=place, list_id=str(node.list_id))


_CHECKS: dict[type, Callable[[str, Any, Vocabulary], None]] = {
    Attribute: _check_attribute,
    Figure: _check_figure,
    Near: _check_near,
    Moved: _check_moved,
    Did: _check_did,
    Measured: _check_measured,
    Property: _check_property,
    Orders: _check_orders,
    Goods: _check_goods,
    Between: _check_between,
    Span: _check_span,
    Sequence: _check_sequence,
    Share: _check_share,
    Top: _check_top,
    Listed: _check_listed,
}
