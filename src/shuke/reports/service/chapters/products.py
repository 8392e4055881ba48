"""Products and baskets, and acquisition economics."""

from __future__ import annotations

from shuke.reports.model import (
    Axis,
    Block,
    Callout,
    CalloutKind,
    Chapter,
    ChartKind,
    ChartSpec,
    Heading,
    Kind,
    Text,
    Value,
)
from shuke.reports.rules.figures import ChannelCost, Figures
from shuke.reports.rules.said import count, money, named, number, share
from shuke.reports.service.words import Words

__all__ = ["economics_chapter", "products_chapter"]

PRODUCTS_SHOWN = 15
PRODUCTS_CHARTED = 10
LONGEST_NAME = 40
CHANNELS_NAMED = 6


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def products_chapter(figures: Figures, words: Words) -> Chapter:
    """What sells, what goes together, what begins a long relationship, what comes back."""
    blocks: list[Block] = []
    title = words("chapter.products.title_none")
    if not figures.products:
        blocks.append(Callout(CalloutKind.CANNOT_SAY, words("products.none")))
    else:
        if figures.products_for_80 is not None:
            title = words(
                "chapter.products.title",
                few=count(figures.products_for_80),
                all=count(figures.product_count),
                share=share(figures.products_for_80 / figures.product_count, 0),
            )
        blocks += [
            *_best(figures, words),
            *_categories(figures, words),
            *_pairs(figures, words),
            *_first(figures, words),
            *_returned(figures, words),
        ]
    return Chapter(
        code="products",
        short=words("chapter.products.short"),
        title=title,
        lead=words("chapter.products.lead"),
        blocks=tuple(blocks),
    )


def _best(figures: Figures, words: Words) -> list[Block]:
    """By what remains after returns: what sold most and came back is no best seller."""
    best = sorted(figures.products, key=lambda one: -one.net)
    returned = any(one.returned is not None for one in best)
    columns = [
        words.column("product"),
        words.column("sales", Kind.MONEY),
        *([words.column("returned", Kind.MONEY), words.column("net_sales", Kind.MONEY)] if returned else []),
        words.column("orders", Kind.INTEGER),
        words.column("customers", Kind.INTEGER),
    ]
    rows: list[tuple[Value, ...]] = [
        (_short(one.name), one.amount, *((one.returned or 0.0, one.net) if returned else ()), one.orders, one.customers)
        for one in best[:PRODUCTS_SHOWN]
    ]
    key = "net_sales" if returned else "sales"
    top = best[0]
    charted: list[dict[str, Value]] = [{"product": _short(one.name), key: one.net} for one in best[:PRODUCTS_CHARTED]]
    spec = ChartSpec(
        kind=ChartKind.BAR,
        rows=tuple(charted),
        x=words.axis("product"),
        y=words.axis(key, Kind.MONEY),
        horizontal=True,
        order=tuple(str(row["product"]) for row in charted),
        emphasis=(_short(top.name),),
    )
    table = words.table("products", columns, rows, total_rows=figures.product_count)
    values = {"product": named(top.name), "amount": money(top.net), "share": share(top.net / figures.base.net)}
    return [Heading(words("heading.products")), words.chart("products", spec, table, values=values)]


def _categories(figures: Figures, words: Words) -> list[Block]:
    if len(figures.categories) < 2:
        return []
    columns = (
        words.column("category"),
        words.column("sales", Kind.MONEY, bar=True),
        words.column("sales_share", Kind.PERCENT),
        words.column("orders", Kind.INTEGER),
        words.column("customers", Kind.INTEGER),
    )
    rows: list[tuple[Value, ...]] = [
        (_short(one.name), one.amount, one.share, one.orders, one.customers)
        for one in figures.categories[:PRODUCTS_SHOWN]
    ]
    return [words.table("categories", columns, rows, total_rows=len(figures.categories))]


def _pairs(figures: Figures, words: Words) -> list[Block]:
    if not figures.pairs:
        return []
    columns = (
        words.column("pair_first"),
        words.column("pair_second"),
        words.column("pair_orders", Kind.INTEGER),
        words.column("support", Kind.PERCENT),
        words.column("pair_confidence", Kind.PERCENT, digits=0),
        words.column("pair_lift", Kind.NUMBER, digits=1),
        words.column("pair_lift_low", Kind.NUMBER, digits=1),
    )
    rows: list[tuple[Value, ...]] = [
        (_short(one.first), _short(one.second), one.orders, one.support, one.confidence, one.lift, one.lift_low)
        for one in figures.pairs[:PRODUCTS_SHOWN]
    ]
    return [Heading(words("heading.pairs")), words.table("pairs", columns, rows, total_rows=len(figures.pairs))]


def _first(figures: Figures, words: Words) -> list[Block]:
    if not figures.first_products:
        return []
    columns = (
        words.column("product"),
        words.column("customers", Kind.INTEGER),
        words.column("first_value", Kind.MONEY),
        words.column("low", Kind.MONEY),
        words.column("high", Kind.MONEY),
        words.column("everyone", Kind.MONEY),
        words.column("came_back", Kind.PERCENT),
    )
    rows: list[tuple[Value, ...]] = [
        (
            _short(one.name),
            one.customers,
            one.value,
            one.value_low,
            one.value_high,
            one.value_everyone,
            one.repeat_share,
        )
        for one in figures.first_products[:PRODUCTS_SHOWN]
    ]
    table = words.table("first_products", columns, rows, total_rows=len(figures.first_products))
    return [
        Heading(words("heading.first_products")),
        Text((words("products.first_how", days=count(figures.first_days)),)),
        table,
    ]


