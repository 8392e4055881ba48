"""Figures in which every rule finds something; tests change one number and see the finding go."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from shuke.reports.rules.figures import (
    Base,
    Baseline,
    BasketPair,
    ChannelCost,
    CohortQuality,
    Comparison,
    Concentration,
    Decile,
    Economics,
    Figures,
    FileRead,
    FirstProduct,
    FrequencyBin,
    Gaps,
    Gate,
    HeatCell,
    Holdout,
    ListSize,
    Model,
    Month,
    Movement,
    Parameter,
    Product,
    Quality,
    Reason,
    ReturnedProduct,
    Scope,
    SeasonMonth,
    Segment,
    Tracking,
    Treatment,
)


def segment(
    key: str, customers: int, historic: float, *, predicted: float | None = None, gross: float = 0.0
) -> Segment:
    return Segment(
        key=key,
        customers=customers,
        orders=2 * customers,
        gross=gross or historic,
        historic=historic,
        amount_365=historic / 2,
        repeat_customers=customers // 2,
        recency_days=40.0,
        predicted=predicted,
        predicted_low=None if predicted is None else 0.9 * predicted,
        predicted_high=None if predicted is None else 1.1 * predicted,
        churn=None if predicted is None else 0.3,
        historic_se=1.0,
    )


def list_size(customers: int, **changed: float) -> ListSize:
    values = {
        "historic": 300.0 * customers,
        "amount_365": 200.0 * customers,
        "order_value_sum": 80.0 * customers,
        "predicted": 50.0 * customers,
        "refunds": 0.0,
        "base_rate": 0.3,
    }
    return ListSize(customers=customers, **{**values, **changed})


def _months() -> tuple[Month, ...]:
    """Two years of 100 new customers a month, but 60 in each of the last three."""
    starts = [date(2022 + (5 + at) // 12, (5 + at) % 12 + 1, 1) for at in range(24)]
    return tuple(
        Month(
            month=start,
            orders=300,
            customers=250,
            amount=30_000.0,
            new_customers=60 if at >= 21 else 100,
            new_amount=6_000.0,
            complete=True,
        )
        for at, start in enumerate(starts)
    )


def _holdout() -> Holdout:
    """A model that missed by 40%."""
    return Holdout(
        calibration_end=date(2023, 11, 30),
        days=182,
        customers=1_800,
        purchases_actual=1_000,
        purchases_predicted=600.0,
        mae=0.6,
        rmse=1.1,
        gini=0.5,
        by_frequency=(
            FrequencyBin(frequency="0", customers=900, actual=0.2, predicted=0.15),
            FrequencyBin(frequency="1", customers=900, actual=0.9, predicted=0.5),
        ),
        deciles=(
            Decile(decile=1, customers=180, actual=500.0, predicted=300.0, lift=5.0),
            Decile(decile=2, customers=180, actual=100.0, predicted=80.0, lift=1.0),
        ),
        tracking=tuple(
            Tracking(
                at=date(2023, 12, day),
                actual=5.0,
                predicted=4.0,
                actual_cumulative=5.0 * day,
                predicted_cumulative=4.0 * day,
            )
            for day in (1, 8, 15)
        ),
        baselines=(Baseline(name="same_rate", total=900.0, mae=0.5, rmse=1.2),),
    )


def _model() -> Model:
    return Model(
        name="mbg-nbd",
        why=(("best_holdout", {"model": "mbg-nbd", "cuts": 2, "horizon_days": 90, "log_score": -1.2}),),
        parameters=(Parameter(name="r", value=0.5, standard_error=0.01),),
        spend_parameters=(Parameter(name="p", value=6.0, standard_error=None),),
        log_likelihood=-9_000.0,
        customers=2_000,
        unit="week",
        warnings=("flat_ridge",),
        candidates=(),
        orders_predicted=3_000.0,
        orders_low=2_900.0,
        orders_high=3_100.0,
        value_predicted=240_000.0,
        value_low=230_000.0,
        value_high=250_000.0,
        mean_order_value=80.0,
        new_customer_orders=1.0,
    )


@pytest.fixture
def figures() -> Figures:
    """2,000 customers of two years in whom all rules speak but ``cannot_predict`` and one of the two on cohorts."""
    cohorts = [date(2022, 9, 1), date(2022, 10, 1), date(2022, 11, 1), date(2022, 12, 1)]
    return Figures(
        scope=Scope(
            currency="CNY",
            as_of=datetime.fromisoformat("2024-06-01"),
            as_of_given=False,
            first_at=datetime.fromisoformat("2022-06-01T09:00"),
            last_at=datetime.fromisoformat("2024-05-31T18:00"),
            horizon_days=365,
            margin=None,
            margin_column=None,
            has_lines=True,
            has_refunds=True,
            has_costs=True,
            has_channel=True,
            has_region=True,
            has_discount=True,
            engine="duckdb",
            unit="week",
        ),
        quality=Quality(
            files=(FileRead(name="orders.csv", rows=9_000, encoding="UTF-8", delimiter=","),),
            columns=(("Customer", "phone", "name"),),
            treatments=(
                Treatment(code="sale", kind="kept", name="Sales", treatment="kept", rows=8_000, amount=720_000.0),
                Treatment(
                    code="no_customer", kind="set_aside", name="Nobody", treatment="aside", rows=1_000, amount=80_000.0
                ),
            ),
            rows=9_000,
            amount=800_000.0,
            reconciled=True,
            line_level=True,
        ),
        base=Base(
            customers=2_000,
            orders=7_200,
            gross=720_000.0,
            refunds=36_000.0,
            net=684_000.0,
            one_time_customers=1_000,
            one_time_amount=100_000.0,
            active_365_customers=1_500,
            amount_365=360_000.0,
            repeat_order_value=90.0,
        ),
        months=_months(),
        movement=(
            Movement(month=date(2024, 4, 1), opening=900, new=60, reactivated=10, lost=50, closing=920, complete=True),
        ),
        silence_days=150,
        concentration=Concentration(
            gini=0.7,
            top_1_share=0.2,
            top_10_share=0.6,
            top_20_share=0.75,
            half_of_amount_customers_share=0.06,
            lorenz=tuple((step / 100, (step / 100) ** 4) for step in range(101)),
        ),
        stages=(
            segment("first_purchase", 500, 50_000.0, predicted=20_000.0),
            segment("repeat", 500, 130_000.0, predicted=50_000.0),
            segment("loyal", 400, 400_000.0, predicted=150_000.0),
            segment("at_risk", 300, 70_000.0, predicted=15_000.0),
            segment("lost", 300, 34_000.0, predicted=5_000.0),
        ),
        gate=Gate(ok=True, reasons=()),
        model=_model(),
        holdout=_holdout(),
        value_bins=((0.0, 50.0, 1_200), (50.0, 100.0, 800)),
        value_quantiles=((0.5, 40.0), (0.9, 300.0)),
        by_cohort=(
            segment("2022-06-01", 100, 30_000.0, predicted=9_000.0),
            segment("2022-07-01", 100, 28_000.0, predicted=8_000.0),
        ),
        by_channel=(
            segment("store", 1_000, 500_000.0, predicted=150_000.0),
            segment("ads", 1_000, 184_000.0, predicted=90_000.0),
        ),
        by_region=(segment("上海", 1_500, 600_000.0), segment("北京", 500, 84_000.0)),
        rfm_groups=(
            segment("champions", 200, 300_000.0, predicted=100_000.0),
            segment("lost", 1_800, 384_000.0, predicted=140_000.0),
        ),
        value_groups=(segment("important_value", 2_000, 684_000.0, predicted=240_000.0),),
        rfm_cells=((5, 5, 200), (1, 1, 1_800)),
        cohort_quality=tuple(
            CohortQuality(cohort=cohort, customers=100, repeated_90=40 if at < 2 else 20)
            for at, cohort in enumerate(cohorts)
        ),
        gaps=Gaps(
            count=5_000,
            median_days=30.0,
            p75_days=60.0,
            p90_days=100.0,
            second_median_days=35.0,
            second_p80_days=75.0,
            histogram=((1.0, 11.0, 3_000), (11.0, 21.0, 2_000)),
        ),
        reasons=(
            Reason(
                code="one_order",
                detail="",
                customers_with=500,
                churn_with=0.6,
                customers_without=500,
                churn_without=0.3,
                difference=0.25,
                low=0.2,
                high=0.3,
            ),
        ),
        reasons_from=date(2023, 12, 4),
        reasons_days=180,
        products=(Product(key="a", name="Tea", amount=90_000.0, share=0.125, customers=500, orders=900),),
        product_count=300,
        products_for_80=60,
        returned_products=(ReturnedProduct(key="b", name="Boots", sold=20_000.0, returned=8_000.0, orders=200),),
        returned_share=0.05,
        pairs=(
            BasketPair(
                first="Tea",
                second="Pot",
                first_code="a",
                second_code="c",
                orders=200,
                support=0.03,
                confidence=0.4,
                lift=5.0,
                lift_low=4.0,
                lift_high=6.0,
            ),
        ),
        first_products=(
            FirstProduct(
                key="a",
                name="Tea",
                customers=120,
                value=500.0,
                value_low=450.0,
                value_high=550.0,
                value_everyone=300.0,
                repeat_share=0.6,
            ),
        ),
        first_days=180,
        season=tuple(
            SeasonMonth(month=at, index=1.5 if at == 11 else 10.5 / 11, observations=2) for at in range(1, 13)
        ),
        weekday_hour=(
            HeatCell(weekday=1, hour=9, orders=40, amount=1.0),
            HeatCell(weekday=2, hour=10, orders=60, amount=1.0),
        ),
        discount_first=Comparison(
            with_customers=500, with_mean=200.0, without_customers=700, without_mean=300.0, low=-130.0, high=-70.0
        ),
        economics=Economics(
            channels=(
                ChannelCost(
                    channel="ads",
                    spend=60_000.0,
                    new_customers=200,
                    cac=300.0,
                    value=240.0,
                    value_by_cac=0.8,
                    payback_months=None,
                ),
            ),
            spend=60_000.0,
            cac=300.0,
            profit=(("revenue", 720_000.0), ("refunds", 36_000.0)),
        ),
        lists={
            "core": list_size(200, amount_365=200_000.0),
            "at_risk_valuable": list_size(120),
            "lost_valuable": list_size(90),
            "second_order_now": list_size(800),
            "one_time_promising": list_size(60, order_value_sum=12_000.0),
            "due_soon": list_size(150, base_rate=0.9),
            "loyal": list_size(400),
            "return_prone": list_size(50, refunds=20_000.0),
            "discount_acquired": list_size(500),
            "pair_missing": list_size(300),
        },
    )
