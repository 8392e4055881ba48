"""Why somebody is in a segment: the values that statements compare, and the facts that they looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import ibis
import pytest

from shuke import collect, lifecycle, profiles
from shuke.platform import Workplace
from shuke.segments.measures import evidence, leaves
from shuke.segments.model.clock import Clock
from shuke.segments.model.tree import Did, Facts, Group, Node, Orders
from shuke.segments.service import reading

from .engines import OnDuckDB, subjects_of
from .histories import KINDS, history_of
from .trees import trees_of

NOW = datetime.now(UTC).replace(microsecond=0)
TEA = {"of": "orders", "goods": {"categories": ["茶"]}}
POT = {"of": "orders", "goods": {"categories": ["壶"]}}
LAST_MONTH = {"when": "last", "span": {"n": 30, "unit": "days"}}
Ask = Callable[..., httpx.Response]
Explain = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def regular(workplace: Workplace) -> UUID:
    """Bought tea five, forty and seventy days ago, a pot twenty days ago; lives in 杭州."""
    with workplace.database.begin() as tx:
        source = collect.ensure_source(tx, "shop", now=NOW)
        (one,) = profiles.resolve(tx, workplace.keyring, [[("member_number", "1")]], NOW)
        assert one is not None
        days = ((5, "茶"), (20, "壶"), (40, "茶"), (70, "茶"))
        collect.save_orders(tx, workplace.keyring, [_bought(source, *order) for order in days], NOW)
        profiles.set_attributes(tx, workplace.keyring, [(one.customer_id, {"city": "杭州"})], NOW)
    lifecycle.refresh(workplace, as_of=lifecycle.last_midnight(NOW, "UTC"), now=NOW)
    return one.customer_id


def _bought(source: int, days: int, category: str) -> collect.Order:
    return collect.Order(
        source_id=source,
        order_id=str(days),
        ordered_at=NOW - timedelta(days=days),
        amount_minor=days * 100,
        currency="CNY",
        ids=(("member_number", "1"),),
        lines=(collect.OrderLine(f"P{category}", category, category, None, Decimal(1), days * 100, None),),
    )


@pytest.fixture
def explain(ask: Ask, regular: UUID) -> Explain:
    """What is told of the one customer about each of these statements."""

    def asked(*statements: dict[str, Any], language: str = "en") -> list[dict[str, Any]]:
        tree = {"node": "all", "of": list(statements)}
        made = ask("POST", "/api/segments", json={"name": language, "definition": tree})
        assert made.status_code == 200, made.text
        address = f"/api/segments/{made.json()['segment_id']}/customers/{regular}"
        answer = ask("GET", address, headers={"Accept-Language": language})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["parts"])

    return asked


def _days(found: dict[str, Any]) -> list[tuple[int, bool]]:
    """How many days ago each fact was, and whether it counts."""
    return [((NOW - datetime.fromisoformat(one["at"])).days, one["counts"]) for one in found["facts"]]


def test_the_facts_are_told_that_a_statement_looked_at(explain: Explain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "FACTS_MAX", 3)
    week = {"when": "last", "span": {"n": 7, "unit": "days"}}
    followed = {"node": "sequence", "steps": [{"what": TEA}, {"what": POT, "within": {"n": 25, "unit": "days"}}]}
    thrice, month, before, never, every, steps, tag = explain(
        {"node": "did", "what": TEA, "times": {"op": "at_least", "values": [3]}},
        {"node": "did", "what": TEA, "window": LAST_MONTH},
        {"node": "did", "what": POT, "window": week},
        {"node": "did", "what": {"of": "orders", "goods": {"categories": ["杯"]}}},
        {"node": "did", "what": {"of": "orders"}},
        followed,
        {"node": "tag", "tag": "VIP"},
    )
    assert (thrice["holds"], thrice["known"], thrice["found"]) == (True, "3 ×", 3)
    assert _days(thrice) == [(5, True), (40, True), (70, True)]
    assert thrice["facts"][0]["text"] == "order, “P茶”, CN¥5.00"
    # What lies outside the window is told only where nothing lies within it, and then the latest.
    assert (month["found"], _days(month)) == (1, [(5, True)])
    assert (before["holds"], before["known"], before["found"], _days(before)) == (False, "0 ×", 0, [(20, False)])
    assert (never["holds"], never["found"], never["facts"]) == (False, 0, [])
    # Not more than the limit, but all are counted.
    assert (every["known"], every["found"], _days(every)) == ("4 ×", 4, [(5, True), (20, True), (40, True)])
    assert (steps["holds"], steps["found"], [days for days, _ in _days(steps)]) == (True, 4, [5, 20, 40])
    assert (tag["holds"], tag["known"], tag["found"], tag["facts"]) == (False, None, None, [])


def test_the_value_is_told_that_is_compared(explain: Explain) -> None:
    of_orders = {"node": "measured", "what": {"of": "orders"}, "test": {"op": "more", "values": [1]}}
    statements = (
        {"node": "attribute", "name": "city", "test": {"op": "is_not", "values": ["杭州"]}},
        {"node": "figure", "name": "orders", "test": {"op": "more", "values": [10]}},
        {"node": "figure", "name": "historic_clv_minor", "test": {"op": "known"}},
        {"node": "figure", "name": "first_store", "test": {"op": "known"}},
        {"node": "figure", "name": "first_order_at", "test": {"op": "days_ago", "values": [10]}},
        of_orders | {"of": "amount_minor", "by": "average"},
        of_orders | {"of": "product_id", "by": "distinct"},
        of_orders | {"what": TEA, "of": "amount_minor", "by": "share"},
    )
    day = (NOW - timedelta(days=70)).date()
    written = {"en": f"{day.day} {day:%b} {day.year}", "zh-CN": f"{day.year}年{day.month}月{day.day}日"}
    for language, money, unknown in (("en", "CN¥", "not known"), ("zh-CN", "¥", "未知")):
        known = [one["known"] for one in explain(*statements, language=language)]
        assert known == ["“杭州”", "4", f"{money}135.00", unknown, written[language], f"{money}33.75", "2", "85.2%"]


def test_as_many_are_found_as_are_counted() -> None:
    """Of random trees and histories, on the engine that all customers are asked of."""
    engine, compared = OnDuckDB(), 0
    for seed in range(6):
        history = history_of(seed)
        engine.load(history)
        subjects, clock = subjects_of("duckdb", "string"), Clock(history.now, history.zone)
        nodes = [one for tree in trees_of(seed, history, 40) for one in _each(tree) if _countable(one)]
        rows = evidence(nodes, subjects, clock, most=3)
        told = engine.connection.execute(str(ibis.to_sql(rows, dialect="duckdb"))).fetch_arrow_table().to_pylist()
        shown = Counter((row["customer_id"], row["number"]) for row in told)
        found = {(row["customer_id"], row["number"]): row["found"] for row in told}
        for key, number in found.items():
            assert shown[key] == min(number, 3) or (number == 0 and shown[key] == 1)
        values = str(ibis.to_sql(leaves(nodes, subjects, clock, KINDS), dialect="duckdb"))
        for person in engine.connection.execute(values).fetch_arrow_table().to_pylist():
            for number in range(len(nodes)):
                assert person[f"value_{number}"] == found.get((person["customer_id"], number), 0)
                compared += 1
    assert compared > 500


def _each(tree: Node) -> list[Node]:
    return [tree, *(inner for one in tree.of for inner in _each(one))] if isinstance(tree, Group) else [tree]


def _countable(node: Node) -> bool:
    """Where a row is one time: an order with two lines is not two."""
    return isinstance(node, Did) and (
        isinstance(node.what, Facts) or (isinstance(node.what, Orders) and not node.what.goods)
    )
