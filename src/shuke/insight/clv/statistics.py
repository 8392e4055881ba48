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

from shuke.base.errors import BadInput, CannotSay
from shuke.insight.clv.distinct import canonical_order

__all__ = ["ORDERS_MAX", "Statistics"]

Floats = NDArray[np.float64]

# A daily order for more than two thousand years.
ORDERS_MAX = 1_000_000

# Recency and age come from divisions of whole days; a last order may overshoot the end by rounding, not by more.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Statistics:
    """Cells of customers with the same history; every array has one entry per cell, in a canonical order.

    ``x`` repeat orders (whole, 0 to a million), ``t_x`` time of the last (0 when x = 0), ``T`` age (t_x ≤ T),
    ``weight`` customers in the cell (> 0), ``log_gap_sum`` the cell's mean sum of ln(gap), ``covariates`` fixed traits
    by name.

    Raises BadInput ``insight.bad_statistics`` naming the column that breaks these rules, or that is not of
    finite numbers, one per cell; CannotSay ``insight.no_customers`` without any cell.
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
            _refuse(column.shape != self.x.shape or not bool(np.isfinite(column).all()), name)
        if self.x.size == 0:
            raise CannotSay("insight.no_customers")
        repeats = self.x > 0
        whole = (self.x >= 0) & (self.x <= ORDERS_MAX) & (self.x == np.floor(self.x))
        _refuse(not bool(whole.all()), "x")
        _refuse(bool(np.any(self.T < 0)), "T")
        _refuse(bool(np.any((self.t_x > 0) != repeats) or np.any(self.t_x > self.T)), "t_x")
        _refuse(bool(np.any(self.weight <= 0)), "weight")

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
        columns: dict[str, ArrayLike] = {"frequency": x, "recency": t_x, "age": T, **(covariates or {})}
        if log_gap_sum is not None:
            columns["log_gap_sum"] = log_gap_sum
        columns["customers"] = np.ones(np.shape(x)) if weight is None else weight
        arrays = {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}
        for name, array in arrays.items():
            _refuse(array.shape != (arrays["frequency"].size,), name)
        return cls._grouped(arrays, tuple(covariates or ()))

    @classmethod
    def from_summary(cls, table: Any, *, covariates: Sequence[str] = ()) -> Statistics:
        """Group a customer summary: an Ibis table in its engine, or anything that speaks Arrow (pandas, polars, ...).

        Columns: ``frequency``, ``recency``, ``age``, with ``log_gap_sum`` if there, and the named ``covariates``
        (numeric); an Arrow table may already count ``customers``. Only distinct cells leave the engine.
        Raises BadInput ``insight.missing_columns``.
        """
        names = table.columns if isinstance(table, ir.Table) else (table := pa.table(table)).column_names
        keys = ["frequency", "recency", "age", *covariates]
        if missing := [name for name in keys if name not in names]:
            raise BadInput("insight.missing_columns", table="summary", columns=missing, found=list(names))
        timed = "log_gap_sum" in names
        if isinstance(table, ir.Table):
            rows = table.select(**{key: table[key].cast("float64") for key in keys}, **_gaps(table, timed=timed))
            measures = {"customers": rows.count().cast("float64")}
            if timed:
                measures["log_gap_sum"] = rows.log_gap_sum.mean()
            table = rows.group_by(keys).aggregate(**measures).to_pyarrow()
        names = [*keys, *(["log_gap_sum"] if timed else [])]
        columns = {name: _numbers(table, name) for name in names}
        customers = _numbers(table, "customers") if "customers" in table.column_names else np.ones(len(table))
        return cls._grouped({**columns, "customers": customers}, tuple(covariates))

    @classmethod
    def _grouped(cls, columns: Mapping[str, Floats], covariates: tuple[str, ...]) -> Statistics:
        """Cells of rows that share their history, in the canonical order, so that sums repeat to the bit."""
        timed = "log_gap_sum" in columns
        keys = ["age", "recency", "frequency", *covariates]
        order = canonical_order(*(columns[key] for key in keys))
        ranked = {name: column[order] for name, column in columns.items()}
        new = np.zeros(order.size, dtype=bool)
        new[:1] = True
        for key in keys:
            new[1:] |= ranked[key][1:] != ranked[key][:-1]
        starts = np.flatnonzero(new)
        weight = np.add.reduceat(ranked["customers"], starts) if starts.size else ranked["customers"]
        log_gaps = None
        if timed:
            # A customer without a repeat order has no gap.
            sums = np.add.reduceat(np.nan_to_num(ranked["log_gap_sum"]) * ranked["customers"], starts)
            # Zero weight is refused below; until then it must not divide.
            log_gaps = np.divide(sums, weight, where=weight > 0, out=np.zeros_like(sums))
        age, recency = ranked["age"][starts], ranked["recency"][starts]
        beyond = (recency > age) & (recency <= age * (1 + _ROUNDING))
        return cls(
            x=ranked["frequency"][starts],
            t_x=np.where(beyond, age, recency),
            T=age,
            weight=weight,
            log_gap_sum=log_gaps,
            covariates={name: ranked[name][starts] for name in covariates} if covariates else None,
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


def _refuse(broken: bool, column: str) -> None:  # noqa: FBT001 - reads as "refuse if"
    if broken:
        raise BadInput("insight.bad_statistics", column=column)
