"""How far the model of a refresh can be trusted: why it was chosen, and how it did on what it had not seen."""

from __future__ import annotations

import dataclasses
from datetime import date, datetime, timedelta
from math import isfinite
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from shuke import insight
from shuke.base.errors import CannotSay
from shuke.lifecycle.analysis_model import (
    Calibration,
    Candidate,
    Decile,
    ModelQuality,
    ModelTest,
    Reason,
    TrackedWeek,
)
from shuke.lifecycle.tables import model_checks, refreshes
from shuke.platform import Transaction

__all__ = ["check_model", "keep_check", "model_quality"]


def check_model(tables: insight.Tables, facts: insight.Facts) -> dict[str, Any]:
    """What is to be kept of the model's choice and of its test, as JSON; a test costs one more fit."""
    if facts.model is None:
        return {"why": [], "candidates": [], "test": None}
    choice = facts.choice
    return {
        "why": [] if choice is None else [{"code": one.code, "values": _plain(one.values)} for one in choice.why],
        "candidates": [] if choice is None else [_candidate(row) for row in choice.candidates.to_pylist()],
        "test": _tested(tables, facts, facts.model.name),
    }


def _candidate(row: dict[str, Any]) -> dict[str, Any]:
    actual, predicted = row["purchases_actual"], row["purchases_predicted"]
    return {
        "name": row["name"],
        "chosen": row["chosen"],
        "excluded": row["excluded"],
        "log_score": row["log_score"],
        "total_error": predicted / actual - 1 if actual else None,
    }


def _tested(tables: insight.Tables, facts: insight.Facts, model: str) -> dict[str, Any] | None:
    """The holdout at the end of the history; None where there is none that could tell."""
    first = tables.orders.ordered_at.min().to_pyarrow().as_py()
    days = insight.days_to_test((facts.as_of - first).days, horizon_days=facts.horizon_days)
    if days is None:
        return None
    end = (facts.as_of - timedelta(days=days + 1)).date()
    try:
        # Without the guesses of others: they cost as much again, and are in the report.
        result = insight.holdout(
            tables, calibration_end=end, as_of=facts.as_of, model=model, unit=facts.unit, with_baselines=False
        )
    except CannotSay:
        return None
    return {
        "calibration_end": result.calibration_end.isoformat(),
        "holdout_end": result.holdout_end.isoformat(),
        "customers": result.customers,
        "orders_actual": result.purchases_actual,
        "orders_predicted": result.purchases_predicted,
        "orders_low": result.purchases_low,
        "orders_high": result.purchases_high,
        "mae": result.mae,
        "rmse": result.rmse,
        "gini": _finite(result.gini),
        "gini_best": _finite(result.gini_best),
        "calibration": result.by_frequency.to_pylist(),
        "deciles": result.deciles.select(["decile", "actual", "predicted"]).to_pylist(),
        "weeks": [
            {
                "week_end": row["week_end"].isoformat(),
                "holdout": row["holdout"],
                "actual_total": row["actual_total"],
                "expected_total": row["expected_total"],
            }
            for row in result.tracking.to_pylist()
        ],
    }


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _finite(value) if isinstance(value, float) else value for name, value in values.items()}


def keep_check(tx: Transaction, refresh_id: UUID, found: dict[str, Any]) -> None:
    """Keep what :func:`check_model` found, beside its refresh."""
    tx.execute(insert(model_checks).values(refresh_id=refresh_id, found=found))


def model_quality(tx: Transaction) -> ModelQuality | None:
    """What the model of the last refresh was and how it did; None before a refresh that checked its model."""
    row = tx.execute(
        sa.select(refreshes.c.as_of, refreshes.c.model, model_checks.c.found)
        .join(model_checks, model_checks.c.refresh_id == refreshes.c.refresh_id)
        .order_by(refreshes.c.as_of.desc(), refreshes.c.finished_at.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else _quality(row.as_of, row.model, row.found)


def _quality(as_of: datetime, model: str | None, found: dict[str, Any]) -> ModelQuality:
    test = found["test"]
    return ModelQuality(
        as_of=as_of,
        model=model,
        why=tuple(Reason(**one) for one in found["why"]),
        candidates=tuple(Candidate(**one) for one in found["candidates"]),
        test=None if test is None else _test(test),
    )


def _test(found: dict[str, Any]) -> ModelTest:
    plain = {field.name for field in dataclasses.fields(ModelTest)} - {"calibration", "deciles", "weeks"}
    values: dict[str, Any] = {name: found[name] for name in plain}
    for name in ("calibration_end", "holdout_end"):
        values[name] = date.fromisoformat(found[name])
    return ModelTest(
        **values,
        calibration=tuple(Calibration(**one) for one in found["calibration"]),
        deciles=tuple(Decile(**one) for one in found["deciles"]),
        weeks=tuple(TrackedWeek(**{**one, "week_end": date.fromisoformat(one["week_end"])}) for one in found["weeks"]),
    )
