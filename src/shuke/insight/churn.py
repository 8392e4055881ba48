"""Churn by segment, and the reasons for leaving that orders can show.

Nobody writes down why they left. What the data can show is which customers leave more often than others who are
alike in what matters most. :func:`churn_reasons` therefore looks from a date in the past: among the customers active
then, who did not come back in the time since? It compares those with a trait (a return, a discounted first order, one
product only …), all known at that date, to those without it among customers of as many orders and of a like recency,
and reports a difference only where chance is ruled out for all comparisons together. A difference is not proof of a
cause; an experiment is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import ibis
import ibis.expr.types as ir
import numpy as np
from scipy.special import ndtr, ndtri

from shuke.base.errors import BadInput, CannotSay
from shuke.insight.economics import first_orders
from shuke.insight.retention import occasions, period_start
from shuke.insight.tables import Tables

__all__ = ["ChurnReason", "ChurnReasons", "churn_by", "churn_reasons", "holm", "stratified_difference", "wilson"]

CUSTOMERS_MIN = 30
VALUES_MAX = 20
_YES, _NO = "yes", "no"
_STRATA = ("order_band", "recency_band")
# Traits that are one of the strata themselves are not compared within it.
_OWN_STRATUM = {"one_order": "order_band"}


@dataclass(frozen=True)
class ChurnReason:
    """How one trait goes with leaving.

    ``code`` is the trait and ``value`` its value where it has several (first_category, first_channel, region, cohort);
    "" where it is yes or no. customers and churned count those with the trait, ``rest_…`` those without.
    ``difference`` is the Mantel–Haenszel difference of churn shares within customers of like order count and recency,
    with limits ``low`` and ``high``; ``p_value`` is two-sided, ``p_adjusted`` Holm's over all comparisons.
    ``supported`` says whether p_adjusted is below the asked level. extra_customers = difference · customers: how many
    more (or fewer) left than if the trait made no difference; amount_churned is what those who left had spent by then.
    """

    code: str
    value: str
    customers: int
    churned: int
    rest_customers: int
    rest_churned: int
    difference: float
    low: float
    high: float
    p_value: float
    p_adjusted: float
    supported: bool
    amount_churned: float

    @property
    def churn_share(self) -> float:
        """The plain share that left among those with the trait."""
        return self.churned / self.customers

    @property
    def rest_share(self) -> float:
        """The plain share that left among those without it."""
        return self.rest_churned / self.rest_customers

    @property
    def extra_customers(self) -> float:
        """How many more left than would have without the difference."""
        return self.difference * self.customers


@dataclass(frozen=True)
class ChurnReasons:
    """All comparisons: ``at`` is the date looked from, ``window_days`` the time given to come back.

    ``customers`` were active at that date, ``churned`` of them did not come back. ``reasons`` are all comparisons, the
    largest effect first; ``not_seen`` names traits that these data cannot show, with what they need.
    """

    at: dt.datetime
    window_days: int
    customers: int
    churned: int
    reasons: tuple[ChurnReason, ...]
    not_seen: Mapping[str, str]

    @property
    def leaving(self) -> tuple[ChurnReason, ...]:
        """The supported reasons for leaving, most extra leavers first."""
        return tuple(reason for reason in self.reasons if reason.supported and reason.difference > 0)

    @property
    def staying(self) -> tuple[ChurnReason, ...]:
        """The supported traits of those who stay."""
        return tuple(reason for reason in self.reasons if reason.supported and reason.difference < 0)


def churn_by(facts: ir.Table, column: str, *, lost: Sequence[str] = ("lost", "exit"), level: float = 0.95) -> ir.Table:
    """The share of lost customers by the values of a column, with Wilson's interval.

    ``facts`` has one row per customer, with stage and the column; ``lost`` are the stages that count. Columns: the
    column, customers, churned, churn_share, low, high (Wilson 1927, without continuity correction), and with
    historic_clv in the facts amount_churned (what the lost had spent). Young customers cannot be lost yet: compare
    cohorts of different age with care.
    """
    missing = [name for name in (column, "stage") if name not in facts.columns]
    if missing:
        raise BadInput("insight.missing_columns", table="facts", columns=missing, found=list(facts.columns))
    if not 0 < level < 1:
        raise BadInput("insight.bad_level", level=level)
    gone = facts.stage.isin(list(lost))
    money = (
        {"amount_churned": facts.historic_clv.sum(where=gone).fill_null(0)} if "historic_clv" in facts.columns else {}
    )
    table = facts.group_by(column).aggregate(customers=facts.count(), churned=gone.cast("int64").sum(), **money)
    low, high = wilson(table.churned, table.customers, level=level)
    share = table.churned / table.customers
    return table.select(
        column, "customers", "churned", share.name("churn_share"), low.name("low"), high.name("high"), *money
    ).order_by(column)


def wilson(successes: ir.Value, trials: ir.Value, *, level: float = 0.95) -> tuple[ir.Value, ir.Value]:
    """Limits of a share (Wilson 1927, eq. for the score interval), as expressions; trials above zero."""
    z = float(ndtri(0.5 + level / 2))
    n, k = trials.cast("float64"), successes.cast("float64")
    middle = (k + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * (k * (n - k) / n + z * z / 4).sqrt()
    # At none and at all, the limit is 0 or 1 exactly, which rounding would miss by the last bit.
    low = ibis.cases((successes == 0, ibis.literal(0.0)), else_=middle - half)
    return low, ibis.cases((successes == trials, ibis.literal(1.0)), else_=middle + half)


def churn_reasons(
    tables: Tables, *, as_of: dt.datetime, window_days: int = 180, active_days: int | None = None, level: float = 0.95
) -> ChurnReasons:
    """Compare who came back in the last ``window_days`` with who did not; runs one query.

    Those compared had an order in the ``active_days`` (default: as many as the window) before the window began. Traits,
    as known then: one_order; returned_last (something was returned on or after the day of the last order);
    first_discounted, always_discounted; low_first_value (first purchase below the median first purchase);
    single_product (one product ever); first_category, first_channel, first_store, region, cohort (quarter of the first
    order), each value against all others, the ``VALUES_MAX`` most frequent. A trait is compared when at least
    ``CUSTOMERS_MIN`` customers have it and as many do not. Strata: 1, 2–3, 4 or more order days, by thirds of
    ``active_days`` since the last order.

    Raises CannotSay ``insight.too_few_to_compare`` with fewer than twice ``CUSTOMERS_MIN`` active customers, or where
    all or none came back.
    """
    active_days = window_days if active_days is None else active_days
    at = as_of - dt.timedelta(days=window_days)
    people, traits, not_seen = _people(tables, at, as_of, active_days)
    counts = [
        people.filter(people[trait].notnull())
        .group_by(*_STRATA, trait)
        .aggregate(
            customers=ibis._.count(), churned=ibis._.churned.sum(), amount=ibis._.amount.sum(where=ibis._.churned == 1)
        )
        .select(
            *_STRATA,
            code=ibis.literal(trait),
            value=ibis._[trait].cast("string"),
            customers=ibis._.customers.cast("int64"),
            churned=ibis._.churned.cast("int64"),
            amount=ibis._.amount.fill_null(0.0),
        )
        for trait in traits
    ]
    rows = ibis.union(*counts).to_pyarrow().to_pylist()
    base = [row for row in rows if row["code"] == "one_order"]
    customers, churned = (sum(row[name] for row in base) for name in ("customers", "churned"))
    if customers < 2 * CUSTOMERS_MIN or churned in (0, customers):
        raise CannotSay("insight.too_few_to_compare", customers=customers, churned=churned, needed=2 * CUSTOMERS_MIN)
    found = [reason for trait in traits for reason in _compare(trait, [r for r in rows if r["code"] == trait], level)]
    adjusted = holm([reason.p_value for reason in found])
    reasons = [
        replace(reason, p_adjusted=p, supported=p < 1 - level) for reason, p in zip(found, adjusted, strict=True)
    ]
    reasons.sort(key=lambda reason: (-abs(reason.extra_customers), reason.code, reason.value))
    return ChurnReasons(at, window_days, customers, churned, tuple(reasons), not_seen)


def stratified_difference(
    successes: np.ndarray, trials: np.ndarray, rest_successes: np.ndarray, rest_trials: np.ndarray
) -> tuple[float, float]:
    """The Mantel–Haenszel difference of two shares over strata, and its standard error (Sato 1989).

    Arrays have one entry per stratum; strata in which one of the groups is empty say nothing and weigh nothing. NaN
    where no stratum has both. difference = Σ (a·n₀ − b·n₁)/N / Σ n₁·n₀/N.
    """
    a, n1, b, n0 = (np.asarray(v, dtype=np.float64) for v in (successes, trials, rest_successes, rest_trials))
    both = (n1 > 0) & (n0 > 0)
    a, n1, b, n0 = a[both], n1[both], b[both], n0[both]
    total = n1 + n0
    weight = float((n1 * n0 / total).sum())
    if weight == 0:
        return float("nan"), float("nan")
    difference = float(((a * n0 - b * n1) / total).sum()) / weight
    p = float(((n1**2 * b - n0**2 * a + n1 * n0 * (n0 - n1) / 2) / total**2).sum())
    q = float(((a * (n0 - b) + b * (n1 - a)) / (2 * total)).sum())
    return difference, float(np.sqrt(max(difference * p + q, 0.0))) / weight


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for their number (Holm 1979): each is then valid for the whole family."""
    order = np.argsort(p_values, kind="stable")
    count = len(p_values)
    stepped = np.asarray(p_values, dtype=np.float64)[order] * (count - np.arange(count))
    adjusted = np.empty(count)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0) if count else stepped
    return [float(p) for p in adjusted]


