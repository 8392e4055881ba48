"""What a refresh keeps: current facts, only what changed, and every new stage on the timeline."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import sqlalchemy as sa

from shuke import lifecycle
from shuke.base.errors import BadInput, Conflict
from shuke.base.ids import new_id
from shuke.lifecycle import jobs, tables
from shuke.lifecycle.service import reading, refreshing
from shuke.platform import Database, Workplace

NOW = datetime(2026, 7, 1, 3, tzinfo=UTC)
AS_OF = datetime(2026, 7, 1, tzinfo=UTC)
TABLES = [getattr(tables, name) for name in tables.__all__]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_is_as_it_was_migrated(table: sa.Table, database: Database) -> None:
    with database.read() as tx:
        inspector = sa.inspect(tx)
        found = {
            column["name"]: (column["type"].compile(tx.dialect), column["nullable"])
            for column in inspector.get_columns(table.name)
        }
        keys = inspector.get_pk_constraint(table.name)["constrained_columns"]
        declared = {column.name: (column.type.compile(tx.dialect), column.nullable) for column in table.columns}
    assert list(found.items()) == list(declared.items())
    assert set(keys) == {column.name for column in table.primary_key}


def add_customers(workplace: Workplace, number: int) -> list[UUID]:
    """Customers with one identity each; the identity of the n-th is n."""
    customers = [new_id(at_ms=1_700_000_000_000 + place) for place in range(number)]
    with workplace.database.begin() as tx:
        tx.execute(
            sa.text(
                "INSERT INTO customers (customer_id, created_at, updated_at)"
                " SELECT id, :now, :now FROM unnest(CAST(:ids AS uuid[])) AS id"
            ),
            {"ids": customers, "now": NOW},
        )
        tx.execute(
            sa.text(
                "INSERT INTO identities"
                " (identity_id, kind, lookup, customer_id, attached_to, first_seen_at, last_seen_at)"
                " OVERRIDING SYSTEM VALUE"
                " SELECT place, 'member_number', decode(md5(id::text), 'hex'), id, id, :now, :now"
                " FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS given (id, place)"
            ),
            {"ids": customers, "now": NOW},
        )
    return customers


def add_orders(workplace: Workplace, orders: Sequence[tuple[int, datetime, int]], start: int = 0) -> None:
    """Orders of (identity, moment, minor units)."""
    with workplace.database.begin() as tx:
        tx.execute(
            sa.text(
                "INSERT INTO orders (source_id, order_id, identity_id, ordered_at, amount_minor, currency)"
                " SELECT 1, 'o' || (place + :start), identity, at, minor, 'CNY' FROM unnest("
                "CAST(:identities AS bigint[]), CAST(:moments AS timestamptz[]), CAST(:minors AS bigint[]))"
                " WITH ORDINALITY AS given (identity, at, minor, place)"
            ),
            {
                "identities": [order[0] for order in orders],
                "moments": [order[1] for order in orders],
                "minors": [order[2] for order in orders],
                "start": start,
            },
        )


def days_ago(days: float) -> datetime:
    return AS_OF - timedelta(days=days)


def rows(workplace: Workplace, query: str) -> list[tuple[Any, ...]]:
    with workplace.database.read() as tx:
        return [tuple(row) for row in tx.execute(sa.text(query))]


def state(workplace: Workplace) -> list[list[tuple[Any, ...]]]:
    """Everything that a refresh may change."""
    return [
        rows(workplace, "SELECT * FROM customer_facts ORDER BY customer_id"),
        rows(workplace, "SELECT * FROM customer_facts_history ORDER BY customer_id, as_of"),
        rows(workplace, "SELECT * FROM facts ORDER BY fact_id"),
    ]


def refresh(workplace: Workplace, as_of: datetime = AS_OF, **options: Any) -> lifecycle.Refresh:
    return lifecycle.refresh(workplace, as_of=as_of, now=NOW, **options)


@pytest.fixture
def few(workplace: Workplace) -> list[UUID]:
    """Three customers: too few to predict anything."""
    customers = add_customers(workplace, 3)
    add_orders(
        workplace,
        [
            (1, days_ago(300), 10_050),
            (1, days_ago(200), 20_000),
            (1, days_ago(10), 30_000),
            (2, days_ago(5), 999),
            (3, days_ago(290), 5_000),
        ],
    )
    with workplace.database.begin() as tx:
        tx.execute(
            sa.text(
                "INSERT INTO refunds (source_id, refund_id, order_id, refunded_at, amount_minor, currency)"
                " VALUES (1, 'r1', 'o2', :at, 5000, 'CNY')"
            ),
            {"at": days_ago(190)},
        )
    return customers


def test_facts_are_kept_in_minor_units_and_what_cannot_be_said_stays_empty(
    workplace: Workplace, few: list[UUID]
) -> None:
    done = refresh(workplace)
    assert (done.customers, done.changed, done.stage_changes) == (3, 3, 3)
    assert (done.currency, done.model) == ("CNY", None)
    with workplace.database.read() as tx:
        found = lifecycle.facts_of(tx, [*few, new_id()])
        assert lifecycle.last_refresh(tx) == done
    assert set(found) == set(few)
    first = found[few[0]]
    assert (first.orders, first.gross_minor, first.refunds_minor, first.historic_clv_minor) == (
        3,
        60_050,
        5_000,
        55_050,
    )
    assert first.first_order_at == days_ago(300)
    assert first.recency_days == 9
    assert first.as_of == AS_OF
    assert first.stage_since == AS_OF
    assert first.predicted_clv_minor is None
    assert first.p_alive is None
    assert [(one.code, one.values) for one in first.cannot_say] == [
        ("gate.too_few_customers", {"needed": 500, "found": 3})
    ]
    assert done.cannot_say == first.cannot_say


@pytest.mark.oldest
def test_every_new_stage_is_on_the_timeline(workplace: Workplace, few: list[UUID]) -> None:
    refresh(workplace)
    add_orders(workplace, [(2, days_ago(-1), 2_000)], start=10)
    later = AS_OF + timedelta(days=3)
    done = refresh(workplace, later)
    with workplace.database.read() as tx:
        second = lifecycle.facts_of(tx, [few[1]])[few[1]]
    told = rows(
        workplace,
        "SELECT identity_id, occurred_at, name, properties FROM facts WHERE kind = 'stage'"
        " ORDER BY occurred_at, identity_id",
    )
    assert [row[0] for row in told[:3]] == [1, 2, 3]
    assert [row[3]["from"] for row in told[:3]] == [None] * 3
    assert done.stage_changes == len(told) - 3
    assert told[3] == (2, later, second.stage, {"from": told[1][2], "to": second.stage})
    assert second.stage_since == later


def test_the_same_again_changes_nothing(workplace: Workplace, few: list[UUID]) -> None:
    refresh(workplace)
    before = state(workplace)
    done = refresh(workplace)
    assert (done.customers, done.changed, done.stage_changes) == (len(few), 0, 0)
    assert state(workplace) == before


def test_planted_a_refresh_that_compares_nothing_would_tell_every_stage_again(
    workplace: Workplace, few: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh(workplace)
    before = state(workplace)
    monkeypatch.setattr(
        refreshing, "_STAGE_CHANGES", refreshing._STAGE_CHANGES.replace("IS DISTINCT FROM", "IS NOT DISTINCT FROM")
    )
    assert refresh(workplace).stage_changes == len(few)
    assert state(workplace) != before


def test_history_has_only_what_changed(workplace: Workplace, few: list[UUID]) -> None:
    watched = "SELECT customer_id, orders, gross_minor, r_score, f_score, m_score, rfm_group, value_group, stage"
    refresh(workplace)
    before = rows(workplace, f"{watched} FROM customer_facts ORDER BY customer_id")
    next_day = AS_OF + timedelta(days=1)
    done = refresh(workplace, next_day)
    after = rows(workplace, f"{watched} FROM customer_facts ORDER BY customer_id")
    new = [now for was, now in zip(before, after, strict=True) if was != now]
    # A day passes: every recency is another, which is no news.
    assert len(new) < len(few)
    assert done.changed == len(new)
    at = "WHERE as_of > '2026-07-01' ORDER BY customer_id"
    assert rows(workplace, f"{watched} FROM customer_facts_history {at}") == new
    add_orders(workplace, [(3, next_day, 7_000)], start=20)
    third_day = AS_OF + timedelta(days=2)
    refresh(workplace, third_day)
    with workplace.database.read() as tx:
        assert lifecycle.facts_of(tx, few)[few[0]].recency_days == 11
        history = lifecycle.former_facts_of(tx, few[2])
    assert [(one.as_of, one.orders, one.gross_minor) for one in (history[0], history[-1])] == [
        (third_day, 2, 12_000),
        (AS_OF, 1, 5_000),
    ]


def test_facts_do_not_go_back_in_time(workplace: Workplace, few: list[UUID]) -> None:
    refresh(workplace)
    before = state(workplace)
    with pytest.raises(Conflict) as caught:
        refresh(workplace, AS_OF - timedelta(days=1))
    assert caught.value.code == "lifecycle.newer_facts"
    assert state(workplace) == before
    assert few


@pytest.mark.oldest
def test_a_merge_moves_the_facts_and_an_undo_brings_them_back(workplace: Workplace, few: list[UUID]) -> None:
    refresh(workplace)

    def give(identity: int, customer: UUID) -> None:
        with workplace.database.begin() as tx:
            tx.execute(
                sa.text("UPDATE identities SET customer_id = :customer WHERE identity_id = :identity"),
                {"identity": identity, "customer": customer},
            )

    with workplace.database.read() as tx:
        before = lifecycle.facts_of(tx, few)
    give(2, few[0])
    refresh(workplace, AS_OF + timedelta(days=1))
    with workplace.database.read() as tx:
        merged = lifecycle.facts_of(tx, few)
        ended = lifecycle.former_facts_of(tx, few[1])
    assert set(merged) == {few[0], few[2]}
    assert (merged[few[0]].orders, merged[few[0]].gross_minor) == (4, 61_049)
    assert [(one.stage, one.orders) for one in ended] == [(None, 0), (before[few[1]].stage, 1)]
    give(2, few[1])
    refresh(workplace, AS_OF + timedelta(days=2))
    with workplace.database.read() as tx:
        after = lifecycle.facts_of(tx, few)
    assert {key: (one.orders, one.gross_minor) for key, one in after.items()} == {
        key: (one.orders, one.gross_minor) for key, one in before.items()
    }


def test_who_has_no_order_any_more_is_outside(workplace: Workplace, few: list[UUID]) -> None:
    refresh(workplace)
    with workplace.database.begin() as tx:
        tx.execute(sa.text("UPDATE orders SET status = 'cancelled' WHERE order_id = 'o4'"))
    refresh(workplace, AS_OF + timedelta(days=1))
    told = rows(workplace, "SELECT identity_id, name FROM facts WHERE kind = 'stage' AND name = 'outside'")
    assert told == [(2, "outside")]
    with workplace.database.read() as tx:
        assert few[1] not in lifecycle.facts_of(tx, few)


def test_the_most_valuable_of_each_stage_is_found(workplace: Workplace) -> None:
    add_customers(workplace, 40)
    add_orders(workplace, [(1 + number % 40, days_ago(number + 1), 1_000 + 37 * number) for number in range(160)])
    refresh(workplace)
    known = rows(workplace, "SELECT stage, max(historic_clv_minor) FROM customer_facts GROUP BY 1 ORDER BY 1")
    with workplace.database.read() as tx:
        found = lifecycle.most_valuable(tx)
    assert sorted((stage, one.historic_clv_minor) for stage, one in found.items()) == known
    # Else anybody of each stage would do as well.
    assert len(found) < 40


def test_a_refresh_that_fails_while_keeping_leaves_everything_as_it_was(
    workplace: Workplace, few: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh(workplace)
    before = state(workplace)
    add_orders(workplace, [(2, days_ago(-1), 2_000)], start=10)
    later = AS_OF + timedelta(days=3)
    with monkeypatch.context() as patched:
        # The last statement of all, after history, timeline and facts were written.
        patched.setattr(refreshing, "_DROP_FACTS", "SELECT 1 / 0")
        with pytest.raises(sa.exc.DataError):
            refresh(workplace, later)
    assert state(workplace) == before
    assert refresh(workplace, later).changed >= 1
    assert few


def test_days_end_where_the_brand_is(workplace: Workplace) -> None:
    (customer,) = add_customers(workplace, 1)
    # Half past seven in the morning in Shanghai is still the day before in UTC.
    add_orders(workplace, [(1, datetime(2026, 6, 29, 23, 30, tzinfo=UTC), 100)])
    shanghai = datetime(2026, 7, 1, tzinfo=ZoneInfo("Asia/Shanghai"))
    refresh(workplace, shanghai, time_zone="Asia/Shanghai")
    with workplace.database.read() as tx:
        found = lifecycle.facts_of(tx, [customer])[customer]
    assert found.recency_days == 0
    assert found.first_order_at == datetime(2026, 6, 29, 23, 30, tzinfo=UTC)


def many_orders(seed: int = 7) -> list[tuple[int, datetime, int]]:
    """Eight hundred customers over two years, enough to predict."""
    generator = np.random.default_rng(seed)
    orders = []
    for identity in range(1, 801):
        joined = generator.uniform(0, 700)
        rate = generator.gamma(1.5, 1 / 60)
        day = joined
        while day < 730:
            orders.append((identity, days_ago(730 - day), int(generator.gamma(5, 2000)) + 1))
            if generator.uniform() < 0.1:
                break
            day += generator.exponential(1 / rate)
    return orders


def test_predictions_are_those_of_the_core(workplace: Workplace) -> None:
    customers = add_customers(workplace, 800)
    add_orders(workplace, many_orders())
    done = refresh(workplace)
    assert done.model is not None
    assert done.cannot_say == ()
    with workplace.database.read() as tx:
        found = lifecycle.facts_of(tx, customers)
    assert len(found) == done.customers
    said = [one for one in found.values() if one.predicted_clv_minor is not None]
    assert len(said) == done.customers
    for one in said:
        assert one.total_clv_minor is not None
        assert one.predicted_clv_minor is not None
        assert abs(one.total_clv_minor - one.historic_clv_minor - one.predicted_clv_minor) <= 1
        assert one.p_alive is None or 0 <= one.p_alive <= 1
    assert len({one.stage for one in found.values()}) > 3


def test_more_customers_than_the_limit_are_refused(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CUSTOMERS_MAX", 2)
    with workplace.database.read() as tx, pytest.raises(BadInput) as caught:
        lifecycle.facts_of(tx, [new_id() for _ in range(3)])
    assert caught.value.code == "lifecycle.too_many_customers"


def test_the_night_is_refreshed_once_and_made_up_for(workplace: Workplace, few: list[UUID]) -> None:
    assert not jobs.refresh_when_due(workplace, NOW.replace(hour=1))
    unwanted = replace(workplace, settings=replace(workplace.settings, nightly_refresh=False))
    assert not jobs.refresh_when_due(unwanted, NOW.replace(hour=9))
    assert jobs.refresh_when_due(workplace, NOW.replace(hour=9))
    assert not jobs.refresh_when_due(workplace, NOW.replace(hour=23))
    assert jobs.refresh_when_due(workplace, NOW + timedelta(days=1))
    with workplace.database.read() as tx:
        last = lifecycle.last_refresh(tx)
    assert last is not None
    assert last.as_of == AS_OF + timedelta(days=1)
    assert few


def test_an_empty_database_is_nothing_to_worry_about(workplace: Workplace) -> None:
    assert not jobs.refresh_when_due(workplace, NOW)
    with pytest.raises(BadInput) as caught:
        refresh(workplace)
    assert caught.value.code == "collect.nothing_stored"


def test_the_last_midnight_is_that_of_the_zone() -> None:
    late = datetime(2026, 3, 29, 23, 30, tzinfo=UTC)
    assert lifecycle.last_midnight(late, "UTC") == datetime(2026, 3, 29, tzinfo=UTC)
    assert lifecycle.last_midnight(late, "Asia/Shanghai") == datetime(2026, 3, 29, 16, tzinfo=UTC)
    # The day of the change to summer time begins before it.
    assert lifecycle.last_midnight(late, "Europe/London") == datetime(2026, 3, 29, 23, tzinfo=UTC)
    assert lifecycle.last_midnight(late - timedelta(hours=2), "Europe/London") == datetime(2026, 3, 29, tzinfo=UTC)


def test_somebody_may_have_them_worked_out_now(workplace: Workplace, few: list[UUID], ask: Any) -> None:
    queued = ask("POST", "/api/refreshes")
    assert queued.status_code == 202
    job_id = queued.json()["job_id"]
    context: Any = SimpleNamespace(additional_context={"workplace": workplace})
    jobs.refresh_now.func(context, job_id)
    told = ask("GET", f"/api/jobs/{job_id}").json()
    assert (told["state"], told["result"]["customers"]) == ("done", len(few))
    assert ask("GET", "/api/overview").json()["refresh"]["customers"] == len(few)
