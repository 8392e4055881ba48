"""What trees can speak of, as it stands in the newest columns; worked out once for each of them, and kept beside them.

Nothing personal is among it: what is, lies in the vault, and neither the columns nor the lake have it.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

import ibis.expr.types as ir
import sqlalchemy as sa
from pydantic import TypeAdapter

from shuke import catalog
from shuke.base.errors import BadInput
from shuke.platform import DuckDBEngine, Transaction, Workplace, duckdb_of
from shuke.segments.measures import INSIDE, alike, counted, drawn, properties_of, told
from shuke.segments.model.kinds import OWN, Kind
from shuke.segments.model.words import Agreed, Happening, Held, Kept, Labelled, PropertyWord, Used, Words
from shuke.segments.rules.checking import PROPERTY
from shuke.segments.service.asking import Asking
from shuke.segments.service.columns import Columns, Turns, columns_now, latest_columns

__all__ = ["SUGGESTED_MAX", "Of", "labels_of", "suggested", "words_now", "words_of"]

#: Of each list, of properties of facts of one name, and of suggestions.
WORDS_MAX = 200
PROPERTIES_MAX = 50
SUGGESTED_MAX = 20
#: Products and stores that may be meant by their name.
NAMED_MAX = 1_000
MEMORY_BYTES_MAX = 500_000_000

Of = Literal["attribute", "property", "product", "category", "brand", "tag", "channel", "store"]

_WORDS, _SAMPLE = "words.json", "sample.parquet"
_KINDS = {"VARCHAR": Kind.TEXT, "BOOLEAN": Kind.TRUTH}
_NUMBERS = ("BIGINT", "UBIGINT", "HUGEINT", "DOUBLE")
#: Where suggestions stand: the table, and its column.
_PLACES: dict[str, tuple[str, str]] = {
    "product": ("lines", "product_id"),
    "category": ("lines", "category"),
    "brand": ("lines", "brand"),
    "channel": ("orders", "channel"),
    "store": ("orders", "store"),
    "tag": ("tags", "tag"),
}

_turns = Turns(4)


@cache
def _adapter() -> TypeAdapter[Words]:
    return TypeAdapter(Words)


def words_now(workplace: Workplace) -> Words:
    """The words of the newest columns; where there are none yet, they are made.

    Raises:
        CannotSay: ``platform.no_table`` without a lake.
        NotAvailable: ``segments.busy``.
    """
    return words_of(workplace, latest_columns(workplace) or columns_now(workplace))


def words_of(workplace: Workplace, columns: Columns) -> Words:
    """The words of these columns; NotAvailable ``segments.busy``."""
    file = columns.folder / _WORDS
    with suppress(FileNotFoundError):
        return _adapter().validate_json(file.read_bytes())
    with _turns.taken(), duckdb_of(workplace.settings, memory_bytes_max=MEMORY_BYTES_MAX) as engine:
        words = _found(engine, columns)
    with tempfile.NamedTemporaryFile(dir=columns.folder, prefix=".", delete=False) as partial:
        partial.write(_adapter().dump_json(words))
    Path(partial.name).rename(file)
    return words


def _found(engine: DuckDBEngine, columns: Columns) -> Words:
    subjects = columns.subjects(engine)

    def used(table: ir.Table, name: str) -> tuple[Used, ...]:
        found = _rows(counted(table, name, most=WORDS_MAX))
        return tuple(Used(value=one[name], times=one["times"]) for one in found)

    def people(table: ir.Table, *names: str) -> Iterator[dict[str, Any]]:
        for one in _rows(counted(table, *names, most=WORDS_MAX, people=True)):
            yield {**{name: one[name] for name in names}, "customers": one["times"]}

    return Words(
        as_of=columns.at,
        tags=tuple(Held(**one) for one in people(_valid(subjects.tags, columns), "tag")),
        identities=tuple(Kept(**one) for one in people(subjects.identities, "kind")),
        consents=tuple(Agreed(**one) for one in people(subjects.consents, "purpose", "channel", "state")),
        facts=_happenings(engine, columns, subjects.facts),
        channels=used(subjects.orders, "channel"),
        stores=used(subjects.orders, "store"),
        categories=used(subjects.lines, "category"),
        brands=used(subjects.lines, "brand"),
    )


def _happenings(engine: DuckDBEngine, columns: Columns, facts: ir.Table) -> tuple[Happening, ...]:
    names = engine.keep(told(facts, WORDS_MAX), "told")
    sample = engine.keep(drawn(facts, names), "sample")
    engine.write_parquet(sample, columns.folder / _SAMPLE)
    looked_at = {(one["kind"], one["name"]): one["times"] for one in _rows(told(sample, WORDS_MAX))}
    # Of each property every type that it has, of which the most frequent counts.
    most = WORDS_MAX * PROPERTIES_MAX * 4
    types: dict[tuple[str, str | None], dict[str, dict[Kind, int]]] = defaultdict(lambda: defaultdict(dict))
    for one in _rows(properties_of(sample, most)):
        kind = _kind(one["property"], one["type"])
        if kind is not None and PROPERTY.fullmatch(one["property"]):
            times = types[one["kind"], one["name"]][one["property"]]
            times[kind] = times.get(kind, 0) + one["times"]
    return tuple(
        Happening(
            kind=one["kind"],
            name=one["name"],
            times=one["times"],
            looked_at=looked_at.get((one["kind"], one["name"]), 0),
            properties=_properties(types[one["kind"], one["name"]]),
        )
        for one in _rows(names.order_by(names.times.desc(), "kind", "name"))
    )


def _kind(name: str, type_: str | None) -> Kind | None:
    """What the values of a property are; None of what cannot be asked: objects and lists."""
    if type_ is None:
        return OWN[name]
    return Kind.NUMBER if type_ in _NUMBERS else _KINDS.get(type_)


def _properties(found: dict[str, dict[Kind, int]]) -> tuple[PropertyWord, ...]:
    words = [
        PropertyWord(name=name, kind=max(kinds, key=lambda kind: kinds[kind]), times=sum(kinds.values()))
        for name, kinds in found.items()
    ]
    return tuple(sorted(words, key=lambda word: (-word.times, word.name))[:PROPERTIES_MAX])


def suggested(
    workplace: Workplace,
    asked: Asking,
    of: Of,
    *,
    name: str | None = None,
    fact_kind: str | None = None,
    fact_name: str | None = None,
    where: tuple[str, str] | None = None,
    begins: str = "",
) -> tuple[Labelled, ...]:
    """Values that stand there, at most :data:`SUGGESTED_MAX`, the most frequent first.

    Args:
        workplace: whose columns.
        asked: what there is.
        of: what is looked for; ``times`` are customers of attributes and tags, lines of products, categories and
            brands, orders of channels and stores, and of properties facts among those that were looked at.
        name: which attribute, or which property.
        fact_kind: of which facts the property is; None is any.
        fact_name: likewise.
        where: only of facts of which this property is this text.
        begins: what the value, or what it is called, has in it.

    Raises:
        BadInput: ``segments.no_attribute``, ``segments.personal_attribute``, ``segments.bad_property``.
        CannotSay: ``platform.no_table`` without a lake.
        NotAvailable: ``segments.busy``.
    """
    _check(asked, of, name, where)
    columns = latest_columns(workplace) or columns_now(workplace)
    if of == "property":
        # Its sample is made with the words.
        words_of(workplace, columns)
    with workplace.database.read() as tx:
        named = labels_of(tx, of, begins=begins) if begins else {}
    with _turns.taken(), duckdb_of(workplace.settings, memory_bytes_max=MEMORY_BYTES_MAX) as engine:
        table = _values(engine, columns, of, name, (fact_kind, fact_name, where))
        if begins:
            table = table.filter(alike(table.value, begins, named))
        found = _rows(counted(table, "value", most=SUGGESTED_MAX, people=of in ("attribute", "tag")))
    with workplace.database.read() as tx:
        labels = labels_of(tx, of, values=[one["value"] for one in found])
    return tuple(
        Labelled(value=one["value"], label=labels.get(one["value"], one["value"]), times=one["times"]) for one in found
    )


def labels_of(tx: Transaction, of: str, *, values: list[str] | None = None, begins: str = "") -> dict[str, str]:
    """What products and stores are called: these, or those with ``begins`` in their name; of others nothing."""
    if of not in ("product", "store"):
        return {}
    every, key = (catalog.every_product(), "product_id") if of == "product" else (catalog.every_store(), "store_id")
    shelf = every.subquery()
    wanted = sa.select(shelf.c[key], shelf.c.name).where(shelf.c.name.is_not(None)).limit(NAMED_MAX)
    if values is not None:
        wanted = wanted.where(shelf.c[key].in_(values))
    if begins:
        wanted = wanted.where(shelf.c.name.icontains(begins, autoescape=True))
    return {row[0]: row[1] for row in tx.execute(wanted)}


def _check(asked: Asking, of: Of, name: str | None, where: tuple[str, str] | None) -> None:
    # Of what is personal, not even a day can be suggested.
    if of == "attribute" and asked.kinds.get(name or "", Kind.YEARLY) is Kind.YEARLY:
        code = "personal_attribute" if name in asked.vocabulary.personal else "no_attribute"
        raise BadInput(f"segments.{code}", place="name", attribute=name or "")
    named = [name or "", *(() if where is None else where[:1])]
    if of == "property" and not all(map(PROPERTY.fullmatch, named)):
        raise BadInput("segments.bad_property")


#: Of which facts a property is: their kind, their name, and what another property is.
_Facts = tuple[str | None, str | None, tuple[str, str] | None]


def _values(engine: DuckDBEngine, columns: Columns, of: Of, name: str | None, facts: _Facts) -> ir.Table:
    """The table in which the values stand as ``value``."""
    if of == "property":
        return _of_facts(engine.read_parquet(columns.folder / _SAMPLE), str(name), facts)
    subjects = columns.subjects(engine)
    if of == "attribute":
        people = subjects.people
        return people.select("customer_id", value=INSIDE["duckdb"](people.attributes, str(name)))
    place, column = _PLACES[of]
    table: ir.Table = getattr(subjects, place)
    return (_valid(table, columns) if of == "tag" else table).select("customer_id", value=column)


def _of_facts(sample: ir.Table, name: str, facts: _Facts) -> ir.Table:
    fact_kind, fact_name, where = facts
    if fact_kind is not None:
        sample = sample.filter(sample.kind == fact_kind)
    if fact_name is not None:
        sample = sample.filter(sample["name"] == fact_name)
    if where is not None:
        sample = sample.filter(_property(sample, where[0]) == where[1])
    return sample.select("customer_id", value=_property(sample, name))


def _property(sample: ir.Table, name: str) -> ir.StringValue:
    value = sample[name].cast("string") if name in OWN else INSIDE["duckdb"](sample.properties, name)
    return cast(ir.StringValue, value)


def _valid(tags: ir.Table, columns: Columns) -> ir.Table:
    expires = tags.expires_us
    return tags.filter(expires.isnull() | (expires > columns.at_us))


def _rows(table: ir.Table) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = table.to_pyarrow().to_pylist()
    return found
