"""The facts of each customer: history, scores, stage, and what is to be expected, one row each.

**Predicted value.** predicted_clv is the money, after refunds and times the margin, that the customer is expected to
spend within the horizon, discounted to ``as_of``:

    expected occasions, discounted · expected amount of an occasion · (1 − share refunded) · margin

Occasions are days with an order, as everywhere in the models. Amounts are those of the Gamma-Gamma model over **all**
occasions of the customer, the first too: the papers leave the first out since on the CDNOW data it was drawn
differently, but then nothing is known of those who came once, who are most customers; see ``test_facts`` for what the
choice does to the error on a holdout. The share refunded is that of all money so far: single refunds are too rare to
tell customers apart.

**Intervals.** predicted_orders_low and _high are exact predictive quantiles of the fitted model. Those of value are
quantiles of the sum of a random number of amounts, for which there is no closed form. For n orders, the logarithm of a
Gamma-Gamma sum has mean ψ(pn) − ψ(q') + ln γ' and variance ψ'(pn) + ψ'(q'). Above, the number of orders given at
least one is taken as log-normal with its exact mean and variance, which gives the sum a normal logarithm, to be
reached with the exact probability of any order. Below, where customers who leave early make a tail of their own, the
deviation of the logarithm is that of the exact lower quantile of orders and that of spend, squares added; it is zero
where no order has more than the probability left out. Held against draws, 78 to 90 % fall inside. They cover chance,
not the error of the parameters, which is small beside it for one customer and is shown for totals
(``PurchaseModel.total_interval``).

**Scale.** The future depends on a customer's history through few numbers that whole groups share, which are worked out
once per group; customers pass through in batches, as Arrow columns, and are never all in Python's hands.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Protocol

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import special

from shuke.base.errors import BadInput, CannotSay
from shuke.insight.clv import fit, fit_spend
from shuke.insight.clv.choose import Choice, choose_model
from shuke.insight.clv.gamma_gamma import SpendModel
from shuke.insight.clv.model import Floats, PurchaseModel
from shuke.insight.clv.statistics import Statistics
from shuke.insight.economics import earliest
from shuke.insight.gate import Gate, gate
from shuke.insight.rfm import rfm_limits, rfm_scores
from shuke.insight.stages import CUSTOMER_STAGES, StageRules, assign_stage
from shuke.insight.stages.rules import typical_gap
from shuke.insight.summary import DAYS_PER_UNIT, Unit, customer_sums, last_known_day, with_ages
from shuke.insight.tables import Tables

__all__ = ["INTERVAL_LEVEL", "PREDICTIONS", "Facts", "FactsEngine", "customer_facts"]

DAYS_PER_YEAR = 365.0
INTERVAL_LEVEL = 0.8
# A next order further away than this is not an expectation that anybody can act on.
NEXT_ORDER_DAYS_MAX = 3650

PREDICTIONS: dict[str, pa.DataType] = {
    "p_alive": pa.float64(),
    "churn_probability": pa.float64(),
    "predicted_number_of_orders": pa.float64(),
    "predicted_orders_low": pa.float64(),
    "predicted_orders_high": pa.float64(),
    "expected_order_value": pa.float64(),
    "predicted_clv": pa.float64(),
    "predicted_clv_low": pa.float64(),
    "predicted_clv_high": pa.float64(),
    "total_clv": pa.float64(),
    "expected_date_of_next_order": pa.date32(),
}
# Orders are whole: the quantile of a sum lies within a step of theirs, here by trial.
_WITHIN_A_STEP = 0.25
_HISTORY = ("recency", "age", "order_days", "gross_amount", "refunds")
# Of the histories, what the predictions are made from but need not come back.
_PASSED = ("recency", "age")
_INTERNAL = ("net_amount",)
_FIRSTS = ("channel", "store", "region")
# Abscissas and weights for the integral over the horizon that discounting takes; E(u) is smooth in the root of u.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(5)


class FactsEngine(Protocol):
    """What the facts ask of an engine; every engine of ``platform`` has it."""

    def keep(self, table: ir.Table, name: str) -> ir.Table:
        """Run once and keep the result."""
        ...

    def transform(self, table: ir.Table, function: Callable[[pa.RecordBatch], pa.RecordBatch], name: str) -> ir.Table:
        """Pass the rows through a function, in batches, and keep what comes out."""
        ...


@dataclass(frozen=True, eq=False)
class Facts:
    """The facts of all customers with an order before ``as_of``, and what they rest on.

    ``table``: one row per customer, with the columns of :func:`customer_facts`. ``model``, ``spend`` and
    ``statistics`` are None, and the predicted columns null, where ``cannot_say`` has a reason: the gate is closed, or
    nobody ever came back. ``choice`` is what ``auto`` decided on, and why. ``refunded_share`` is the share of all money
    that was refunded.
    """

    table: ir.Table
    as_of: dt.datetime
    horizon_days: int
    unit: Unit
    margin: float
    discount_rate_per_year: float
    gate: Gate
    refunded_share: float
    model: PurchaseModel | None = None
    spend: SpendModel | None = None
    statistics: Statistics | None = None
    choice: Choice | None = None
    cannot_say: CannotSay | None = None


def customer_facts(  # noqa: PLR0913 - all but one by keyword, and each stands alone
    tables: Tables,
    *,
    as_of: dt.datetime,
    engine: FactsEngine,
    model: str = "auto",
    horizon_days: int = 365,
    unit: Unit = "week",
    margin: float = 1.0,
    discount_rate_per_year: float = 0.1,
    stages: StageRules = CUSTOMER_STAGES,
    keep: bool = True,
) -> Facts:
    """One row per customer with an order before ``as_of``.

    Columns: those of :func:`customer_summary` (but for net_amount) and historic_clv (net of refunds, times margin);
    cohort (first day of the month of the first order); first_channel, first_store and region, as of the first order,
    where orders have them; r_score, f_score, m_score, rfm_score, rfm_group, value_group; p_alive, churn_probability
    (1 − p_alive); predicted_number_of_orders within the horizon, with the 80 % interval predicted_orders_low and _high;
    expected_order_value (gross, per occasion); predicted_clv with predicted_clv_low and _high; total_clv (historic and
    predicted); expected_date_of_next_order (median, given that the customer is still one; null if that is more than
    ten years away); stage. Where predictions cannot be said they are null, and so are p_alive and
    churn_probability under NBD, in which nobody leaves.

    Args:
        tables: orders, and refunds if there are any.
        as_of: exclusive end of what is known.
        engine: where the expressions run.
        model: of :data:`clv.MODELS`, or ``auto`` for the one that predicts a holdout best.
        horizon_days: how far ahead is looked.
        unit: of the model's parameters, and of recency and age.
        margin: share of the money that stays after the cost of goods.
        discount_rate_per_year: annual rate; money in a year is worth 1/(1 + rate).
        stages: the vocabulary of stages.
        keep: whether to keep the result in the engine, for many uses; without, ``table`` is run by each.

    Raises:
        BadInput: ``insight.bad_facts_option`` for a horizon, margin or rate that cannot be.
    """
    _check(horizon_days=horizon_days, margin=margin, discount_rate_per_year=discount_rate_per_year)
    timed = model == "auto" or "cnbd" in model
    # Only the sums are kept and passed about; what follows from them is cheaper to work out again than to store.
    sums = engine.keep(
        customer_sums(tables, as_of=as_of, unit=unit, with_gaps=timed, with_repeat_amount=False), "facts_sums"
    )
    summary = with_ages(sums, as_of=as_of, unit=unit)
    opened = gate(tables, as_of, summary=summary)
    totals = summary.agg(gross=summary.gross_amount.sum(), refunds=summary.refunds.sum()).to_pyarrow().to_pylist()[0]
    refunded = min(max(totals["refunds"] / totals["gross"], 0.0), 1.0) if totals["gross"] else 0.0
    settings = _Settings(
        today=last_known_day(as_of),
        horizon=horizon_days / DAYS_PER_UNIT[unit],
        days_per_unit=DAYS_PER_UNIT[unit],
        log_discount=float(np.log1p(discount_rate_per_year)) * DAYS_PER_UNIT[unit] / DAYS_PER_YEAR,
        margin=margin,
        kept_share=(1 - refunded) * margin,
    )
    with ThreadPoolExecutor(2) as aside:
        # The two models know nothing of each other nor of the scores, and NumPy lets others work meanwhile.
        fitting = _fit(tables, summary, opened, aside, settings, model=model, as_of=as_of, unit=unit)
        limits = engine.keep(rfm_limits(_valued(summary, margin), money="historic_clv"), "facts_rfm_limits")
        stages = _with_usual_gap(stages, summary)
        fitted = fitting.result(settings)
    predict = _without_predictions if fitted.predictor is None else fitted.predictor
    passed = summary.select(*(name for name in sums.columns if name != "log_gap_sum"), *_PASSED)
    predicted = with_ages(engine.transform(passed, predict, "facts_predicted"), as_of=as_of, unit=unit)
    scored = rfm_scores(_described(tables, _valued(predicted, margin)), money="historic_clv", limits=limits)
    table = _in_order(assign_stage(scored, stages))
    return Facts(
        table=engine.keep(table, "facts") if keep else table,
        as_of=as_of,
        horizon_days=horizon_days,
        unit=unit,
        margin=margin,
        discount_rate_per_year=discount_rate_per_year,
        gate=opened,
        refunded_share=refunded,
        model=fitted.model,
        spend=fitted.spend,
        statistics=fitted.statistics,
        choice=fitted.choice,
        cannot_say=fitted.cannot_say,
    )


def _check(*, horizon_days: int, margin: float, discount_rate_per_year: float) -> None:
    for name, value, fits in (
        ("horizon_days", horizon_days, horizon_days >= 1),
        ("margin", margin, 0 <= margin <= 1),
        ("discount_rate_per_year", discount_rate_per_year, 0 <= discount_rate_per_year < np.inf),
    ):
        if not fits:
            raise BadInput("insight.bad_facts_option", option=name, given=value)


@dataclass(frozen=True, eq=False)
class _Fitted:
    model: PurchaseModel | None = None
    spend: SpendModel | None = None
    statistics: Statistics | None = None
    choice: Choice | None = None
    predictor: _Predictor | None = None
    cannot_say: CannotSay | None = None


@dataclass(frozen=True, eq=False)
class _Fitting:
    """Fits that are under way, or why there are none."""

    statistics: Statistics | None = None
    choice: Choice | None = None
    model: Future[tuple[PurchaseModel, _Futures]] | None = None
    spend: Future[SpendModel | None] | None = None
    cannot_say: CannotSay | None = None

    def result(self, settings: _Settings) -> _Fitted:
        """Wait for them."""
        if self.model is None or self.spend is None:
            return _Fitted(cannot_say=self.cannot_say)
        try:
            model, futures = self.model.result()
        except CannotSay as reason:
            return _Fitted(cannot_say=reason)
        spend = self.spend.result()
        return _Fitted(model, spend, self.statistics, self.choice, _Predictor(model, spend, settings, futures))


def _fit(
    tables: Tables,
    summary: ir.Table,
    opened: Gate,
    aside: ThreadPoolExecutor,
    settings: _Settings,
    *,
    model: str,
    as_of: dt.datetime,
    unit: Unit,
) -> _Fitting:
    """Ask the engine for what the models need, and set them going."""
    try:
        opened.require()
        choice = choose_model(tables, as_of=as_of, unit=unit) if model == "auto" else None
    except CannotSay as reason:
        return _Fitting(cannot_say=reason)
    spent = summary.select("order_days", mean=summary.gross_amount / summary.order_days).to_pyarrow()
    spend = aside.submit(_fit_spend, spent["order_days"].to_numpy(), spent["mean"].to_numpy())
    statistics = Statistics.from_summary(summary)
    name = choice.name if choice else model

    def fit_and_look_ahead() -> tuple[PurchaseModel, _Futures]:
        fitted = fit(name, statistics, unit=unit)
        return fitted, _Futures.of(fitted, statistics, settings)

    return _Fitting(statistics, choice, aside.submit(fit_and_look_ahead), spend)


def _fit_spend(days: NDArray[np.int64], mean: Floats) -> SpendModel | None:
    """The model of spend; None where everybody spends the same, so that their own mean is all that there is to know."""
    try:
        return fit_spend(days, mean)
    except CannotSay:
        return None


def _valued(summary: ir.Table, margin: float) -> ir.Table:
    return summary.mutate(historic_clv=summary.net_amount * margin)


def _described(tables: Tables, customers: ir.Table) -> ir.Table:
    """Customers with their cohort, and with what the first order says."""
    described = customers.mutate(cohort=customers.first_order_at.truncate("M").cast("date"))
    known = [name for name in _FIRSTS if name in tables.orders.columns]
    if not known:
        return described
    orders, people = tables.orders, customers.select("customer_id", "first_order_at")
    at_first = [orders.customer_id == people.customer_id, orders.ordered_at == people.first_order_at]
    firsts = earliest(orders.semi_join(people, at_first))
    names = {name: name if name == "region" else f"first_{name}" for name in known}
    firsts = firsts.select("customer_id", **{names[name]: firsts[name] for name in known})
    joined = described.left_join(firsts, "customer_id")
    return joined.select(*(described[name] for name in described.columns), *(firsts[names[name]] for name in known))


def _with_usual_gap(stages: StageRules, summary: ir.Table) -> StageRules:
    """The stages with the brand's typical gap worked out once, where they need it and do not fix it themselves."""
    if stages.usual_gap_days is not None or "silence" not in stages.fields():
        return stages
    found = typical_gap(summary.filter(summary.order_days > 1)).to_pyarrow()["typical_gap_days"][0].as_py()
    return replace(stages, usual_gap_days=found)


