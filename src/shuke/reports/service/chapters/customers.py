"""Customers and revenue: who comes, who comes back, on whom the amount rests, when and where."""

from __future__ import annotations

from collections.abc import Callable

from shuke.reports.model import (
    Axis,
    Block,
    Callout,
    CalloutKind,
    Chapter,
    ChartKind,
    ChartSpec,
    Heading,
    KeyFigures,
    Kind,
    Text,
    Value,
)
from shuke.reports.rules.figures import Figures, Month
from shuke.reports.rules.said import Term, count, money, month, number, share
from shuke.reports.service.chapters.opening import key_figure
from shuke.reports.service.words import Words, rows_of

__all__ = ["customers_chapter"]

REGIONS_SHOWN = 12
HOURS = 24


def customers_chapter(figures: Figures, words: Words) -> Chapter:
    """The base, month by month; concentration; regions; the clock."""
    base = figures.base
    blocks: list[Block] = [
        KeyFigures(
            (
                key_figure(words, "customers", count(base.customers), active=count(base.active_365_customers)),
                key_figure(words, "orders_each", number(base.orders / base.customers, 1)),
                key_figure(words, "once", share(base.one_time_customers / base.customers)),
                key_figure(words, "order_value", money(base.average_order_value), orders=count(base.orders)),
            )
        ),
        *_months(figures, words),
        *_movement(figures, words),
        *_concentration(figures, words),
        *_season(figures, words),
        *_regions(figures, words),
    ]
    return Chapter(
        code="customers",
        short=words("chapter.customers.short"),
        title=words(
            "chapter.customers.title",
            share=share(1 - base.one_time_amount / base.gross, 0),
            repeaters=share(base.repeat_share, 0),
        ),
        lead=words("chapter.customers.lead"),
        blocks=tuple(blocks),
    )


def _months(figures: Figures, words: Words) -> list[Block]:
    months = figures.months
    complete = [one for one in months if one.complete]
    if len(months) < 2 or not complete:
        return []
    columns = (
        words.column("month", Kind.MONTH),
        words.column("orders", Kind.INTEGER),
        words.column("active_customers", Kind.INTEGER),
        words.column("new_customers", Kind.INTEGER),
        words.column("sales", Kind.MONEY),
        words.column("sales_new", Kind.MONEY),
        words.column("sales_returning", Kind.MONEY),
        words.column("complete"),
    )
    rows: list[tuple[Value, ...]] = [
        (
            one.month,
            one.orders,
            one.customers,
            one.new_customers,
            one.amount,
            one.new_amount,
            one.returning_amount,
            words("month.complete" if one.complete else "month.incomplete"),
        )
        for one in months
    ]
    table = words.table("months", columns, rows)
    kinds: tuple[tuple[str, Callable[[Month], float]], ...] = (
        ("sales_returning", lambda one: one.returning_amount),
        ("sales_new", lambda one: one.new_amount),
    )
    stacked: tuple[dict[str, Value], ...] = tuple(
        {"month": one.month, "part": words(f"column.{key}"), "sales": amount(one)}
        for one in months
        for key, amount in kinds
    )
    peak = max(complete, key=lambda one: one.amount)
    chart = words.chart(
        "months",
        ChartSpec(
            kind=ChartKind.STACKED_BAR,
            rows=stacked,
            x=words.axis("month", Kind.MONTH),
            y=words.axis("sales", Kind.MONEY),
            series=Axis(field="part", label=words("column.part")),
            series_order=tuple(words(f"column.{key}") for key, _ in kinds),
        ),
        table,
        values={
            "peak": month(peak.month),
            "amount": money(peak.amount),
            "share": share(sum(m.returning_amount for m in complete) / sum(m.amount for m in complete)),
        },
    )
    newest = complete[-1]
    new = words.chart(
        "new_customers",
        ChartSpec(
            kind=ChartKind.BAR,
            rows=tuple({"month": one.month, "new_customers": one.new_customers} for one in months),
            x=words.axis("month", Kind.MONTH),
            y=words.axis("new_customers", Kind.INTEGER),
        ),
        words.table("new_customers", columns[:1] + columns[3:4], [(one.month, one.new_customers) for one in months]),
        values={"month": month(newest.month), "new": count(newest.new_customers)},
    )
    return [Heading(words("heading.months")), chart, new]


def _movement(figures: Figures, words: Words) -> list[Block]:
    """The base like a bank statement; only where the history is longer than the silence that counts as gone."""
    if figures.silence_days is None or not any(one.lost for one in figures.movement):
        return []
    keys = ("opening", "new", "reactivated", "gone", "closing")
    columns = (words.column("month", Kind.MONTH), *(words.column(key, Kind.INTEGER) for key in keys))
    rows: list[tuple[Value, ...]] = [
        (one.month, one.opening, one.new, one.reactivated, -one.lost, one.closing) for one in figures.movement
    ]
    table = words.table("movement", columns, rows)
    return [Text((words("movement.how", days=count(figures.silence_days)),)), table]


