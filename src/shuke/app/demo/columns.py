"""Simulated facts as columns of text that is made once for each different value. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shuke.app.demo.history import Flags, History, Ints

SCHEMA = pa.schema(
    [
        ("occurred_at", pa.timestamp("us", "UTC")),
        ("identity_id", pa.int64()),
        ("kind", pa.string()),
        ("name", pa.string()),
        ("channel", pa.string()),
        ("session", pa.string()),
        ("order_id", pa.string()),
        ("properties", pa.string()),
    ]
)


def facts(history: History, *, customer: Ints, at: Ints, properties: pa.Array, **texts: pa.Array | str) -> pa.Table:
    """The facts of one sort, of :data:`SCHEMA`. One text is that of all rows; what is not given is null."""
    columns = {
        "occurred_at": pa.array(at).cast(pa.timestamp("us", "UTC")),
        "identity_id": pa.array(history.identity_ids[customer]),
        "properties": properties,
        **{name: pa.repeat(text, len(at)) if isinstance(text, str) else text for name, text in texts.items()},
    }
    empty = pa.nulls(len(at), pa.string())
    return pa.table([columns.get(name, empty) for name in SCHEMA.names], schema=SCHEMA)


def one_of(values: Sequence[str], place: Ints, *, where: Flags | None = None) -> pa.Array:
    """The text at each place; null where ``where`` is false."""
    return pa.array(values, pa.string()).take(pa.array(place, mask=None if where is None else ~where))


def numbered(prefix: str, number: Ints) -> pa.Array:
    """``prefix-000001`` for each number; null below 0."""
    text = pc.utf8_lpad(pa.array(number, mask=number < 0).cast(pa.string()), 6, "0")
    return pc.binary_join_element_wise(prefix, text, "-")


def json_object(*members: pa.Array) -> pa.Array:
    """An object of members as :func:`member` and the like make them; one that is null is left out."""
    inside = pc.binary_join_element_wise(*members, ",", null_handling="skip")
    return pc.binary_join_element_wise("{", inside, "}", "")


def member(name: str, value: pa.Array) -> pa.Array:
    """``"name":"value"`` for each text, which must need no escaping, ``"name":value`` for each number."""
    quote = '"' if pa.types.is_string(value.type) else ""
    return pc.binary_join_element_wise(f'"{name}":{quote}', value.cast(pa.string()), quote, "")


def money_member(name: str, minor: Ints, digits: int, *, where: Flags) -> pa.Array:
    """``"name":12.34`` for each amount in minor units; null where ``where`` is false."""
    text = pa.array(np.char.mod(f"%.{digits}f", minor / 10**digits), mask=~where)
    return pc.binary_join_element_wise(f'"{name}":', text, "")


def members_of(values: dict[str, Any]) -> str:
    """The members of an object, without its braces."""
    return msgspec.json.encode(values).decode()[1:-1]


def fact_ids(rng: np.random.Generator, rows: int) -> pa.Array:
    """UUIDs of version 8 (RFC 9562: of the maker's own making), 32 hexadecimal digits each."""
    drawn = rng.integers(0, 256, (rows, 16), dtype=np.uint8)
    drawn[:, 6] = drawn[:, 6] & 0x0F | 0x80
    drawn[:, 8] = drawn[:, 8] & 0x3F | 0x80
    ends = pa.py_buffer(np.arange(0, 32 * (rows + 1), 32, dtype=np.int32))
    return pa.StringArray.from_buffers(rows, ends, pa.py_buffer(drawn.tobytes().hex().encode()))