def _in_order(table: ir.Table) -> ir.Table:
    """The columns in the order in which they are described: history, scores, predictions, stage."""
    last = [*PREDICTIONS, "stage"]
    return table.select(*(name for name in table.columns if name not in (*last, *_INTERNAL)), *last)


@dataclass(frozen=True)
class _Settings:
    """``horizon`` in units; ``log_discount`` continuous rate per unit; ``kept_share`` of gross money that is value."""

    today: dt.date
    horizon: float
    days_per_unit: float
    log_discount: float
    margin: float
    kept_share: float


@dataclass(frozen=True, eq=False)
class _Futures:
    """What the distinct histories have before them, given that the customer is alive; arrays (cells,), sorted by key.

    ``mean`` and ``log_mean``/``log_variance``: of the number of orders, and of its logarithm given at least one;
    ``any_order``: probability of at least one; ``discount``: what an order within the horizon is worth today, 1 at
    a rate of 0; ``wait``: median units until the next.
    """

    key: NDArray[np.int64]
    mean: Floats
    any_order: Floats
    log_mean: Floats
    log_variance: Floats
    discount: Floats
    wait: Floats
    by_recency: bool
    days_per_unit: float

    @classmethod
    def of(cls, model: PurchaseModel, statistics: Statistics, settings: _Settings) -> _Futures:
        """Work them out for all distinct histories of the customer base."""
        # While customers are alive, only the regular-timing models care when the last order was.
        by_recency = model.parameters.get("k", 1) > 1
        keys = _keys(statistics.x, statistics.t_x, statistics.T, settings.days_per_unit, by_recency=by_recency)
        key, at = np.unique(keys, return_index=True)
        x, T = statistics.x[at], statistics.T[at]
        t_x = statistics.t_x[at] if by_recency else np.where(x > 0, T, 0.0)
        horizon, rate = settings.horizon, settings.log_discount
        alive = model.p_alive(x, t_x, T)
        known = alive > 1e-100
        per_alive = np.divide(1.0, alive, where=known, out=np.zeros_like(alive))
        mean, variance = model.purchases_moments(horizon, x, t_x, T)
        any_order = np.clip((1 - model.probability_of(0, horizon, x, t_x, T)) * per_alive, 1e-300, 1.0)
        # Of the number of orders given at least one, by its first two moments.
        some_mean = np.maximum(mean * per_alive / any_order, 1.0)
        some_square = (variance + mean**2) * per_alive / any_order
        log_variance = np.log(np.maximum(some_square / some_mean**2, 1.0))
        worth = np.exp(-rate * horizon) * mean
        for node, weight in zip((_NODES + 1) / 2, _WEIGHTS, strict=True):
            # By parts: e^(−δH) E(H) + δ ∫ e^(−δu) E(u) du, with u = H·node².
            until = horizon * node**2
            expected = model.expected_purchases(until, x, t_x, T)
            worth = worth + rate * horizon * node * weight * np.exp(-rate * until) * expected
        return cls(
            key=key,
            mean=mean * per_alive,
            any_order=any_order,
            log_mean=np.log(some_mean) - log_variance / 2,
            log_variance=log_variance,
            discount=np.divide(worth, mean, where=mean > 0, out=np.ones_like(mean)),
            wait=model.expected_next_order(x, t_x, T),
            by_recency=by_recency,
            days_per_unit=settings.days_per_unit,
        )

    def cell(self, x: Floats, t_x: Floats, T: Floats) -> NDArray[np.intp]:
        """Which distinct history each customer has; all are among those that the model was fitted to."""
        keys = _keys(x, t_x, T, self.days_per_unit, by_recency=self.by_recency)
        return np.searchsorted(self.key, keys)