def _compare(trait: str, rows: list[dict[str, object]], level: float) -> list[ChurnReason]:
    """The comparisons of one trait: yes against no, or each frequent value against all others."""
    adjust = [name for name in _STRATA if name != _OWN_STRATUM.get(trait)]
    strata = sorted({tuple(str(row[name]) for name in adjust) for row in rows})
    place = {stratum: number for number, stratum in enumerate(strata)}
    cells: dict[str, np.ndarray] = {}
    for row in rows:
        cell = cells.setdefault(str(row["value"]), np.zeros((3, len(strata))))
        cell[:, place[tuple(str(row[name]) for name in adjust)]] += [row["customers"], row["churned"], row["amount"]]
    everyone = sum(cells.values(), np.zeros((3, len(strata))))
    values = sorted((value for value in cells if value != _NO), key=lambda value: (-cells[value][0].sum(), value))
    z = float(ndtri(0.5 + level / 2))
    reasons = []
    for value in values[:VALUES_MAX]:
        cell, rest = cells[value], everyone - cells[value]
        if min(cell[0].sum(), rest[0].sum()) < CUSTOMERS_MIN:
            continue
        difference, error = stratified_difference(cell[1], cell[0], rest[1], rest[0])
        if not error > 0:
            continue
        p_value = float(2 * ndtr(-abs(difference) / error))
        reasons.append(
            ChurnReason(
                code=trait,
                value="" if value == _YES else value,
                customers=int(cell[0].sum()),
                churned=int(cell[1].sum()),
                rest_customers=int(rest[0].sum()),
                rest_churned=int(rest[1].sum()),
                difference=difference,
                low=max(difference - z * error, -1.0),
                high=min(difference + z * error, 1.0),
                p_value=p_value,
                p_adjusted=p_value,
                supported=False,
                amount_churned=float(cell[2].sum()),
            )
        )
    return reasons


