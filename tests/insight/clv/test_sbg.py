"""sBG against the published cohorts and plain sums."""

from __future__ import annotations

import numpy as np
import pytest

from shuke.base.errors import BadInput, CannotSay
from shuke.insight.clv.sbg import fit_sbg

# Fader & Hardie 2007, figure 1: survivors of 1,000 by year; the fit sees the first seven years.
HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491, 468, 445, 427, 409, 394]
REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241, 223, 207, 194, 183, 173]


@pytest.mark.parametrize(
    ("survivors", "alpha", "beta", "projected"),
    [
        (HIGH_END, 0.668, 3.806, [46.04, 43.58, 41.42, 39.51, 37.80]),
        (REGULAR, 0.704, 1.182, [22.01, 20.44, 19.12, 17.99, 17.00]),
    ],
)
def test_cohorts_as_published(survivors: list[int], alpha: float, beta: float, projected: list[float]) -> None:
    model = fit_sbg(survivors[:8])
    assert model.parameters["alpha"] == pytest.approx(alpha, abs=5e-4)
    assert model.parameters["beta"] == pytest.approx(beta, abs=5e-4)
    np.testing.assert_allclose(100 * model.survival(np.arange(8, 13)), projected, atol=0.006)
    # And the years that it did not see, to two points.
    np.testing.assert_allclose(1000 * model.survival(np.arange(8, 13)), survivors[8:], atol=20)
    t = np.arange(1, 8)
    by_hand = -np.diff(survivors[:8]) @ np.log(model.churn(t)) + survivors[7] * np.log(model.survival(7))
    assert model.log_likelihood == pytest.approx(by_hand, abs=1e-8)
    assert model.diagnosis.warnings == ()
    assert model.customers == 1000


def test_the_estimate_is_the_maximum() -> None:
    model = fit_sbg(HIGH_END)
    counts = np.array(HIGH_END, dtype=float)
    t = np.arange(1, counts.size)

    def value(alpha: float, beta: float) -> float:
        survival = np.cumprod([1.0, *((beta + t - 1) / (alpha + beta + t - 1))])
        return float(-np.diff(counts) @ np.log(-np.diff(survival)) + counts[-1] * np.log(survival[-1]))

    alpha, beta = model.parameters.values()
    assert model.log_likelihood == pytest.approx(value(alpha, beta), abs=1e-8)
    steps = [(alpha * (1 + a), beta * (1 + b)) for a in (-0.01, 0, 0.01) for b in (-0.01, 0, 0.01) if a or b]
    assert all(value(*step) < model.log_likelihood for step in steps)
    # The covariance is the inverse of the curvature, here by finite differences.
    h = 1e-4
    bend = np.array(
        [
            [
                (
                    value(alpha + h * (i == 0) + h * (j == 0), beta + h * (i == 1) + h * (j == 1))
                    - value(alpha + h * (i == 0) - h * (j == 0), beta + h * (i == 1) - h * (j == 1))
                    - value(alpha - h * (i == 0) + h * (j == 0), beta - h * (i == 1) + h * (j == 1))
                    + value(alpha - h * (i == 0) - h * (j == 0), beta - h * (i == 1) - h * (j == 1))
                )
                / (4 * h * h)
                for j in (0, 1)
            ]
            for i in (0, 1)
        ]
    )
    np.testing.assert_allclose(model.covariance, np.linalg.inv(-bend), rtol=1e-3)


def test_values_of_contracts_are_the_sums_that_they_close() -> None:
    model = fit_sbg(HIGH_END)
    t = np.arange(20_000)
    survival = model.survival(t)
    assert model.discounted_lifetime(0.1) == pytest.approx((survival / 1.1 ** t.clip(max=3000)).sum(), rel=1e-9)
    for renewed in (0, 3):
        ahead = survival[renewed + 1 : 3000] / survival[renewed]
        expected = (ahead / 1.1 ** np.arange(ahead.size)).sum()
        assert float(model.discounted_residual(0.1, renewed)) == pytest.approx(expected, rel=1e-9)
    np.testing.assert_allclose(model.retention(t[1:13]), survival[1:13] / survival[:12], rtol=1e-12)
    assert (np.diff(model.retention(t[1:100])) > 0).all()


def test_expected_residual_is_infinite_where_the_mean_is() -> None:
    assert np.isinf(fit_sbg(HIGH_END).expected_residual([0, 5])).all()
    # Survival of a cohort with alpha 3 and beta 6, exactly: the mean of (1 − θ)/θ is β/(α − 1).
    t = np.arange(1, 40)
    model = fit_sbg(1e6 * np.cumprod([1.0, *((6 + t - 1) / (9 + t - 1))]))
    assert model.parameters["alpha"] == pytest.approx(3, abs=1e-3)
    np.testing.assert_allclose(model.expected_residual([0, 4]), [3, 5], rtol=1e-2)


@pytest.mark.parametrize("survivors", [[100], [100, 120], [0, 0], [100, np.nan], [[100, 50]], [100, -1]])
def test_what_is_no_cohort_is_refused(survivors: list[float]) -> None:
    with pytest.raises(BadInput, match="bad_survivors"):
        fit_sbg(survivors)


def test_nobody_left_and_no_rate() -> None:
    with pytest.raises(CannotSay, match="nobody_left"):
        fit_sbg([100, 100, 100])
    model = fit_sbg(REGULAR)
    for rate in (0.0, -0.1, np.nan):
        with pytest.raises(BadInput, match="bad_rate"):
            model.discounted_lifetime(rate)


@pytest.mark.parametrize("time", [-1.0, np.nan, np.inf])
def test_a_time_that_cannot_be_is_refused(time: float) -> None:
    model = fit_sbg(REGULAR)
    for ask in (model.survival, model.churn, model.retention, model.expected_residual):
        with pytest.raises(BadInput, match="bad_history"):
            ask(time)
    with pytest.raises(BadInput, match="bad_history"):
        model.discounted_residual(0.1, time)
    # The first renewal is number one.
    with pytest.raises(BadInput, match="bad_history"):
        model.churn(0)
