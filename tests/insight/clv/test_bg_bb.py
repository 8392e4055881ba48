"""BG/BB against the published donations, enumeration, simulation and finite differences."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import special

from shuke.base.errors import BadInput, CannotSay
from shuke.insight.clv.bg_bb import BGBB, _objective, fit_bg_bb
from shuke.insight.clv.model import Diagnosis
from shuke.insight.clv.optimise import climb
from shuke.insight.clv.statistics import Statistics


def model_of(alpha: float, beta: float, gamma: float, delta: float) -> BGBB:
    return BGBB(
        parameters={"alpha": alpha, "beta": beta, "gamma": gamma, "delta": delta},
        log_likelihood=0.0,
        covariance=np.zeros((4, 4)),
        diagnosis=Diagnosis(converged=True, iterations=0, gradient_norm=0.0),
        customers=1,
        unit="year",
    )


PUBLISHED = model_of(1.20351, 0.74977, 0.65676, 2.78389)
SMALL = model_of(0.8, 1.7, 0.9, 2.2)


@pytest.fixture
def donations(shared_data: Path) -> Statistics:
    rows = pl.read_csv(shared_data / "donations" / "lifetimes_donations.csv")
    x, t_x, n, weight = (rows[name].to_numpy().astype(float) for name in rows.columns)
    return Statistics.from_arrays(x, t_x, n, weight=weight)


def test_donations_as_published(donations: Statistics) -> None:
    model = fit_bg_bb(donations, unit="year")
    assert model.customers == 11_104
    # Fader, Hardie & Shang 2010; re-run with lifetimes.BetaGeoBetaBinomFitter. The ridge leaves delta three digits.
    assert model.log_likelihood == pytest.approx(-33225.5813, abs=1e-3)
    assert model.parameters["alpha"] == pytest.approx(1.20351, abs=1e-4)
    assert model.parameters["beta"] == pytest.approx(0.74977, abs=1e-4)
    assert model.parameters["gamma"] == pytest.approx(0.65676, abs=1e-4)
    assert model.parameters["delta"] == pytest.approx(2.78389, abs=1e-3)
    assert model.diagnosis.warnings == ()
    assert model.total_moments(5, donations)[0] == pytest.approx(12_884.14, abs=0.1)


def test_single_donors_as_published() -> None:
    assert float(PUBLISHED.discounted_residual(np.log(1.1), 6, 6, 6)) == pytest.approx(5.90981, abs=2e-4)
    np.testing.assert_allclose(PUBLISHED.expected_purchases(5, [0, 6], [0, 6], 6), [0.07287, 3.75251], atol=1e-5)
    np.testing.assert_allclose(PUBLISHED.p_alive([0, 6], [0, 6], 6), [0.10815, 0.93043], atol=1e-5)


def test_likelihood_by_enumeration_of_all_histories_sums_to_one() -> None:
    theta = np.log(list(SMALL.parameters.values()))
    total = 0.0
    for history in product((0, 1), repeat=4):
        x = sum(history)
        t_x = max((i + 1 for i, bought in enumerate(history) if bought), default=0)
        total += np.exp(_objective(Statistics.from_arrays([x], [t_x], [4]))(theta).value)
    assert total == pytest.approx(1, abs=1e-12)


def test_distribution_of_future_orders_equals_that_of_longer_histories() -> None:
    """P(k of the next 3 | x = 2, t_x = 2, n = 3) from the joint probabilities of all histories of 6 opportunities."""
    theta = np.log(list(SMALL.parameters.values()))

    def chance(history: tuple[int, ...]) -> float:
        x, t_x = sum(history), max((i + 1 for i, bought in enumerate(history) if bought), default=0)
        return float(np.exp(_objective(Statistics.from_arrays([x], [t_x], [len(history)]))(theta).value))

    seen = (1, 1, 0)
    expected = np.zeros(4)
    for ahead in product((0, 1), repeat=3):
        expected[sum(ahead)] += chance((*seen, *ahead)) / chance(seen)
    found = [float(SMALL.probability_of(k, 3, 2, 2, 3)) for k in range(4)]
    np.testing.assert_allclose(found, expected, rtol=1e-11)
    assert float(SMALL.expected_purchases(3, 2, 2, 3)) == pytest.approx(expected @ np.arange(4), rel=1e-11)
    mean, variance = SMALL.purchases_moments(3, 2, 2, 3)
    assert float(variance) == pytest.approx(expected @ np.arange(4) ** 2 - float(mean) ** 2, rel=1e-11)
    below = np.cumsum(expected)
    for level in (0.3, 0.8, 0.95):
        low, high = (int(end) for end in SMALL.purchases_interval(3, 2, 2, 3, level))
        assert low == np.searchsorted(below, (1 - level) / 2)
        assert high == np.searchsorted(below, (1 + level) / 2)


def test_derivatives_equal_finite_differences(donations: Statistics) -> None:
    objective = _objective(donations)
    for point in (np.array([0.2, -0.3, -0.4, 1.0]), np.array([-1.0, 1.0, 0.5, -0.5])):
        here = objective(point)
        for i in range(4):
            shift = 1e-5 * np.eye(4)[i]
            ahead, back = objective(point + shift), objective(point - shift)
            assert here.gradient[i] == pytest.approx((ahead.value - back.value) / 2e-5, rel=1e-6)
            np.testing.assert_allclose(here.hessian[i], (ahead.gradient - back.gradient) / 2e-5, rtol=1e-6, atol=1e-3)


def test_estimates_lie_within_two_standard_errors_of_the_truth() -> None:
    generator = np.random.default_rng(5)
    truth = {"alpha": 1.2, "beta": 1.8, "gamma": 0.7, "delta": 3.0}
    n = generator.integers(4, 13, 8_000)
    chance = generator.beta(truth["alpha"], truth["beta"], n.size)
    survived = generator.geometric(generator.beta(truth["gamma"], truth["delta"], n.size)) - 1
    bought = (generator.random((n.size, 12)) < chance[:, None]) & (np.arange(12) < np.minimum(survived, n)[:, None])
    x = bought.sum(axis=1)
    t_x = np.where(x > 0, 12 - np.argmax(bought[:, ::-1], axis=1), 0)
    model = fit_bg_bb(Statistics.from_arrays(x, t_x, n))
    for (name, value), error in zip(truth.items(), np.sqrt(np.diag(model.covariance)), strict=True):
        assert abs(model.parameters[name] - value) < 2 * error, name


def test_never_below_the_beta_binomial() -> None:
    generator = np.random.default_rng(8)
    n = np.full(2_000, 6)
    bought = generator.random((n.size, 6)) < generator.beta(1.0, 2.0, n.size)[:, None]
    x = bought.sum(axis=1)
    t_x = np.where(x > 0, 6 - np.argmax(bought[:, ::-1], axis=1), 0)
    model = fit_bg_bb(Statistics.from_arrays(x, t_x, n))
    counts = np.bincount(x, minlength=7)

    def value(theta: np.ndarray) -> float:
        a, b = np.exp(theta)
        return float(counts @ (special.betaln(a + np.arange(7), b + 6 - np.arange(7)) - special.betaln(a, b)))

    nobody_leaves = max(value(np.log([a, b])) for a in np.linspace(0.8, 1.3, 26) for b in np.linspace(1.5, 2.6, 45))
    assert model.log_likelihood >= nobody_leaves - 1e-4
    assert "nested_better" not in model.diagnosis.warnings
    again = climb(_objective(Statistics.from_arrays(x, t_x, n)), np.log(list(model.parameters.values())))
    assert again.at.value == pytest.approx(model.log_likelihood, abs=1e-6)


def test_looking_ahead() -> None:
    forever = float(SMALL.discounted_residual(0.05, 3, 4, 6))
    assert forever == pytest.approx(float(SMALL.discounted_residual(0.05, 3, 4, 6, horizon=600)), rel=1e-9)
    plain = float(SMALL.discounted_residual(0.0, 3, 4, 6, horizon=8))
    assert plain == pytest.approx(float(SMALL.expected_purchases(8, 3, 4, 6)), rel=1e-12)
    wait = float(SMALL.expected_next_order(5, 6, 6))
    none_until = [sum_of_nothing(SMALL, int(wait) - 1), sum_of_nothing(SMALL, int(wait))]
    assert none_until[0] > 0.5 >= none_until[1]
    assert np.isnan(SMALL.expected_next_order(0, 0, 30))
    # New customers: E[X(2)] = E[p] (S(1) + S(2)).
    stays = [2.2 / 3.1, 2.2 / 3.1 * 3.2 / 4.1]
    np.testing.assert_allclose(SMALL.expected_total([0, 1, 2]), 0.8 / 2.5 * np.array([0, stays[0], sum(stays)]))


def sum_of_nothing(model: BGBB, ahead: int) -> float:
    """P(no order at the next opportunities | alive now): for a customer whose last opportunity was taken, who is."""
    return float(model.probability_of(0, ahead, 5, 6, 6))


def test_what_is_no_history_of_opportunities_is_refused() -> None:
    for x, t_x, n in ((1.5, 2, 3), (1, 1.5, 3), (1, 2, 3.5), (3, 2, 4)):
        with pytest.raises(BadInput, match="bad_opportunities"):
            SMALL.p_alive(x, t_x, n)
    for horizon in (2.5, -1.0, np.nan, np.inf):
        with pytest.raises(BadInput, match="bad_opportunities"):
            SMALL.expected_purchases(horizon, 1, 2, 3)
    for rate in (0.0, -0.1, np.nan, np.inf):
        with pytest.raises(BadInput, match="bad_rate"):
            SMALL.discounted_residual(rate, 1, 2, 3)
    for t in (-1.0, np.nan, np.inf):
        with pytest.raises(BadInput, match="bad_history"):
            SMALL.expected_total(t)
    with pytest.raises(CannotSay, match="horizon_too_long"):
        SMALL.expected_purchases(1e9, 1, 2, 3)
    with pytest.raises(CannotSay, match="no_repeat_orders"):
        fit_bg_bb(Statistics.from_arrays([0], [0], [5]))
