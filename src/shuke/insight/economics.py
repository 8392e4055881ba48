"""What customers cost and bring: acquisition cost, payback, profit contribution, discounts.

A customer is acquired by the channel of the first order, in the month of the first order. Where the orders reach back
only so far, the first months count old customers as new ones and their acquisition cost looks lower than it was.
"""

from __future__ import annotations

from datetime import datetime

import ibis
import ibis.expr.types as ir
from scipy.special import ndtri

from shuke.base.errors import CannotSay
from shuke.insight.tables import Tables

__all__ = [
    "DAYS_PER_MONTH",
    "acquisition_by_channel",
    "acquisition_costs",
    "contribution_by_channel",
    "discount_acquired",
    "discount_summary",
    "earliest",
    "first_orders",
    "payback",
    "payback_curve",
    "profit_contribution",
    "value_of_first_days",
]

# A month of age is a twelfth of a Julian year, so that twelve make a year whatever month the customer came in.
DAYS_PER_MONTH = 30.4375


def first_orders(orders: ir.Table) -> ir.Table:
    """The first order of each customer, with all of its columns and cohort (date, first day of its month).

    Of several at the same moment, the one with the smallest order_id.
    """
    known = orders.filter(orders.customer_id.notnull())
    begun = known.group_by(first_customer=known.customer_id).aggregate(first_at=lambda t: t.ordered_at.min())
    same = [known.customer_id == begun.first_customer, known.ordered_at == begun.first_at]
    firsts = earliest(known.semi_join(begun, same))
    return firsts.mutate(cohort=firsts.ordered_at.date().truncate("M"))


def earliest(candidates: ir.Table) -> ir.Table:
    """Of orders at each customer's first moment the one that counts as the first: that with the smallest order_id."""
    place = ibis.row_number().over(ibis.window(group_by="customer_id", order_by="order_id"))
    placed = candidates.mutate(place=place)
    return placed.filter(placed.place == 0).drop("place")


def value_of_first_days(tables: Tables, *, as_of: datetime, days: int = 365, margin: float | None = 1.0) -> ir.Table:
    """What each customer brought in the ``days`` days from the day of the first order.

    Columns: customer_id, first_day, value (contribution: orders less refunds, with ``margin`` as in
    :func:`profit_contribution`), ordered_again (an order on another day within the days). Only customers who have
    lived through all of the days by ``as_of`` are in, so that all are measured with the same yardstick.
    """
    flows = _flows(tables, margin)
    first = (
        flows.filter(flows.is_order).group_by(first_customer="customer_id").aggregate(first_day=lambda t: t.day.min())
    )
    first = first.filter(first.first_day + ibis.interval(days=days) <= ibis.literal(as_of.date()))
    early = flows.inner_join(first, flows.customer_id == first.first_customer)
    early = early.filter(early.day < early.first_day + ibis.interval(days=days))
    grouped = early.group_by("customer_id", "first_day").aggregate(
        value=early.contribution.sum(), order_days=early.day.nunique(where=early.is_order)
    )
    return grouped.select("customer_id", "first_day", "value", ordered_again=grouped.order_days >= 2)


def acquisition_costs(tables: Tables, facts: ir.Table, *, as_of: datetime) -> ir.Table:
    """Acquisition cost and value by channel and cohort month, ordered.

    Columns: channel, cohort, new_customers, spend (null when the costs do not name that channel and month), cac
    (spend / new customers; null without either), average_historic_clv, value_to_cac (its ratio; null when nothing was
    spent), complete (whether the month was over by ``as_of``; the cost of a month that is not yet over is set against
    too few customers); and average_total_clv, total_value_to_cac when ``facts`` has total_clv.

    Raises CannotSay ``insight.no_costs``, ``insight.no_channel``.
    """
    spend = _monthly_spend(tables)
    joined = _acquired(tables).inner_join(_values(facts), "customer_id")
    measures = {"new_customers": joined.count(), "average_historic_clv": joined.historic_clv.mean()}
    if "total_clv" in facts.columns:
        measures["average_total_clv"] = joined.total_clv.mean()
    new = joined.group_by("channel", "cohort").aggregate(**measures)
    both = new.outer_join(spend, [new.channel == spend.spend_channel, new.cohort == spend.spend_month])
    table = both.mutate(
        channel=ibis.coalesce(both.channel, both.spend_channel),
        cohort=ibis.coalesce(both.cohort, both.spend_month),
        new_customers=both.new_customers.fill_null(0),
    ).drop("spend_channel", "spend_month")
    table = table.mutate(
        cac=table.spend / table.new_customers.nullif(0).cast("float64"),
        complete=table.cohort + ibis.interval(months=1) <= ibis.literal(as_of.date()),
    )
    table = table.mutate(value_to_cac=table.average_historic_clv / table.cac.nullif(0.0))
    if "total_clv" in facts.columns:
        table = table.mutate(total_value_to_cac=table.average_total_clv / table.cac.nullif(0.0))
    return table.order_by("channel", "cohort")


