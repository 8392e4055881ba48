"""Who has a birthday is found without a date of birth standing anywhere in the open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa

from shuke import access, profiles
from shuke.base import year
from shuke.base.language import Language
from shuke.platform import Keyring, Workplace
from shuke.profiles.service.attributes import add_missing_days
from shuke.segments.rules.checking import read_tree
from shuke.segments.service import building
from shuke.segments.service.asking import asking, members_among
from shuke.segments.service.building import build_all
from shuke.segments.service.following import follow
from shuke.segments.service.reading import explained, names_of

Ask = Callable[..., httpx.Response]

NOW = datetime.now(UTC).replace(microsecond=0)
TODAY = NOW.date()


def within(days: int) -> dict[str, Any]:
    return {"node": "attribute", "name": "birth_date", "test": {"op": "anniversary", "values": [days]}}


def born(far: int) -> str:
    """A date of birth whose day comes in so many days."""
    day = TODAY + timedelta(days=far)
    return day.replace(year=1988).isoformat()


@pytest.fixture
def people(workplace: Workplace) -> dict[str, UUID]:
    """Customers by when their birthday comes; of one nothing is known."""
    given = {"today": born(0), "in three days": born(3), "in eight days": born(8), "long ago": born(-40)}
    found = {}
    with workplace.database.begin() as tx:
        for name, birth in (*given.items(), ("nobody", None)):
            (one,) = profiles.resolve(tx, workplace.keyring, [[("member_number", name)]], NOW)
            assert one is not None
            found[name] = one.customer_id
            if birth is not None:
                set_birth(workplace, tx, one.customer_id, birth)
    return found


def set_birth(workplace: Workplace, tx: Any, customer_id: UUID, birth: str | None) -> None:
    assert not profiles.set_attributes(tx, workplace.keyring, [(customer_id, {"birth_date": birth})], NOW)


def neighbours(numbers: tuple[int, ...]) -> int:
    """Of how many days the next one has the next number."""
    return sum(abs(one - other) == 1 for one, other in pairwise(numbers))


def made(ask: Ask, definition: dict[str, Any]) -> UUID:
    answer = ask("POST", "/api/segments", json={"name": "Birthday", "definition": definition})
    assert answer.status_code == 200, answer.text
    return UUID(answer.json()["segment_id"])


def members(workplace: Workplace, segment_id: UUID, people: dict[str, UUID]) -> set[str]:
    names = {customer: name for name, customer in people.items()}
    with workplace.database.read() as tx:
        asked = sa.text("SELECT customer_id FROM segment_members WHERE segment_id = :id")
        return {names[one] for one in tx.execute(asked, {"id": segment_id}).scalars()}


def now_among(workplace: Workplace, people: dict[str, UUID], definition: dict[str, Any]) -> set[str]:
    """Whom a definition means in PostgreSQL."""
    with workplace.database.read() as tx:
        found = members_among(tx, asking(tx, workplace, NOW), read_tree(definition), set(people.values()))
    return {name for name, customer in people.items() if customer in found}


@pytest.mark.parametrize(
    ("days", "wanted"),
    [
        (0, {"today"}),
        (7, {"today", "in three days"}),
        (8, {"today", "in three days", "in eight days"}),
        (365, {"today", "in three days", "in eight days", "long ago"}),
    ],
)
def test_a_birthday_that_comes_is_found(
    workplace: Workplace, people: dict[str, UUID], ask: Ask, days: int, wanted: set[str]
) -> None:
    segment = made(ask, within(days))
    build_all(workplace, NOW)
    assert members(workplace, segment, people) == wanted
    assert now_among(workplace, people, within(days)) == wanted
    nobody = {"node": "none", "of": [within(days)]}
    assert now_among(workplace, people, nobody) == set(people) - wanted


def test_known_is_whose_date_of_birth_is_kept(workplace: Workplace, people: dict[str, UUID]) -> None:
    unknown = {"node": "attribute", "name": "birth_date", "test": {"op": "unknown"}}
    assert now_among(workplace, people, unknown) == {"nobody"}


def test_a_new_birthday_a_changed_one_and_one_taken_away_are_followed(
    workplace: Workplace, people: dict[str, UUID], ask: Ask
) -> None:
    segment = made(ask, within(7))
    build_all(workplace, NOW)
    steps: list[tuple[str, str | None, set[str]]] = [
        ("nobody", born(1), {"today", "in three days", "nobody"}),
        ("today", born(90), {"in three days", "nobody"}),
        ("in three days", None, {"nobody"}),
    ]
    for number, (name, birth, wanted) in enumerate(steps, start=1):
        with workplace.database.begin() as tx:
            set_birth(workplace, tx, people[name], birth)
        follow(workplace, NOW + timedelta(seconds=number))
        assert members(workplace, segment, people) == wanted


def test_a_day_brings_a_birthday_nearer_without_anything_happening(
    workplace: Workplace, people: dict[str, UUID], ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "AHEAD", timedelta(days=1))
    segment = made(ask, within(7))
    build_all(workplace, NOW)
    follow(workplace, NOW + timedelta(days=1))
    assert members(workplace, segment, people) == {"in three days", "in eight days"}


def test_merging_takes_the_birthday_along_and_ones_own_counts(workplace: Workplace, people: dict[str, UUID]) -> None:
    with workplace.database.begin() as tx:
        profiles.merge(tx, people["nobody"], people["today"], {"by": "a test"}, NOW)
        profiles.merge(tx, people["long ago"], people["in three days"], {"by": "a test"}, NOW)
    assert now_among(workplace, people, within(7)) == {"nobody"}
    assert now_among(workplace, people, within(365)) == {"nobody", "long ago", "in eight days"}


def test_of_who_is_erased_no_day_is_left(workplace: Workplace, people: dict[str, UUID]) -> None:
    with workplace.database.begin() as tx:
        profiles.erase(tx, people["today"], NOW)
        left = tx.execute(sa.text("SELECT person_id FROM vault WHERE day IS NOT NULL")).scalars().all()
    assert people["today"] not in left
    assert len(left) == 3


def test_what_was_kept_before_is_found_after_the_job(workplace: Workplace, people: dict[str, UUID]) -> None:
    with workplace.database.begin() as tx:
        tx.execute(sa.text("UPDATE vault SET day = NULL"))
    assert now_among(workplace, people, within(7)) == set()
    with workplace.database.begin() as tx:
        assert add_missing_days(tx, workplace.keyring) == 4
        assert add_missing_days(tx, workplace.keyring) == 0
    assert now_among(workplace, people, within(7)) == {"today", "in three days"}


def test_a_date_of_the_brands_own_is_asked_like_a_birthday(workplace: Workplace, people: dict[str, UUID]) -> None:
    wedding = profiles.AttributeDefinition("wedding_day", profiles.AttributeType.DATE, personal=True)
    with workplace.database.begin() as tx:
        profiles.define_attribute(tx, wedding, NOW)
        profiles.set_attributes(tx, workplace.keyring, [(people["nobody"], {"wedding_day": born(2)})], NOW)
    assert now_among(workplace, people, {**within(7), "name": "wedding_day"}) == {"nobody"}


def test_without_the_keys_a_number_does_not_say_which_day_it_is(workplace: Workplace, people: dict[str, UUID]) -> None:
    one, other = profiles.sealed_days(workplace.keyring), profiles.sealed_days(Keyring.new())
    # Each day has a number of its own; which it is depends on nothing but the keys.
    assert sorted(one) == sorted(other) == list(range(year.DAYS))
    assert one == profiles.sealed_days(workplace.keyring)
    assert sum(here == there for here, there in zip(one, other, strict=True)) < 20
    assert neighbours(one) < 20
    # Planted: whoever counts days as they follow each other is seen.
    assert neighbours(tuple(range(year.DAYS))) > 20
    with workplace.database.read() as tx:
        kept = tx.execute(sa.text("SELECT person_id, day FROM vault WHERE day IS NOT NULL")).all()
    assert {row.person_id: row.day for row in kept}[people["today"]] == one[year.place_of(TODAY)]


def test_nothing_else_is_asked_of_it_and_nothing_is_told(
    workplace: Workplace, people: dict[str, UUID], ask: Ask
) -> None:
    since = {**within(7), "test": {"op": "since", "values": ["1990-01-01"]}}
    answer = ask("POST", "/api/segments/preview", json={"definition": since})
    assert answer.status_code == 422
    assert answer.json()["code"] == "segments.bad_test"
    build_all(workplace, NOW)
    values = ask("GET", "/api/segments/suggestions?of=attribute&name=birth_date")
    assert values.json()["code"] == "segments.personal_attribute"
    with workplace.database.read() as tx:
        asked = asking(tx, workplace, NOW)
        names = names_of(tx, asked, Language.ENGLISH)
        told = explained(tx, asked, read_tree(within(7)), people["today"], language=Language.ENGLISH, names=names)
    assert told.holds
    assert told.known == "known, and kept encrypted"


def test_whoever_is_not_shown_it_cannot_look_for_it(
    workplace: Workplace, ask: Ask, key_for: Callable[..., str]
) -> None:
    fields = {**access.all_fields(access.Seen.CLEAR), "other": access.Seen.HIDDEN}
    role = {"name": "blind", "permissions": ["segments.read", "segments.write"], "where": "all", "fields": fields}
    assert ask("POST", "/api/roles", json=role).status_code == 200
    headers = {"Authorization": f"Bearer {key_for(workplace, 'blind')}"}
    inner = {"node": "all", "of": [{"node": "none", "of": [within(7)]}]}
    for path, body in (("/api/segments/preview", {}), ("/api/segments", {"name": "Birthday"})):
        answer = ask("POST", path, json={**body, "definition": inner}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "segments.hidden_attribute")
    segment = ask("POST", "/api/segments", json={"name": "All", "definition": {"node": "all"}}, headers=headers).json()
    changed = {"name": "All", "definition": inner}
    answer = ask("PUT", f"/api/segments/{segment['segment_id']}", json=changed, headers=headers)
    assert answer.json()["code"] == "segments.hidden_attribute"


def test_a_leap_day_has_a_place_of_its_own() -> None:
    places = [year.place_of(date(2024, 1, 1) + timedelta(days=number)) for number in range(366)]
    assert places == list(range(366))
    assert year.place_of(date(2023, 3, 1)) == year.place_of(date(2024, 3, 1)) == 60
    assert [year.place_of(year.day_at(place)) for place in places] == places
