"""Each rule finds what the figures support, says what they say, and is silent when they do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from shuke.reports.model import Confidence
from shuke.reports.rules.figures import Figures, Gate, GateReason
from shuke.reports.rules.finding import Finding
from shuke.reports.rules.findings import RULES, findings
from shuke.reports.rules.said import Said

Change = Callable[[Figures], Figures]


def _found(figures: Figures) -> dict[str, Finding]:
    return {one.code: one for one in findings(figures)}


def _list(code: str, **changed: float) -> Change:
    return lambda it: replace(it, lists={**it.lists, code: replace(it.lists[code], **changed)})


def _segments(field: str, at: int, **changed: float) -> Change:
    def change(it: Figures) -> Figures:
        kept = list(getattr(it, field))
        kept[at] = replace(kept[at], **changed)
        return replace(it, **{field: tuple(kept)})

    return change


def _one(field: str, **changed: object) -> Change:
    return lambda it: replace(it, **{field: (replace(getattr(it, field)[0], **changed),)})


def _part(field: str, **changed: object) -> Change:
    return lambda it: replace(it, **{field: replace(getattr(it, field), **changed)})


def _new_customers(number: int) -> Change:
    return lambda it: replace(
        it, months=(*it.months[:-3], *(replace(one, new_customers=number) for one in it.months[-3:]))
    )


# What takes each finding's ground away, one number at a time.
FAULTS: list[tuple[str, str, Change]] = [
    ("model_not_trustworthy", "the model hit the total", _part("holdout", purchases_predicted=950.0, mae=0.5)),
    ("model_not_trustworthy", "it missed it by less than a quarter", _part("holdout", purchases_predicted=1_200.0)),
    ("model_not_trustworthy", "there was no holdout", lambda it: replace(it, holdout=None)),
    ("anonymous_sales", "everybody is known", lambda it: replace(it, quality=replace(it.quality, treatments=()))),
    (
        "anonymous_sales",
        "hardly anybody is not",
        lambda it: replace(
            it, quality=replace(it.quality, treatments=(replace(it.quality.treatments[1], amount=30_000.0),))
        ),
    ),
    ("revenue_concentration", "the top tenth holds less than half", _part("concentration", top_10_share=0.49)),
    ("new_customers_falling", "as many came as before", _new_customers(100)),
    ("new_customers_falling", "chance explains the fall", _new_customers(89)),
    (
        "new_customers_falling",
        "no month is complete",
        lambda it: replace(it, months=tuple(replace(one, complete=False) for one in it.months)),
    ),
    (
        "cohort_quality_falling",
        "newer cohorts are as good",
        lambda it: replace(it, cohort_quality=tuple(replace(one, repeated_90=40) for one in it.cohort_quality)),
    ),
    (
        "cohort_quality_falling",
        "they are too small to tell",
        lambda it: replace(
            it,
            cohort_quality=tuple(
                replace(one, customers=40, repeated_90=one.repeated_90 * 2 // 5) for one in it.cohort_quality
            ),
        ),
    ),
    (
        "season_peak",
        "no month stands out",
        lambda it: replace(it, season=tuple(replace(one, index=1.0) for one in it.season)),
    ),
    ("season_peak", "the data are too short for a season", lambda it: replace(it, season=())),
    ("region_concentration", "regions are even", _segments("by_region", 0, gross=150_000.0)),
    ("region_concentration", "there is one region", lambda it: replace(it, by_region=it.by_region[:1])),
    ("at_risk_valuable", "the list is short", _list("at_risk_valuable", customers=9)),
    ("at_risk_valuable", "nobody is at risk", lambda it: replace(it, stages=it.stages[:3])),
    ("lost_valuable", "the list is empty", _list("lost_valuable", customers=0)),
    ("loyal_core", "the loyal hold little", _segments("stages", 2, predicted=20_000.0)),
    (
        "loyal_core",
        "nothing is predicted",
        lambda it: replace(it, stages=tuple(replace(one, predicted=None) for one in it.stages)),
    ),
    ("second_order_window", "nobody is in the window", _list("second_order_now", customers=0)),
    ("second_order_window", "hardly anybody came back", _part("base", one_time_customers=1_950)),
    ("one_time_promising", "their order was an ordinary one", _list("one_time_promising", order_value_sum=6_000.0)),
    ("due_soon", "nothing is predicted", _list("due_soon", predicted=None)),
    ("return_prone_customers", "they return like everybody", _list("return_prone", refunds=900.0)),
    ("discount_acquired", "chance explains the difference", _part("discount_first", high=10.0)),
    ("discount_acquired", "nobody had a discount", lambda it: replace(it, discount_first=None)),
    ("return_prone_products", "it comes back no more than others", _one("returned_products", returned=1_500.0)),
    ("return_prone_products", "it was one order", _one("returned_products", orders=1)),
    ("lasting_first_product", "the interval holds the average", _one("first_products", value_low=290.0)),
    ("lasting_first_product", "few began with it", _one("first_products", customers=29)),
    ("basket_pair", "chance explains the pair", _one("pairs", lift_low=1.9)),
    ("basket_pair", "few orders hold it", _one("pairs", orders=29)),
    ("channel_value", "chance explains the difference", _segments("by_channel", 0, historic_se=400.0)),
    ("channel_value", "one channel is small", _segments("by_channel", 1, customers=99)),
    (
        "cost_above_value",
        "customers are worth their cost",
        lambda it: replace(
            it, economics=replace(it.economics, channels=(replace(it.economics.channels[0], value=301.0),))
        ),
    ),
]


def test_every_rule_has_figures_in_which_it_speaks(figures: Figures) -> None:
    rising = tuple(replace(one, repeated_90=60 - one.repeated_90) for one in figures.cohort_quality)
    closed = replace(figures, gate=_closed_gate())
    said = {code for it in (figures, replace(figures, cohort_quality=rising), closed) for code in _found(it)}
    assert said == {rule.__name__ for rule in RULES}


@pytest.mark.parametrize(("code", "fault", "change"), FAULTS, ids=[f"{code}: {fault}" for code, fault, _ in FAULTS])
def test_a_finding_goes_with_its_ground(code: str, fault: str, change: Change, figures: Figures) -> None:
    assert code in _found(figures), fault
    assert code not in _found(change(figures))


def test_every_finding_has_a_fault_that_takes_it_away() -> None:
    assert {code for code, _, _ in FAULTS} | {"cannot_predict", "cohort_quality_rising"} == {
        rule.__name__ for rule in RULES
    }


def _closed_gate() -> Gate:
    return Gate(ok=False, reasons=(GateReason(code="too_few_customers", needed=500, found=120, ok=False),))


def test_below_the_gate_it_is_said_first_and_why(figures: Figures) -> None:
    first = findings(replace(figures, gate=_closed_gate(), model=None, holdout=None))[0]
    assert first.code == "cannot_predict"
    assert [line.key for line in first.evidence] == ["gate.too_few_customers"]
    assert {name: _value(said) for name, said in first.evidence[0].values.items()} == {"needed": 500, "found": 120}
    assert "cannot_predict" not in _found(figures)


def test_an_untrustworthy_model_is_said_before_everything_and_in_its_direction(figures: Figures) -> None:
    first = findings(figures)[0]
    assert first.code == "model_not_trustworthy"
    assert _value(first.values["error"]) == pytest.approx(0.4)
    assert first.values["direction"].key.endswith("too_low")  # type: ignore[union-attr] # a term
    over = replace(figures, holdout=replace(figures.holdout, purchases_predicted=1_400.0))
    assert findings(over)[0].values["direction"].key.endswith("too_high")  # type: ignore[union-attr] # likewise


def test_the_rest_is_ranked_by_money(figures: Figures) -> None:
    money = [one.money for one in findings(figures) if not one.said_first]
    known = [amount for amount in money if amount is not None]
    assert known == sorted(known, reverse=True)
    assert money[len(known) :] == [None] * (len(money) - len(known))


def test_what_rests_on_predictions_is_no_more_certain_than_they_are(figures: Figures) -> None:
    assert _found(figures)["loyal_core"].confidence is Confidence.LOW
    fair = replace(figures, holdout=replace(figures.holdout, purchases_predicted=850.0))
    assert _found(fair)["loyal_core"].confidence is Confidence.MEDIUM
    good = replace(figures, holdout=replace(figures.holdout, purchases_predicted=1_000.0, mae=0.5))
    assert _found(good)["loyal_core"].confidence is Confidence.HIGH
    assert _found(good)["loyal_core"].confidence_reason == "model_good"
    assert _found(figures)["revenue_concentration"].confidence is Confidence.HIGH


def test_a_connection_is_never_highly_certain(figures: Figures) -> None:
    many = _one("first_products", customers=5_000)(figures)
    assert _found(many)["lasting_first_product"].confidence is Confidence.MEDIUM
    assert _found(many)["lasting_first_product"].confidence_reason == "association"


def test_a_fall_is_measured_against_the_year_before(figures: Figures) -> None:
    found = _found(figures)["new_customers_falling"]
    assert found.evidence[0].key.endswith(".year")
    assert (_value(found.values["now"]), _value(found.values["then"])) == (180, 300)
    assert found.money == pytest.approx(120 * 100.0)  # 120 fewer, 100 each in the first month
    short = replace(figures, months=figures.months[-10:])
    assert _found(short)["new_customers_falling"].confidence_reason == "season_unknown"


def test_the_size_of_what_is_found(figures: Figures) -> None:
    found = _found(figures)
    assert found["anonymous_sales"].money == 80_000.0
    assert found["second_order_window"].money == 800 * 90.0
    assert found["cost_above_value"].money == 200 * 60.0
    assert found["discount_acquired"].money == 500 * 100.0
    assert found["cohort_quality_falling"].money == pytest.approx(0.2 * 200 * 90.0)
    assert found["channel_value"].money == pytest.approx((500 - 184) * 1_000.0)
    assert found["basket_pair"].money is None


def _value(said: object) -> object:
    assert isinstance(said, Said)
    return said.value
