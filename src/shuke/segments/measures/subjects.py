"""The tables that a tree is asked of, the same on every engine.

``customer_id`` is of any type, the same in all. Moments are int64, in microseconds since 1970 (``…us``). Only customers
of their own are in them, with everything of those who have been merged into them.

========== =========================================================================================================
table      columns
========== =========================================================================================================
people     customer_id, mix, attributes (JSON), and the figures of :class:`~shuke.segments.model.tree.FigureName`; those
           that are moments as int64, ``stage`` never null
everybody  likewise, of all customers, where the other tables hold only some
facts      customer_id, us, kind, name, channel, store, session, amount_minor, properties (JSON)
orders     customer_id, order_id, us, channel, store, amount_minor, discount_minor
lines      customer_id, order_id, us, channel, store, order_amount_minor, order_discount_minor, product_id, category,
           brand, quantity (float64), amount_minor
tags       customer_id, tag, source, expires_us
consents   customer_id, purpose, channel, state
identities customer_id, kind
listed     list_id (text), customer_id
========== =========================================================================================================

``mix`` is a number of each customer below :data:`MIX` by which random shares are drawn: the last twelve digits of the
id, which are random, modulo it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from shuke.segments.measures.values import read
from shuke.segments.model.kinds import Kind

__all__ = ["INSIDE", "MIX", "Subjects"]

#: A prime, so that shares of different seeds have nothing to do with each other; small enough for its square.
MIX = 2**31 - 1


# By its full name: Ibis writes the bare one as an operator, without the brackets around it where it stands twice.
@ibis.udf.scalar.builtin(
    name="json_extract_string", catalog="system", database="main", signature=((dt.string, dt.string), dt.string)
)
def _on_duckdb(document, path):  # type: ignore[no-untyped-def] # Ibis reads the signature above
    """DuckDB's own."""


@ibis.udf.scalar.builtin(name="jsonb_extract_path_text", signature=((dt.string, dt.string), dt.string))
def _on_postgres(document, path):  # type: ignore[no-untyped-def] # likewise
    """PostgreSQL's own."""


@ibis.udf.scalar.builtin(name="get_json_object", signature=((dt.string, dt.string), dt.string))
def _on_spark(document, path):  # type: ignore[no-untyped-def] # likewise
    """Spark's own."""


Inside = Callable[[ir.StringValue, str], ir.StringValue]

#: By engine: what stands in a JSON document under a name, as text. The name has no quotes and no backslashes.
INSIDE: dict[str, Inside] = {
    # By a pointer (RFC 6901): in a path a star stands for every name, even in quotes.
    "duckdb": lambda document, name: _on_duckdb(document, "/" + name.replace("~", "~0").replace("/", "~1")),
    "postgres": _on_postgres,
    "spark": lambda document, name: _on_spark(document, f"$['{name}']"),
}


@dataclass(frozen=True)
class Subjects:
    """The tables above. ``inside`` is one of :data:`INSIDE`.

    ``now_us`` is for an expression that is made once and run often: now, as the engine knows it then. None has now be
    that of the clock with which the expression is made.

    ``own`` are the properties of which facts have a column of its own, with what ``inside`` finds, and its name: to
    look for something in a document takes several times as long.
    """

    people: ir.Table
    everybody: ir.Table
    facts: ir.Table
    orders: ir.Table
    lines: ir.Table
    tags: ir.Table
    consents: ir.Table
    identities: ir.Table
    listed: ir.Table
    inside: Inside
    now_us: ir.IntegerValue | None = None
    own: Mapping[str, str] = field(default_factory=dict)

    def inside_fact(self, facts: ir.Table, name: str) -> ir.StringValue:
        """What stands under a name in the properties of each fact, as text."""
        return facts[self.own[name]] if name in self.own else self.inside(facts.properties, name)

    def read(self, document: ir.StringValue, name: str, kind: Kind) -> ir.Value:
        """What stands in a document under a name, as a value of its kind."""
        return self.read_text(self.inside(document, name), kind)

    def read_text(self, text: ir.StringValue, kind: Kind) -> ir.Value:
        """A value that is kept as text, as one of its kind; null where the text is none."""
        # One place knows which engine does better otherwise, so that no table can be read the slow way.
        return read(text, kind, once=self.inside is not _on_postgres)