def _concentration(figures: Figures, words: Words) -> list[Block]:
    spread = figures.concentration
    if spread is None:
        return []
    columns = (words.column("customer_share", Kind.PERCENT, digits=0), words.column("value_share", Kind.PERCENT))
    rows: list[tuple[Value, ...]] = [point for point in spread.lorenz if round(point[0] * 100) % 5 == 0]
    table = words.table("concentration", columns, rows)
    chart = words.chart(
        "concentration",
        ChartSpec(
            kind=ChartKind.LORENZ,
            rows=rows_of(columns, spread.lorenz),
            x=words.axis("customer_share", Kind.PERCENT, digits=0),
            y=words.axis("value_share", Kind.PERCENT, digits=0),
        ),
        table,
        values={
            "top_1": share(spread.top_1_share),
            "top_10": share(spread.top_10_share),
            "top_20": share(spread.top_20_share),
            "half": share(spread.half_of_amount_customers_share),
            "gini": number(spread.gini),
        },
    )
    return [Heading(words("heading.concentration")), chart]


def _season(figures: Figures, words: Words) -> list[Block]:
    blocks: list[Block] = []
    if figures.season:
        columns = (
            words.column("calendar_month"),
            words.column("index", Kind.NUMBER),
            words.column("observations", Kind.INTEGER),
        )
        rows: list[tuple[Value, ...]] = [
            (words(f"calendar.month_{one.month}"), one.index, one.observations) for one in figures.season
        ]
        peak = max(figures.season, key=lambda one: one.index)
        low = min(figures.season, key=lambda one: one.index)
        blocks.append(
            words.chart(
                "season",
                ChartSpec(
                    kind=ChartKind.BAR,
                    rows=rows_of(columns, rows),
                    x=words.axis("calendar_month"),
                    y=words.axis("index", Kind.NUMBER, digits=1),
                    order=tuple(str(row[0]) for row in rows),
                    emphasis=(words(f"calendar.month_{peak.month}"),),
                ),
                words.table("season", columns, rows),
                values={
                    "peak": Term(f"calendar.month_{peak.month}"),
                    "peak_index": number(peak.index),
                    "low": Term(f"calendar.month_{low.month}"),
                    "low_index": number(low.index),
                },
            )
        )
    else:
        complete = sum(one.complete for one in figures.months)
        blocks.append(Callout(CalloutKind.CANNOT_SAY, words("season.cannot_say", months=count(complete))))
    cells = [one for one in figures.weekday_hour if one.orders]
    if len({one.hour for one in cells}) > 1:
        blocks.append(_clock(figures, words))
    return [Heading(words("heading.season")), *blocks]


def _clock(figures: Figures, words: Words) -> Block:
    cells = figures.weekday_hour
    total = sum(one.orders for one in cells)
    busiest = max(cells, key=lambda one: one.orders)
    hours = sorted({one.hour for one in cells if one.orders})
    shown = [one for one in cells if hours[0] <= one.hour <= hours[-1]]
    columns = (words.column("weekday"), words.column("hour"), words.column("orders", Kind.INTEGER))
    rows: list[tuple[Value, ...]] = [
        (words(f"calendar.weekday_{one.weekday}"), f"{one.hour:02d}", one.orders) for one in shown
    ]
    return words.chart(
        "weekday_hour",
        ChartSpec(
            kind=ChartKind.HEATMAP,
            rows=rows_of(columns, rows),
            x=words.axis("hour"),
            y=words.axis("weekday"),
            value=words.axis("orders", Kind.INTEGER),
            order=tuple(f"{hour:02d}" for hour in range(hours[0], hours[-1] + 1)),
            series_order=tuple(words(f"calendar.weekday_{day}") for day in range(1, 8)),
        ),
        words.table("weekday_hour", columns, rows),
        values={
            "weekday": Term(f"calendar.weekday_{busiest.weekday}"),
            "hour": f"{busiest.hour}:00",
            "share": share(busiest.orders / total),
        },
    )


def _regions(figures: Figures, words: Words) -> list[Block]:
    regions = sorted(figures.by_region, key=lambda one: -one.gross)
    if len(regions) < 2:
        return []
    total = sum(one.gross for one in regions)
    columns = (
        words.column("region"),
        words.column("customers", Kind.INTEGER),
        words.column("sales", Kind.MONEY, bar=True),
        words.column("sales_share", Kind.PERCENT),
        words.column("sales_each", Kind.MONEY),
        words.column("repeat_share", Kind.PERCENT),
    )
    rows: list[tuple[Value, ...]] = [
        (one.key, one.customers, one.gross, one.gross / total, one.gross / one.customers, one.repeat_share)
        for one in regions[:REGIONS_SHOWN]
    ]
    blocks: list[Block] = [
        Heading(words("heading.regions")),
        words.table("by_region", columns, rows, total_rows=len(regions)),
    ]
    if not figures.scope.has_region:
        blocks.append(Text((words("regions.none"),)))
    return blocks
