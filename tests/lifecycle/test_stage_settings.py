"""Stages of the brand's own: checked, kept version by version, shown before they count, and taken by the refresh."""

import copy
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from shuke import catalog, collect, lifecycle
from shuke.insight import CUSTOMER_STAGES
from shuke.lifecycle.jobs import refresh_when_due
from shuke.lifecycle.service import stages
from shuke.platform import Workplace

AS_OF = datetime(2026, 7, 1, tzinfo=UTC)
NOW = AS_OF + timedelta(hours=3)
PATH = "/api/settings/stages"
Ask = Callable[..., httpx.Response]


@pytest.fixture
def buyers(workplace: Workplace) -> Workplace:
    """Forty customers with one to five orders, refreshed."""
    with workplace.database.begin() as tx:
        source = collect.ensure_source(tx, "shop", now=NOW)
        orders = [
            collect.Order(
                source_id=source,
                order_id=f"{customer}-{turn}",
                ordered_at=AS_OF - timedelta(days=1 + customer * 9 + turn * 17),
                amount_minor=1_000 + customer,
                currency="CNY",
                ids=(("user_id", f"u{customer}"),),
            )
            for customer in range(40)
            for turn in range(1 + customer % 5)
        ]
        collect.save_orders(tx, workplace.keyring, orders, NOW)
    lifecycle.refresh(workplace, as_of=AS_OF, now=NOW)
    return workplace


def counts(place: Workplace) -> dict[str, int]:
    """What the last refresh says."""
    with place.database.read() as tx:
        rows = tx.execute(sa.text("SELECT stage, count(*) FROM customer_facts GROUP BY stage"))
        return {row[0]: row[1] for row in rows}


def shipped(ask: Ask) -> dict[str, Any]:
    answer = ask("GET", f"{PATH}/0")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def changed(tree: dict[str, Any], **limits: float) -> dict[str, Any]:
    """Loyal from another number of days with an order on."""
    made = copy.deepcopy(tree)
    rule = next(one for one in made["rules"] if one["stage"] == "loyal")
    rule["when"] = {"order_days": limits}
    return made


def limits_of(tree: dict[str, Any]) -> list[tuple[str, str, dict[str, float]]]:
    """Every rule's limits that bind."""
    return [
        (rule["stage"], field, {name: limit for name, limit in limits.items() if limit is not None})
        for rule in tree["rules"]
        for field, limits in rule["when"].items()
    ]


def preview(ask: Ask, tree: dict[str, Any]) -> dict[str, tuple[int, int]]:
    answer = ask("POST", f"{PATH}/preview", json=tree)
    assert answer.status_code == 200, answer.text
    return {one["stage"]: (one["customers"], one["would_be"]) for one in answer.json()["items"]}


def test_the_shipped_stages_are_in_force_until_there_are_others(ask: Ask) -> None:
    found = ask("GET", PATH).json()
    assert (found["version"], found["versions"]) == (0, [])
    assert {name: found[name] for name in ("stages", "rules", "usual_gap_days")} == shipped(ask)
    assert [one["code"] for one in found["stages"]] == list(CUSTOMER_STAGES.codes)
    assert {"field": "silence", "kind": "orders"} in found["fields"]
    names = ask("GET", "/api/stages").json()["items"]
    assert names[0] == {"code": "prospect", "name": {"en": "Prospect", "zh-CN": "潜在"}}


def test_a_preview_says_what_a_refresh_then_does(ask: Ask, buyers: Workplace) -> None:
    before = counts(buyers)
    same = preview(ask, shipped(ask))
    assert {stage: count for stage, (count, _) in same.items() if count} == before
    assert all(count == would_be for count, would_be in same.values())
    wanted = changed(shipped(ask), at_least=3)
    wanted["usual_gap_days"] = 60
    told = {stage: would_be for stage, (_, would_be) in preview(ask, wanted).items() if would_be}
    assert told != before
    # Nothing counts before it is saved and worked out.
    assert counts(buyers) == before
    assert ask("PUT", PATH, json=wanted).json()["version"] == 1
    assert counts(buyers) == before
    # PostgreSQL, which is asked for who sees some customers, says the same as the file.
    with buyers.database.read() as tx:
        some = stages.preview(buyers, tx, stages.current_stages(tx), everybody=False)
    assert {one.stage: one.would_be for one in some if one.would_be} == told
    lifecycle.refresh(buyers, as_of=AS_OF, now=NOW)
    assert counts(buyers) == told