def acquisition_by_channel(tables: Tables, facts: ir.Table, *, as_of: datetime, level: float = 0.95) -> ir.Table:
    """Acquisition cost and value by channel, over the complete months with a recorded cost. Most spend first.

    Columns: channel, months (with a cost), new_customers (in those months), customers_without_cost (acquired by the
    channel in other months; not in any ratio), spend, cac, average_historic_clv, historic_clv_low, historic_clv_high
    (normal interval of a mean at ``level``; null with one customer), value_to_cac, value_to_cac_low, value_to_cac_high;
    and average_total_clv, total_value_to_cac when ``facts`` has total_clv. A channel without any cost keeps its row.

    Raises CannotSay ``insight.no_costs``, ``insight.no_channel``.
    """
    spend = _complete_spend(tables, as_of)
    joined = _acquired(tables).inner_join(_values(facts), "customer_id")
    joined = joined.left_join(spend, [joined.channel == spend.spend_channel, joined.cohort == spend.spend_month])
    paid = joined.spend.notnull()
    measures = {
        "new_customers": paid.sum().cast("int64"),
        "customers_without_cost": (~paid).sum().cast("int64"),
        "average_historic_clv": joined.historic_clv.mean(where=paid),
        "deviation": joined.historic_clv.std(where=paid, how="sample"),
    }
    if "total_clv" in facts.columns:
        measures["average_total_clv"] = joined.total_clv.mean(where=paid)
    grouped = joined.group_by("channel").aggregate(**measures)
    spent = spend.group_by("spend_channel").aggregate(months=spend.count(), spend=spend.spend.sum())
    table = grouped.outer_join(spent, grouped.channel == spent.spend_channel)
    table = table.mutate(
        channel=ibis.coalesce(table.channel, table.spend_channel),
        new_customers=table.new_customers.fill_null(0),
        customers_without_cost=table.customers_without_cost.fill_null(0),
        months=table.months.fill_null(0),
    ).drop("spend_channel")
    customers = table.new_customers.nullif(0).cast("float64")
    reach = float(ndtri((1.0 + level) / 2.0)) * table.deviation / customers.sqrt()
    table = table.mutate(
        cac=table.spend / customers,
        historic_clv_low=table.average_historic_clv - reach,
        historic_clv_high=table.average_historic_clv + reach,
    ).drop("deviation")
    cac = table.cac.nullif(0.0)
    table = table.mutate(
        value_to_cac=table.average_historic_clv / cac,
        value_to_cac_low=table.historic_clv_low / cac,
        value_to_cac_high=table.historic_clv_high / cac,
    )
    if "total_clv" in facts.columns:
        table = table.mutate(total_value_to_cac=table.average_total_clv / cac)
    table = table.relocate("months", after="channel").relocate("spend", "cac", after="customers_without_cost")
    return table.order_by(ibis.desc(table.spend.fill_null(-1.0)), "channel")


