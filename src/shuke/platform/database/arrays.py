"""Thousands of values as one parameter: PostgreSQL's own text of an array, made faster than the driver's lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa

__all__ = ["among", "array"]


def array(values: Iterable[UUID | bytes | str | int | datetime | None]) -> str:
    """The values as a parameter for ``CAST(:name AS uuid[])``, or whatever the type is."""
    return f"{{{','.join([_FORMATS[type(value)](value) for value in values])}}}"


def among(
    kind: Literal["uuid", "text", "bigint", "bytea"], values: Iterable[UUID | bytes | str | int]
) -> sa.TextClause:
    """What a column of this kind is compared with to be one of these: ``column == among("uuid", ids)``."""
    # The parameter must not be cast by way of text: that would be done anew for each row that is looked at.
    given = sa.bindparam("among", array(values), type_=sa.types.NullType(), unique=True)
    return sa.text(f"ANY (CAST(:among AS {kind}[]))").bindparams(given)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


_FORMATS: dict[type, Callable[[Any], str]] = {
    # Without dashes, which take longest.
    UUID: lambda value: f"{value.int:032x}",
    int: str,
    bytes: lambda value: f'"\\\\x{value.hex()}"',
    str: _quoted,
    datetime: lambda value: f'"{value.isoformat()}"',
    type(None): lambda _: "NULL",
}
