"""The published calibration data, read with plain polars rather than with our own summary."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from shuke.insight.clv.statistics import Statistics

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cdnow:
    """Histories in weeks to 1997-09-30, order days of the 39 weeks after, mean spend on repeat days (NaN if none)."""

    x: Floats
    t_x: Floats
    T: Floats
    log_gap_sum: Floats
    later: Floats
    mean_spend: Floats

    @property
    def statistics(self) -> Statistics:
        return Statistics.from_arrays(self.x, self.t_x, self.T, log_gap_sum=self.log_gap_sum)


@pytest.fixture(scope="session")
def cdnow(shared_data: Path) -> Cdnow:
    lines = [
        row.split() for row in (shared_data / "cdnow" / "CDNOW_sample.txt").read_text().splitlines() if row.strip()
    ]
    end = pl.date(1997, 9, 30)
    days = (
        pl.DataFrame(
            {
                "who": [row[1] for row in lines],
                "day": [row[2] for row in lines],
                "paid": [float(row[4]) for row in lines],
            }
        )
        .with_columns(pl.col("day").str.to_date("%Y%m%d"))
        .group_by("who", "day")
        .agg(pl.col("paid").sum())
        .sort("who", "day")
        .with_columns(first=pl.col("day").min().over("who"), seen=pl.col("day") <= end)
    )
    repeat = pl.col("seen") & (pl.col("day") > pl.col("first"))
    rows = days.group_by("who", maintain_order=True).agg(
        x=repeat.sum(),
        t_x=(pl.col("day").filter("seen").max() - pl.col("first").first()).dt.total_days() / 7,
        T=(end - pl.col("first").first()).dt.total_days() / 7,
        gaps=(pl.col("day").filter("seen").diff().drop_nulls().dt.total_days() / 7).log().sum(),
        later=(~pl.col("seen")).sum(),
        spend=pl.col("paid").filter(repeat).mean(),
    )
    columns = (rows[name].cast(pl.Float64).fill_null(float("nan")).to_numpy() for name in rows.columns[1:])
    return Cdnow(*columns)
