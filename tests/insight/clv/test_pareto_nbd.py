"""Pareto/NBD against published results, numerical integration, simulation and finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import integrate, special

from shuke.base.errors import BadInput, CannotSay
from shuke.insight.clv.model import Diagnosis
from shuke.insight.clv.nbd import fit_nbd
from shuke.insight.clv.pareto_likelihood import ParetoLikelihood
from shuke.insight.clv.pareto_nbd import ParetoNBD, fit_pareto_nbd
from shuke.insight.clv.simulate import simulate_pareto_nbd, summarise
from shuke.insight.clv.statistics import Statistics

CUSTOMER = (2.0, 30.43, 38.86)


def model_of(r: float, alpha: float, s: float, beta: float) -> ParetoNBD:
    return ParetoNBD(
        parameters={"r": r, "alpha": alpha, "s": s, "beta": beta},
        log_likelihood=0.0,
        covariance=np.zeros((4, 4)),
        diagnosis=Diagnosis(converged=True, iterations=0, gradient_norm=0.0),
        customers=1,
        unit="week",
    )


CDNOW = model_of(0.5533, 10.578, 0.6060, 11.664)


def test_cdnow_as_published(cdnow: Any) -> None:
    x, t_x, T, later = cdnow.x, cdnow.t_x, cdnow.T, cdnow.later
    assert (x.size, x.sum(), later.sum()) == (2357, 2457, 1882)
    model = fit_pareto_nbd(Statistics.from_arrays(x, t_x, T))
    # R: BTYD::pnbd.EstimateParameters, CLVTools::pnbd. s and beta lie on a ridge: to three digits only.
    assert model.log_likelihood == pytest.approx(-9594.9762, abs=1e-3)
    assert model.parameters["r"] == pytest.approx(0.5533, abs=1e-4)
    assert model.parameters["alpha"] == pytest.approx(10.578, abs=1e-3)
    assert model.parameters["s"] == pytest.approx(0.6060, abs=5e-4)
    assert model.parameters["beta"] == pytest.approx(11.664, abs=1e-2)
    assert model.diagnosis.converged
    assert model.diagnosis.warnings == ()
    assert float(model.expected_purchases(39, *CUSTOMER)) == pytest.approx(1.45512, abs=5e-5)
    assert float(model.p_alive(*CUSTOMER)) == pytest.approx(0.86912, abs=1e-5)
    predicted = model.expected_purchases(39, x, t_x, T)
    assert predicted.sum() == pytest.approx(1665.69, rel=5e-4)
    assert np.abs(predicted - later).mean() == pytest.approx(0.7545, abs=5e-4)
    assert np.sqrt(np.mean((predicted - later) ** 2)) == pytest.approx(1.6028, abs=5e-4)
    low, high = model.total_interval(39, Statistics.from_arrays(x, t_x, T))
    assert low < later.sum() < high


def test_one_customer_as_published() -> None:
    # At the rounded parameters; at the maximum itself both are met to 5 digits (test_cdnow_as_published).
    assert float(CDNOW.expected_purchases(39, *CUSTOMER)) == pytest.approx(1.45512, abs=3e-4)
    assert float(CDNOW.p_alive(*CUSTOMER)) == pytest.approx(0.86912, abs=5e-5)


@pytest.mark.parametrize("parameters", [(0.55, 10.6, 0.61, 11.7), (1.9, 3.0, 0.2, 40.0), (0.3, 25.0, 4.0, 0.5)])
@pytest.mark.parametrize("history", [(0, 0, 5), (0, 0, 300), (1, 1, 52), (3, 20, 20), (40, 99, 104), (9, 2, 150)])
def test_likelihood_equals_the_hypergeometric_form(
    parameters: tuple[float, float, float, float], history: tuple[float, float, float]
) -> None:
    r, alpha, s, beta = parameters
    x, t_x, T = history

    def a_0(t: float) -> float:
        """Fader & Hardie 2005, equations 21-22: the 2F1 of whichever of alpha and beta is larger."""
        high, gap = max(alpha, beta), abs(alpha - beta)
        second = s + 1 if alpha >= beta else r + x
        value = special.hyp2f1(r + s + x, second, r + s + x + 1, gap / (high + t))
        return float(value * (high + t) ** -(r + s + x))

    core = (alpha + T) ** -(r + x) * (beta + T) ** -s + s / (r + s + x) * (a_0(t_x) - a_0(T))
    expected = special.gammaln(r + x) - special.gammaln(r) + r * np.log(alpha) + s * np.log(beta) + np.log(core)
    found = ParetoLikelihood(Statistics.from_arrays([x], [t_x], [T]))(np.log(parameters)).value
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("theta", [(-0.5, 2.0, -0.7, 2.5), (0.8, 3.5, 0.4, 1.0), (-2.0, 0.0, -3.0, 5.0)])
def test_derivatives_equal_finite_differences(theta: tuple[float, ...]) -> None:
    generator = np.random.default_rng(7)
    T = generator.uniform(1, 100, 60)
    x = np.concatenate([np.zeros(10), generator.integers(1, 30, 50)])
    t_x = np.where(x > 0, T * generator.random(60) ** 0.3, 0)
    trait = generator.normal(size=(60, 1))
    cells = Statistics.from_arrays(x, t_x, T, covariates={"trait": trait[:, 0]})
    likelihood = ParetoLikelihood(cells, (cells.covariates or {})["trait"][:, None])
    point = np.array([*theta, 0.3, -0.2])
    here = likelihood(point)
    for i in range(point.size):
        shift = 1e-5 * np.eye(point.size)[i]
        ahead, back = likelihood(point + shift), likelihood(point - shift)
        assert here.gradient[i] == pytest.approx((ahead.value - back.value) / 2e-5, rel=1e-6, abs=1e-5)
        np.testing.assert_allclose(here.hessian[i], (ahead.gradient - back.gradient) / 2e-5, rtol=1e-6, atol=1e-5)


def test_estimates_lie_within_two_standard_errors_of_the_truth() -> None:
    truth = {"r": 0.8, "alpha": 8.0, "s": 0.7, "beta": 15.0}
    until = np.random.default_rng(11).uniform(26, 104, 20_000)
    orders = simulate_pareto_nbd(np.random.default_rng(12), until, **truth)
    x, t_x, T, _ = summarise(orders, until)
    model = fit_pareto_nbd(Statistics.from_arrays(x, t_x, T))
    assert model.diagnosis.warnings == ()
    errors = np.sqrt(np.diag(model.covariance))
    for (name, value), error in zip(truth.items(), errors, strict=True):
        assert abs(model.parameters[name] - value) < 2 * error, name
    again = fit_pareto_nbd(Statistics.from_arrays(x[::-1], t_x[::-1], T[::-1]))
    assert again.parameters == model.parameters
    alive = orders.lifetime > T
    chance = model_of(**truth).p_alive(x, t_x, T)
    for low in (0.0, 0.25, 0.5, 0.75):
        some = (chance >= low) & (chance < low + 0.25)
        luck = np.sqrt((chance[some] * (1 - chance[some])).sum())
        assert abs(alive[some].sum() - chance[some].sum()) < 3 * luck


def test_effects_of_traits_are_recovered() -> None:
    generator = np.random.default_rng(21)
    until = np.full(6_000, 78.0)
    parts = [
        summarise(simulate_pareto_nbd(generator, until, r=0.8, alpha=alpha, s=0.7, beta=beta), until)
        for alpha, beta in ((8.0, 15.0), (8.0 * np.exp(-0.5), 15.0 * np.exp(0.6)))
    ]
    x, t_x, T = (np.concatenate([part[i] for part in parts]) for i in range(3))
    # In units of a thousand, which must not matter.
    member = np.repeat([0.0, 1000.0], 6_000)
    cells = Statistics.from_arrays(x, t_x, T, covariates={"member": member})
    model = fit_pareto_nbd(cells, covariates=["member"])
    errors = dict(zip(model.parameters, np.sqrt(np.diag(model.covariance)), strict=True))
    truth = {"r": 0.8, "alpha": 8.0, "s": 0.7, "beta": 15.0, "alpha.member": -0.0005, "beta.member": 0.0006}
    for name, value in truth.items():
        assert abs(model.parameters[name] - value) < 2 * errors[name], name
    assert model.log_likelihood > fit_pareto_nbd(Statistics.from_arrays(x, t_x, T)).log_likelihood + 50
    one = model.expected_purchases(10, 2, 30, 78, covariates={"member": 1000.0})
    plain = {"r": 0.8, "alpha": 8.0, "s": 0.7, "beta": 15.0}
    values = {name: model.parameters[name] for name in plain}
    values["alpha"] *= np.exp(1000 * model.parameters["alpha.member"])
    values["beta"] *= np.exp(1000 * model.parameters["beta.member"])
    assert float(one) == pytest.approx(float(model_of(**values).expected_purchases(10, 2, 30, 78)), rel=1e-12)
    with pytest.raises(BadInput, match="covariates_missing"):
        model.p_alive(2, 30, 78)


def test_never_below_nbd_and_the_corner_is_reported() -> None:
    generator = np.random.default_rng(31)
    until = generator.uniform(20, 60, 1_000)
    # Hardly anybody leaves: the truth is the special case itself.
    x, t_x, T, _ = summarise(simulate_pareto_nbd(generator, until, r=1.0, alpha=5.0, s=1e-6, beta=50.0), until)
    cells = Statistics.from_arrays(x, t_x, T)
    model, nbd = fit_pareto_nbd(cells), fit_nbd(cells)
    assert model.log_likelihood >= nbd.log_likelihood - 1e-4
    assert "nested_better" not in model.diagnosis.warnings
    assert "corner" in model.diagnosis.warnings
    assert "flat_ridge" in model.diagnosis.warnings
    expected = nbd.expected_purchases(20, x, t_x, T).sum()
    assert model.expected_purchases(20, x, t_x, T).sum() == pytest.approx(expected, rel=0.02)


def test_without_repeats_there_is_nothing_to_say() -> None:
    with pytest.raises(CannotSay, match="no_repeat_orders"):
        fit_pareto_nbd(Statistics.from_arrays([0, 0], [0, 0], [10, 20]))


@pytest.mark.parametrize("history", [(0, 0, 20), (2, 30.43, 38.86), (30, 50, 52)])
@pytest.mark.parametrize("parameters", [(0.55, 10.6, 0.61, 11.7), (1.4, 6.0, 1.0, 20.0), (2.0, 30.0, 2.5, 12.0)])
def test_distribution_of_future_orders(
    parameters: tuple[float, float, float, float], history: tuple[float, float, float]
) -> None:
    model = model_of(*parameters)
    r, alpha, s, beta = parameters
    x, t_x, T = history
    k = np.arange(200)
    chances = np.array([float(model.probability_of(int(n), 39, x, t_x, T)) for n in k])
    assert chances.sum() == pytest.approx(1, abs=1e-9)
    assert chances @ k == pytest.approx(float(model.expected_purchases(39, x, t_x, T)), rel=1e-9)
    cell = Statistics.from_arrays([x], [t_x], [T])
    assert chances @ k**2 - (chances @ k) ** 2 == pytest.approx(model.total_moments(39, cell)[1], rel=1e-8)
    for level in (0.5, 0.8, 0.95):
        low, high = (int(end) for end in model.purchases_interval(39, x, t_x, T, level))
        below = np.cumsum(chances)
        assert low == np.searchsorted(below, (1 - level) / 2)
        assert high == np.searchsorted(below, (1 + level) / 2)
    # One of them by plain integration over the moment of leaving.
    R, A, B, alive = r + x, alpha + T, beta + T, float(model.p_alive(x, t_x, T))

    def three(v: float) -> float:
        return float(special.binom(R + 2, 3) * (A / (A + v)) ** R * (v / (A + v)) ** 3)

    leaving, _ = integrate.quad(lambda v: s * B**s / (B + v) ** (s + 1) * three(v), 0, 39, epsabs=1e-12)
    assert chances[3] == pytest.approx(alive * (leaving + (B / (B + 39)) ** s * three(39)), rel=1e-8)


def test_expected_total_at_s_equal_to_one() -> None:
    near, at = model_of(0.5, 10, 1 + 1e-7, 12), model_of(0.5, 10, 1.0, 12)
    assert float(at.expected_total(20)) == pytest.approx(0.5 * 12 / 10 * np.log1p(20 / 12), rel=1e-12)
    assert float(near.expected_total(20)) == pytest.approx(float(at.expected_total(20)), rel=1e-6)


def test_discounted_residual() -> None:
    alpha, beta, s, delta = 10.578, 11.664, 0.6060, 0.0027
    # Fader, Hardie & Lee 2005, equation 2, with the confluent hypergeometric function.
    life = delta ** (s - 1) * (beta + 38.86) ** s * special.hyperu(s, s, delta * (beta + 38.86))
    rate = (0.5533 + 2) / (alpha + 38.86)
    forever = float(CDNOW.discounted_residual(delta, *CUSTOMER))
    assert forever == pytest.approx(float(CDNOW.p_alive(*CUSTOMER)) * rate * life, rel=1e-9)
    plain = float(CDNOW.discounted_residual(0.0, *CUSTOMER, horizon=39))
    assert plain == pytest.approx(float(CDNOW.expected_purchases(39, *CUSTOMER)), rel=1e-12)
    assert float(CDNOW.discounted_residual(delta, *CUSTOMER, horizon=39)) < plain
    with pytest.raises(BadInput, match="bad_rate"):
        CDNOW.discounted_residual(0.0, *CUSTOMER)


def test_next_order_is_the_median_of_a_defective_distribution() -> None:
    r, alpha, s, beta = CDNOW.parameters.values()
    wait = CDNOW.expected_next_order([0, 1, 2, 10], [0, 10, 20, 30], 38.86)
    assert np.isnan(wait[0])
    for x, t in zip((1, 2, 10), wait[1:], strict=True):
        R, A, B = r + x, alpha + 38.86, beta + 38.86

        def density(v: float, R: float = R, A: float = A, B: float = B) -> float:
            return float(R / A * (A / (A + v)) ** (R + 1) * (B / (B + v)) ** s)

        assert integrate.quad(density, 0, t, epsabs=1e-12)[0] == pytest.approx(0.5, abs=1e-8)
    ever = integrate.quad(
        lambda v: r / 49.438 * (49.438 / (49.438 + v)) ** (r + 1) * (50.524 / (50.524 + v)) ** s, 0, np.inf
    )
    assert ever[0] < 0.5


def test_an_impossible_history_is_refused() -> None:
    for x, t_x, T in ((-1, 0, 5), (1, -1, 5), (1, 6, 5), (np.nan, 1, 5)):
        with pytest.raises(BadInput, match="bad_history"):
            CDNOW.p_alive(x, t_x, T)
    with pytest.raises(BadInput, match="bad_history"):
        CDNOW.expected_purchases(-1.0, *CUSTOMER)
    with pytest.raises(BadInput, match="bad_history"):
        CDNOW.probability_of(-1, 10, *CUSTOMER)
    with pytest.raises(BadInput, match="bad_level"):
        CDNOW.purchases_interval(39, *CUSTOMER, 1.0)
