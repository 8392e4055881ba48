"""``shuke clv``: order files in, one fitted model of purchases out, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from math import isfinite
from pathlib import Path
from typing import Any, Literal

import click
import numpy as np
from rich.console import Console

from shuke import collect
from shuke.app import terminal
from shuke.base.clock import day_after
from shuke.base.language import Language
from shuke.base.progress import part
from shuke.insight.clv import fit
from shuke.insight.clv.bg_bb import fit_bg_bb
from shuke.insight.clv.choose import Choice, choose_model
from shuke.insight.clv.model import PurchaseModel
from shuke.insight.tables import Tables
from shuke.insight.validation import Split, score, split_at, split_periods_at

__all__ = ["ClvOptions", "run"]

_READING = 0.5


@dataclass(frozen=True, kw_only=True)
class ClvOptions:
    """What ``shuke clv`` was asked for.

    ``calibration_end`` is the midnight that begins the last day that the model is fitted to, the orders after it are
    the holdout; None fits to everything and judges nothing. ``json_file`` ``-`` is standard output.
    """

    orders: tuple[str, ...]
    language: Language = Language.ENGLISH
    mapping: Mapping[str, str] = field(default_factory=dict)
    currency: str | None = None
    timezone: str | None = None
    model: str = "auto"
    calibration_end: datetime | None = None
    unit: Literal["day", "week"] = "week"
    json_file: str = "-"
    engine: Literal["duckdb", "spark"] = "duckdb"


def run(options: ClvOptions) -> None:
    """Fit and print; raises the errors of the rooms, which the command line explains."""
    console = Console(stderr=True, highlight=False)
    with terminal.workshop(options.engine) as (engine, folder), terminal.bar(console, options.language) as hear:
        collected = collect.read_orders(
            options.orders,
            engine=engine,
            work_folder=folder,
            mapping=options.mapping,
            currency=options.currency,
            timezone=options.timezone,
            need=("customer", "time"),
            progress=part(hear, 0.0, _READING),
        )
        terminal.show_recognised(collected, console, options.language)
        hear("app.clv", _READING)
        answer = _answer(options, collected.tables, collected.first_at, collected.last_at)
    written = json.dumps(_plain(answer), indent=2, ensure_ascii=False, allow_nan=False)
    if options.json_file == "-":
        click.echo(written)
    else:
        Path(options.json_file).write_text(written + "\n", encoding="utf-8")


def _answer(options: ClvOptions, tables: Tables, first_at: datetime, last_at: datetime) -> dict[str, Any]:
    as_of = day_after(last_at)
    end = last_at.date() if options.calibration_end is None else options.calibration_end.date()
    name, choice = options.model, None
    if name == "auto":
        # The holdout must not have a say in what it is to judge.
        known = day_after(options.calibration_end or last_at)
        choice = choose_model(tables, as_of=min(as_of, known), unit=options.unit)
        name = choice.name
    no_holdout = options.calibration_end is None
    if name == "bg-bb":
        split = split_periods_at(tables, calibration_end=end, as_of=as_of, unit=options.unit, may_be_empty=no_holdout)
        model: PurchaseModel = fit_bg_bb(split.statistics, unit=options.unit)
    else:
        split = split_at(
            tables,
            calibration_end=end,
            as_of=as_of,
            unit=options.unit,
            with_gaps="cnbd" in name,
            may_be_empty=no_holdout,
        )
        model = fit(name, split.statistics, unit=options.unit)
    errors = np.sqrt(np.diag(model.covariance)).tolist()
    return {
        "model": name,
        "parameters": model.parameters,
        "standard_errors": dict(zip(model.parameters, errors, strict=True)),
        "log_likelihood": model.log_likelihood,
        "customers": model.customers,
        "unit": options.unit,
        "calibration": _calibration(split, first_at.date()),
        "holdout": None if no_holdout else _holdout(model, split),
        "diagnosis": asdict(model.diagnosis),
        "choice": choice and _choice(choice),
    }


def _calibration(split: Split, begin: date) -> dict[str, Any]:
    """What the model was fitted to; for bg-bb x, t_x and T count periods."""
    cells = split.statistics
    return {
        "begin": begin,
        "end": split.calibration_end,
        "sum_x": float(cells.weight @ cells.x),
        "sum_t_x": float(cells.weight @ cells.t_x),
        "sum_T": float(cells.weight @ cells.T),
        "repeat_customers": round(float(cells.weight @ (cells.x > 0))),
    }


def _holdout(model: PurchaseModel, split: Split) -> dict[str, Any]:
    """How the model did; for bg-bb a purchase is a period with an order."""
    cells = split.statistics
    predicted = model.expected_purchases(split.horizon, cells.x, cells.t_x, cells.T)
    scores = score(predicted, split.later, cells.weight)
    low, high = model.total_interval(split.horizon, cells)
    return {
        "begin": split.calibration_end + timedelta(days=1),
        "end": split.holdout_end,
        "horizon": split.horizon,
        "purchases_actual": round(split.purchases_later),
        "purchases_predicted": scores.purchases_predicted,
        "purchases_predicted_low": low,
        "purchases_predicted_high": high,
        "mae": scores.mae,
        "rmse": scores.rmse,
        "gini": scores.gini,
    }


def _choice(choice: Choice) -> dict[str, Any]:
    return {"why": [asdict(why) for why in choice.why], "candidates": choice.candidates.to_pylist()}


def _plain(value: Any) -> Any:
    """What JSON can hold: dates as ISO text, numbers that are none as null."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not isfinite(value):
        return None
    return value
