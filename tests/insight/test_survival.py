"""The survival curve agrees with lifelines, by hand and on the real shop."""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.types as ir
import lifelines
import numpy as np
import pytest
from lifelines.utils import survival_table_from_events

from shuke.base.errors import BadInput
from shuke.insight.survival import survival, survival_quantiles


def durations(days: list[int], ended: list[bool], **more: list[Any]) -> ir.Table:
    return ibis.memtable({"duration": days, "ended": ended, **more})


def curve(table: ir.Table, **options: Any) -> list[dict[str, Any]]:
    return list(ibis.duckdb.connect().to_pyarrow(survival(table, **options)).to_pylist())


def test_a_curve_by_hand() -> None:
    # Ends at 1, 2, 2 and 4; censored at 2 and 3. S: 5/6, 5/6·3/5, the same, then ·0/1.
    rows = curve(durations([1, 2, 2, 2, 3, 4], [True, True, True, False, False, True]))
    assert [(row["duration"], row["at_risk"], row["ended"], row["censored"]) for row in rows] == [
        (1, 6, 1, 0),
        (2, 5, 2, 1),
        (3, 2, 0, 1),
        (4, 1, 1, 0),
    ]
    assert [row["survival"] for row in rows] == pytest.approx([5 / 6, 1 / 2, 1 / 2, 0])
    greenwood = [1 / 30, 1 / 30 + 2 / 15, 1 / 30 + 2 / 15]
    assert [row["std_error"] for row in rows[:3]] == pytest.approx(
        [s * v**0.5 for s, v in zip([5 / 6, 1 / 2, 1 / 2], greenwood, strict=True)]
    )
    assert rows[3]["std_error"] == 0
    assert rows[3]["low"] is None


@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_curves_are_those_of_lifelines(seed: int, level: float) -> None:
    generator = np.random.default_rng(seed)
    life, watched = generator.geometric(0.02, 400), generator.integers(1, 120, 400)
    days, ended = np.minimum(life, watched), life <= watched
    rows = curve(durations(days.tolist(), ended.tolist()), level=level)
    fitted = lifelines.KaplanMeierFitter(alpha=1 - level).fit(days, ended)
    at = [row["duration"] for row in rows]
    assert [row["survival"] for row in rows] == pytest.approx(
        fitted.survival_function_at_times(at).to_numpy(), abs=1e-12
    )
    limits = fitted.confidence_interval_survival_function_.loc[at].to_numpy()
    inner = [place for place, row in enumerate(rows) if 0 < row["survival"] < 1]
    assert [rows[place]["low"] for place in inner] == pytest.approx(limits[inner, 0], abs=1e-9)
    assert [rows[place]["high"] for place in inner] == pytest.approx(limits[inner, 1], abs=1e-9)
    counted = survival_table_from_events(days, ended).loc[at]
    assert [row["at_risk"] for row in rows] == counted.at_risk.tolist()


def test_weights_stand_for_subjects_and_groups_keep_apart() -> None:
    weighted = durations([3, 5, 5, 9], [True, True, False, True], weight=[2, 1, 3, 1], shop=["a", "a", "a", "b"])
    spread = durations([3, 3, 5, 5, 5, 5, 9], [True, True, True, False, False, False, True], shop=["a"] * 6 + ["b"])
    assert curve(weighted, by=("shop",)) == curve(spread, by=("shop",))
    assert [row["survival"] for row in curve(spread, by=("shop",))] == pytest.approx([4 / 6, 3 / 6, 0])


def test_a_row_that_stands_for_nobody_changes_nothing() -> None:
    counted = durations([3, 5, 5], [True, True, False], weight=[2, 1, 3])
    with_nobody = durations([3, 5, 5, 9], [True, True, False, False], weight=[2, 1, 3, 0])
    assert curve(with_nobody) == curve(counted)


def test_quantiles_are_the_first_duration_at_which_enough_have_ended() -> None:
    table = durations([1, 2, 3, 4], [True, True, False, False], shop=["a"] * 4)
    found = survival_quantiles(survival(table, by=("shop",)), {"half": 0.5, "most": 0.75}, by=("shop",))
    assert ibis.duckdb.connect().to_pyarrow(found).to_pylist() == [{"shop": "a", "half": 2, "most": None}]


@pytest.mark.parametrize("level", [0, 1, 1.5])
def test_an_impossible_level_is_refused(level: float) -> None:
    with pytest.raises(BadInput) as caught:
        survival(durations([1], [True]), level=level)
    assert caught.value.code == "insight.bad_level"
