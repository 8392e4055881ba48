"""Simulated facts fit the orders, keep to their bounds, say that they are simulated, and are the same for a seed."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from shuke.app.demo import browsing, care, messages, simulator
from shuke.app.demo.history import CONTACT_BEFORE, History
from shuke.app.demo.simulator import simulate
from shuke.collect.rules.personal import apart

Ask = Callable[[str], list[tuple[Any, ...]]]
About = Callable[[pa.Table], Ask]


def one(found: list[tuple[Any, ...]]) -> Any:
    """The only value."""
    ((value,),) = found
    return value


def test_the_same_seed_gives_the_same_facts(history: History, facts: pa.Table) -> None:
    assert simulate(history, seed=1).equals(facts)
    other = simulate(history, seed=2)
    assert abs(len(other) / len(facts) - 1) < 0.1
    assert not set(other["fact_id"].to_pylist()) & set(facts["fact_id"].to_pylist())
    assert not other["occurred_at"].slice(0, 1_000).equals(facts["occurred_at"].slice(0, 1_000))


def test_every_fact_is_marked_and_has_an_id_and_an_owner(history: History, facts: pa.Table) -> None:
    assert pc.all(facts["simulated"]).as_py()
    assert len(pc.unique(facts["fact_id"])) == len(facts)
    assert set(facts["identity_id"].to_pylist()) == set(history.identity_ids.tolist())
    assert facts["occurred_at"].equals(facts["occurred_at"].take(pc.sort_indices(facts["occurred_at"])))


def test_names_are_those_of_the_field(ask: Ask) -> None:
    assert set(ask("SELECT DISTINCT kind, name FROM facts")) == {
        *(("page", "Home"), ("screen", "Home")),
        *(("track", name) for name in ("Product List Viewed", "Product Viewed", "Product Added", "Cart Viewed")),
        ("track", "Checkout Started"),
        *(("message", name) for name in ("Email Sent", "Email Delivered", "Email Opened", "Email Link Clicked")),
        ("message", "Unsubscribed"),
        *(("service", name) for name in ("Ticket Opened", "Ticket Answered", "Ticket Closed")),
        *(("survey", name) for name in ("Survey Sent", "Survey Answered")),
    }


def outside(ask: Ask) -> int:
    """Facts before the earliest contact of their customer, or after the last that is known of anybody."""
    earliest = CONTACT_BEFORE // 1_000_000
    return int(
        one(
            ask(
                f"""
                SELECT count(*) FROM facts JOIN (SELECT identity_id, min(ordered_at) AS begun FROM orders GROUP BY 1)
                USING (identity_id)
                WHERE occurred_at < begun - INTERVAL {earliest} SECOND
                    OR occurred_at > greatest(
                        (SELECT max(ordered_at) FROM orders), (SELECT max(refunded_at) FROM refunds)
                    )
                    OR (kind IN ('message', 'service', 'survey') AND occurred_at <= begun)
                """  # noqa: S608 - our own number
            )
        )
    )


def test_nothing_is_after_the_end_or_before_the_first_contact(ask: Ask) -> None:
    assert outside(ask) == 0


@pytest.mark.parametrize("planted", ["end", "contact"])
def test_facts_outside_of_the_time_are_seen(
    planted: str, history: History, about: About, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = np.int64(40 * 86_400_000_000)
    if planted == "end":
        monkeypatch.setattr(History, "end", int(history.order_at.max() + later))
    else:
        monkeypatch.setattr(History, "previous_at", history.previous_at - later)
    # A copy, which has not worked out anything yet.
    assert outside(about(simulate(replace(history), seed=1))) > 0


def test_money_is_not_touched(facts: pa.Table) -> None:
    assert not {"amount_minor", "currency"} & set(facts.column_names)
    assert not {"order", "refund"} & set(facts["kind"].to_pylist())


def test_nothing_personal_is_made_up(ask: Ask) -> None:
    for (text,) in ask("SELECT properties FROM facts USING SAMPLE 2000 ROWS (reservoir, 1)"):
        given = json.loads(text)
        assert apart(given, of_person=False) == (given, {})


# ---- Visits

SESSIONS = """
    SELECT session, any_value(identity_id) AS identity_id, count(DISTINCT identity_id) AS people,
        count(DISTINCT channel) AS channels, count(DISTINCT json_extract_string(properties, '$."$context".device')) AS
        devices, min(occurred_at) AS begun, max(occurred_at) AS ended, any_value(order_id) AS order_id,
        count(*) FILTER (name = 'Product Added') AS added, count(*) FILTER (name = 'Product Viewed') AS viewed,
        arg_max(name, occurred_at) AS last_name
    FROM facts WHERE session IS NOT NULL GROUP BY session