def payback_curve(tables: Tables, *, as_of: datetime, margin: float | None = 1.0, min_customers: int = 30) -> ir.Table:
    """Cumulative contribution per acquired customer by month of age, beside what the customer cost.

    Columns: channel, month_of_age (1 = the first month of age, DAYS_PER_MONTH days from the first order), customers,
    contribution (per customer in that month of age), cumulative_contribution, cac, paid_back. Ordered.

    Each month of age averages over the customers that have lived through all of it by ``as_of``, and the averages are
    added up: young customers speak about their first months, old ones about all. Months of age with fewer than
    ``min_customers`` such customers are left out. Only customers acquired in complete months with a recorded cost take
    part. ``margin`` as in :func:`profit_contribution`. Raises CannotSay ``insight.no_costs``, ``insight.no_channel``.
    """
    spend = _complete_spend(tables, as_of)
    acquired = _acquired(tables)
    same = [acquired.channel == spend.spend_channel, acquired.cohort == spend.spend_month]
    acquired = acquired.semi_join(spend, same)
    age = ibis.literal(as_of.date()).delta(acquired.first_day, unit="day").cast("float64")
    acquired = acquired.mutate(months=(age / DAYS_PER_MONTH).floor().cast("int64"))
    acquired = acquired.rename(acquired_id="customer_id")
    # Costs count in full: a channel's customers are all that it acquired, even those too young for a month of age.
    cost = _cost_per_customer(acquired, spend)

    lived = acquired.filter(acquired.months > 0)
    cells = lived.group_by("channel", "months").aggregate(people=lambda t: t.count())
    ages = cells.mutate(month_of_age=ibis.range(1, cells.months + 1).unnest())
    exposed = ages.group_by("channel", "month_of_age").aggregate(customers=lambda t: t.people.sum().cast("int64"))

    flows = _flows(tables, margin)
    flows = flows.inner_join(lived, flows.customer_id == lived.acquired_id)
    elapsed = flows.day.delta(flows.first_day, unit="day").cast("float64")
    flows = flows.mutate(flow_month=(elapsed / DAYS_PER_MONTH).floor().cast("int64") + 1)
    flows = flows.filter((flows.flow_month >= 1) & (flows.flow_month <= flows.months))
    brought = flows.group_by(flow_channel="channel", flow_month="flow_month")
    brought = brought.aggregate(brought=lambda t: t.contribution.sum())

    same = [exposed.channel == brought.flow_channel, exposed.month_of_age == brought.flow_month]
    curve = exposed.left_join(brought, same)
    curve = curve.filter(curve.customers >= min_customers)
    curve = curve.mutate(contribution=curve.brought.fill_null(0.0) / curve.customers.cast("float64"))
    so_far = ibis.cumulative_window(group_by="channel", order_by="month_of_age")
    curve = curve.mutate(cumulative_contribution=curve.contribution.sum().over(so_far))
    curve = curve.inner_join(cost, curve.channel == cost.cost_channel)
    return curve.select(
        "channel",
        "month_of_age",
        "customers",
        "contribution",
        "cumulative_contribution",
        "cac",
        paid_back=curve.cumulative_contribution >= curve.cac,
    ).order_by("channel", "month_of_age")


def payback(curve: ir.Table) -> ir.Table:
    """One row per channel of a :func:`payback_curve`.

    Columns: channel, cac, observed_months, cumulative_contribution (at the last of them), payback_months (the first
    month of age by which the contribution has reached the cost; null when it has not, as far as the data go).
    """
    grouped = curve.group_by("channel").aggregate(
        cac=curve.cac.max(),
        observed_months=curve.month_of_age.max(),
        cumulative_contribution=curve.cumulative_contribution.argmax(curve.month_of_age),
        payback_months=curve.month_of_age.min(where=curve.paid_back),
    )
    return grouped.order_by("channel")


def profit_contribution(tables: Tables, *, margin: float | None = None) -> ir.Table:
    """Profit contribution by calendar month, ordered.

    Columns: month (date), revenue (orders), refunds, net_revenue, contribution (before marketing), margin_rate
    (contribution over net revenue), spend (marketing; null without costs for the month), contribution_after_spend
    (null with it).

    ``margin`` is the rate that remains of an amount after the cost of the goods. None takes ``orders.cost`` instead:
    an order brings amount − cost; orders without a cost, and refunds, count at the average margin of those with one.
    Raises CannotSay ``insight.no_margin`` when there is neither.
    """
    flows = _flows(tables, margin)
    flows = flows.mutate(month=flows.day.truncate("M"))
    table = flows.group_by("month").aggregate(
        revenue=flows.amount.sum(where=flows.is_order).fill_null(0.0),
        refunds=(-flows.amount.sum(where=~flows.is_order)).fill_null(0.0),
        contribution=flows.contribution.sum(),
    )
    net = table.revenue - table.refunds
    table = table.mutate(net_revenue=net, margin_rate=table.contribution / net.nullif(0.0))
    nothing = ibis.null("float64")
    if tables.costs is None:
        table = table.mutate(spend=nothing, contribution_after_spend=nothing)
    else:
        spend = _monthly_spend(tables).group_by("spend_month").aggregate(spend=lambda t: t.spend.sum())
        table = table.left_join(spend, table.month == spend.spend_month).drop("spend_month")
        table = table.mutate(contribution_after_spend=table.contribution - table.spend)
    order = ("month", "revenue", "refunds", "net_revenue", "contribution", "margin_rate", "spend")
    return table.select(*order, "contribution_after_spend").order_by("month")


