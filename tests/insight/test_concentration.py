from typing import Any

import ibis
import numpy as np
import pytest

from shuke.base.errors import BadInput, CannotSay
from shuke.insight.concentration import concentration, gini, lorenz_points


def half_mean_difference(values: np.ndarray) -> float:
    """Gini by its definition: half of the mean absolute difference between all pairs, over the mean."""
    return float(np.abs(values[:, None] - values[None, :]).mean() / (2.0 * values.mean()))


def test_gini_by_hand() -> None:
    assert gini([5, 5, 5, 5]) == 0.0
    assert gini([0, 0, 0, 8]) == 0.75  # (n − 1)/n
    assert gini([1, 2, 3, 4]) == pytest.approx(0.25, abs=1e-15)


def test_gini_equals_half_of_the_mean_difference() -> None:
    values = np.random.default_rng(3).lognormal(3.0, 1.4, 1500)
    assert gini(values) == pytest.approx(half_mean_difference(values), rel=1e-12)


def test_gini_refuses() -> None:
    for values in ([1.0, -1.0], [np.nan], [np.inf, 1.0]):
        with pytest.raises(BadInput, match=r"insight\.negative_value"):
            gini(values)
    with pytest.raises(BadInput, match=r"insight\.negative_value"):
        gini([1.0, np.nan])
    with pytest.raises(CannotSay, match=r"insight\.nothing_to_compare"):
        gini([0.0, 0.0])
    with pytest.raises(CannotSay, match=r"insight\.nothing_to_compare"):
        gini([])


def test_concentration_of_ten_customers(duck: Any) -> None:
    facts = ibis.memtable({"historic_clv": [-5.0, 0.0, 1.0, 1.0, 1.0, 2.0, 5.0, 10.0, 30.0, 50.0, None]})
    row = duck.to_pyarrow(concentration(facts)).to_pylist()[0]
    assert (row["customers"], row["amount"]) == (10, 100.0)
    assert (row["top_10_share"], row["top_20_share"]) == (pytest.approx(0.5), pytest.approx(0.8))
    assert row["top_1_share"] == pytest.approx(0.05)  # a tenth of the best customer
    assert row["gini"] == pytest.approx(half_mean_difference(np.array([0, 0, 1, 1, 1, 2, 5, 10, 30, 50.0])), rel=1e-12)
    curve = duck.to_pyarrow(lorenz_points(facts, points=5)).to_pydict()
    assert curve["customer_share"] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert curve["value_share"] == pytest.approx([0, 0, 0.02, 0.05, 0.2, 1.0])


def test_nobody_has_anything(duck: Any) -> None:
    row = duck.to_pyarrow(concentration(ibis.memtable({"historic_clv": [0.0, 0.0]}))).to_pylist()[0]
    assert (row["customers"], row["amount"], row["gini"], row["top_10_share"]) == (2, 0.0, None, None)


def test_online_retail_against_numpy(online_retail_facts: ibis.expr.types.Table) -> None:
    values = np.maximum(online_retail_facts.historic_clv.to_pandas().to_numpy(), 0.0)
    row = concentration(online_retail_facts).to_pyarrow().to_pylist()[0]
    assert row["gini"] == pytest.approx(gini(values), abs=1e-9)
    assert row["gini"] == pytest.approx(half_mean_difference(values), abs=1e-9)
    curve = lorenz_points(online_retail_facts).to_pandas()
    assert len(curve) == 101
    expected = np.interp(
        curve.customer_share * values.size, np.arange(values.size + 1), np.append(0.0, np.sort(values).cumsum())
    )
    np.testing.assert_allclose(curve.value_share, expected / values.sum(), atol=1e-9)
    assert row["top_20_share"] == pytest.approx(1.0 - curve.value_share[80], abs=1e-9)
    # The area between the curve and the diagonal is half of the Gini coefficient; the curve has 101 points only.
    area = float(np.trapezoid(curve.value_share, curve.customer_share))
    assert 1.0 - 2.0 * area == pytest.approx(row["gini"], abs=0.01)