def _people(
    tables: Tables, at: dt.datetime, as_of: dt.datetime, active_days: int
) -> tuple[ir.Table, list[str], dict[str, str]]:
    """Customers active at ``at`` with their traits as known then, whether they left, and what cannot be seen."""
    days = occasions(tables, as_of=at)
    later = tables.orders.filter(
        tables.orders.ordered_at >= ibis.literal(at, type="timestamp"),
        tables.orders.ordered_at < ibis.literal(as_of, type="timestamp"),
    )
    per_customer = days.group_by("customer_id").aggregate(
        order_days=ibis._.count(),
        first_day=ibis._.day.min(),
        last_day=ibis._.day.max(),
        amount=ibis._.amount.sum(),
        first_amount=ibis._.amount.sum(where=ibis._.number == 1),
    )
    silent = ibis.literal(at.date()).delta(per_customer.last_day, unit="day")
    middle = per_customer.aggregate(first_median=per_customer.first_amount.quantile(0.5))
    people = per_customer.mutate(silent=silent).filter(silent <= active_days).cross_join(middle)
    people = people.mutate(
        order_band=ibis.cases((people.order_days == 1, "1"), (people.order_days <= 3, "2-3"), else_="4+"),
        recency_band=ibis.cases(
            (people.silent * 3 <= active_days, "1"), (people.silent * 3 <= 2 * active_days, "2"), else_="3"
        ),
        churned=(~people.customer_id.isin(later.customer_id)).cast("int64"),
        one_order=_flag(people.order_days == 1),
        low_first_value=_flag(people.first_amount < people.first_median),
        cohort=period_start(people.first_day, "quarter").cast("string"),
    )
    traits = ["one_order", "low_first_value", "cohort"]
    not_seen: dict[str, str] = {}
    for add in (_add_orders, _add_refunds, _add_lines):
        people = add(people, tables, at, traits, not_seen)
    return people, traits, not_seen


