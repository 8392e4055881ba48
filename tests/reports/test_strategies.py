"""Strategies follow from findings, carry their assumption, and say how to measure them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shuke.reports.rules.figures import Figures
from shuke.reports.rules.findings import findings
from shuke.reports.rules.power import detectable_lift, per_arm
from shuke.reports.rules.strategies import PLANS, STAGES, Strategy, strategies


def _chosen(figures: Figures) -> dict[str, Strategy]:
    return {one.code: one for one in strategies(figures, findings(figures))}


def test_all_plans_can_be_chosen_and_stand_in_the_order_of_the_stages(figures: Figures) -> None:
    chosen = strategies(figures, findings(figures))
    assert {one.code for one in chosen} == {plan.code for plan in PLANS}
    places = [STAGES.index(one.stage) for one in chosen]
    assert places == sorted(places)
    assert set(places) == set(range(len(STAGES)))


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.code)
def test_a_strategy_goes_with_its_findings(plan: object, figures: Figures) -> None:
    found = tuple(one for one in findings(figures) if one.code not in plan.triggers)  # type: ignore[attr-defined] # a plan
    assert plan.code not in {one.code for one in strategies(figures, found)}  # type: ignore[attr-defined] # likewise


def test_the_expected_value_is_the_assumption_times_the_figures(figures: Figures) -> None:
    chosen = _chosen(figures)
    remind = chosen["remind"].expected
    assert remind is not None
    assert (remind.low, remind.value, remind.high) == pytest.approx((120.0, 360.0, 600.0))  # of 150 orders of 80
    assert chosen["identify"].expected is None
    keep = chosen["keep_loyal"].expected
    assert keep is not None
    assert keep.value == pytest.approx(0.03 * 400 * 200.0)


def test_value_is_after_the_cost_of_goods_where_a_margin_is_given(figures: Figures) -> None:
    plain = _chosen(figures)["win_back_at_risk"].expected
    margin = _chosen(replace(figures, scope=replace(figures.scope, margin=0.4)))["win_back_at_risk"].expected
    assert plain is not None
    assert margin is not None
    assert margin.value == pytest.approx(0.4 * plain.value)


def test_the_size_of_a_comparison_is_that_of_the_textbook() -> None:
    # The examples of R's help on power.prop.test (stats): p1 = .50, p2 = .75, power = .90 takes n = 76.7 in each group,
    # and n = 50 in each has a power of .740.
    assert per_arm(0.5, 0.25, power=0.9) == 77
    assert per_arm(0.5, 0.25, power=0.740) == 50
    assert per_arm(0.3, 0.1) == 356
    assert detectable_lift(0.3, 356) == pytest.approx(0.1)
    assert detectable_lift(0.3, 355) == pytest.approx(0.101)
    assert detectable_lift(0.9, 3) is None


@pytest.mark.parametrize(("base", "lift"), [(0.0, 0.1), (0.95, 0.05), (0.5, 0.0), (0.5, -0.1)])
def test_an_impossible_comparison_is_refused(base: float, lift: float) -> None:
    with pytest.raises(ValueError, match="no sample size"):
        per_arm(base, lift)


def test_a_long_list_is_split_by_the_size_that_is_needed(figures: Figures) -> None:
    measure = _chosen(figures)["second_order"].measure
    assert measure.key == "measure.list_known"
    assert measure.per_arm == 356


def test_a_short_list_says_what_it_can_show(figures: Figures) -> None:
    size = replace(figures.lists["at_risk_valuable"], customers=240)
    measure = _chosen(replace(figures, lists={**figures.lists, "at_risk_valuable": size}))["win_back_at_risk"].measure
    assert measure.key == "measure.list_small_known"
    assert measure.per_arm == 120
    assert measure.detectable == detectable_lift(0.3, 120)
    unknown = replace(size, base_rate=None)
    measure = _chosen(replace(figures, lists={**figures.lists, "at_risk_valuable": unknown}))[
        "win_back_at_risk"
    ].measure
    assert measure.key == "measure.list_small_unknown"
    assert measure.detectable == detectable_lift(0.45, 120)


def test_a_tiny_list_proves_nothing_and_says_so(figures: Figures) -> None:
    tiny = replace(
        figures, lists={**figures.lists, "lost_valuable": replace(figures.lists["lost_valuable"], customers=12)}
    )
    assert _chosen(tiny)["win_back_lost"].measure.key == "measure.list_too_small"


def test_where_nearly_all_order_anyway_less_is_asked(figures: Figures) -> None:
    many = replace(figures, lists={**figures.lists, "due_soon": replace(figures.lists["due_soon"], customers=5_000)})
    measure = _chosen(many)["remind"].measure
    assert measure.key == "measure.list_known"
    assert measure.per_arm == per_arm(0.9, 0.03)
    nearly_all = replace(many.lists["due_soon"], base_rate=0.98)
    measure = _chosen(replace(many, lists={**many.lists, "due_soon": nearly_all}))["remind"].measure
    assert measure.per_arm == per_arm(0.98, 0.01)
