"""Segments beside each other and over time, what names them, and lists that somebody gave."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa

from shuke import profiles
from shuke.platform import Workplace
from shuke.segments.service import overlapping
from shuke.segments.service.building import build_all
from shuke.segments.service.columns import columns_now

Ask = Callable[..., httpx.Response]

NOW = datetime.now(UTC).replace(microsecond=0)
#: What each is known by, and where they live.
PEOPLE = {
    "phone": ("138 0013 8000", "杭州"),
    "email": ("Li@Example.com", "杭州"),
    "member_number": ("M1024", "北京"),
    "user_id": ("u-7", "上海"),
}


@pytest.fixture
def people(workplace: Workplace) -> dict[str, UUID]:
    found = {}
    with workplace.database.begin() as tx:
        for kind, (value, city) in PEOPLE.items():
            (one,) = profiles.resolve(tx, workplace.keyring, [[(kind, value)]], NOW)
            assert one is not None
            profiles.set_attributes(tx, workplace.keyring, [(one.customer_id, {"city": city})], NOW)
            found[kind] = one.customer_id
    return found


def in_city(*cities: str) -> dict[str, Any]:
    return {"node": "attribute", "name": "city", "test": {"op": "is", "values": list(cities)}}


def made(ask: Ask, name: str, definition: dict[str, Any]) -> str:
    answer = ask("POST", "/api/segments", json={"name": name, "definition": definition})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["segment_id"])


def got(ask: Ask, path: str, **asked: Any) -> Any:
    answer = ask("GET", path, **asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def previewed(ask: Ask, definition: dict[str, Any]) -> Any:
    answer = ask("POST", "/api/segments/preview", json={"definition": definition})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.usefixtures("people")
def test_whom_segments_share(workplace: Workplace, ask: Ask) -> None:
    south, north = made(ask, "South", in_city("杭州", "上海")), made(ask, "North", in_city("北京"))
    same = made(ask, "South again", in_city("杭州", "上海"))
    wide = made(ask, "Wide", in_city("杭州", "北京"))
    build_all(workplace, NOW)
    of = {"of": [south, north, wide, same]}
    found = got(ask, "/api/segments/overlap", params=of)
    assert [(one["name"], one["customers"]) for one in found["segments"]] == [
        ("South", 3),
        ("North", 1),
        ("Wide", 3),
        ("South again", 3),
    ]
    assert found["both"] == [[3, 0, 2, 3], [0, 1, 1, 0], [2, 1, 3, 2], [3, 0, 2, 3]]
    for wrong in ([south], [south, south], [str(uuid4()), south], [str(uuid4()) for _ in range(13)]):
        assert ask("GET", "/api/segments/overlap", params={"of": wrong}).status_code in (404, 422)


@pytest.mark.usefixtures("people")
def test_a_preview_says_with_whom_it_shares_as_of_the_same_moment(
    workplace: Workplace, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    south, north = made(ask, "South", in_city("杭州", "上海")), made(ask, "North", in_city("北京"))
    build_all(workplace, NOW)
    # Nobody has asked for these yet: one is new, and one means another that has become a different one.
    wide = made(ask, "Wide", in_city("杭州", "北京"))
    named = made(ask, "Named", {"node": "segment", "segment_id": north})
    tag = ask("GET", f"/api/segments/{north}").headers["etag"]
    body = {"name": "North", "definition": in_city("北京", "上海")}
    assert ask("PUT", f"/api/segments/{north}", json=body, headers={"If-Match": tag}).status_code == 200
    found = previewed(ask, in_city("杭州"))
    assert (found["customers"], found["compared"]) == (2, 4)
    # 2 of the 3 in either, twice; of equal ones by name.
    assert {(one["segment_id"], one["customers"], one["both"]) for one in found["overlap"]} == {
        (south, 3, 2),
        (wide, 3, 2),
    }
    found = previewed(ask, in_city("上海", "北京"))
    assert [(one["customers"], one["both"]) for one in found["overlap"]] == [(2, 2), (2, 2), (3, 1), (3, 1)]
    assert {one["segment_id"] for one in found["overlap"][:2]} == {north, named}
    # Of columns that nobody has been asked of, no more than some are.
    columns_now(workplace)
    monkeypatch.setattr(overlapping, "NEW_MAX", 1)
    # Two of them say the same.
    assert [previewed(ask, in_city("杭州"))["compared"] for _ in range(4)] == [2, 3, 4, 4]


def test_how_large_a_segment_was(workplace: Workplace, people: dict[str, UUID], ask: Ask) -> None:
    segment = made(ask, "South", in_city("杭州", "上海"))
    assert got(ask, f"/api/segments/{segment}/sizes")["items"] == []
    build_all(workplace, NOW)
    with workplace.database.begin() as tx:
        # As if two had been there for three days, a third had come and gone, and the last had come yesterday.
        yesterday = sa.text("UPDATE segment_changes SET at = at - make_interval(days => :n) WHERE customer_id = :c")
        for kind, days in (("phone", 3), ("email", 3), ("user_id", 1)):
            tx.execute(yesterday, {"n": days, "c": people[kind]})
        more = "INSERT INTO segment_changes (segment_id, customer_id, at, entered, version, why)"
        for days, entered in ((3, True), (2, False)):
            at = datetime.now(UTC) - timedelta(days=days)
            values = {"s": segment, "c": people["member_number"], "at": at, "e": entered}
            tx.execute(sa.text(f"{more} VALUES (:s, :c, :at, :e, 1, 'facts')"), values)
    found = got(ask, f"/api/segments/{segment}/sizes")["items"]
    assert [(one["customers"], one["entered"], one["left"]) for one in found] == [
        (3, 3, 0),
        (2, 0, 1),
        (3, 1, 0),
        (3, 0, 0),
    ]
    days = [datetime.fromisoformat(one["day"]).date() for one in found]
    assert {later - earlier for earlier, later in pairwise(days)} == {timedelta(days=1)}
    last = got(ask, f"/api/segments/{segment}/sizes", params={"days": 2})["items"]
    assert last == found[-2:]


def test_what_names_a_segment(ask: Ask) -> None:
    first = made(ask, "First", {"node": "all"})
    naming = {"node": "none", "of": [{"node": "segment", "segment_id": first}]}
    second, third = made(ask, "B", naming), made(ask, "A", naming)
    tag = ask("GET", f"/api/segments/{third}").headers["etag"]
    assert ask("DELETE", f"/api/segments/{third}", headers={"If-Match": tag}).status_code == 204
    assert got(ask, f"/api/segments/{first}/uses")["items"] == [
        {"kind": "segment", "id": second, "name": "B", "archived": False},
        {"kind": "segment", "id": third, "name": "A", "archived": True},
    ]
    assert got(ask, f"/api/segments/{second}/uses")["items"] == []


GIVEN = ["+86 138-0013-8000", "13800138000", "li@example.COM", "Ｍ1024", " ", "nobody@example.com", "13900139000"]


def test_a_list_is_of_whom_the_texts_name(workplace: Workplace, people: dict[str, UUID], ask: Ask) -> None:
    with workplace.database.begin() as tx:
        profiles.merge(tx, people["user_id"], people["phone"], reason={"by": "test"}, now=NOW)
    given = [*GIVEN, str(people["phone"]), "13900139000"]
    answer = ask(
        "POST",
        "/api/segments/lists",
        json={"name": "Fair", "customers": given},
        headers={"Idempotency-Key": "once-only-1234567890"},
    )
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["name"], told["customers"]) == ("Fair", 3)
    assert told["unknown"] == ["nobody@example.com", "13900139000"]
    with workplace.database.read() as tx:
        on_it = set(tx.scalars(sa.text("SELECT customer_id FROM segment_list_members")))
        kept = [
            json.dumps([dict(row) for row in tx.execute(sa.text(f"SELECT * FROM {table}")).mappings()], default=str)  # noqa: S608 - ours
            for table in ("audit_log", "answers", "segment_lists")
        ]
        answers = tx.scalar(sa.text("SELECT count(*) FROM answers WHERE body IS NOT NULL"))
    assert on_it == {people["user_id"], people["email"], people["member_number"]}
    # What names nobody may be somebody's number: it is told once, and neither written down nor kept to be told again.
    assert not any("13900139000" in text or "nobody@" in text for text in kept)
    assert answers == 0
    (one,) = got(ask, "/api/segments/lists")["items"]
    assert (one["list_id"], one["name"], one["customers"]) == (told["list_id"], "Fair", 3)
    found = previewed(ask, {"node": "list", "list_id": told["list_id"]})
    assert (found["customers"], found["text"]) == (3, "is on the list “Fair”")
    again = ask("POST", "/api/segments/lists", json={"name": "Fair", "customers": given})
    assert (again.status_code, again.json()["code"]) == (409, "segments.list_taken")


@pytest.mark.usefixtures("people")
def test_a_list_that_a_segment_names_stays(ask: Ask) -> None:
    listed = ask("POST", "/api/segments/lists", json={"name": "Fair", "customers": ["M1024"]}).json()["list_id"]
    segment = made(ask, "On it", {"node": "list", "list_id": listed})
    refused = ask("DELETE", f"/api/segments/lists/{listed}")
    assert (refused.status_code, refused.json()["code"]) == (409, "segments.list_in_use")
    tag = ask("GET", f"/api/segments/{segment}").headers["etag"]
    assert ask("DELETE", f"/api/segments/{segment}", headers={"If-Match": tag}).status_code == 204
    assert ask("DELETE", f"/api/segments/lists/{listed}").status_code == 204
    assert ask("DELETE", f"/api/segments/lists/{listed}").status_code == 404
    assert got(ask, "/api/segments/lists")["items"] == []


@pytest.mark.usefixtures("people")
def test_a_list_of_nobody_is_none(ask: Ask) -> None:
    answer = ask("POST", "/api/segments/lists", json={"name": "Fair", "customers": ["13900139000"]})
    assert (answer.status_code, answer.json()["code"]) == (422, "segments.bad_list")
    assert "13900139000" not in answer.text
    too_many = ask("POST", "/api/segments/lists", json={"name": "Fair", "customers": ["M1"] * 100_001})
    assert too_many.status_code == 422


def test_a_hundred_thousand_are_looked_up_in_sets(workplace: Workplace, people: dict[str, UUID]) -> None:
    asked = 0

    def count(*_: Any) -> None:
        nonlocal asked
        asked += 1

    texts = [f"+86139{number:08}" for number in range(99_999)] + ["m1024", "M1024"]
    with workplace.database.read() as tx:
        sa.event.listen(tx, "before_cursor_execute", count)
        found = profiles.named(tx, workplace.keyring, texts)
    assert found == {"M1024": people["member_number"]}
    # Two sets of phone numbers, one of texts that are no addresses, and two of member numbers.
    assert asked <= 6