def contribution_by_channel(tables: Tables, *, margin: float | None = None) -> ir.Table:
    """What the customers whom each channel acquired have brought since, whatever they came back by; most revenue first.

    Columns: channel (of the first order; null where it names none), customers, repeat_customers (with orders on two
    days or more), orders, revenue, refunds, first_order (mean amount of a first order), contribution, margin_rate
    (contribution over revenue less refunds). ``margin`` as in :func:`profit_contribution`. Raises CannotSay
    ``insight.no_channel``, ``insight.no_margin``.
    """
    acquired = _acquired(tables).select(acquired_id="customer_id", channel="channel")
    flows = _flows(tables, margin)
    flows = flows.inner_join(acquired, flows.customer_id == acquired.acquired_id)
    people = flows.group_by("channel", "customer_id").aggregate(
        orders=flows.is_order.cast("int64").sum().cast("int64"),
        days=flows.day.nunique(where=flows.is_order),
        revenue=flows.amount.sum(where=flows.is_order).fill_null(0.0),
        refunds=(-flows.amount.sum(where=~flows.is_order)).fill_null(0.0),
        contribution=flows.contribution.sum(),
    )
    first = first_orders(tables.orders)
    first = first.select(first_customer="customer_id", first_amount=first.amount.cast("float64"))
    people = people.inner_join(first, people.customer_id == first.first_customer)
    table = people.group_by("channel").aggregate(
        customers=people.count(),
        repeat_customers=(people.days >= 2).cast("int64").sum().cast("int64"),
        orders=people.orders.sum().cast("int64"),
        revenue=people.revenue.sum(),
        refunds=people.refunds.sum(),
        first_order=people.first_amount.mean(),
        contribution=people.contribution.sum(),
    )
    net = table.revenue - table.refunds
    return table.mutate(margin_rate=table.contribution / net.nullif(0.0)).order_by(ibis.desc("revenue"), "channel")


def discount_summary(orders: ir.Table) -> ir.Table:
    """One row on what was given away: orders, discounted_orders, discounted_share, discount (money), depth (discount
    over list value of the discounted orders), revenue_share (of the discounted orders), average_order_value_discounted,
    average_order_value_full_price. Raises CannotSay ``insight.no_discount`` when orders carry none.
    """
    table = _with_discount(orders)
    reduced = table.reduction > 0
    row = table.aggregate(
        orders=table.count(),
        discounted_orders=reduced.sum().cast("int64"),
        discount=table.reduction.sum(where=reduced).fill_null(0.0),
        discounted_revenue=table.paid.sum(where=reduced).fill_null(0.0),
        revenue=table.paid.sum(),
        average_order_value_discounted=table.paid.mean(where=reduced),
        average_order_value_full_price=table.paid.mean(where=~reduced),
    )
    return row.select(
        "orders",
        "discounted_orders",
        "discount",
        "average_order_value_discounted",
        "average_order_value_full_price",
        discounted_share=row.discounted_orders.cast("float64") / row.orders.nullif(0).cast("float64"),
        depth=row.discount / (row.discount + row.discounted_revenue).nullif(0.0),
        revenue_share=row.discounted_revenue / row.revenue.nullif(0.0),
    )


def discount_acquired(
    tables: Tables, *, as_of: datetime, days: int = 365, margin: float | None = 1.0, level: float = 0.95
) -> ir.Table:
    """Whether customers won with a discount are worth as much as the others: at most two rows, ordered.

    Columns: first_order_discounted, customers, average_value (of their first ``days`` days, as
    :func:`value_of_first_days`), value_low, value_high (normal interval of a mean at ``level``), repeat_rate, and on
    both rows difference (discounted − full price), difference_low, difference_high (B. L. Welch 1938, variances not
    taken as equal; normal quantile). The customers were not assigned by lot: the difference need not be the discount's
    doing. Raises CannotSay ``insight.no_discount``.
    """
    first = _with_discount(first_orders(tables.orders))
    first = first.select(first_customer="customer_id", first_order_discounted=first.reduction > 0)
    values = value_of_first_days(tables, as_of=as_of, days=days, margin=margin)
    joined = values.inner_join(first, values.customer_id == first.first_customer)
    grouped = joined.group_by("first_order_discounted").aggregate(
        customers=joined.count(),
        average_value=joined["value"].mean(),
        deviation=joined["value"].std(how="sample"),
        repeat_rate=joined.ordered_again.cast("float64").mean(),
    )
    error = grouped.deviation / grouped.customers.cast("float64").sqrt()
    grouped = grouped.mutate(error=error)
    z = float(ndtri((1.0 + level) / 2.0))
    sign = ibis.ifelse(grouped.first_order_discounted, 1.0, -1.0)
    both = grouped.aggregate(
        rows=grouped.count(),
        difference=(sign * grouped.average_value).sum(),
        spread=(grouped.error * grouped.error).sum().sqrt(),
    )
    # With one kind of customer there is nothing to compare.
    nothing = ibis.null("float64")
    both = both.select(
        difference=ibis.ifelse(both.rows == 2, both["difference"], nothing),
        spread=ibis.ifelse(both.rows == 2, both.spread, nothing),
    )
    table = grouped.cross_join(both)
    return table.select(
        "first_order_discounted",
        "customers",
        "average_value",
        "repeat_rate",
        "difference",
        value_low=table.average_value - z * table.error,
        value_high=table.average_value + z * table.error,
        difference_low=table["difference"] - z * table.spread,
        difference_high=table["difference"] + z * table.spread,
    ).order_by("first_order_discounted")