def _flag(condition: ir.Value) -> ir.Value:
    return ibis.ifelse(condition, _YES, _NO)


def _add_orders(
    people: ir.Table, tables: Tables, at: dt.datetime, traits: list[str], not_seen: dict[str, str]
) -> ir.Table:
    """Traits from columns of the orders: discounts, and where the first order came from."""
    orders = tables.orders.filter(tables.orders.ordered_at < ibis.literal(at, type="timestamp"))
    first = {"first_channel": "channel", "first_store": "store", "region": "region"}
    known = {trait: column for trait, column in first.items() if column in orders.columns}
    not_seen |= {trait: column for trait, column in first.items() if trait not in known}
    began = first_orders(orders)
    measures = {trait: began[column] for trait, column in known.items()}
    if "discount" in orders.columns:
        measures["first_discounted"] = _flag(began.discount.fill_null(0) != 0)
        full = orders.group_by("customer_id").aggregate(_full_price=(orders.discount.fill_null(0) == 0).any())
        joined = people.left_join(full, "customer_id").select(people, full["_full_price"])
        people = joined.mutate(always_discounted=_flag(~joined["_full_price"]))
        traits.append("always_discounted")
    else:
        not_seen |= {"first_discounted": "discount", "always_discounted": "discount"}
    if not measures:
        return people
    found = began.select("customer_id", **measures)
    traits += measures
    return people.left_join(found, "customer_id").select(people, *(found[name] for name in measures))


def _add_refunds(
    people: ir.Table, tables: Tables, at: dt.datetime, traits: list[str], not_seen: dict[str, str]
) -> ir.Table:
    """Whether anything was returned on or after the day of the last order."""
    if tables.refunds is None:
        not_seen["returned_last"] = "refunds"
        return people
    known = tables.refunds.filter(tables.refunds.refunded_at < ibis.literal(at, type="timestamp"))
    last = known.group_by("customer_id").aggregate(_last_return=known.refunded_at.max().date())
    joined = people.left_join(last, "customer_id").select(people, last["_last_return"])
    traits.append("returned_last")
    after = joined["_last_return"].notnull() & (joined["_last_return"] >= joined.last_day)
    return joined.mutate(returned_last=_flag(after))


def _add_lines(
    people: ir.Table, tables: Tables, at: dt.datetime, traits: list[str], not_seen: dict[str, str]
) -> ir.Table:
    """Whether they bought one product only, and the category that the first purchase was mostly of."""
    if tables.order_lines is None:
        not_seen |= {"single_product": "order_lines", "first_category": "order_lines"}
        return people
    lines = tables.order_lines.filter(tables.order_lines.ordered_at < ibis.literal(at, type="timestamp"))
    ranges = lines.group_by("customer_id").aggregate(_products=lines.product_id.nunique())
    people = people.left_join(ranges, "customer_id").select(people, ranges["_products"])
    people = people.mutate(
        single_product=ibis.cases((people["_products"].isnull(), None), else_=_flag(people["_products"] == 1))
    )
    traits.append("single_product")
    if "category" not in lines.columns:
        not_seen["first_category"] = "category"
        return people
    firsts = people.select(_who=people.customer_id, first_day=people.first_day)
    bought = lines.filter(lines.category.notnull()).join(firsts, lines.customer_id == firsts["_who"])
    bought = bought.filter(bought.ordered_at.date() == bought.first_day)
    spent = bought.group_by("customer_id", "category").aggregate(spent=bought.amount.cast("float64").sum())
    best = ibis.window(group_by="customer_id", order_by=[ibis.desc("spent"), "category"])
    ranked = spent.mutate(place=ibis.row_number().over(best))
    main = ranked.filter(ranked.place == 0).select("customer_id", first_category=ibis._.category)
    traits.append("first_category")
    return people.left_join(main, "customer_id").select(people, main.first_category)
