"""What the customers of each acquiring channel bring, are worth, and cost."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.csv as pacsv
import sqlalchemy as sa

from shuke import insight
from shuke.base.errors import CannotSay
from shuke.base.money import minor_digits
from shuke.lifecycle.analysis_model import Basis, ChannelEconomics, Channels, Narrowing
from shuke.lifecycle.measures import acquired
from shuke.lifecycle.model import Refresh
from shuke.lifecycle.service.desk import Desk, Laid, Whose
from shuke.lifecycle.tables import customer_facts as facts
from shuke.platform import Database, Transaction, driver

__all__ = ["ChannelValues", "channel_values", "channels", "first_orders_within"]


@dataclass(frozen=True)
class ChannelValues:
    """By channel: what its customers brought so far, and are expected to bring; None where nothing is predicted."""

    of: dict[str | None, tuple[int, int | None]]
    currency: str | None


def channel_values(tx: Transaction, refresh: Refresh | None, narrowing: Narrowing) -> ChannelValues:
    """The values of the customers whom the reader sees, by the channel of their first order."""
    if refresh is None:
        return ChannelValues({}, None)
    rows = tx.execute(
        sa.select(
            facts.c.first_channel, sa.func.sum(facts.c.historic_clv_minor), sa.func.sum(facts.c.predicted_clv_minor)
        )
        .where(*first_orders_within(refresh, narrowing))
        .group_by(facts.c.first_channel)
    )
    found = {
        channel: (int(historic), None if predicted is None else int(predicted)) for channel, historic, predicted in rows
    }
    return ChannelValues(found, refresh.currency)


def first_orders_within(refresh: Refresh, narrowing: Narrowing) -> list[sa.ColumnElement[bool]]:
    """The conditions on facts that the first order fits the narrowing, whose days are those of the refresh's zone."""
    zone = ZoneInfo(refresh.time_zone)
    conditions: list[sa.ColumnElement[bool]] = []
    if narrowing.since is not None:
        conditions.append(facts.c.first_order_at >= datetime.combine(narrowing.since, time(), zone))
    if narrowing.until is not None:
        end = datetime.combine(narrowing.until + timedelta(days=1), time(), zone)
        conditions.append(facts.c.first_order_at < end)
    if narrowing.channel is not None:
        conditions.append(facts.c.first_channel == narrowing.channel)
    if narrowing.store is not None:
        conditions.append(facts.c.first_store == narrowing.store)
    return conditions


def channels(desk: Desk, by: Whose, narrowing: Narrowing, values: Callable[[], ChannelValues]) -> Channels:
    """Every channel that acquired somebody, with what its customers brought, are worth, and cost.

    ``values`` are asked for where the answer is not known.
    """

    def work(laid: Laid) -> Channels:
        tables = acquired(laid.tables, narrowing)
        costed = "cost" in tables.orders.columns
        rows = laid.rows(insight.contribution_by_channel(tables, margin=None if costed else 1.0))
        spent = _spent(desk.workplace.database, laid, tables)
        worth = values()
        known = worth.of if laid.basis.currency == worth.currency else {}
        told = (
            _row(laid, row, costed=costed, value=known.get(row["channel"]), spent=spent.get(row["channel"], {}))
            for row in rows
        )
        return Channels(laid.basis, tuple(told))

    def nothing(basis: Basis) -> Channels:
        return Channels(basis, ())

    return desk.ask(by, narrowing, question=("channels",), work=work, nothing=nothing)


def _row(
    laid: Laid, row: dict[str, Any], *, costed: bool, value: tuple[int, int | None] | None, spent: dict[str, Any]
) -> ChannelEconomics:
    return ChannelEconomics(
        channel=row["channel"],
        customers=row["customers"],
        repeat_customers=row["repeat_customers"],
        orders=row["orders"],
        revenue_minor=laid.minor(row["revenue"]),
        refunds_minor=laid.minor(row["refunds"]),
        first_order_minor=laid.minor(row["first_order"]),
        contribution_minor=laid.minor(row["contribution"]) if costed else None,
        margin_rate=row["margin_rate"] if costed else None,
        historic_minor=value[0] if value else None,
        predicted_minor=value[1] if value else None,
        spend_minor=laid.maybe_minor(spent.get("spend")),
        cost_minor=laid.maybe_minor(spent.get("cac")),
        value_to_cost=spent.get("ratio"),
        payback_months=spent.get("payback_months"),
    )


def _spent(database: Database, laid: Laid, tables: insight.Tables) -> dict[str | None, dict[str, Any]]:
    """What each channel spent, and on whom; nothing where no costs are known, as for readers of some customers."""
    if tables.costs is None:
        return {}
    known = laid.engine.upload(_values(database, laid.basis), "channel_values")
    who = laid.people.select("customer_id", "number").distinct()
    known = known.inner_join(who, "customer_id").drop("customer_id").rename(customer_id="number")
    predicted = known.total_clv.notnull().any().to_pyarrow().as_py()
    try:
        rows = laid.rows(
            insight.acquisition_by_channel(tables, known if predicted else known.drop("total_clv"), as_of=laid.as_of)
        )
        curve = insight.payback_curve(tables, as_of=laid.as_of)
        months = {row["channel"]: row["payback_months"] for row in laid.rows(insight.payback(curve))}
    except CannotSay:
        return {}
    ratio = "total_value_to_cac" if predicted else "value_to_cac"
    return {
        row["channel"]: {
            "spend": row["spend"],
            "cac": row["cac"],
            "ratio": row[ratio],
            "payback_months": months.get(row["channel"]),
        }
        for row in rows
    }


def _values(database: Database, basis: Basis) -> pa.Table:
    """Every customer's value so far and in all, as the facts have them: historic_clv, total_clv in major units."""
    query = b"COPY (SELECT customer_id, historic_clv_minor, total_clv_minor FROM customer_facts) TO STDOUT (FORMAT csv)"
    text = io.BytesIO()
    with database.read() as tx, driver(tx).cursor() as cursor, cursor.copy(query) as copy:
        for piece in copy:
            text.write(piece)
    text.seek(0)
    names = ["customer_id", "historic_clv", "total_clv"]
    if not text.getbuffer().nbytes:
        return pa.table(
            {"customer_id": pa.array([], pa.string()), **{name: pa.array([], pa.float64()) for name in names[1:]}}
        )
    types = {"customer_id": pa.string(), "historic_clv": pa.float64(), "total_clv": pa.float64()}
    table = pacsv.read_csv(
        text,
        read_options=pacsv.ReadOptions(column_names=names),
        convert_options=pacsv.ConvertOptions(column_types=types),
    )
    unit = 10.0 ** -minor_digits(basis.currency or "")
    for at, name in enumerate(names[1:], start=1):
        table = table.set_column(at, name, pa.compute.multiply(table[name], unit))
    return table
