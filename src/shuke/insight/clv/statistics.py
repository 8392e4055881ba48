"""Compressed sufficient statistics: the distinct histories of a customer base, and how many customers share each.

The models of this package see a customer through three numbers (Fader, Hardie & Lee 2005): ``x`` repeat orders, the
last at ``t_x``, observed for ``T``, both in units of time since the first order. The regular-timing models also need
the sum of the logarithms of the gaps between orders, but only its total over all customers (Platzer & Reutterer 2016,
equation 5): a cell therefore keeps the mean of its customers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from shuke.base.errors import BadInput

__all__ = ["Statistics"]

Floats = NDArray[np.float64]

# Recency and age come from divisions of whole days; a last order may overshoot the end by rounding, not by more.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Statistics:
    """Cells of customers with the same history; every array has one entry per cell, in a canonical order.

    ``x`` repeat orders (whole, ≥ 0), ``t_x`` time of the last (0 when x = 0), ``T`` age (t_x ≤ T), ``weight`` customers
    in the cell (> 0), ``log_gap_sum`` the cell's mean sum of ln(gap), ``covariates`` fixed traits by name.

    Raises BadInput ``insight.bad_statistics`` naming the rule that a cell breaks.
    """

    x: Floats
    t_x: Floats
    T: Floats
    weight: Floats
    log_gap_sum: Floats | None = None
    covariates: Mapping[str, Floats] | None = None

    def __post_init__(self) -> None:
        """Refuse histories that cannot be: models would answer them with nonsense."""
        columns = {"x": self.x, "t_x": self.t_x, "T": self.T, "weight": self.weight, **(self.covariates or {})}
        if self.log_gap_sum is not None:
            columns["log_gap_sum"] = self.log_gap_sum
        for name, column in columns.items():
            _refuse(column.shape != self.x.shape, f"{name}: one number per cell")
            _refuse(not bool(np.isfinite(column).all()), f"{name}: finite numbers")
        _refuse(self.x.size == 0, "x: at least one customer")
        _refuse(bool(np.any((self.x < 0) | (self.x != np.floor(self.x)))), "x: whole numbers, 0 or more")
        _refuse(bool(np.any(self.weight <= 0)), "weight: above 0")
        _refuse(bool(np.any(self.t_x[self.x == 0] != 0)), "t_x: 0 where x is 0")
        _refuse(bool(np.any((self.t_x <= 0) & (self.x > 0))), "t_x: above 0 where x is above 0")
        _refuse(bool(np.any(self.t_x > self.T)), "t_x: at most T")

    @property
    def customers(self) -> int:
        """Customers in all cells."""
        return round(float(self.weight.sum()))

    @property
    def cells(self) -> int:
        """Distinct histories."""
        return self.x.size

    @classmethod
    def from_arrays(
        cls,
        x: ArrayLike,
        t_x: ArrayLike,
        T: ArrayLike,
        *,
        weight: ArrayLike | None = None,
        log_gap_sum: ArrayLike | None = None,
        covariates: Mapping[str, ArrayLike] | None = None,
    ) -> Statistics:
        """Group one entry per customer (or per weighted group) into distinct cells."""
        columns: dict[str, Any] = {"frequency": x, "recency": t_x, "age": T, **(covariates or {})}
        if log_gap_sum is not None:
            columns["log_gap_sum"] = log_gap_sum
        columns["customers"] = np.ones(np.shape(x)) if weight is None else weight
        arrays = {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}
        _refuse(len({array.shape for array in arrays.values()}) != 1, "all columns: the same length")
        return cls._grouped(pa.table(arrays), tuple(covariates or ()))

    @classmethod
    def from_summary(cls, table: Any, *, covariates: Sequence[str] = ()) -> Statistics:
        """Group a customer summary: an Ibis table in its engine, or anything that speaks Arrow (pandas, polars, ...).

        Columns: ``frequency``, ``recency``, ``age``, with ``log_gap_sum`` if there, and the named ``covariates``
        (numeric). Only distinct cells leave the engine. Raises BadInput ``insight.missing_columns``.
        """
        names = table.columns if isinstance(table, ir.Table) else (table := pa.table(table)).column_names
        keys = ["frequency", "recency", "age", *covariates]
        if missing := [name for name in keys if name not in names]:
            raise BadInput("insight.missing_columns", table="summary", columns=missing, found=list(names))
        timed = "log_gap_sum" in names
        if not isinstance(table, ir.Table):
            table = table.select([*keys, *(["log_gap_sum"] if timed else [])])
            return cls._grouped(table.append_column("customers", pa.array(np.ones(len(table)))), tuple(covariates))
        rows = table.select(**{key: table[key].cast("float64") for key in keys}, **_gaps(table, timed=timed))
        measures = {"customers": rows.count().cast("float64")}
        if timed:
            measures["log_gap_sum"] = rows.log_gap_sum.mean()
        return cls._sorted(rows.group_by(keys).aggregate(**measures).to_pyarrow(), tuple(covariates))

    @classmethod
    def _grouped(cls, table: pa.Table, covariates: tuple[str, ...]) -> Statistics:
        keys = ["frequency", "recency", "age", *covariates]
        sums: list[tuple[str, str]] = [("customers", "sum")]
        if timed := "log_gap_sum" in table.column_names:
            # A customer without a repeat order has no gap.
            weighted = np.nan_to_num(_numbers(table, "log_gap_sum")) * _numbers(table, "customers")
            table = table.append_column("log_gaps", pa.array(weighted))
            sums.append(("log_gaps", "sum"))
        # One thread, so that sums of floats come out the same to the bit every time.
        cells = table.group_by(keys, use_threads=False).aggregate(sums)
        weight = _numbers(cells, "customers_sum")
        columns = {key: _numbers(cells, key) for key in keys} | {"customers": weight}
        if timed:
            columns["log_gap_sum"] = np.divide(
                _numbers(cells, "log_gaps_sum"), weight, where=weight > 0, out=weight * 0
            )
        return cls._sorted(pa.table(columns), covariates)

    @classmethod
    def _sorted(cls, cells: pa.Table, covariates: tuple[str, ...]) -> Statistics:
        """Bring cells into the canonical order (an engine returns groups in any), so that sums repeat to the bit."""
        keys = ["age", "recency", "frequency", *covariates]
        order = np.lexsort([_numbers(cells, key) for key in reversed(keys)])
        columns = {name: _numbers(cells, name)[order] for name in cells.column_names}
        age, recency = columns["age"], columns["recency"]
        beyond = (recency > age) & (recency <= age * (1 + _ROUNDING))
        return cls(
            x=columns["frequency"],
            t_x=np.where(beyond, age, recency),
            T=age,
            weight=columns["customers"],
            log_gap_sum=columns.get("log_gap_sum"),
            covariates={name: columns[name] for name in covariates} if covariates else None,
        )

    def thinned(self, cells_max: int) -> Statistics:
        """A deterministic sample of about ``cells_max`` cells, for a first approximation of a fit.

        Cells of many customers stay with their weight scaled down, the others are taken every so often in the canonical
        order, which spreads the sample evenly over ages and recencies.
        """
        step = -(-self.cells // cells_max)
        if step <= 1:
            return self
        heavy = self.weight >= step
        light = np.flatnonzero(~heavy)[::step]
        kept = np.concatenate([np.flatnonzero(heavy), light])
        weight = np.concatenate([self.weight[heavy] / step, self.weight[light]])
        return Statistics(
            x=self.x[kept],
            t_x=self.t_x[kept],
            T=self.T[kept],
            weight=weight,
            log_gap_sum=None if self.log_gap_sum is None else self.log_gap_sum[kept],
            covariates=None if self.covariates is None else {n: c[kept] for n, c in self.covariates.items()},
        )


def _gaps(table: ir.Table, *, timed: bool) -> dict[str, ir.Value]:
    return {"log_gap_sum": table.log_gap_sum.cast("float64").fill_null(0.0)} if timed else {}


def _numbers(table: pa.Table, name: str) -> Floats:
    numbers: Floats = table.column(name).to_numpy().astype(np.float64)
    return numbers


def _refuse(broken: bool, rule: str) -> None:  # noqa: FBT001 - reads as "refuse if"
    if broken:
        raise BadInput("insight.bad_statistics", rule=rule)
