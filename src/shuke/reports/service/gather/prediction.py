"""Figures of the predictions: the model, its test, value by stage with intervals, the distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from math import floor, isfinite, log10

import ibis.expr.types as ir
import numpy as np

from shuke import insight
from shuke.base.errors import CannotSay
from shuke.reports import measures
from shuke.reports.rules.figures import (
    Baseline,
    Candidate,
    Decile,
    FrequencyBin,
    Gate,
    GateReason,
    Holdout,
    ListSize,
    Model,
    Parameter,
    Segment,
    Tracking,
)
from shuke.reports.rules.strategies import MEASURE_DAYS
from shuke.reports.service.gather.base import as_segment, segments
from shuke.reports.service.gather.desk import Desk, Row, row_of, rows_of

__all__ = [
    "gate_figures",
    "holdout_figures",
    "list_figures",
    "model_figures",
    "model_sees_leaving",
    "pair_table",
    "stage_segments",
    "value_distribution",
]

DAYS_PER_UNIT = {"day": 1.0, "week": 7.0}
BINS = 20


def gate_figures(gate: insight.Gate) -> Gate:
    """What the data lack for predictions."""
    return Gate(
        ok=gate.ok,
        reasons=tuple(
            GateReason(code=one.code, needed=one.needed, found=one.found or 0, ok=False) for one in gate.reasons
        ),
    )


@dataclass(frozen=True)
class _Total:
    """An expected number of orders and its interval."""

    orders: float
    low: float
    high: float

    def money(self, value: float) -> tuple[float | None, float | None]:
        """The interval in money, by the mean value of these orders."""
        if self.orders <= 0:
            return None, None
        return value * self.low / self.orders, value * self.high / self.orders


def _total(desk: Desk, customers: ir.Table, level: float) -> _Total | None:
    """Expected orders of some customers together, with the model's interval; None without a model or customers."""
    model = desk.facts.model
    if model is None:
        return None
    cells = insight.Statistics.from_summary(customers)
    horizon = desk.facts.horizon_days / DAYS_PER_UNIT[desk.facts.unit]
    expected = model.expected_purchases(horizon, cells.x, cells.t_x, cells.T)
    low, high = model.total_interval(horizon, cells, level)
    return _Total(float(np.asarray(expected) @ cells.weight), low, high)


def model_sees_leaving(name: str) -> bool:
    """Whether a model knows that customers leave: the NBD takes all to stay, so that its P(alive) of 1 says nothing."""
    return name != "nbd"


def stage_segments(desk: Desk) -> tuple[Segment, ...]:
    """Every stage with its value; the interval of the expected value at 80%."""
    found = []
    for row in sorted(segments(desk, "stage"), key=lambda row: desk.stages.codes.index(row["key"])):
        low = high = None
        if row["predicted"] is not None:
            total = _total(desk, desk.customers.filter(desk.customers.stage == row["key"]), 0.8)
            low, high = total.money(row["predicted"]) if total else (None, None)
        found.append(as_segment(row, low=low, high=high))
    return tuple(found)


def model_figures(desk: Desk) -> Model | None:
    """The fitted model, what it expects of everybody, and what else was tried."""
    facts, model = desk.facts, desk.facts.model
    if model is None:
        return None
    value = row_of(desk.customers.aggregate(value=desk.customers.predicted_clv.sum()))["value"]
    total = _total(desk, desk.customers, 0.95)
    low, high = total.money(value) if total else (None, None)
    horizon = facts.horizon_days / DAYS_PER_UNIT[facts.unit]
    spend = facts.spend
    mean = spend.population_mean if spend is not None else None
    return Model(
        name=model.name,
        why=_why(facts.choice),
        parameters=_parameters(model.parameters, model.covariance),
        spend_parameters=_parameters(spend.parameters, spend.covariance) if spend is not None else (),
        log_likelihood=model.log_likelihood,
        customers=model.customers,
        unit=model.unit,
        warnings=(*_model_warnings(model), *_spend_warnings(spend)),
        candidates=_candidates(facts.choice, model.name),
        orders_predicted=total.orders if total else 0.0,
        orders_low=total.low if total else None,
        orders_high=total.high if total else None,
        value_predicted=value,
        value_low=low,
        value_high=high,
        mean_order_value=mean if mean is not None and isfinite(mean) else None,
        new_customer_orders=float(model.expected_total(horizon)),
    )


def _model_warnings(model: insight.PurchaseModel) -> tuple[str, ...]:
    leaving = () if model_sees_leaving(model.name) else ("nobody_leaves",)
    return (*leaving, *model.diagnosis.warnings)


def _spend_warnings(spend: insight.SpendModel | None) -> tuple[str, ...]:
    """The spend model's own warnings, under names of their own."""
    if spend is None:
        return ()
    doubtful = ("spend_correlated",) if abs(spend.correlation) > 0.3 else ()
    return (*(f"spend_{code}" for code in spend.diagnosis.warnings), *doubtful)


def _parameters(values: Mapping[str, float], covariance: np.ndarray) -> tuple[Parameter, ...]:
    variances = np.diag(covariance) if np.size(covariance) else np.full(len(values), np.nan)
    return tuple(
        Parameter(name=name, value=value, standard_error=float(variance**0.5) if variance > 0 else None)
        for (name, value), variance in zip(values.items(), variances, strict=False)
    )


def _why(choice: insight.Choice | None) -> tuple[tuple[str, Mapping[str, object]], ...]:
    return () if choice is None else tuple((one.code, dict(one.values)) for one in choice.why)


