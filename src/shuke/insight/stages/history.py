"""Stages at past dates: what was known of each customer on each date, from dated facts alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import ibis
import ibis.expr.types as ir

from shuke.base.errors import BadInput
from shuke.insight.stages.rules import EVENT_PREFIX, StageRules, assign_stage, silence, typical_gap
from shuke.insight.tables import Tables

__all__ = ["INTEREST_EVENTS", "facts_at", "stages_at"]

# Commerce events (Segment's names) that show interest in products, before any order.
INTEREST_EVENTS = (
    "Products Searched",
    "Product List Viewed",
    "Product Viewed",
    "Product Added",
    "Cart Viewed",
    "Checkout Started",
    "Product Added to Wishlist",
)
_NEVER = date(9999, 12, 31)


def stages_at(
    tables: Tables,
    rules: StageRules,
    dates: Sequence[date],
    *,
    scores: ir.Table | None = None,
    margin: float = 1.0,
) -> ir.Table:
    """The stage of every customer on every date: customer_id, at, stage, orders, order_days, historic_clv.

    Each customer appears from the first date that knows of them. Only facts before a date count: stages are what they
    would have been then, but for the brand's typical gap, which is part of the definition of silence and is taken
    once, from all orders before the last date, so that stages of different dates mean the same.

    ``scores`` brings predictions by date (customer_id, at, and p_alive, predicted_clv, total_clv … as far as known);
    they are used by the rules, and predicted_clv is passed on. Without it, rules decide by their ``otherwise``.
    A shop's history is kept by the day: a date with a clock also counts the rest of that day.
    """
    facts = facts_at(tables, dates, rules=rules, margin=margin)
    columns = ["customer_id", "at", "stage", "orders", "order_days", "historic_clv"]
    if scores is not None:
        moments = scores.mutate(at=scores["at"].cast("timestamp"))
        facts = facts.left_join(moments, ["customer_id", "at"]).select(
            facts, *(moments[name] for name in moments.columns if name not in ("customer_id", "at"))
        )
        columns += ["predicted_clv"] if "predicted_clv" in scores.columns else []
    return assign_stage(facts, rules).select(*columns)


def facts_at(tables: Tables, dates: Sequence[date], *, rules: StageRules, margin: float = 1.0) -> ir.Table:
    """What was known of each customer on each date, one row per customer and date, in one set-based expression.

    Columns: customer_id, at (timestamp), orders, order_days, gross_amount, refunds, historic_clv (net, times
    ``margin``), first_order_at, last_order_at (dates), recency_days, tenure_days, average_days_between_orders,
    average_order_value, silence, and with events: events, interest_events and any "event:…" that the rules name.
    Raises BadInput ``insight.no_dates`` without a date.
    """
    if not dates:
        raise BadInput("insight.no_dates")
    asked = _asked(dates)
    daily = _movements(tables, rules, until=max(_known_day(moment) for moment in dates))
    counts = [name for name in daily.columns if name not in ("customer_id", "day")]
    kinds = {name: "float64" if name in ("gross_amount", "refunds") else "int64" for name in counts}
    so_far = ibis.window(group_by="customer_id", order_by="day", preceding=None, following=0)
    in_order = ibis.window(group_by="customer_id", order_by="day")
    bought = ibis.cases((daily.orders > 0, daily.day), else_=None)
    known = daily.select(
        "customer_id",
        "day",
        daily.day.lead().over(in_order).fill_null(ibis.literal(_NEVER)).name("next_day"),
        (daily.orders > 0).cast("float64").sum().over(so_far).cast("int64").name("order_days"),
        bought.min().over(so_far).name("first_order_at"),
        bought.max().over(so_far).name("last_order_at"),
        **{name: daily[name].sum().over(so_far).cast(kinds[name]) for name in counts},
    )
    seen = known.join(asked, [known.day <= asked.known_day, known.next_day > asked.known_day])
    gaps = seen.order_days - 1
    facts = seen.select(
        "customer_id",
        "at",
        "order_days",
        "first_order_at",
        "last_order_at",
        *counts,
        ((seen.gross_amount - seen.refunds) * margin).name("historic_clv"),
        seen.known_day.delta(seen.last_order_at, unit="day").name("recency_days"),
        seen.known_day.delta(seen.first_order_at, unit="day").name("tenure_days"),
        ibis.cases(
            (gaps > 0, seen.last_order_at.delta(seen.first_order_at, unit="day").cast("float64") / gaps), else_=None
        ).name("average_days_between_orders"),
        ibis.cases((seen.orders > 0, seen.gross_amount / seen.orders), else_=None).name("average_order_value"),
    )
    if rules.usual_gap_days is not None:
        return facts.mutate(silence=silence(facts, ibis.literal(rules.usual_gap_days)))
    spans = (
        daily.filter(daily.orders > 0)
        .group_by("customer_id")
        .aggregate(order_days=ibis._.count(), first_order_at=ibis._.day.min(), last_order_at=ibis._.day.max())
    )
    table = facts.cross_join(typical_gap(spans.filter(spans.order_days > 1)))
    return table.mutate(silence=silence(table, table.typical_gap_days)).drop("typical_gap_days")


def _asked(dates: Sequence[date]) -> ir.Table:
    """One row per date: at (timestamp) and known_day, the last day of which something is known."""
    moments = sorted({datetime.fromisoformat(moment.isoformat()) for moment in dates})
    table = ibis.array([ibis.literal(moment, type="timestamp") for moment in moments]).unnest().name("at").as_table()
    day = table["at"].date()
    midnight = table["at"] == day.cast("timestamp")
    return table.mutate(known_day=ibis.ifelse(midnight, day - ibis.interval(days=1), day))


def _known_day(moment: date) -> date:
    return (datetime.fromisoformat(moment.isoformat()) - timedelta(microseconds=1)).date()


def _movements(tables: Tables, rules: StageRules, *, until: date) -> ir.Table:
    """One row per customer and day on which anything happened: counts and money of that day."""
    named = sorted(field for field in rules.fields() if field.startswith(EVENT_PREFIX))
    events = ["events", "interest_events", *named] if tables.events is not None else []
    columns = ["orders", "gross_amount", "refunds", *events]

    def part(table: ir.Table, moment: ir.Value, **amounts: ir.Value) -> ir.Table:
        # Counts, too, are summed as floats, exact to 2^53: DuckDB sums integers into a type that Ibis does not know.
        filled = {name: amounts.get(name, ibis.literal(0)).cast("float64") for name in columns}
        chosen = table.filter(table.customer_id.notnull()).select("customer_id", day=moment.cast("date"), **filled)
        return chosen.filter(chosen.day <= ibis.literal(until))

    orders = tables.orders
    parts = [part(orders, orders.ordered_at, orders=ibis.literal(1), gross_amount=orders.amount)]
    if tables.refunds is not None:
        parts.append(part(tables.refunds, tables.refunds.refunded_at, refunds=tables.refunds.amount))
    if tables.events is not None:
        happened = tables.events
        kinds = {name: (happened.event == name.removeprefix(EVENT_PREFIX)).cast("int8") for name in named}
        interest = happened.event.isin(INTEREST_EVENTS).cast("int8")
        parts.append(part(happened, happened.happened_at, events=ibis.literal(1), interest_events=interest, **kinds))
    if tables.customers is not None and "first_seen_at" in tables.customers.columns:
        people = tables.customers.filter(tables.customers.first_seen_at.notnull())
        parts.append(part(people, people.first_seen_at))
    together = ibis.union(*parts) if len(parts) > 1 else parts[0]
    return together.group_by("customer_id", "day").aggregate(**{name: together[name].sum() for name in columns})
