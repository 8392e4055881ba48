"""What is still to come: against numerical integration, against simulated futures, and by its own laws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special

from shuke.base.errors import BadInput, CannotSay
from shuke.insight.clv.family import FamilyModel
from shuke.insight.clv.likelihood import Dropout, Member
from shuke.insight.clv.model import Diagnosis, PurchaseModel
from shuke.insight.clv.pareto_nbd import ParetoNBD
from shuke.insight.clv.simulate import Orders, simulate_bg_nbd, summarise
from shuke.insight.clv.statistics import Statistics

TRUTH = {"r": 0.9, "alpha": 4.0, "a": 0.8, "b": 3.0}
DIAGNOSIS = Diagnosis(converged=True, iterations=0, gradient_norm=0.0)
CUSTOMERS = ([0, 2, 9, 60, 600], [0, 30.43, 20, 38, 51.9], [38.86, 38.86, 52, 38, 52])


def model_of(k: int, dropout: Dropout, parameters: dict[str, float] | None = None) -> FamilyModel:
    member = Member(k, dropout)
    own = {name: (parameters or TRUTH)[name] for name in member.names}
    return FamilyModel(own, 0.0, np.zeros((len(own), len(own))), DIAGNOSIS, 1, "week", "any", member)


ENOUGH = 100
# All but the busiest, for what sums a long way.
BRIEF = tuple(column[:4] for column in CUSTOMERS)
MODELS = [model_of(k, dropout) for k in (1, 3) for dropout in Dropout]
NAMES = [f"{model.member.k}-{model.member.dropout.value}" for model in MODELS]


@pytest.mark.parametrize("dropout", [Dropout.AFTER_REPEAT, Dropout.AFTER_EVERY])
@pytest.mark.parametrize("horizon", [1.0, 52.0, 3000.0])
def test_expected_orders_are_the_integral_over_the_posteriors(dropout: Dropout, horizon: float) -> None:
    model = model_of(1, dropout)
    x, T = 4.0, 26.0
    a, b = TRUTH["a"], TRUTH["b"] + model.member.tosses(np.array(x))

    def given_p(p: float) -> float:
        # E[(1 − e^(−λpt))/p] over λ ~ Gamma(r + x, α + T).
        return -np.expm1(-(TRUTH["r"] + x) * np.log1p(p * horizon / (TRUTH["alpha"] + T))) / p

    expected = integrate.quad(lambda u: given_p(special.betaincinv(a, b, u)), 0, 1, epsabs=1e-11, limit=500)[0]
    found = model.expected_purchases(horizon, x, 20.0, T) / model.p_alive(x, 20.0, T)
    assert found == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_the_distribution_sums_to_one_and_has_the_expected_mean(model: FamilyModel) -> None:
    x, t_x, T = BRIEF
    chances = np.stack([model.probability_of(k, 20.0, x, t_x, T) for k in range(ENOUGH)])
    assert chances.sum(axis=0) == pytest.approx(np.ones(4), abs=1e-9)
    mean = np.arange(ENOUGH) @ chances
    assert mean == pytest.approx(model.expected_purchases(20.0, x, t_x, T), rel=1e-8)
    variance = np.arange(ENOUGH) ** 2 @ chances - mean**2
    weights = np.array([1.0, 2.0, 3.0, 4.0])
    cells = Statistics(*(np.array(column, dtype=float) for column in (x, t_x, T)), weight=weights)
    assert model.total_moments(20.0, cells) == pytest.approx((weights @ mean, weights @ variance), rel=1e-7)


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_quantiles_are_those_of_the_distribution(model: FamilyModel) -> None:
    x, t_x, T = BRIEF
    below = np.cumsum([model.probability_of(k, 20.0, x, t_x, T) for k in range(ENOUGH)], axis=0)
    for level in (0.5, 0.8, 0.95):
        low, high = model.purchases_interval(20.0, x, t_x, T, level)
        assert low.tolist() == (below >= (1 - level) / 2).argmax(axis=0).tolist()
        assert high.tolist() == (below >= (1 + level) / 2).argmax(axis=0).tolist()


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_half_the_living_have_ordered_by_the_expected_next_order(model: FamilyModel) -> None:
    x, t_x, T = CUSTOMERS
    alive = model.p_alive(x, t_x, T)
    for i, wait in enumerate(model.expected_next_order(x, t_x, T)):
        history = (x[i], t_x[i], T[i])
        none = (model.probability_of(0, float(wait), *history) - (1 - alive[i])) / alive[i]
        assert none == pytest.approx(0.5, abs=1e-8)


def test_a_wait_beyond_all_numbers_cannot_be_said() -> None:
    never = model_of(1, Dropout.NEVER, {"r": 1e-5, "alpha": 1.0})
    assert np.isnan(never.expected_next_order(0, 0, 30)).all()
    assert np.isnan(replace(never, member=Member(2, Dropout.NEVER)).expected_next_order(0, 0, 30)).all()


def orders_after(orders: Orders, T: np.ndarray, horizon: float, rate: float) -> np.ndarray:
    wait = orders.time - T[orders.customer]
    ahead = (wait > 0) & (wait <= horizon)
    weights = np.exp(-rate * wait[ahead])
    return np.bincount(orders.customer[ahead], weights=weights, minlength=T.size)


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("coin", ["after_repeat", "after_every"])
def test_simulated_futures_agree_for_every_kind_of_history(k: int, coin: str) -> None:
    generator = np.random.default_rng(20)
    T = generator.uniform(2, 60, 40_000)
    orders = simulate_bg_nbd(generator, T + 26, **TRUTH, k=k, coin=coin)  # type: ignore[arg-type]
    x, t_x, T, _ = summarise(orders, T)
    model = model_of(k, Dropout(coin))
    actual = orders_after(orders, T, 26, 0.0)
    expected = model.expected_purchases(26, x, t_x, T)
    none = model.probability_of(0, 26, x, t_x, T)
    alive = model.p_alive(x, t_x, T)
    low, high = model.purchases_interval(26, x, t_x, T, 0.9)
    silent = (T - t_x) / T
    for group in (x == 0, (x > 0) & (x <= 3), x > 3, (x > 0) & (silent > 0.5), (x > 0) & (silent < 0.1)):
        size = np.sqrt(group.sum())

        def agrees(observed: np.ndarray, predicted: np.ndarray, group: np.ndarray = group, size: float = size) -> bool:
            off = observed[group] - predicted[group]
            return abs(off.mean()) <= 4 * off.std() / size

        assert agrees(actual, expected)
        assert agrees((actual == 0).astype(float), none)
        assert agrees((orders.lifetime > T).astype(float), alive)
        inside = (actual >= low) & (actual <= high)
        assert inside[group].mean() >= 0.9 - 4 * 0.3 / size
    value = model.discounted_residual(0.02, x, t_x, T, 26)
    off = orders_after(orders, T, 26, 0.02) - value
    assert abs(off.mean()) < 4 * off.std() / np.sqrt(off.size)


def test_a_new_customer_is_a_history_of_nothing() -> None:
    generator = np.random.default_rng(21)
    for k, coin in ((1, "after_repeat"), (2, "after_every")):
        orders = simulate_bg_nbd(generator, np.full(40_000, 40.0), **TRUTH, k=k, coin=coin)  # type: ignore[arg-type]
        x, *_ = summarise(orders, 40.0)
        assert abs(x.mean() - model_of(k, Dropout(coin)).expected_total(40)) < 4 * x.std() / np.sqrt(x.size)


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_discounting_lies_between_its_limits(model: FamilyModel) -> None:
    undiscounted = model.expected_purchases(40, *BRIEF)
    assert model.discounted_residual(0.0, *BRIEF, 40) == pytest.approx(undiscounted, rel=1e-9)
    # Against a sum of small steps of the expected orders, each discounted from its middle.
    edges = np.linspace(0, 40, 101)
    until = np.stack([model.expected_purchases(edge, *BRIEF) for edge in edges])
    steps = np.exp(-0.05 * (edges[1:] + edges[:-1]) / 2) @ np.diff(until, axis=0)
    assert model.discounted_residual(0.05, *BRIEF, 40) == pytest.approx(steps, rel=1e-4)


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_forever_is_the_limit_of_long_horizons(model: FamilyModel) -> None:
    forever = model.discounted_residual(0.05, *BRIEF)
    assert forever == pytest.approx(model.discounted_residual(0.05, *BRIEF, 400), rel=1e-5)


def test_forever_without_dropout_is_the_mean_rate_over_the_discount() -> None:
    value = model_of(1, Dropout.NEVER).discounted_residual(0.002, *BRIEF)
    x, _, T = (np.array(column) for column in BRIEF)
    assert value == pytest.approx((TRUTH["r"] + x) / (TRUTH["alpha"] + T) / 0.002, rel=1e-9)


positive = st.floats(1e-2, 50)


@settings(deadline=None, max_examples=40)
@given(
    parameters=st.fixed_dictionaries({"r": positive, "alpha": st.floats(2, 1e3), "a": positive, "b": positive}),
    k=st.integers(1, 4),
    dropout=st.sampled_from(Dropout),
    x=st.integers(0, 60),
    share=st.floats(0.001, 1),
    T=st.floats(0, 500),
    horizon=st.floats(0, 30),
)
def test_nothing_is_ever_out_of_bounds(
    parameters: dict[str, float], k: int, dropout: Dropout, x: int, share: float, T: float, horizon: float
) -> None:
    if T == 0:
        x = 0
    history = (x, share * T if x else 0.0, T)
    model = model_of(k, dropout, parameters)
    alive = float(model.p_alive(*history))
    assert 0 <= alive <= 1
    # Silence never makes survival more likely.
    assert float(model.p_alive(history[0], history[1], T + 5)) <= alive + 1e-12
    expected = float(model.expected_purchases(horizon, *history))
    assert 0 <= expected <= (parameters["r"] + k * x + k) * horizon / (parameters["alpha"] + T) * (1 + 1e-9) + 1e-12
    assert float(model.expected_purchases(horizon * 2, *history)) >= expected - 1e-9
    low, high = model.purchases_interval(horizon, *history)
    assert 0 <= low <= high
    assert 0 <= float(model.probability_of(0, horizon, *history)) <= 1 + 1e-12
    assert 0 <= float(model.discounted_residual(0.01, *history, horizon)) <= expected + 1e-9


PARETO = ParetoNBD({"r": 0.9, "alpha": 4.0, "s": 0.8, "beta": 9.0}, 0.0, np.zeros((4, 4)), DIAGNOSIS, 1, "week")


@pytest.mark.parametrize("model", [*MODELS, PARETO], ids=[*NAMES, "pareto"])
def test_impossible_questions_are_refused(model: PurchaseModel) -> None:
    nan, inf = np.nan, np.inf
    for history, column in (
        ((1, 5, 4), "t_x"),
        ((-1, 0, 4), "x"),
        ((nan, 0, 4), "x"),
        ((inf, 2, 4), "x"),
        ((0, 0, nan), "t_x"),
        ((0, 0, inf), "T"),
    ):
        with pytest.raises(BadInput) as refused:
            model.expected_purchases(1, *history)
        assert (refused.value.code, refused.value.values) == ("insight.bad_history", {"column": column})
    calls: list[Callable[[], object]] = [
        lambda: model.probability_of(-1, 1, 0, 0, 1),
        lambda: model.probability_of(1.5, 1, 0, 0, 1),  # type: ignore[arg-type] - what a caller without types may do
        lambda: model.purchases_interval(1, 0, 0, 1, 1.0),
        lambda: model.purchases_interval(1, 0, 0, 1, nan),
        lambda: model.discounted_residual(0.0, 0, 0, 1),
        lambda: model.expected_total([1, -1]),
        lambda: model.expected_total([1, nan]),
    ]
    for rate in (-0.1, nan, inf):
        calls += [
            partial(model.discounted_residual, rate, 0, 0, 1),
            partial(model.discounted_residual, rate, 0, 0, 1, 5),
        ]
    for horizon in (-1.0, nan, inf):
        calls += [
            partial(model.expected_purchases, horizon, 0, 0, 1),
            partial(model.probability_of, 0, horizon, 0, 0, 1),
            partial(model.purchases_interval, horizon, 0, 0, 1),
            partial(model.discounted_residual, 0.1, 0, 0, 1, horizon),
        ]
    for call in calls:
        with pytest.raises(BadInput):
            call()


@pytest.mark.parametrize("model", [*MODELS, PARETO], ids=[*NAMES, "pareto"])
def test_no_time_and_no_customers_are_answered(model: PurchaseModel) -> None:
    assert model.expected_purchases(0, *BRIEF).tolist() == [0.0] * 4
    assert model.probability_of(0, 0, *BRIEF) == pytest.approx(np.ones(4))
    assert [bound.tolist() for bound in model.purchases_interval(0, *BRIEF)] == [[0.0] * 4] * 2
    assert model.expected_purchases(5, [], [], []).shape == (0,)
    assert model.expected_next_order([], [], []).shape == (0,)


def test_too_far_ahead_is_said() -> None:
    model = model_of(1, Dropout.AFTER_REPEAT)
    with pytest.raises(CannotSay) as refused_far:
        model.expected_purchases(1e9, 5, 1, 1)
    assert refused_far.value.code == "insight.horizon_too_long"
