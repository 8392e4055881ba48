"""RFM groups."""

from __future__ import annotations

from shuke.reports.model import Block, Chapter, ChartKind, ChartSpec, Heading, Kind, Value
from shuke.reports.rules.figures import Figures, Segment
from shuke.reports.rules.said import Term, count, share
from shuke.reports.service.words import Words, rows_of

__all__ = ["rfm_chapter"]


def rfm_chapter(figures: Figures, words: Words) -> Chapter:
    """Scores, and the named groups of both vocabularies."""
    total = sum(max(one.historic, 0.0) for one in figures.rfm_groups)
    top = max(figures.rfm_groups, key=lambda one: one.historic)
    blocks: list[Block] = [
        Heading(words("heading.rfm_grid")),
        _grid(figures, words),
        Heading(words("heading.rfm_groups")),
        _groups("rfm_groups", "rfm", figures.rfm_groups, figures, words),
        Heading(words("heading.value_groups")),
        _groups("value_groups", "value_group", figures.value_groups, figures, words),
    ]
    return Chapter(
        code="rfm",
        short=words("chapter.rfm.short"),
        title=words(
            "chapter.rfm.title",
            group=Term(f"rfm.{top.key}"),
            customers=share(top.customers / figures.base.customers, 0),
            value=share(top.historic / total if total else 0.0, 0),
        ),
        lead=words("chapter.rfm.lead"),
        blocks=tuple(blocks),
    )


def _grid(figures: Figures, words: Words) -> Block:
    columns = (words.column("f_score"), words.column("r_score"), words.column("customers", Kind.INTEGER))
    rows: list[tuple[Value, ...]] = [
        (str(often), str(recent), customers) for recent, often, customers in figures.rfm_cells
    ]
    biggest = max(figures.rfm_cells, key=lambda cell: cell[2])
    return words.chart(
        "rfm_grid",
        ChartSpec(
            kind=ChartKind.HEATMAP,
            rows=rows_of(columns, rows),
            x=words.axis("f_score"),
            y=words.axis("r_score"),
            value=words.axis("customers", Kind.INTEGER),
            order=("1", "2", "3", "4", "5"),
            series_order=("5", "4", "3", "2", "1"),
        ),
        words.table("rfm_grid", columns, rows),
        values={"recent": str(biggest[0]), "often": str(biggest[1]), "customers": count(biggest[2])},
    )


def _groups(code: str, vocabulary: str, groups: tuple[Segment, ...], figures: Figures, words: Words) -> Block:
    predicted = any(one.predicted is not None for one in groups)
    columns = [
        words.column("group"),
        words.column("customers", Kind.INTEGER),
        words.column("customers_share", Kind.PERCENT, bar=True),
        words.column("historic", Kind.MONEY),
        words.column("historic_each", Kind.MONEY),
        words.column("recency_days", Kind.INTEGER),
    ]
    if predicted:
        columns.append(words.column("predicted", Kind.MONEY))
    rows: list[tuple[Value, ...]] = []
    for one in groups:
        row: tuple[Value, ...] = (
            words.term(vocabulary, one.key),
            one.customers,
            one.customers / figures.base.customers,
            one.historic,
            one.historic_mean,
            round(one.recency_days),
        )
        rows.append((*row, one.predicted) if predicted else row)
    return words.table(code, columns, rows)
