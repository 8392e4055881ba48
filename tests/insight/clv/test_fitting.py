"""Fits find the true maximum, the same one every time, and say what the data leave open."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shuke.base.errors import BadInput, CannotSay
from shuke.insight.clv import MODELS, Statistics, fit, fit_spend
from shuke.insight.clv.likelihood import Dropout, Likelihood, Member
from shuke.insight.clv.optimise import Evaluation, climb
from shuke.insight.clv.simulate import simulate_bg_nbd, simulate_pareto_nbd, summarise

TRUTH = {"r": 0.9, "alpha": 4.0, "a": 0.8, "b": 3.0}


def simulated(seed: int, customers: int, **options: Any) -> tuple[np.ndarray, ...]:
    generator = np.random.default_rng(seed)
    T = generator.uniform(5, 80, customers)
    return summarise(simulate_bg_nbd(generator, T, **{**TRUTH, **options}), T)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("bg-nbd", {}),
        ("mbg-nbd", {"coin": "after_every"}),
        ("bg-cnbd-k", {"k": 3}),
        ("mbg-cnbd-k", {"k": 2, "coin": "after_every"}),
    ],
)
def test_the_truth_lies_within_two_standard_errors(name: str, options: dict[str, Any]) -> None:
    x, t_x, T, gaps = simulated(11, 20_000, **options)
    model = fit(name, Statistics.from_arrays(x, t_x, T, log_gap_sum=gaps))
    truth = np.array([TRUTH[key] for key in ("r", "alpha", "a", "b")])
    found = np.array(list(model.parameters.values()))
    errors = np.sqrt(np.diag(model.covariance))
    assert (np.abs(found[:4] - truth) < 2 * errors[:4]).all()
    assert (errors[:4] < 0.2 * truth).all()
    assert model.parameters.get("k", 1.0) == options.get("k", 1)
    assert model.diagnosis.warnings == ()


def test_effects_of_traits_are_recovered_and_units_do_not_matter() -> None:
    generator = np.random.default_rng(12)
    trait = generator.integers(0, 2, 20_000).astype(float)
    T = generator.uniform(5, 80, trait.size)
    parts = []
    for value in (0.0, 1.0):
        own = {**TRUTH, "alpha": 4.0 * np.exp(-0.5 * value), "a": 0.8 * np.exp(0.4 * value)}
        parts.append(summarise(simulate_bg_nbd(generator, T[trait == value], **own), T[trait == value]))
    x, t_x, T, _ = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    trait = np.sort(trait)
    chosen = {"alpha": ["trait"], "a": ["trait"]}
    model = fit("bg-nbd", Statistics.from_arrays(x, t_x, T, covariates={"trait": trait}), covariates=chosen)
    truth = {"r": 0.9, "alpha": 4.0, "alpha.trait": -0.5, "a": 0.8, "a.trait": 0.4, "b": 3.0}
    assert list(model.parameters) == list(truth)
    errors = dict(zip(truth, np.sqrt(np.diag(model.covariance)), strict=True))
    for key, value in truth.items():
        assert abs(model.parameters[key] - value) < 2.5 * errors[key], key
    wide = fit("bg-nbd", Statistics.from_arrays(x, t_x, T, covariates={"trait": 5 + 100 * trait}), covariates=chosen)
    assert wide.log_likelihood == pytest.approx(model.log_likelihood, abs=1e-6)
    assert wide.parameters["a.trait"] * 100 == pytest.approx(model.parameters["a.trait"], rel=1e-5)
    with_trait = model.expected_purchases(10, x[-5:], t_x[-5:], T[-5:], covariates={"trait": trait[-5:]})
    assert wide.expected_purchases(
        10, x[-5:], t_x[-5:], T[-5:], covariates={"trait": 5 + 100 * trait[-5:]}
    ) == pytest.approx(with_trait, rel=1e-5)
    assert model.log_likelihood > fit("bg-nbd", Statistics.from_arrays(x, t_x, T)).log_likelihood + 10
    with pytest.raises(BadInput) as refused:
        model.p_alive(1, 1, 2)
    assert refused.value.values == {"name": "trait"}


def test_more_cells_than_the_first_approximation_takes_still_give_the_exact_maximum() -> None:
    x, t_x, T, _ = simulated(13, 40_000)
    cells = Statistics.from_arrays(x, t_x, T)
    assert cells.cells > 25_000
    model = fit("bg-nbd", cells)
    assert model.diagnosis.gradient_norm < 1e-8
    elsewhere = climb(Likelihood(Member(1, Dropout.AFTER_REPEAT), cells), np.log([5.0, 1.0, 0.2, 0.2]))
    assert np.exp(elsewhere.theta) == pytest.approx(list(model.parameters.values()), rel=1e-6)


def test_the_same_data_give_the_same_answer_to_the_bit() -> None:
    x, t_x, T, gaps = simulated(14, 5_000)
    shuffled = np.random.default_rng(0).permutation(x.size)
    for name in ("bg-nbd", "mbg-cnbd-k"):
        first = fit(name, Statistics.from_arrays(x, t_x, T, log_gap_sum=gaps))
        again = fit(name, Statistics.from_arrays(*(c[shuffled] for c in (x, t_x, T)), log_gap_sum=gaps[shuffled]))
        assert again.parameters == first.parameters
        assert again.log_likelihood == first.log_likelihood
    spend = np.random.default_rng(1).gamma(3.0, 10.0, x.size)
    assert fit_spend(x, spend).parameters == fit_spend(x[shuffled], spend[shuffled]).parameters


def test_customers_alike_in_leaving_are_a_corner_and_predictions_stay() -> None:
    # All leave with probability 0.12: a and b are known by their ratio only.
    x, t_x, T, _ = simulated(15, 5_000, a=1222.0, b=9043.0)
    model = fit("bg-nbd", Statistics.from_arrays(x, t_x, T))
    assert {"a", "b"} <= set(model.diagnosis.corners) or "flat_ridge" in model.diagnosis.warnings
    assert model.diagnosis.warnings != ()
    a, b = model.parameters["a"], model.parameters["b"]
    assert a / (a + b) == pytest.approx(1222 / (1222 + 9043), rel=0.1)
    assert np.isfinite(model.covariance).all()
    assert np.isfinite(model.total_interval(10, Statistics.from_arrays(x, t_x, T))).all()


def test_customers_who_never_leave_are_a_corner_that_equals_nbd() -> None:
    generator = np.random.default_rng(16)
    T = generator.uniform(5, 80, 4_000)
    x, t_x, T, _ = summarise(simulate_pareto_nbd(generator, T, r=1.0, alpha=4.0, s=1.0, beta=1e9), T)
    cells = Statistics.from_arrays(x, t_x, T)
    nbd, parent = fit("nbd", cells), fit("bg-nbd", cells)
    assert parent.log_likelihood >= nbd.log_likelihood - 1e-4
    assert "corner" in parent.diagnosis.warnings
    assert parent.expected_purchases(20, 3, 9, 10) == pytest.approx(nbd.expected_purchases(20, 3, 9, 10), rel=0.02)


histories = st.lists(
    st.tuples(st.integers(0, 12), st.floats(0.05, 1), st.floats(0.5, 80), st.integers(1, 50)), min_size=3, max_size=25
).filter(lambda rows: any(x for x, *_ in rows))


@settings(deadline=None, max_examples=15)
@given(rows=histories)
def test_whatever_the_data_a_fit_is_finite_and_no_special_case_beats_it(
    rows: list[tuple[int, float, float, int]],
) -> None:
    x, share, T, weight = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    cells = Statistics.from_arrays(x, np.where(x > 0, share * T, 0), T, weight=weight, log_gap_sum=np.log(T) * x)
    nbd = fit("nbd", cells)
    for name, options in (("bg-nbd", {}), ("mbg-nbd", {}), ("bg-cnbd-k", {"k": 2})):
        model = fit(name, cells, **options)
        assert np.isfinite([*model.parameters.values(), model.log_likelihood]).all()
        assert np.isfinite(model.covariance).all()
        if "k" not in model.parameters and "nested_better" not in model.diagnosis.warnings:
            assert model.log_likelihood >= nbd.log_likelihood - 1e-3


def test_total_interval_holds_both_uncertainties() -> None:
    x, t_x, T, _ = simulated(17, 3_000)
    cells = Statistics.from_arrays(x, t_x, T)
    model = fit("nbd", cells)
    r, alpha = model.parameters["r"], model.parameters["alpha"]
    # NBD in closed form: mean (r+x)h/(α+T), variance of the negative binomial, slopes by r and α.
    h = 10.0
    mean, odds = (r + x) * h / (alpha + T), h / (alpha + T)
    slope = np.array([odds.sum(), -(mean / (alpha + T)).sum()])
    variance = (mean * (1 + odds)).sum() + slope @ model.covariance @ slope
    low, high = model.total_interval(h, cells)
    assert (low + high) / 2 == pytest.approx(mean.sum(), rel=1e-9)
    assert (high - low) / 2 == pytest.approx(1.959964 * np.sqrt(variance), rel=1e-5)


def test_a_climb_that_cannot_end_says_so() -> None:
    def slope_for_ever(theta: np.ndarray) -> Evaluation:
        return Evaluation(float(theta[0]), np.ones(1), np.full((1, 1), -1e-3))

    assert not climb(slope_for_ever, [0.0], low=-1e9, high=1e9, evaluations_max=20).converged


def test_spend_recovers_the_truth_and_its_traits() -> None:
    generator = np.random.default_rng(22)
    x = generator.integers(1, 12, 20_000).astype(float)
    trait = generator.normal(3, 2, x.size)
    mean = generator.gamma(6.0 * x) / generator.gamma(4.0, 1 / (15 * np.exp(0.1 * trait))) / x
    model = fit_spend(x, mean, covariates={"trait": trait})
    truth = {"p": 6.0, "q": 4.0, "gamma": 15.0, "gamma.trait": 0.1}
    errors = np.sqrt(np.diag(model.covariance))
    for (key, value), error in zip(truth.items(), errors, strict=True):
        assert abs(model.parameters[key] - value) < 2 * error, key
    expected = model.expected_spend([0, 4], [np.nan, 40.0], covariates={"trait": [3.0, 3.0]})
    gamma = model.gamma * np.exp(model.parameters["gamma.trait"] * 3)
    assert expected[0] == pytest.approx(model.p * gamma / (model.q - 1), rel=1e-12)
    known, unknown = model.spend_error([40, 0], [40.0, np.nan], covariates={"trait": [3.0, 3.0]})
    assert 0 < known < unknown / 3
    assert np.isnan(model.population_mean)


def test_weights_are_repeated_customers() -> None:
    x, t_x, T, gaps = simulated(19, 400)
    double = Statistics.from_arrays(x, t_x, T, log_gap_sum=gaps, weight=np.full(x.size, 2.0))
    twice = Statistics.from_arrays(*(np.tile(c, 2) for c in (x, t_x, T)), log_gap_sum=np.tile(gaps, 2))
    assert (double.customers, double.cells) == (twice.customers, twice.cells) == (800, double.cells)
    assert fit("bg-cnbd-k", double, k=2).parameters == fit("bg-cnbd-k", twice, k=2).parameters


def test_engine_and_arrow_give_the_same_cells() -> None:
    x, t_x, T, gaps = (
        np.round(column * 7) / 7 if i in (1, 2) else column for i, column in enumerate(simulated(20, 900))
    )
    t_x = np.where(x > 0, np.maximum(t_x, 1 / 7), 0)
    T = np.maximum(T, t_x)
    table = pa.table({"frequency": x.astype(np.int64), "recency": t_x, "age": T, "log_gap_sum": gaps})
    arrays = Statistics.from_arrays(x, t_x, T, log_gap_sum=gaps)
    assert arrays.cells < arrays.customers == 900
    for found in (Statistics.from_summary(table), Statistics.from_summary(ibis.memtable(table))):
        for column in ("x", "t_x", "T", "weight"):
            assert getattr(found, column).tolist() == getattr(arrays, column).tolist()
        assert found.log_gap_sum == pytest.approx(arrays.log_gap_sum, abs=1e-12)
    with pytest.raises(BadInput) as refused:
        Statistics.from_summary(table.drop_columns(["age"]))
    assert refused.value.code == "insight.missing_columns"


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        (([0.5], [1], [2]), "x"),
        (([-1], [0], [2]), "x"),
        (([2_000_000], [1], [2]), "x"),
        (([np.inf], [1], [2]), "x"),
        (([0], [1], [2]), "t_x"),
        (([1], [0], [2]), "t_x"),
        (([1], [3], [2]), "t_x"),
        (([0], [0], [-2]), "T"),
        (([0], [0], [np.nan]), "T"),
        (([0, 1], [0, 1], [2]), "age"),
    ],
)
def test_histories_that_cannot_be_are_refused(columns: tuple[list[float], ...], named: str) -> None:
    with pytest.raises(BadInput) as refused:
        Statistics.from_arrays(*columns)
    assert (refused.value.code, refused.value.values) == ("insight.bad_statistics", {"column": named})


def test_without_customers_there_is_nothing_to_fit() -> None:
    for gaps in (None, []):
        with pytest.raises(CannotSay) as refused:
            Statistics.from_arrays([], [], [], log_gap_sum=gaps)
        assert refused.value.code == "insight.no_customers"


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("x", [[3] * 500, [3], [0] * 99 + [1]])
def test_customers_too_alike_give_finite_answers_and_a_warning(name: str, x: list[int]) -> None:
    # Identical customers, a single one, and a single order: the parameters run into corners, the answers must not.
    t_x, T = [10.0 if own else 0.0 for own in x], [20.0] * len(x)
    cells = Statistics.from_arrays(x, t_x, T, log_gap_sum=[own * np.log(3.0) for own in x])
    model = fit(name, cells, **({"k": 2} if name.endswith("-k") else {}))
    assert "corner" in model.diagnosis.warnings
    history = (cells.x, cells.t_x, cells.T)
    for answer in (
        model.p_alive(*history),
        *model.purchases_moments(52, *history),
        *model.purchases_interval(52, *history),
        *model.total_interval(52, cells),
        model.discounted_residual(0.002, *history),
        model.expected_total([0.0, 1.0, 52.0]),
    ):
        assert np.isfinite(answer).all()
        assert (np.asarray(answer) >= 0).all()
    # A wait is a number, or it cannot be said; never a warning or a negative number.
    assert not (model.expected_next_order(*history) < 0).any()


def test_what_cannot_be_fitted_is_said() -> None:
    nobody = Statistics.from_arrays([0, 0], [0, 0], [5, 9])
    for name in MODELS:
        with pytest.raises(CannotSay) as refused:
            fit(name, nobody)
        assert refused.value.code == "insight.no_repeat_orders"
    somebody = Statistics.from_arrays([0, 2], [0, 3], [5, 9], covariates={"same": [1, 1]})
    for options, code in (
        ({"covariates": ["other"]}, "insight.covariates_missing"),
        ({"covariates": ["same"]}, "insight.covariate_constant"),
        ({"covariates": {"r": ["same"]}}, "insight.covariates_unknown"),
    ):
        with pytest.raises(BadInput) as wrong:
            fit("bg-nbd", somebody, **options)
        assert wrong.value.code == code
    for name, options, code in (
        ("none", {}, "insight.unknown_model"),
        ("bg-cnbd-k", {}, "insight.gaps_missing"),
        ("bg-cnbd-k", {"k": 13}, "insight.bad_k"),
    ):
        with pytest.raises(BadInput) as wrong:
            fit(name, somebody, **options)
        assert wrong.value.code == code
    with pytest.raises(CannotSay) as no_spend:
        fit_spend([0, 1], [np.nan, 5.0])
    assert no_spend.value.code == "insight.no_spend"
    for columns in (
        ([1, 1], [0.0, 5.0]),
        ([1, 1], [np.inf, 5.0]),
        ([1.5, 1], [4.0, 5.0]),
        ([np.nan, 1, 1], [3.0, 4.0, 5.0]),
        ([-1, 1, 1], [3.0, 4.0, 5.0]),
        ([1, 1, 1], [4.0, 5.0]),
        ([1, 1, 1], [3.0, 4.0, 5.0], [1, -1, 1]),
    ):
        with pytest.raises(BadInput) as bad_spend:
            fit_spend(*columns)
        assert bad_spend.value.code == "insight.bad_spend"
    spend = fit_spend([1, 2, 3, 1], [3.0, 4.0, 5.0, 9.0])
    for x, mean in ((2, np.nan), (-1, 3.0), (2, -3.0), (np.inf, 3.0)):
        with pytest.raises(BadInput):
            spend.expected_spend(x, mean)
    assert spend.expected_spend(0, np.nan) == pytest.approx(spend.population_mean)


def test_amounts_of_any_size_can_be_fitted() -> None:
    assert np.isfinite(fit_spend([1, 2, 3, 1] * 50, [1e12, 4e-9, 2.0, 5.0] * 50).log_likelihood)
