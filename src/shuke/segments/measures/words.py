"""What stands in the tables, and how often: for suggestions to whoever writes a tree. On DuckDB."""

from __future__ import annotations

from collections.abc import Collection
from functools import reduce
from typing import cast

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from shuke.segments.measures.values import folded, plain
from shuke.segments.model.kinds import OWN

__all__ = ["DRAWN", "LONG", "alike", "carried", "commonest", "counted", "drawn", "properties_of", "told"]

#: Values of more characters are no words, and never shown.
LONG = 100
#: Facts of one kind and name that are looked at for their properties, about.
DRAWN = 5_000
#: What DuckDB calls the types of JSON that are several values, or none.
_NO_VALUE = ("ARRAY", "OBJECT", "NULL")


@ibis.udf.scalar.builtin(name="json_keys", signature=((dt.string,), dt.Array(dt.string)))
def _keys(document):  # type: ignore[no-untyped-def] # Ibis reads the signature above
    """DuckDB's own."""


@ibis.udf.scalar.builtin(name="json_type", signature=((dt.string, dt.string), dt.string))
def _type(document, path):  # type: ignore[no-untyped-def] # likewise
    """DuckDB's own."""


def counted(table: ir.Table, *columns: str, most: int, people: bool = False) -> ir.Table:
    """How often each of the values of these columns stands there (``times``), the most frequent first.

    Rows without one of them, or with an empty or a long one, do not count. With ``people`` customers are counted.
    """
    words = table.filter([(table[name] != "") & (table[name].length() <= LONG) for name in columns])
    times = words.customer_id.nunique() if people else words.count()
    found = words.group_by(list(columns)).aggregate(times=times)
    return found.order_by(found.times.desc(), *columns).limit(most)


def commonest(table: ir.Table, name: str, at_most: int) -> ir.Table:
    """The commonest values of a column, ``value``, by rows."""
    known = table.select(value=table[name]).filter(ibis._["value"].notnull())
    counted = known.group_by("value").aggregate(times=known.count())
    return counted.order_by([counted.times.desc(), counted["value"]]).limit(at_most).select("value")


def alike(value: ir.StringValue, begins: str, others: Collection[str] = ()) -> ir.BooleanValue:
    """Whether a value has this in it, whether A to Z are capitals or not, or is one of the others."""
    found = folded(value).contains(plain(begins))
    return cast(ir.BooleanValue, found | value.isin(list(others)) if others else found)


def told(facts: ir.Table, most: int) -> ir.Table:
    """How many facts there are of each kind and name (``times``), the most frequent first."""
    found = facts.group_by("kind", "name").aggregate(times=facts.count())
    return found.order_by(found.times.desc(), "kind", "name").limit(most)


def drawn(facts: ir.Table, told: ir.Table) -> ir.Table:
    """Of each kind and name all facts up to :data:`DRAWN`, of more about so many, at random."""
    same = (facts.kind == told.kind) & facts["name"].identical_to(told["name"])
    beside = facts.join(told.select("kind", "name", "times"), same)
    some = beside.filter(ibis.random() * beside.times < DRAWN)
    return some.select("customer_id", "kind", "name", "channel", "store", "session", "amount_minor", "properties")


def properties_of(sample: ir.Table, most: int) -> ir.Table:
    """How often each property stands in facts of :func:`drawn`: ``kind``, ``name``, ``property``, ``type``, ``times``.

    ``type`` is DuckDB's of the value in JSON, of columns of facts themselves None.
    """
    inside = _inside(sample)
    parts = [inside.group_by("kind", "name", "property", "type").aggregate(times=inside.count())]
    for name in OWN:
        own = sample.filter(sample[name].notnull()).mutate(property=ibis.literal(name), type=ibis.null("string"))
        parts.append(own.group_by("kind", "name", "property", "type").aggregate(times=own.count()))
    found = reduce(lambda one, other: one.union(other), parts)
    return found.order_by(found.times.desc(), "property", "type").limit(most)


def carried(facts: ir.Table) -> ir.Table:
    """In how many facts (``times``) each property is that is one value: a text, a number or a truth (``property``)."""
    inside = _inside(facts)
    each = inside.filter(inside.type.notin(list(_NO_VALUE)))
    return each.group_by("property").aggregate(times=each.count())


def _inside(facts: ir.Table) -> ir.Table:
    """Each property of each fact: ``kind``, ``name``, ``property`` and its ``type``."""
    each = facts.select("kind", "name", "properties", property=_keys(facts.properties).unnest())
    path = "/" + each.property.replace("~", "~0").replace("/", "~1")
    return each.mutate(type=_type(each.properties, path)).filter(each.property.notin(list(OWN)))