def _returned(figures: Figures, words: Words) -> list[Block]:
    if not figures.returned_products:
        return []
    columns = (
        words.column("product"),
        words.column("sold", Kind.MONEY),
        words.column("returned", Kind.MONEY),
        words.column("return_rate", Kind.PERCENT),
    )
    rows: list[tuple[Value, ...]] = [
        (_short(one.name), one.sold, one.returned, one.rate) for one in figures.returned_products[:PRODUCTS_SHOWN]
    ]
    table = words.table("returned_products", columns, rows, total_rows=len(figures.returned_products))
    return [Heading(words("heading.returned_products")), table]


def economics_chapter(figures: Figures, words: Words) -> Chapter:
    """Acquisition cost against value, and profit; or what is missing for them."""
    economics, scope = figures.economics, figures.scope
    blocks: list[Block] = []
    if economics.channels:
        blocks += _channels(figures, words)
    else:
        key = "economics.no_costs" if not scope.has_costs else "economics.no_channel"
        blocks.append(Callout(CalloutKind.CANNOT_SAY, words(key)))
    if economics.profit:
        columns = (words.column("step"), words.column("amount", Kind.MONEY))
        rows: list[tuple[Value, ...]] = [(words(f"profit.{code}"), amount) for code, amount in economics.profit]
        blocks += [Heading(words("heading.profit")), words.table("profit", columns, rows)]
    else:
        blocks.append(Callout(CalloutKind.CANNOT_SAY, words("economics.no_margin")))
    if not economics.channels or not economics.profit:
        blocks += _wanted(figures, words)
    if figures.discount_first is not None:
        blocks += _discount(figures, words)
    short = words("chapter.economics.short")
    known = economics.spend is not None and economics.cac is not None
    return Chapter(
        code="economics",
        short=short,
        title=words("chapter.economics.title", cac=money(economics.cac or 0.0))
        if known
        else words("chapter.economics.title_none"),
        lead=words("chapter.economics.lead" if known else "chapter.economics.lead_none"),
        blocks=tuple(blocks),
    )


def _channels(figures: Figures, words: Words) -> list[Block]:
    columns = (
        words.column("channel"),
        words.column("spend", Kind.MONEY),
        words.column("new_customers", Kind.INTEGER),
        words.column("cac", Kind.MONEY),
        words.column("customer_value", Kind.MONEY),
        words.column("value_by_cac", Kind.NUMBER, digits=1),
        words.column("payback_months", Kind.INTEGER),
    )
    rows: list[tuple[Value, ...]] = [
        (one.channel, one.spend, one.new_customers, one.cac, one.value, one.value_by_cac, one.payback_months)
        for one in figures.economics.channels
    ]
    return [
        Heading(words("heading.channels")),
        *_cost_and_value(figures.economics.channels, words),
        words.table("channel_costs", columns, rows),
    ]


def _cost_and_value(channels: tuple[ChannelCost, ...], words: Words) -> list[Block]:
    """Cost beside value, the channel with the most value for its cost first."""
    known = [(one.value_by_cac, one) for one in channels if one.value_by_cac is not None]
    if not known:
        return []
    ranked = [one for _, one in sorted(known, key=lambda pair: -pair[0])]
    keys = ("cac", "customer_value")
    columns = (words.column("channel"), *(words.column(key, Kind.MONEY) for key in keys))
    rows: list[tuple[Value, ...]] = [(one.channel, one.cac, one.value) for one in ranked]
    bars: tuple[dict[str, Value], ...] = tuple(
        {"channel": channel, "series": words(f"column.{key}"), "amount": amount}
        for channel, *amounts in rows
        for key, amount in zip(keys, amounts, strict=True)
    )
    spec = ChartSpec(
        kind=ChartKind.GROUPED_BAR,
        rows=bars,
        x=words.axis("channel"),
        y=words.axis("amount", Kind.MONEY),
        series=Axis(field="series", label=words("column.series")),
        order=tuple(one.channel for one in ranked),
        series_order=tuple(words(f"column.{key}") for key in keys),
        horizontal=True,
    )
    best, worst = ranked[0], ranked[-1]
    code = "cost_and_value" if len(ranked) > 1 else "cost_and_value_one"
    values = {"best": named(best.channel), "best_ratio": number(best.value_by_cac or 0.0, 1)}
    if len(ranked) > 1:
        values |= {"worst": named(worst.channel), "worst_ratio": number(worst.value_by_cac or 0.0, 1)}
    return [words.chart(code, spec, words.table("cost_and_value", columns, rows), values=values)]


def _wanted(figures: Figures, words: Words) -> list[Block]:
    """What to hand in for the part of the chapter that is missing."""
    scope = figures.scope
    points: list[str] = []
    if not figures.economics.channels:
        points.append(words("economics.wanted_costs", example=f"{scope.last_at:%Y-%m}"))
        names = [one.key for one in figures.by_channel[:CHANNELS_NAMED]]
        if scope.has_channel and names:
            points.append(words("economics.wanted_spelling", channels=words.listed(names)))
        elif not scope.has_channel:
            points.append(words("economics.wanted_channel"))
    if not figures.economics.profit:
        points.append(words("economics.wanted_margin"))
    return [Heading(words("heading.wanted")), Text((words("economics.wanted"),), tuple(points))]


def _discount(figures: Figures, words: Words) -> list[Block]:
    compared = figures.discount_first
    if compared is None:
        return []
    columns = (words.column("group"), words.column("customers", Kind.INTEGER), words.column("first_value", Kind.MONEY))
    rows: list[tuple[Value, ...]] = [
        (words("discount.with"), compared.with_customers, compared.with_mean),
        (words("discount.without"), compared.without_customers, compared.without_mean),
    ]
    how = words("discount.how", days=count(figures.first_days), low=money(compared.low), high=money(compared.high))
    return [Heading(words("heading.discount")), Text((how,)), words.table("discount_first", columns, rows)]
