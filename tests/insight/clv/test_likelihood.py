"""The shared likelihood against numerical integration of its definition, and its derivatives against differences."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import integrate, special

from shuke.insight.clv.likelihood import Dropout, Likelihood, Member, Traits, log_alive_and_gone
from shuke.insight.clv.statistics import Statistics

Floats = NDArray[np.float64]
MEMBERS = [Member(k, dropout) for k in (1, 2, 5) for dropout in Dropout]
# Newcomers of today, one order long ago, many orders, one order at the end.
HARD = Statistics.from_arrays(
    [0, 0, 1, 7, 600, 3], [0, 0, 2.5, 30, 100.1, 52.0], [0, 80, 80, 31, 104, 52.0], weight=[3, 9, 2, 1, 1, 2],
    log_gap_sum=[0, 0, 0.9, 8, -1100, 7.7],
)  # fmt: skip


def by_definition(member: Member, r: float, alpha: float, a: float, b: float, gaps: list[float], T: float) -> float:
    """The probability density of a history, integrated over every rate and every chance to leave."""
    t_x = sum(gaps)

    def given(rates: Floats, p: float) -> Floats:
        density = np.prod([rates**member.k * gap ** (member.k - 1) * np.exp(-rates * gap) for gap in gaps], axis=0)
        density = density / special.gamma(member.k) ** len(gaps)
        survival = special.gammaincc(member.k, rates * (T - t_x))
        if member.dropout is Dropout.NEVER:
            return density * survival
        tosses = len(gaps) + (member.dropout is Dropout.AFTER_EVERY)
        left = p * (1 - p) ** (tosses - 1) if tosses else 0.0
        return density * ((1 - p) ** tosses * survival + left)

    # A fine Simpson rule over the logarithm of the rate; adaptive quadrature over p's distribution function.
    logs = np.linspace(-20, 5, 2001)
    rates = np.exp(logs)
    mixing = np.exp(r * np.log(alpha * rates) - alpha * rates - special.gammaln(r))

    def over_rates(p: float) -> float:
        return float(integrate.simpson(given(rates, p) * mixing, x=logs))

    if member.dropout is Dropout.NEVER:
        return over_rates(0.5)
    return float(integrate.quad(lambda v: over_rates(special.betaincinv(a, b, v)), 0, 1, epsrel=1e-8)[0])


@pytest.mark.parametrize("member", MEMBERS, ids=str)
@pytest.mark.parametrize(("gaps", "T"), [([], 6.0), ([1.5, 2.0, 0.7], 5.0)])
def test_it_is_the_integral_of_its_definition(member: Member, gaps: list[float], T: float) -> None:
    r, alpha, a, b = 1.7, 3.0, 1.2, 2.5
    history = Statistics.from_arrays([len(gaps)], [sum(gaps)], [T], log_gap_sum=[np.log(gaps).sum()])
    theta = np.log([r, alpha, a, b])[: len(member.names)]
    assert Likelihood(member, history)(theta).value == pytest.approx(
        np.log(by_definition(member, r, alpha, a, b, gaps, T)), abs=1e-6
    )


@pytest.mark.parametrize("member", MEMBERS, ids=str)
@pytest.mark.parametrize("theta", [[0.3, 1.2, -0.4, 0.5], [-2.0, 4.0, -1.5, -0.7], [2.0, -1.0, 5.0, 7.0]])
def test_derivatives_are_those_of_the_value(member: Member, theta: list[float]) -> None:
    likelihood = Likelihood(member, HARD)
    at = np.array(theta[: len(member.names)])
    found = likelihood(at)
    step = 1e-5
    for i in range(at.size):
        shift = step * np.eye(at.size)[i]
        ahead, back = likelihood(at + shift), likelihood(at - shift)
        size = np.abs(found.gradient).max()
        assert found.gradient[i] == pytest.approx((ahead.value - back.value) / (2 * step), rel=1e-6, abs=1e-7 * size)
        size = np.abs(found.hessian).max()
        assert found.hessian[i] == pytest.approx(
            (ahead.gradient - back.gradient) / (2 * step), rel=1e-6, abs=1e-8 * size
        )


@pytest.mark.parametrize("member", MEMBERS, ids=str)
def test_designs_of_ones_change_nothing_and_traits_follow_the_chain_rule(member: Member) -> None:
    trait = np.array([0.2, -1.0, 0.5, 1.5, -0.3, 0.8])
    theta = np.array([0.3, 1.2, -0.4, 0.5][: len(member.names)])
    plain = Likelihood(member, HARD)(theta)
    ones = tuple(np.ones((6, 1)) for _ in theta)
    same = Likelihood(member, HARD, ones)(theta)
    assert same.value == pytest.approx(plain.value, rel=1e-12)
    assert same.gradient == pytest.approx(plain.gradient, rel=1e-9)
    assert same.hessian == pytest.approx(plain.hessian, rel=1e-8, abs=1e-9 * np.abs(plain.hessian).max())
    designs = (None, *(np.column_stack([np.ones(6), trait]) for _ in theta[1:]))
    likelihood = Likelihood(member, HARD, designs)
    wide = np.concatenate([theta[:1], *([value, 0.3] for value in theta[1:])])
    found = likelihood(wide)
    for i in range(wide.size):
        shift = 1e-5 * np.eye(wide.size)[i]
        ahead, back = likelihood(wide + shift), likelihood(wide - shift)
        assert found.gradient[i] == pytest.approx((ahead.value - back.value) / 2e-5, rel=1e-6)
        size = np.abs(found.hessian).max()
        assert found.hessian[i] == pytest.approx((ahead.gradient - back.gradient) / 2e-5, rel=1e-6, abs=1e-8 * size)


@pytest.mark.parametrize("k", [1, 3])
def test_stages_since_the_last_order_are_an_incomplete_beta_function(k: int) -> None:
    # Σ_{j<k} (s)_j/j! ρ^s (1−ρ)^j is the regularised incomplete beta function, by another route.
    r, alpha, x, t_x, T = 0.7, 5.0, 4.0, 11.0, 30.0
    alive, _ = log_alive_and_gone(
        Member(k, Dropout.NEVER), Traits(r, alpha), np.array([x]), np.array([t_x]), np.array([T])
    )
    s = r + k * x
    expected = np.log(special.betainc(s, k, (alpha + t_x) / (alpha + T))) + s * np.log(alpha / (alpha + t_x))
    assert alive == pytest.approx(expected, rel=1e-12)