"""


def test_a_session_is_of_one_person_on_one_device(ask: Ask) -> None:
    assert one(ask(f"SELECT count(*) FROM ({SESSIONS}) WHERE people <> 1 OR channels <> 1 OR devices <> 1")) == 0  # noqa: S608
    assert (
        one(ask("SELECT count(*) FROM facts WHERE (kind IN ('track', 'page', 'screen')) <> (session IS NOT NULL)")) == 0
    )


def astray(ask: Ask) -> int:
    """Sessions of an order that do not lie between the order before and this one, or end with its checkout."""
    return int(
        one(
            ask(
                f"""
                SELECT count(*) FROM ({SESSIONS}) s JOIN orders o USING (order_id)
                WHERE last_name <> 'Checkout Started' OR ended >= o.ordered_at
                    OR ended < o.ordered_at - INTERVAL 5 MINUTE
                    OR begun <= previous_at OR s.identity_id <> o.identity_id OR added = 0
                """  # noqa: S608
            )
        )
    )


def test_the_session_of_an_order_ends_at_the_order(ask: Ask, history: History) -> None:
    sessions = one(ask(f"SELECT count(DISTINCT order_id) FROM ({SESSIONS})"))  # noqa: S608
    assert 0.85 < sessions / len(history.order_at) < 0.95
    assert astray(ask) == 0


def test_a_session_that_does_not_end_at_its_order_is_seen(
    history: History, about: About, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsing, "MINUTE", 100 * browsing.MINUTE)
    assert astray(about(simulate(history, seed=1))) > 0


def test_what_is_put_into_the_cart_was_viewed_and_before_an_order_bought(ask: Ask) -> None:
    added = """
        SELECT session, occurred_at, json_extract_string(properties, 'product_id') AS product_id
        FROM facts WHERE name = '{}'
    """
    viewed, put = (f"({added.format(name)})" for name in ("Product Viewed", "Product Added"))
    unseen = f"SELECT * FROM {put} a WHERE NOT EXISTS (SELECT 1 FROM {viewed} v WHERE v.session = a.session AND v.product_id = a.product_id AND v.occurred_at < a.occurred_at)"  # noqa: S608, E501
    assert one(ask(f"SELECT count(*) FROM ({unseen})")) == 0  # noqa: S608
    bought = f"SELECT a.session, a.product_id, o.place FROM {put} a JOIN ({SESSIONS}) USING (session) JOIN orders o USING (order_id)"  # noqa: S608, E501
    assert one(ask(f"SELECT count(*) FROM ({bought}) ANTI JOIN lines USING (place, product_id)")) == 0  # noqa: S608
    assert one(ask(f"SELECT count(*) FROM ({bought})")) > 1_000  # noqa: S608


def test_some_carts_are_abandoned(ask: Ask) -> None:
    share = one(ask(f"SELECT avg(CAST(order_id IS NULL AS INTEGER)) FROM ({SESSIONS}) WHERE added > 0"))  # noqa: S608
    assert 0.05 < share < 0.4
    assert one(ask(f"SELECT count(*) FROM ({SESSIONS}) WHERE order_id IS NULL AND last_name = 'Checkout Started'")) > 10  # noqa: S608


def visits_by_days_since_order(ask: Ask) -> list[float]:
    """Sessions without an order in the four months after an order, by month, for a customer who does not come back."""
    rows = ask(
        f"""
        SELECT CAST(floor(date_diff('day', last_order, begun) / 30) AS INTEGER) AS month, count(*)
        FROM ({SESSIONS})
        JOIN (SELECT identity_id, max(ordered_at) AS last_order FROM orders GROUP BY 1) USING (identity_id)
        WHERE begun > last_order AND last_order < TIMESTAMPTZ '2011-08-01 00:00:00+00' GROUP BY 1 ORDER BY 1
        """  # noqa: S608
    )
    return [count for month, count in rows if month < 4]


def test_visits_die_away_when_orders_do(ask: Ask) -> None:
    first, second, third, fourth = visits_by_days_since_order(ask)
    assert first > 1.4 * second > 1.4 * third > fourth


def test_visits_that_never_die_away_are_seen(history: History, about: About, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browsing, "IDLE_FADES", 4_000 * 86_400_000_000)
    first, second, third, _ = visits_by_days_since_order(about(simulate(history, seed=1)))
    assert not first > 1.4 * second > 1.4 * third


# ---- Messages


def message_faults(ask: Ask) -> int:
    """Messages that come before what they follow, or after their receiver has left the list."""
    return int(
        one(
            ask(
                """
                WITH m AS (
                    SELECT json_extract_string(properties, 'message_id') AS message,
                        any_value(identity_id) AS identity_id,
                        max(occurred_at) FILTER (name = 'Email Sent') AS sent,
                        max(occurred_at) FILTER (name = 'Email Delivered') AS delivered,
                        max(occurred_at) FILTER (name = 'Email Opened') AS opened,
                        max(occurred_at) FILTER (name = 'Email Link Clicked') AS clicked,
                        max(occurred_at) FILTER (name = 'Unsubscribed') AS left_at
                    FROM facts WHERE kind = 'message' GROUP BY 1
                ), gone AS (SELECT identity_id, min(left_at) AS gone FROM m GROUP BY 1)
                SELECT count(*) FROM m JOIN gone USING (identity_id)
                WHERE sent IS NULL OR sent > gone OR left_at > gone
                    OR coalesce(delivered <= sent, opened IS NOT NULL) OR coalesce(opened <= delivered, false)
                    OR coalesce(clicked <= opened, false) OR (opened IS NULL AND coalesce(clicked, left_at) IS NOT NULL)
                """
            )
        )
    )


def test_messages_are_sent_first_and_never_after_unsubscribing(ask: Ask) -> None:
    assert message_faults(ask) == 0


def test_messages_to_those_who_left_are_seen(history: History, about: About, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages.np.minimum, "at", lambda *_: None, raising=False)
    assert message_faults(about(simulate(history, seed=1))) > 0


def test_rates_of_messages_are_those_of_the_field(ask: Ask) -> None:
    counts = dict(ask("SELECT name, count(*) FROM facts WHERE kind = 'message' GROUP BY 1"))
    assert 0.97 < counts["Email Delivered"] / counts["Email Sent"] < 1
    assert 0.10 < counts["Email Opened"] / counts["Email Delivered"] < 0.40
    assert 0.05 < counts["Email Link Clicked"] / counts["Email Opened"] < 0.30
    assert 0.001 < counts["Unsubscribed"] / counts["Email Opened"] < 0.03


def test_who_clicks_comes(ask: Ask) -> None:
    clicks, visits = ask(
        f"""
        SELECT count(*), count(s.session) FROM facts c LEFT JOIN ({SESSIONS}) s
        ON s.identity_id = c.identity_id AND s.begun > c.occurred_at AND s.begun < c.occurred_at + INTERVAL 30 SECOND
        WHERE c.name = 'Email Link Clicked'
        """  # noqa: S608
    )[0]
    assert clicks > 50
    assert visits / clicks > 0.95


# ---- Service and surveys


def test_refunds_bring_more_tickets_than_orders_do(ask: Ask, history: History) -> None:
    of_orders = one(ask("SELECT count(*) FROM facts WHERE name = 'Ticket Opened' AND order_id IS NOT NULL"))
    of_refunds = one(ask("SELECT count(*) FROM facts WHERE name = 'Ticket Opened' AND order_id IS NULL"))
    refunds = one(
        ask(
            """
            SELECT count(DISTINCT (identity_id, refunded_at))
            FROM refunds JOIN (SELECT identity_id, min(ordered_at) AS begun FROM orders GROUP BY 1) USING (identity_id)
            WHERE refunded_at > begun
            """
        )
    )
    assert of_orders / len(history.order_at) == pytest.approx(care.ORDER_SHARE, rel=0.5)
    assert of_refunds / refunds == pytest.approx(care.REFUND_SHARE, rel=0.4)


def test_a_ticket_is_opened_answered_and_closed_in_this_order(ask: Ask) -> None:
    rows = ask(
        """
        SELECT max(occurred_at) FILTER (name = 'Ticket Opened'), max(occurred_at) FILTER (name = 'Ticket Answered'),
            max(occurred_at) FILTER (name = 'Ticket Closed'), count(*),
            max(CAST(json_extract(properties, 'first_response_minutes') AS INTEGER))
        FROM facts WHERE kind = 'service' GROUP BY json_extract_string(properties, 'ticket_id')
        """
    )
    assert len(rows) > 50
    for opened, answered, closed, count, minutes in rows:
        assert count == 1 + (answered is not None) + (closed is not None)
        assert answered is None or timedelta(0) <= answered - opened - timedelta(minutes=minutes) < timedelta(minutes=1)
        assert closed is None or closed > answered > opened


def test_scores_are_on_their_scales_and_nobody_is_asked_too_often(ask: Ask) -> None:
    found = ask(
        """
        SELECT json_extract_string(properties, 'survey') AS survey, min(score), max(score), count(*) FROM (
            SELECT *, CAST(json_extract(properties, 'score') AS INTEGER) AS score
            FROM facts WHERE name = 'Survey Answered'
        ) GROUP BY 1 ORDER BY 1
        """
    )
    (_, low, high, answers), (_, lowest, highest, _) = found
    assert [row[0] for row in found] == ["csat", "nps"]
    assert 1 <= low < high <= 5
    assert 0 <= lowest < highest <= 10
    asked = one(ask("SELECT count(*) FROM facts WHERE name = 'Survey Sent'"))
    answered = one(ask("SELECT count(*) FROM facts WHERE name = 'Survey Answered'"))
    assert answers > 10
    assert 0.1 < answered / asked < 0.5
    soonest = one(
        ask(
            """
            SELECT min(epoch(pause)) FROM (
                SELECT occurred_at - lag(occurred_at) OVER (PARTITION BY identity_id ORDER BY occurred_at) AS pause
                FROM facts WHERE name = 'Survey Sent'
            )
            """
        )
    )
    assert soonest >= care.COOLDOWN / 1_000_000


def means(ask: Ask) -> tuple[float, float]:
    """By how much those who came back recommend more; how satisfaction goes with the time to the first answer."""
    (back,) = ask(
        """
        SELECT avg(score) FILTER (came_back) - avg(score) FILTER (NOT came_back) FROM (
            SELECT CAST(json_extract(properties, 'score') AS INTEGER) AS score, EXISTS (
                SELECT 1 FROM orders o WHERE o.identity_id = f.identity_id AND o.ordered_at > f.occurred_at
                    AND o.ordered_at < f.occurred_at + INTERVAL 80 DAY
            ) AS came_back
            FROM facts f WHERE name = 'Survey Answered' AND json_extract_string(properties, 'survey') = 'nps'
        )
        """
    )
    (fast,) = ask(
        """
        SELECT corr(ln(minutes), score) FROM (
            SELECT CAST(json_extract(t.properties, 'first_response_minutes') AS INTEGER) AS minutes,
                CAST(json_extract(s.properties, 'score') AS INTEGER) AS score
            FROM facts s JOIN facts t ON t.name = 'Ticket Closed' AND t.identity_id = s.identity_id
                AND s.occurred_at > t.occurred_at AND s.occurred_at < t.occurred_at + INTERVAL 5 DAY
            WHERE s.name = 'Survey Answered' AND json_extract_string(s.properties, 'survey') = 'csat'
        )
        """
    )
    return back[0], fast[0]


def test_scores_follow_service_and_go_with_later_orders(ask: Ask) -> None:
    back, fast = means(ask)
    assert back > 0.5
    assert fast < -0.15


def test_scores_that_follow_nothing_are_seen(history: History, about: About, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(care, "_returns", lambda _, order: np.full(len(order), 0.5))
    monkeypatch.setattr(care, "SOLVED_SHARE", 1.0)
    drawn = care.draw_tickets

    def forgotten(*given: Any) -> care.Tickets:
        tickets = drawn(*given)
        tickets.experience[:] = 0
        return tickets

    monkeypatch.setattr(simulator, "draw_tickets", forgotten)
    back, fast = means(about(simulate(history, seed=1)))
    assert not (back > 0.5 and fast < -0.15)