def _keys(x: Floats, t_x: Floats, T: Floats, days_per_unit: float, *, by_recency: bool) -> NDArray[np.int64]:
    """One whole number per history: times are whole days, of which 2^20 are 2,872 years."""
    age = np.rint(T * days_per_unit).astype(np.int64)
    recency = np.rint(t_x * days_per_unit).astype(np.int64) if by_recency else 0
    return (x.astype(np.int64) << 40) | (recency << 20) | age


def _without_predictions(batch: pa.RecordBatch) -> pa.RecordBatch:
    return _with_columns(batch, {name: pa.nulls(batch.num_rows, kind) for name, kind in PREDICTIONS.items()})


@dataclass(frozen=True, eq=False)
class _History:
    """What the value of a customer hangs on: P(alive), occasions, money spent; (n,)."""

    alive: Floats
    days: Floats
    gross: Floats


@dataclass(frozen=True, eq=False)
class _Predictor:
    """Adds the predictions to histories, batch by batch. Pure, so that batches may be worked on side by side."""

    model: PurchaseModel
    spend: SpendModel | None
    settings: _Settings
    futures: _Futures

    @property
    def sees_leaving(self) -> bool:
        """Whether the model knows that customers leave."""
        return self.model.name != "nbd"

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with its predictions."""
        if batch.num_rows == 0:
            return _without_predictions(batch)
        t_x, T, days, gross, refunds = (
            batch.column(name).to_numpy(zero_copy_only=False).astype(np.float64) for name in _HISTORY
        )
        x, t_x = days - 1, np.minimum(t_x, T)
        cell = self.futures.cell(x, t_x, T)
        alive = self.model.p_alive(x, t_x, T)
        orders = alive * self.futures.mean[cell]
        low, high = self.model.purchases_interval(self.settings.horizon, x, t_x, T, INTERVAL_LEVEL)
        spend = gross / days if self.spend is None else self.spend.expected_spend(days, gross / days)
        worth = self.futures.discount[cell] * self.settings.kept_share
        value = orders * spend * worth
        value_low, value_high = self._value_interval(cell, _History(alive, days, gross), low)
        return _with_columns(
            batch,
            {
                # NBD takes everyone to stay: its P(alive) of 1 is an assumption and no answer.
                "p_alive": alive if self.sees_leaving else pa.nulls(x.size, pa.float64()),
                "churn_probability": 1 - alive if self.sees_leaving else pa.nulls(x.size, pa.float64()),
                "predicted_number_of_orders": orders,
                "predicted_orders_low": low,
                "predicted_orders_high": high,
                "expected_order_value": spend,
                "predicted_clv": value,
                "predicted_clv_low": value_low * worth,
                "predicted_clv_high": value_high * worth,
                "total_clv": (gross - refunds) * self.settings.margin + value,
                "expected_date_of_next_order": self._dates(self.futures.wait[cell]),
            },
        )

    def _value_interval(self, cell: NDArray[np.intp], history: _History, low: Floats) -> tuple[Floats, Floats]:
        """Quantiles of value before discounting and margin; ``low`` is the lower quantile of the number of orders."""
        futures, gross, days = self.futures, history.gross, history.days
        log_orders, orders_variance = futures.log_mean[cell], futures.log_variance[cell]
        if self.spend is None:
            log_spend, spend_variance = np.log(gross / days), np.zeros_like(gross)
        else:
            p, q = self.spend.p, self.spend.q + self.spend.p * days
            # ψ(pn) is about ln(pn) − 1/(2pn), averaged over a log-normal n; ψ' at its harmonic mean.
            fewest = np.exp(orders_variance / 2 - log_orders)
            log_spend = np.log(p) - fewest * (0.5 / p) - special.digamma(q) + np.log(self.spend.gamma + gross)
            spend_variance = _trigamma(p / fewest) + _trigamma(q)
        chance = np.maximum(history.alive * futures.any_order[cell], 1e-300)
        # Zero with the probability of no order, otherwise so far into the rest.
        within = 1 - (1 - INTERVAL_LEVEL) / 2 / chance
        reach = np.sqrt(orders_variance + spend_variance) * special.ndtri(np.where(within > 0, within, 0.5))
        value_high = np.where(within > 0, np.exp(log_orders + log_spend + reach), 0.0)
        fewer = log_orders - np.log(np.maximum(low - _WITHIN_A_STEP, _WITHIN_A_STEP))
        normal = special.ndtri((1 + INTERVAL_LEVEL) / 2)
        depth = np.sqrt(np.maximum(fewer, 0.0) ** 2 + normal**2 * spend_variance)
        value_low = np.where(low >= 1, np.exp(log_orders + log_spend - depth), 0.0)
        return np.minimum(value_low, value_high), value_high

    def _dates(self, wait: Floats) -> pa.Array:
        days = np.ceil(wait * self.settings.days_per_unit)
        near = days <= NEXT_ORDER_DAYS_MAX  # False for what cannot be said
        start = (self.settings.today - dt.date(1970, 1, 1)).days
        numbers = (np.where(near, days, 0) + start).astype(np.int32)
        return pa.array(numbers, mask=~near).cast(pa.date32())


def _with_columns(batch: pa.RecordBatch, columns: dict[str, Any]) -> pa.RecordBatch:
    kept = batch.drop_columns(list(_PASSED))
    arrays = [*kept.columns, *(pa.array(column, type=PREDICTIONS[name]) for name, column in columns.items())]
    return pa.RecordBatch.from_arrays(arrays, names=[*kept.schema.names, *columns])


def _trigamma(z: Floats) -> Floats:
    """ψ'(z) for z > 0 to four digits, by its recurrence and asymptotic series: SciPy's takes twenty times as long."""
    far = z + 2
    series: Floats = 1 / z**2 + 1 / (z + 1) ** 2 + 1 / far + 0.5 / far**2 + 1 / (6 * far**3) - 1 / (30 * far**5)
    return series
