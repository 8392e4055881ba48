"""Members follow what happens and what time brings; every way leads to those of a build of everybody."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa

from shuke import collect, lifecycle, profiles
from shuke.base.errors import Conflict
from shuke.base.ids import new_id
from shuke.platform import Snapshot, Transaction, Workplace
from shuke.segments.rules.checking import read_tree
from shuke.segments.service import building, following
from shuke.segments.service.asking import asking, members_among
from shuke.segments.service.building import build, build_all, build_defined
from shuke.segments.service.columns import columns_now
from shuke.segments.service.following import follow, write_ahead

NOW = datetime.now(UTC).replace(microsecond=0)
LATER = timedelta(minutes=1)
Ask = Callable[..., httpx.Response]

ORDERED: dict[str, Any] = {"node": "did", "what": {"of": "orders"}}
TWICE = {**ORDERED, "times": {"op": "at_least", "values": [2]}}
LATELY = {**ORDERED, "window": {"when": "last", "span": {"n": 30, "unit": "minutes"}}}
VIP = {"node": "tag", "tag": "VIP"}
IN_TOWN = {"node": "attribute", "name": "city", "test": {"op": "is", "values": ["杭州"]}}
BEST = {"node": "top", "by": "created_at", "n": 2}


@pytest.fixture
def people(workplace: Workplace) -> dict[str, UUID]:
    """Two customers with an order each, by their member number."""
    found = {}
    with workplace.database.begin() as tx:
        for member in ("one", "two"):
            (one,) = profiles.resolve(tx, workplace.keyring, [[("member_number", member)]], NOW)
            assert one is not None
            found[member] = one.customer_id
    for member in found:
        order(workplace, member, NOW - timedelta(days=3))
    lifecycle.refresh(workplace, as_of=lifecycle.last_midnight(NOW, "UTC"), now=NOW)
    return found


def order(workplace: Workplace, member: str, at: datetime, name: str | None = None, amount: int = 500) -> None:
    with workplace.database.begin() as tx:
        source = collect.ensure_source(tx, "shop", now=NOW)
        ids = (("member_number", member),)
        line = collect.OrderLine("P1", "茶", "茶", None, Decimal(1), amount, None)
        one = collect.Order(
            source_id=source,
            order_id=name or f"{member}-{new_id()}",
            ordered_at=at,
            amount_minor=amount,
            currency="CNY",
            ids=ids,
            lines=(line,),
        )
        collect.save_orders(tx, workplace.keyring, [one], NOW)


def made(ask: Ask, name: str, definition: dict[str, Any]) -> UUID:
    answer = ask("POST", "/api/segments", json={"name": name, "definition": definition})
    assert answer.status_code == 200, answer.text
    return UUID(answer.json()["segment_id"])


def members(workplace: Workplace, segment_id: UUID) -> set[UUID]:
    with workplace.database.read() as tx:
        asked = sa.text("SELECT customer_id FROM segment_members WHERE segment_id = :id")
        return set(tx.execute(asked, {"id": segment_id}).scalars())


def reasons(workplace: Workplace, segment_id: UUID) -> list[tuple[bool, str]]:
    with workplace.database.read() as tx:
        asked = sa.text("SELECT entered, why FROM segment_changes WHERE segment_id = :id ORDER BY change_id")
        return [(row.entered, row.why) for row in tx.execute(asked, {"id": segment_id})]


def test_statements_are_written_before_they_are_asked(workplace: Workplace, people: dict[str, UUID], ask: Ask) -> None:
    assert people
    for name, definition in {"Twice": TWICE, "Lately": LATELY, "Best": BEST}.items():
        made(ask, name, definition)
    build_all(workplace, NOW)
    following._members_sql.cache_clear()
    following._dues_sql.cache_clear()
    # One of those that are followed at a time, of two days.
    assert [write_ahead(workplace, NOW) for _ in range(3)] == [False, False, True]
    written = following._members_sql.cache_info(), following._dues_sql.cache_info()
    assert [one.misses for one in written] == [4, 4]
    for day in range(2):
        order(workplace, "one", NOW)
        assert follow(workplace, NOW + timedelta(days=day, seconds=1)).asked
    asked = following._members_sql.cache_info(), following._dues_sql.cache_info()
    assert [one.misses for one in asked] == [4, 4]
    assert asked[0].hits > written[0].hits


def test_a_fact_is_followed_and_told(workplace: Workplace, people: dict[str, UUID], ask: Ask) -> None:
    segment = made(ask, "Twice", TWICE)
    build_all(workplace, NOW)
    assert follow(workplace, NOW).asked == 0
    assert members(workplace, segment) == set()
    order(workplace, "one", NOW - timedelta(days=1))
    done = follow(workplace, NOW + LATER)
    assert (done.asked, done.moved, done.more) == (1, 1, False)
    assert members(workplace, segment) == {people["one"]}
    said = ask("GET", f"/api/segments/{segment}").json()
    assert (said["customers"], said["built_at"]) == (1, (NOW + LATER).isoformat().replace("+00:00", "Z"))
    assert follow(workplace, NOW + 2 * LATER).asked == 0
    with workplace.database.read() as tx:
        told = tx.execute(sa.text("SELECT name, properties ->> 'segment' FROM facts WHERE kind = 'segment'")).all()
    assert [tuple(one) for one in told] == [("entered", "Twice")]


def _tag(workplace: Workplace, people: dict[str, UUID]) -> None:
    with workplace.database.begin() as tx:
        profiles.add_tags(tx, [profiles.NewTag(people["one"], "VIP", "wecom", None)], NOW)


def _move(workplace: Workplace, people: dict[str, UUID]) -> None:
    with workplace.database.begin() as tx:
        profiles.set_attributes(tx, workplace.keyring, [(people["one"], {"city": "杭州"})], NOW)


def _cancel(workplace: Workplace, people: dict[str, UUID]) -> None:
    assert people
    with workplace.database.begin() as tx:
        tx.execute(
            sa.text(
                "UPDATE orders SET status = 'cancelled' WHERE identity_id ="
                " (SELECT identity_id FROM identities WHERE customer_id = :one)"
            ),
            {"one": people["one"]},
        )


def _merge(workplace: Workplace, people: dict[str, UUID]) -> None:
    with workplace.database.begin() as tx:
        profiles.merge(tx, people["one"], people["two"], {"by": "a test"}, NOW)


CHANGES: dict[str, tuple[Callable[[Workplace, dict[str, UUID]], None], dict[str, Any], list[bool]]] = {
    "a tag": (_tag, VIP, [True]),
    "an attribute": (_move, IN_TOWN, [True]),
    "an order that is cancelled": (_cancel, ORDERED, [False]),
    "a merge": (_merge, TWICE, [True]),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_without_a_fact_is_followed(
    workplace: Workplace, people: dict[str, UUID], ask: Ask, what: str
) -> None:
    change, definition, moves = CHANGES[what]
    segment = made(ask, what, definition)
    build_all(workplace, NOW)
    first = len(reasons(workplace, segment))
    change(workplace, people)
    follow(workplace, NOW + LATER)
    assert [entered for entered, _ in reasons(workplace, segment)[first:]] == moves
    followed = members(workplace, segment)
    build_all(workplace, NOW + 2 * LATER)
    assert members(workplace, segment) == followed


def test_time_alone_is_followed_too(workplace: Workplace, people: dict[str, UUID], ask: Ask) -> None:
    order(workplace, "one", NOW - timedelta(minutes=20))
    segment, other = made(ask, "Lately", LATELY), made(ask, "Twice", TWICE)
    build_all(workplace, NOW)
    assert members(workplace, segment) == {people["one"]}
    # One who came by a fact leaves by time as well.
    order(workplace, "two", NOW - timedelta(minutes=19))
    follow(workplace, NOW + LATER)
    assert members(workplace, segment) == set(people.values())
    # Half an hour ago to the very moment is within the last half hour.
    for minutes, left in ((10, set(people.values())), (11, {people["two"]}), (12, set())):
        follow(workplace, NOW + minutes * LATER)
        assert members(workplace, segment) == left
    assert reasons(workplace, segment)[-2:] == [(False, "time")] * 2
    assert members(workplace, other) == set(people.values())


def test_a_build_keeps_what_was_followed_since_its_columns(
    workplace: Workplace, people: dict[str, UUID], ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = made(ask, "Twice", TWICE)
    build_all(workplace, NOW)
    former = columns_now(workplace)
    order(workplace, "one", NOW - timedelta(days=1))
    follow(workplace, NOW + LATER)
    monkeypatch.setattr(building, "columns_now", lambda _: former)
    build_all(workplace, NOW + LATER)
    assert members(workplace, segment) == {people["one"]}
    # What neither has seen is not lost between the two.
    order(workplace, "two", NOW - timedelta(days=1))
    build_all(workplace, NOW + LATER)
    follow(workplace, NOW + 2 * LATER)
    assert members(workplace, segment) == set(people.values())


def test_a_new_definition_is_built_of_columns_that_are_there(
    workplace: Workplace, people: dict[str, UUID], ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(ask, "First", ORDERED)
    build_all(workplace, NOW)
    order(workplace, "one", NOW - timedelta(days=1))
    monkeypatch.setattr(building, "columns_now", lambda _: pytest.fail("columns were made anew"))
    segment = made(ask, "Twice", TWICE)
    build(workplace, segment, NOW + LATER)
    follow(workplace, NOW + 2 * LATER)
    assert members(workplace, segment) == {people["one"]}


def test_one_that_ranks_everybody_waits_for_a_build(workplace: Workplace, people: dict[str, UUID], ask: Ask) -> None:
    both = {"node": "all", "of": [TWICE, BEST]}
    segment = made(ask, "Best", both)
    build_all(workplace, NOW)
    order(workplace, "one", NOW - timedelta(days=1))
    assert follow(workplace, NOW + LATER).asked == 1
    assert members(workplace, segment) == set()
    build_all(workplace, NOW + 2 * LATER)
    assert members(workplace, segment) == {people["one"]}


def test_one_that_cannot_be_asked_stops_no_other(workplace: Workplace, people: dict[str, UUID], ask: Ask) -> None:
    with workplace.database.begin() as tx:
        cups = profiles.AttributeDefinition("cups", profiles.AttributeType.NUMBER, False)
        profiles.define_attribute(tx, cups, NOW)
    broken = made(ask, "Broken", {"node": "attribute", "name": "cups", "test": {"op": "known"}})
    sound = made(ask, "Sound", TWICE)
    build_all(workplace, NOW)
    with workplace.database.begin() as tx:
        profiles.retire_attribute(tx, "cups", NOW)
    order(workplace, "one", NOW - timedelta(days=1))
    follow(workplace, NOW + LATER)
    assert members(workplace, sound) == {people["one"]}
    assert ask("GET", f"/api/segments/{broken}").json()["failed"] == "segments.no_attribute"


def test_many_are_asked_in_rounds(
    workplace: Workplace, people: dict[str, UUID], ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = made(ask, "Twice", TWICE)
    build_all(workplace, NOW)
    for member in people:
        order(workplace, member, NOW - timedelta(days=1))
    monkeypatch.setattr(following, "ROUND_MAX", 1)
    rounds = [follow(workplace, NOW + LATER) for _ in range(3)]
    assert [(one.asked, one.more) for one in rounds] == [(1, True), (1, False), (0, False)]
    assert members(workplace, segment) == set(people.values())


def test_a_transaction_that_commits_late_is_not_stepped_over(
    workplace: Workplace, people: dict[str, UUID], ask: Ask
) -> None:
    segment = made(ask, "VIP", VIP)
    build_all(workplace, NOW)
    with workplace.database.begin() as late:
        profiles.add_tags(late, [profiles.NewTag(people["one"], "VIP", "wecom", None)], NOW)
        with workplace.database.begin() as early:
            profiles.add_tags(early, [profiles.NewTag(people["two"], "VIP", "wecom", None)], NOW)
        follow(workplace, NOW + LATER)
        assert members(workplace, segment) == {people["two"]}
    follow(workplace, NOW + 2 * LATER)
    assert members(workplace, segment) == set(people.values())


def test_who_is_part_of_another_definition_takes_it_along(
    workplace: Workplace, people: dict[str, UUID], ask: Ask
) -> None:
    inner = made(ask, "Inner", TWICE)
    outer = made(ask, "Outer", {"node": "none", "of": [{"node": "segment", "segment_id": str(inner)}]})
    outermost = made(ask, "Outermost", {"node": "all", "of": [{"node": "segment", "segment_id": str(outer)}]})
    build_all(workplace, NOW)
    assert members(workplace, outermost) == set(people.values())
    tag = ask("GET", f"/api/segments/{inner}").headers["etag"]
    changed = {"name": "Inner", "definition": ORDERED}
    assert ask("PUT", f"/api/segments/{inner}", json=changed, headers={"If-Match": tag}).status_code == 200
    build_defined(workplace, inner, NOW + LATER)
    assert members(workplace, inner) == set(people.values())
    assert members(workplace, outer) == members(workplace, outermost) == set()


def test_nothing_is_forgotten_before_the_first_build(
    workplace: Workplace, people: dict[str, UUID], ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = made(ask, "VIP", VIP)
    former = columns_now(workplace)
    _tag(workplace, people)
    assert follow(workplace, NOW).asked == 0
    monkeypatch.setattr(building, "columns_now", lambda _: former)
    build_all(workplace, NOW)
    follow(workplace, NOW + LATER)
    assert members(workplace, segment) == {people["one"]}


def test_nothing_is_noted_for_nobody(workplace: Workplace, people: dict[str, UUID]) -> None:
    _tag(workplace, people)
    follow(workplace, NOW)
    with workplace.database.read() as tx:
        assert tx.scalar(sa.text("SELECT count(*) FROM segment_touched")) == 0


def _everything_was_seen(tx: Transaction) -> Snapshot:
    newest = tx.scalar(sa.text("SELECT pg_snapshot_xmax(pg_current_snapshot())::text"))
    return Snapshot(f"{newest}:{newest}:")


def test_planted_a_number_in_place_of_a_snapshot_steps_over_who_commits_late(
    workplace: Workplace, people: dict[str, UUID], ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "snapshot_now", _everything_was_seen)
    with pytest.raises(AssertionError):
        test_a_transaction_that_commits_late_is_not_stepped_over(workplace, people, ask)


def test_planted_a_build_of_everybody_goes_back_in_time(
    workplace: Workplace, people: dict[str, UUID], ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "_leave_touched", lambda *_: None)
    with pytest.raises(AssertionError):
        test_a_build_keeps_what_was_followed_since_its_columns(workplace, people, ask, monkeypatch)


def test_planted_what_time_brings_is_not_looked_ahead_for(
    workplace: Workplace, people: dict[str, UUID], ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (building, following):
        monkeypatch.setattr(module, "dues_of", lambda *_: None)
    following._dues_sql.cache_clear()
    with pytest.raises(AssertionError):
        test_time_alone_is_followed_too(workplace, people, ask)
    following._dues_sql.cache_clear()


CITIES, TAGS = ("杭州", "上海", None), ("VIP", "slow")


def _trees() -> dict[str, dict[str, Any]]:
    """Of each kind that what this test does can touch."""

    def last(n: int, unit: str) -> dict[str, Any]:
        return {"when": "last", "span": {"n": n, "unit": unit}}

    dear = {"of": "orders", "amount": {"op": "at_least", "values": [700]}}
    step = {"what": {"of": "orders"}, "within": {"n": 2, "unit": "hours"}}
    unless = {"what": dear, "within": {"n": 40, "unit": "minutes"}}
    spent = {"node": "measured", "what": {"of": "orders"}, "of": "amount_minor", "by": "sum"}
    return {
        "twice": TWICE,
        "lately": LATELY,
        "today": {**ORDERED, "window": last(1, "days")},
        "none lately": {"node": "none", "of": [{**ORDERED, "window": last(3, "hours")}]},
        "dear": {"node": "did", "what": dear, "window": last(2, "days")},
        "spent": {**spent, "test": {"op": "at_least", "values": [1500]}},
        "last": {"node": "did", "what": {**dear, "which": "last"}},
        "in turn": {"node": "sequence", "steps": [{"what": {"of": "orders"}}, step], "window": last(6, "hours")},
        "not in turn": {"node": "sequence", "steps": [{"what": {"of": "orders"}, "unless": unless}]},
        "town": IN_TOWN,
        "not in town": {"node": "attribute", "name": "city", "test": {"op": "is_not", "values": ["杭州"]}},
        "tagged": VIP,
        "both": {"node": "any", "of": [{"node": "all", "of": [VIP, LATELY]}, {"node": "none", "of": [IN_TOWN]}]},
        "long here": {"node": "figure", "name": "created_at", "test": {"op": "days_ago", "values": [0]}},
        "half": {"node": "share", "seed": "a", "until": 50},
    }


# More of them take minutes.
LONG = [pytest.param(number, marks=pytest.mark.faults) for number in range(2, 11)]


@pytest.mark.parametrize("seed", [1, *LONG])
def test_following_and_building_lead_to_the_same_members(
    workplace: Workplace, ask: Ask, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    # Else a build would come before most of what time brings.
    monkeypatch.setattr(building, "AHEAD", timedelta(days=1))
    dice = Random(seed)  # noqa: S311 - to be made again
    names = [f"m{number}" for number in range(6)]
    # So long ago that it is not in the future at the end.
    now = NOW - timedelta(days=10)
    with workplace.database.begin() as tx:
        found = profiles.resolve(tx, workplace.keyring, [[("member_number", name)] for name in names], now)
    people = {name: one.customer_id for name, one in zip(names, found, strict=True) if one is not None}
    order(workplace, names[0], now)
    segments = {made(ask, name, tree): tree for name, tree in _trees().items()}
    build_all(workplace, now)
    moved = 0
    for step in range(24):
        _something(workplace, dice, people, now)
        now += dice.choice((timedelta(seconds=1), timedelta(minutes=5), timedelta(minutes=50), timedelta(hours=3)))
        if now > _known_until(workplace):
            build_all(workplace, now)
        while (done := follow(workplace, now)).asked:
            moved += done.moved
        if step % 4 == 3:
            with workplace.database.read() as tx:
                asked = asking(tx, workplace, now)
                true = {
                    one: members_among(tx, asked, read_tree(tree), people.values()) for one, tree in segments.items()
                }
            for one, tree in segments.items():
                assert members(workplace, one) == true[one], f"step {step}: {tree} at {now}"
    assert moved > 20


def _known_until(workplace: Workplace) -> datetime:
    with workplace.database.read() as tx:
        return cast(datetime, tx.scalar(sa.text("SELECT until FROM segment_follow")))


def _something(workplace: Workplace, dice: Random, people: dict[str, UUID], now: datetime) -> None:
    """Something that happens to somebody."""
    name = dice.choice(list(people))
    luck = dice.random()
    if luck < 0.5:
        order(
            workplace, name, now - timedelta(minutes=dice.choice((0, 1, 20, 100, 3000))), amount=dice.choice((300, 900))
        )
        return
    with workplace.database.begin() as tx:
        if luck < 0.7:
            expiry = dice.choice((None, now + timedelta(minutes=30)))
            profiles.add_tags(tx, [profiles.NewTag(people[name], dice.choice(TAGS), "wecom", expiry)], now)
        elif luck < 0.9:
            profiles.set_attributes(tx, workplace.keyring, [(people[name], {"city": dice.choice(CITIES)})], now)
        else:
            other = dice.choice([one for one in people if one != name])
            with suppress(Conflict):
                profiles.merge(tx, people[name], people[other], {"by": "a test"}, now)
