"""Figures into words: the catalogue's sentences filled with values, tables and charts with their labels.

Texts stand in ``locale``: a table is ``table.<code>`` with columns ``column.<key>`` and, if there is one, a note
``note.<code>``; a chart is ``chart.<code>.title`` and ``.reading``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from itertools import compress

from shuke.base.language import Language, catalogue
from shuke.base.wording import say_date, say_money, say_month, say_number, say_percent
from shuke.reports.model import Axis, ChartBlock, ChartSpec, Column, Kind, TableBlock, Value
from shuke.reports.rules.said import Said, Term

__all__ = ["Words"]

SMALL_MONEY = 100  # below this, cents matter


class Words:
    """One reader's language, the currency of the report, and the names that the brand gives to stages, by code."""

    def __init__(self, language: Language, currency: str | None, stages: Mapping[str, str] | None = None) -> None:
        self.language = language
        self.currency = currency
        self._texts = catalogue("shuke.reports", language)
        self._own = {f"stage.{code}": name for code, name in (stages or {}).items()}

    def __call__(self, key: str, /, **values: Said | Term | str) -> str:
        """The sentence at ``key`` with its values written out."""
        return self._texts(key, **{name: self.say(value) for name, value in values.items()})

    def fill(self, key: str, values: Mapping[str, Said | Term]) -> str:
        """Likewise, with the values of a rule."""
        return self(key, **values)

    def has(self, key: str) -> bool:
        """Whether there is a text at this key."""
        return self._texts.has(key)

    def optional(self, key: str) -> str:
        """The text at ``key``, or nothing when there is none."""
        return self._texts(key) if self._texts.has(key) else ""

    def term(self, vocabulary: str, code: str) -> str:
        """The name of a code, ``vocabulary.code``; the code itself when the catalogue does not know it."""
        key = f"{vocabulary}.{code}"
        return self._name(key) if key in self._own or self._texts.has(key) else code

    def listed(self, items: Iterable[str]) -> str:
        """Several things in one sentence."""
        return ("、" if self.language is Language.CHINESE else ", ").join(items)

    def say(self, value: Said | Term | str) -> str:
        """A value as text."""
        if isinstance(value, str):
            return value
        if isinstance(value, Term):
            return self._name(value.key)
        return self.written(value.value, value.kind, value.digits)

    def _name(self, key: str) -> str:
        return self._own[key] if key in self._own else self._texts(key)

    def written(self, value: Value, kind: Kind, digits: int | None = None) -> str:
        """A value of a kind as text; a dash for None."""
        if value is None:
            return "–"
        if kind in (Kind.DATE, Kind.MONTH) and isinstance(value, date):
            day = value.date() if isinstance(value, datetime) else value
            return (say_date if kind is Kind.DATE else say_month)(day, self.language)
        if kind is Kind.TEXT or isinstance(value, str | date):
            return str(value)
        if kind is Kind.MONEY:
            decimals = digits if digits is not None else 2 if abs(value) < SMALL_MONEY else 0
            return say_money(value, self.currency, self.language, digits=decimals)
        if kind is Kind.PERCENT:
            return say_percent(value, self.language, digits=1 if digits is None else digits)
        return say_number(value, self.language, digits=0 if kind is Kind.INTEGER else 2 if digits is None else digits)

    def column(self, key: str, kind: Kind = Kind.TEXT, *, digits: int | None = None, bar: bool = False) -> Column:
        """A column with its label."""
        return Column(key=key, label=self._texts(f"column.{key}"), kind=kind, digits=digits, bar=bar)

    def table(
        self,
        code: str,
        columns: Iterable[Column],
        rows: Iterable[tuple[Value, ...]],
        *,
        title: str | None = None,
        total_rows: int | None = None,
        last_is_total: bool = False,
    ) -> TableBlock:
        """A table with its title and note, without the columns that no row has anything to say in."""
        columns, rows = tuple(columns), tuple(rows)
        said = [not rows or any(row[place] is not None for row in rows) for place in range(len(columns))]
        return TableBlock(
            code=code,
            title=self._texts(f"table.{code}") if title is None else title,
            columns=tuple(compress(columns, said)),
            rows=tuple(tuple(compress(row, said)) for row in rows),
            note=self.optional(f"note.{code}"),
            total_rows=total_rows,
            last_is_total=last_is_total,
        )

    def axis(self, field: str, kind: Kind = Kind.TEXT, *, digits: int | None = None, zero: bool = True) -> Axis:
        """An axis with its label."""
        return Axis(field=field, label=self._texts(f"column.{field}"), kind=kind, digits=digits, zero=zero)

    def chart(
        self,
        code: str,
        spec: ChartSpec,
        table: TableBlock,
        *,
        half: bool = False,
        values: Mapping[str, Said | Term | str] | None = None,
    ) -> ChartBlock:
        """A chart with its title (what it shows), its reading (what to take from it) and its source."""
        filled = {name: self.say(value) for name, value in (values or {}).items()}
        return ChartBlock(
            code=code,
            title=self._texts(f"chart.{code}.title", **filled),
            reading=self._texts(f"chart.{code}.reading", **filled),
            chart=spec,
            table=table,
            source=self.optional(f"chart.{code}.source"),
            half=half,
        )


def rows_of(columns: Iterable[Column], rows: Iterable[tuple[Value, ...]]) -> tuple[dict[str, Value], ...]:
    """A table's rows as mappings, for the chart that draws them."""
    keys = [column.key for column in columns]
    return tuple(dict(zip(keys, row, strict=True)) for row in rows)
