"""The console and the report say the same: both ask the same questions of the same orders."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from shuke import collect, insight, lifecycle
from shuke.lifecycle.analysis_model import Narrowing
from shuke.lifecycle.service import channels, checks, coming_back, desk, goods
from shuke.platform import Workplace, open_engine
from shuke.reports import measures
from shuke.reports.service.gather import base, churn, prediction
from shuke.reports.service.gather import goods as report_goods
from shuke.reports.service.gather.desk import Desk

AS_OF = datetime(2026, 7, 1, tzinfo=UTC)
LOCAL = AS_OF.replace(tzinfo=None)
CUSTOMERS = 520
EVERYTHING = Narrowing()


@pytest.fixture
def brand(workplace: Workplace) -> Workplace:
    """Customers enough for predictions, who buy a few of six products by two channels."""
    drawn = random.Random(7)  # noqa: S311 - orders, no secrets
    rows = []
    for number in range(CUSTOMERS):
        at = AS_OF - timedelta(days=drawn.uniform(1, 420))
        gap, turn = drawn.choice((15, 40, 90)), 0
        while at < AS_OF and turn < 12:
            picked = sorted(drawn.sample(range(6), drawn.choice((1, 1, 2))))
            lines = tuple(
                collect.OrderLine(f"P{one}", f"Tea {one}", "ab"[one % 2], None, Decimal(1), 1_000 * (one + 1), 400)
                for one in picked
            )
            rows.append(
                collect.Order(
                    source_id=1,
                    order_id=f"{number}-{turn}",
                    ordered_at=at,
                    amount_minor=sum(line.amount_minor for line in lines),
                    currency="CNY",
                    channel=("web", "shop")[number % 2],
                    ids=(("member_number", f"m{number}"),),
                    lines=lines,
                )
            )
            if drawn.random() < 0.25:
                break
            at, turn = at + timedelta(days=1 + drawn.expovariate(1 / gap)), turn + 1
    with workplace.database.begin() as tx:
        assert collect.ensure_source(tx, "shop", now=AS_OF) == 1
        collect.save_orders(tx, workplace.keyring, rows, AS_OF)
    lifecycle.refresh(workplace, as_of=AS_OF, now=AS_OF)
    return workplace


@pytest.fixture
def report(brand: Workplace, tmp_path: Path) -> Iterator[Desk]:
    """What the report is gathered from, as `shuke report --from-database` does it."""
    with open_engine("duckdb", work_folder=tmp_path) as engine:
        tables = collect.read_stored(collect.lake_of(brand), engine=engine, currency="CNY", as_of=LOCAL).tables
        facts = insight.customer_facts(tables, as_of=LOCAL, engine=engine)
        customers = engine.keep(measures.with_report_columns(facts.table, tables.orders, as_of=LOCAL), "customers")
        limits = measures.Limits(LOCAL, None)
        yield Desk(tables, customers, facts, engine, LOCAL, limits, insight.CUSTOMER_STAGES)


def test_the_console_tells_what_the_report_tells(brand: Workplace, report: Desk) -> None:
    at = desk.Desk(brand)
    with brand.database.read() as tx:
        by = desk.whose(tx, everybody=True)
        worth = channels.channel_values(tx, by.refresh, EVERYTHING)
        cells, stages = lifecycle.rfm_cells(tx).cells, lifecycle.stage_values(tx).stages
        quality = checks.model_quality(tx)

    cohorts = coming_back.cohorts(at, by, EVERYTHING).cohorts
    told = [
        (one.begins, cell.period, one.customers, cell.active, cell.amount_minor)
        for one in cohorts
        for cell in one.cells
    ]
    assert told == [
        (cell.cohort, cell.period, cell.customers, cell.active, round(cell.amount * 100))
        for cell in churn.cohort_cells(report)
    ]

    curve = [
        (point.days, point.share, point.low, point.high) for point in coming_back.retention(at, by, EVERYTHING).curve
    ]
    expected = [(point.day, point.share, point.low, point.high) for point in churn.repeat_points(report)[1:]]
    assert curve == [pytest.approx(point) for point in expected]

    assert [(cell.r_score, cell.f_score, cell.customers) for cell in cells] == list(base.rfm_cells(report))
    by_stage = {one.key: (one.customers, one.historic) for one in prediction.stage_segments(report)}
    assert {one.stage: (one.customers, one.historic_minor / 100) for one in stages} == {
        stage: (customers, pytest.approx(historic)) for stage, (customers, historic) in by_stage.items()
    }

    by_channel = {row["key"]: row for row in base.segments(report, "first_channel")}
    for one in channels.channels(at, by, EVERYTHING, lambda: worth).channels:
        row = by_channel.pop(one.channel or "")
        assert (one.customers, one.repeat_customers, one.orders) == (
            row["customers"],
            row["repeat_customers"],
            row["orders"],
        )
        assert one.revenue_minor == round(row["gross"] * 100)
        assert one.historic_minor == pytest.approx(row["historic"] * 100, abs=row["customers"])
        assert one.predicted_minor == pytest.approx(row["predicted"] * 100, abs=row["customers"])
    assert by_channel == {}

    bought = report_goods.goods(report, days=insight.days_to_compare(report.history_days), margin=1.0)
    products = goods.products(at, by, EVERYTHING)
    assert (products.items, products.for_80) == (bought.product_count, bought.products_for_80)
    assert [(one.key, one.name, one.revenue_minor, one.share, one.customers) for one in products.products] == [
        (one.key, one.name, round(one.amount * 100), pytest.approx(one.share), one.customers) for one in bought.products
    ]
    pairs = {(one.first, one.second): (one.orders, one.lift) for one in goods.baskets(at, by, EVERYTHING).pairs}
    assert (
        pairs
        == {(one.first_code, one.second_code): (one.orders, pytest.approx(one.lift)) for one in bought.pairs}
        != {}
    )
    first = {one.key: (one.customers, one.value_minor) for one in goods.first_products(at, by, EVERYTHING).products}
    assert first == {one.key: (one.customers, round(one.value * 100)) for one in bought.first_products} != {}

    tested, missing = prediction.holdout_figures(report)
    assert quality is not None
    assert quality.test is not None
    assert tested is not None, missing
    assert (quality.model, quality.test.calibration_end) == (
        report.facts.model and report.facts.model.name,
        tested.calibration_end,
    )
    assert (quality.test.orders_actual, quality.test.customers) == (tested.purchases_actual, tested.customers)
    assert (quality.test.orders_predicted, quality.test.mae) == pytest.approx((tested.purchases_predicted, tested.mae))
    assert [(one.frequency, one.customers, one.actual) for one in quality.test.calibration] == [
        (int(one.frequency.rstrip("+")), one.customers, pytest.approx(one.actual)) for one in tested.by_frequency
    ]

    # And behind their marks are as many customers as they say.
    evening = datetime.combine(quality.test.calibration_end, time.max, tzinfo=UTC)
    marks = {
        lifecycle.CustomerQuery(
            ordered_on=collect.OrderedOn(
                until=evening,
                days_min=one.frequency + 1,
                days_max=None if one.and_more else one.frequency + 1,
            )
        ): one.customers
        for one in quality.test.calibration
    }
    for pair in goods.baskets(at, by, EVERYTHING).pairs[:3]:
        together = collect.Bought(products=(pair.first, pair.second), together=True)
        marks[lifecycle.CustomerQuery(bought=together)] = pair.customers
    with brand.database.read() as tx:
        counted = {query: lifecycle.list_customers(tx, brand.keyring, query, limit=1).count for query in marks}
    assert counted == {query: lifecycle.Count(customers, exact=True) for query, customers in marks.items()}