def _candidates(choice: insight.Choice | None, chosen: str) -> tuple[Candidate, ...]:
    if choice is None:
        return ()
    return tuple(
        Candidate(
            name=row["name"],
            excluded=row["excluded"],
            log_score=row["log_score"],
            deficit=row["deficit"],
            deficit_error=row["deficit_error"],
            total_error=row["purchases_predicted"] / row["purchases_actual"] - 1 if row["purchases_actual"] else None,
            bic=row["bic"],
            chosen=row["name"] == chosen,
        )
        for row in choice.candidates.to_pylist()
    )


def holdout_figures(desk: Desk) -> tuple[Holdout | None, str | None]:
    """The model's test on what it had not seen; without one, the code of why not."""
    model = desk.facts.model
    if model is None:
        return None, None
    days = insight.days_to_test(desk.history_days, horizon_days=desk.facts.horizon_days)
    if days is None:
        return None, "too_short"
    end = (desk.as_of - timedelta(days=days + 1)).date()
    try:
        result = insight.holdout(
            desk.tables, calibration_end=end, as_of=desk.as_of, model=model.name, unit=desk.facts.unit
        )
    except CannotSay:
        return None, "unknown"
    return _holdout(result, days), None


def _holdout(result: insight.Holdout, days: int) -> Holdout:
    own, *others = result.baselines.to_pylist()
    return Holdout(
        calibration_end=result.calibration_end,
        days=days,
        customers=result.customers,
        purchases_actual=result.purchases_actual,
        purchases_predicted=result.purchases_predicted,
        mae=result.mae,
        rmse=result.rmse,
        gini=own["gini"] if own["gini"] is not None and isfinite(own["gini"]) else None,
        by_frequency=tuple(
            FrequencyBin(
                frequency=f"{row['frequency']}{'+' if row['and_more'] else ''}",
                customers=row["customers"],
                actual=row["actual"],
                predicted=row["predicted"],
            )
            for row in result.by_frequency.to_pylist()
        ),
        deciles=tuple(
            Decile(
                decile=row["decile"],
                customers=round(row["customers"]),
                actual=row["actual"],
                predicted=row["predicted"],
                lift=row["lift"] or 0.0,
            )
            for row in result.deciles.to_pylist()
        ),
        tracking=tuple(
            Tracking(
                at=row["week_end"],
                actual=row["actual"],
                predicted=row["expected"],
                actual_cumulative=row["actual_total"],
                predicted_cumulative=row["expected_total"],
            )
            for row in result.tracking.to_pylist()
        ),
        baselines=tuple(
            Baseline(name=row["name"], total=row["purchases_predicted"], mae=row["mae"], rmse=row["rmse"])
            for row in others
        ),
    )


def value_distribution(
    desk: Desk,
) -> tuple[tuple[tuple[float, float, int], ...], tuple[tuple[float, float], ...]]:
    """Customers by predicted value, in even bins up to the 97th hundredth; the median and the upper tenth."""
    if desk.facts.model is None:
        return (), ()
    value = desk.customers.predicted_clv
    row = row_of(
        desk.customers.aggregate(
            median=value.quantile(0.5), p90=value.quantile(0.9), p97=value.quantile(0.97), most=value.max()
        )
    )
    if not row["p97"]:
        return (), ()
    width = _round_up(row["p97"] / BINS)
    counts = {
        one["place"]: one["customers"]
        for one in rows_of(measures.value_histogram(desk.customers, width=width, bins=BINS + 1))
    }
    bins = tuple((place * width, (place + 1) * width, counts.get(place, 0)) for place in range(BINS + 1))
    return bins, ((0.5, row["median"]), (0.9, row["p90"]))


def _round_up(width: float) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten."""
    power = 10.0 ** floor(log10(width))
    return next(step * power for step in (1.0, 2.0, 2.5, 5.0, 10.0) if step * power >= width)


def list_figures(desk: Desk, pair: tuple[str, str] | None) -> dict[str, ListSize]:
    """Every list in figures, with the share that would order within the measuring time if nothing were done."""
    row = row_of(measures.list_sizes(desk.customers, desk.limits))
    codes = [code for code in measures.LISTS if f"{code}__customers" in row]
    found = {code: _size(row, code) for code in codes}
    lists = {code: measures.list_of(desk.customers, code, desk.limits) for code in codes}
    if pair is not None and desk.tables.order_lines is not None:
        table = pair_table(desk, pair)
        found["pair_missing"] = _size(row_of(measures.sizes_of_all(table, "pair_missing")), "pair_missing")
        lists["pair_missing"] = table
    return {
        code: replace(size, base_rate=_base_rate(desk, lists[code])) if size.customers else size
        for code, size in found.items()
    }


def pair_table(desk: Desk, pair: tuple[str, str]) -> ir.Table:
    """Customers who bought the first of a pair lately and never the second."""
    lines = desk.tables.order_lines
    if lines is None:
        raise CannotSay("insight.no_lines")
    return desk.customers.semi_join(measures.pair_customers(lines, *pair, as_of=desk.as_of), "customer_id")


def _size(row: Row, code: str) -> ListSize:
    return ListSize(
        customers=row[f"{code}__customers"] or 0,
        historic=row[f"{code}__historic"] or 0.0,
        amount_365=row[f"{code}__amount_365"] or 0.0,
        order_value_sum=row[f"{code}__order_value_sum"] or 0.0,
        predicted=row[f"{code}__predicted"],
        refunds=row[f"{code}__refunds"] or 0.0,
    )


def _base_rate(desk: Desk, customers: ir.Table | None) -> float | None:
    model = desk.facts.model
    if model is None or customers is None:
        return None
    cells = insight.Statistics.from_summary(customers)
    horizon = MEASURE_DAYS / DAYS_PER_UNIT[desk.facts.unit]
    none = np.asarray(model.probability_of(0, horizon, cells.x, cells.t_x, cells.T))
    return float((1 - none) @ cells.weight / cells.weight.sum())