def _with_discount(orders: ir.Table) -> ir.Table:
    if "discount" not in orders.columns:
        raise CannotSay("insight.no_discount")
    return orders.mutate(
        reduction=orders.discount.cast("float64").fill_null(0.0).abs(), paid=orders.amount.cast("float64")
    )


def _flows(tables: Tables, margin: float | None) -> ir.Table:
    """Orders and refunds of known customers as dated money: customer_id, day, amount (refunds below zero),
    contribution, is_order."""
    orders = tables.orders
    amount = orders.amount.cast("float64")
    if margin is None and "cost" not in orders.columns:
        raise CannotSay("insight.no_margin")
    if margin is None:
        cost = orders.cost.cast("float64")
        known = orders.aggregate(kept=(amount - cost).sum(), paid=amount.sum(where=cost.notnull()))
        rate = known.select(rate=known.kept / known.paid.nullif(0.0)).rate.as_scalar()
        contribution = ibis.coalesce(amount - cost, amount * rate)
    else:
        rate = ibis.literal(float(margin))
        contribution = amount * rate
    flows = orders.select(
        customer_id="customer_id",
        day=orders.ordered_at.date(),
        amount=amount,
        contribution=contribution,
        is_order=ibis.literal(True),  # noqa: FBT003 - a column of one value
    )
    if tables.refunds is not None:
        money = -tables.refunds.amount.cast("float64")
        refunds = tables.refunds.select(
            customer_id="customer_id",
            day=tables.refunds.refunded_at.date(),
            amount=money,
            contribution=money * rate,
            is_order=ibis.literal(False),  # noqa: FBT003 - likewise
        )
        flows = flows.union(refunds)
    return flows


def _values(facts: ir.Table) -> ir.Table:
    """The value columns of the facts alone: facts name first_channel and cohort too."""
    return facts.select("customer_id", *[name for name in ("historic_clv", "total_clv") if name in facts.columns])


def _acquired(tables: Tables) -> ir.Table:
    """customer_id, first_day, cohort, channel of acquisition: the first order's, else the customer's."""
    first = first_orders(tables.orders)
    first = first.mutate(first_day=first.ordered_at.date())
    if "channel" in first.columns:
        return first.select("customer_id", "first_day", "cohort", "channel")
    customers = tables.customers
    if customers is None or "channel" not in customers.columns:
        raise CannotSay("insight.no_channel")
    source = customers.select(source_id="customer_id", channel="channel")
    joined = first.left_join(source, first.customer_id == source.source_id)
    return joined.select("customer_id", "first_day", "cohort", "channel")


def _monthly_spend(tables: Tables) -> ir.Table:
    """spend_channel, spend_month, spend."""
    costs = tables.costs
    if costs is None:
        raise CannotSay("insight.no_costs")
    month = costs.period.cast("date").truncate("M")
    return costs.group_by(spend_channel=costs.channel, spend_month=month).aggregate(
        spend=lambda t: t.spend.sum().cast("float64")
    )


def _complete_spend(tables: Tables, as_of: datetime) -> ir.Table:
    """The monthly spend of months that the orders cover whole: not before the first order's, over by ``as_of``."""
    spend = _monthly_spend(tables)
    bounds = tables.orders.aggregate(first_month=tables.orders.ordered_at.min().date().truncate("M"))
    covered = spend.cross_join(bounds)
    over = covered.spend_month + ibis.interval(months=1) <= ibis.literal(as_of.date())
    return covered.filter(over & (covered.spend_month >= covered.first_month)).drop("first_month")


def _cost_per_customer(acquired: ir.Table, spend: ir.Table) -> ir.Table:
    """cost_channel, cac over all complete months with a cost, also those that won nobody."""
    people = acquired.group_by("channel").aggregate(people=lambda t: t.count())
    spent = spend.group_by(cost_channel="spend_channel").aggregate(spend=lambda t: t.spend.sum())
    joined = spent.inner_join(people, spent.cost_channel == people.channel)
    return joined.select("cost_channel", cac=joined.spend / joined.people.cast("float64"))