def test_versions_are_kept_and_an_old_one_can_be_put_in_force_again(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = changed(shipped(ask), at_least=3), changed(shipped(ask), at_least=8)
    second["stages"][3]["name"] = {"en": "Regulars", "zh-CN": "老主顾"}
    assert ask("PUT", PATH, json=first).json()["version"] == 1
    assert ask("PUT", PATH, json=first).json()["version"] == 1
    found = ask("PUT", PATH, json=second).json()
    assert [one["version"] for one in found["versions"]] == [2, 1]
    assert ask("GET", "/api/stages").json()["items"][3]["name"] == {"en": "Regulars", "zh-CN": "老主顾"}
    kept = ask("GET", f"{PATH}/1").json()
    assert limits_of(kept) == limits_of(first)
    assert ask("PUT", PATH, json=kept).json()["version"] == 3
    assert ask("GET", f"{PATH}/9").json()["code"] == "lifecycle.no_stages"
    (*_, line) = ask("GET", "/api/audit", params={"action": "stages.change"}).json()["items"]
    assert line["after"]["rules"][5]["when"] == {"order_days": {"at_least": 3}}
    monkeypatch.setattr(stages, "VERSIONS_MAX", 2)
    assert ask("PUT", PATH, json=second).json()["version"] == 4
    assert ask("GET", f"{PATH}/2").status_code == 404


def refusals(tree: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    rules, stages_ = tree["rules"], tree["stages"]
    yield {**tree, "rules": rules[:-1]}, "insight.stage_without_rule"
    yield (
        {**tree, "stages": stages_[:-1], "rules": [one for one in rules if one["stage"] != "lost"]},
        ("lifecycle.stage_codes"),
    )
    yield {**tree, "rules": [{"stage": "none"}, *rules]}, "insight.stage_unknown"
    yield {**tree, "rules": [{"stage": "loyal", "when": {"age": {"above": 3}}}, *rules]}, "insight.stage_field"
    yield {**tree, "rules": [{"stage": "loyal", "when": {"orders": {}}}, *rules]}, "insight.stage_limits"
    yield {**tree, "rules": [{"stage": "loyal", "when": {"p_alive": {"above": 50}}}, *rules]}, "insight.stage_share"
    yield {**tree, "rules": [{"stage": "loyal", "when": {"p_alive": {"above": 0.9}}}, *rules]}, "lifecycle.stage_past"
    yield {**tree, "rules": [{"stage": "loyal"}, *rules]}, "insight.stage_unreachable"
    yield {**tree, "usual_gap_days": -1}, "app.bad_request"
    yield {**tree, "rules": [{"stage": "loyal", "when": {"orders": {"at_least": "3"}}}, *rules]}, "app.bad_request"


def test_what_could_not_decide_is_refused_with_the_reason(ask: Ask) -> None:
    for tree, code in refusals(shipped(ask)):
        for method, path in (("PUT", PATH), ("POST", f"{PATH}/preview")):
            refused = ask(method, path, json=tree)
            assert (refused.status_code, refused.json()["code"]) == (422, code), refused.text
    assert ask("GET", PATH).json()["version"] == 0


def test_the_nightly_refresh_takes_the_brand_s_clock_currency_and_margin(buyers: Workplace) -> None:
    with buyers.database.begin() as tx:
        catalog.save_brand(tx, catalog.Brand(time_zone="Asia/Shanghai", currency="CNY", margin=0.5), now=NOW)
        spent = tx.scalar(sa.text("SELECT sum(historic_clv_minor) FROM customer_facts"))
    # Five in the morning there, nine in the evening of the day before here.
    assert refresh_when_due(buyers, AS_OF + timedelta(hours=21))
    with buyers.database.read() as tx:
        latest = lifecycle.last_refresh(tx)
        value = tx.scalar(sa.text("SELECT sum(historic_clv_minor) FROM customer_facts"))
    assert latest is not None
    assert (latest.time_zone, latest.currency) == ("Asia/Shanghai", "CNY")
    assert latest.as_of == datetime(2026, 7, 1, 16, tzinfo=UTC)
    assert value == pytest.approx(spent / 2, abs=40)
