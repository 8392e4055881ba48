"""Tags on many customers at once: on the right ones, only on the reader's, and taken back exactly."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa

from shuke import profiles
from shuke.access.service import scope
from shuke.base.errors import NotFound
from shuke.platform import Transaction, Workplace
from shuke.profiles.service import bulk_tagging

NOW = datetime.now(UTC)
Ask = Callable[..., httpx.Response]
#: Everybody's tags: tag, source, whether they expire.
Tags = dict[str, set[tuple[str, str, bool]]]


@pytest.fixture
def people(workplace: Workplace) -> dict[str, UUID]:
    """Four customers of two stores; the first has a tag already, the second one that expires, the last is two."""
    found = {}
    with workplace.database.begin() as tx:
        for member in ("m1", "m2", "m3", "m4", "m5"):
            (one,) = profiles.resolve(tx, workplace.keyring, [[("member_number", member)]], NOW)
            assert one is not None
            found[member] = one.customer_id
            profiles.set_attributes(tx, workplace.keyring, [(one.customer_id, {"name": f"王{member}"})], NOW)
            profiles.note_stores(tx, [(one.identity_id, "s1" if member in ("m1", "m2") else "s2")])
        profiles.add_tags(
            tx,
            [
                profiles.NewTag(found["m1"], "VIP", "console"),
                profiles.NewTag(found["m2"], "VIP", "console", NOW + timedelta(days=3)),
                profiles.NewTag(found["m5"], "VIP", "wecom"),
                *(profiles.NewTag(one, "all", "test") for one in found.values()),
            ],
            NOW - timedelta(days=1),
        )
        profiles.merge(tx, found["m4"], found["m5"], {"by": "test", "why": "test"}, NOW)
    return found


def tags(place: Workplace, people: dict[str, UUID], *, by: str = "VIP") -> Tags:
    names = {customer: member for member, customer in people.items()}
    found: Tags = {}
    with place.database.read() as tx:
        for row in tx.execute(sa.text("SELECT * FROM tags WHERE tag = :tag"), {"tag": by}):
            found.setdefault(names[row.customer_id], set()).add((row.tag, row.source, row.expires_at is not None))
    return found


BEFORE: Tags = {
    "m1": {("VIP", "console", False)},
    "m2": {("VIP", "console", True)},
    "m5": {("VIP", "wecom", False)},
}
ALL = {"query": {"tags": ["all"]}}


def post(ask: Ask, **body: Any) -> dict[str, Any]:
    answer = ask("POST", "/api/customers/tags", json={"tag": "VIP", "source": "console", **body})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def undo(ask: Ask, batch: dict[str, Any], **options: Any) -> httpx.Response:
    return ask("POST", f"/api/customers/tags/{batch['batch_id']}/undo", **options)


def test_a_tag_is_put_on_all_who_are_found_and_taken_back_exactly(
    ask: Ask, workplace: Workplace, people: dict[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = post(ask, **ALL)
    # The first had it as it is; the second lost its expiry; of the merged it is the one who stands for both.
    assert (made["customers"], made["changed"], made["removed"]) == (4, 3, False)
    after = BEFORE | {member: {("VIP", "console", False)} for member in ("m2", "m3", "m4")}
    assert tags(workplace, people) == after
    assert undo(ask, made).json()["changed"] == 3
    assert tags(workplace, people) == BEFORE
    assert undo(ask, made).json()["code"] == "profiles.batch_undone"

    def all_of_that_tag(tx: Transaction, batch: Any) -> int:
        return tx.execute(sa.text("DELETE FROM tags WHERE tag = :tag"), {"tag": batch.tag}).rowcount

    # One that takes what was there before along is seen.
    monkeypatch.setattr(bulk_tagging, "_take_back", all_of_that_tag)
    undo(ask, post(ask, **ALL))
    assert tags(workplace, people) != BEFORE


def test_a_tag_is_taken_off_from_every_source_and_comes_back_as_it_was(
    ask: Ask, workplace: Workplace, people: dict[str, UUID]
) -> None:
    made = post(ask, **ALL, source=None, remove=True)
    assert (made["customers"], made["changed"], made["removed"]) == (4, 3, True)
    assert tags(workplace, people) == {}
    # What somebody does meanwhile stays.
    post(ask, customer_ids=[str(people["m1"])], expires_at=(NOW + timedelta(days=9)).isoformat())
    assert undo(ask, made).json()["changed"] == 2
    assert tags(workplace, people) == BEFORE | {"m1": {("VIP", "console", True)}}
    one_source = post(ask, **ALL, source="wecom", remove=True)
    assert one_source["changed"] == 1
    assert "m5" not in tags(workplace, people)


def test_what_somebody_has_changed_since_is_left_alone(ask: Ask, workplace: Workplace, people: dict[str, UUID]) -> None:
    made = post(ask, **ALL)
    with workplace.database.begin() as tx:
        later = profiles.NewTag(people["m3"], "VIP", "console", NOW + timedelta(days=5))
        profiles.add_tags(tx, [later], NOW)
        profiles.remove_tag(tx, [people["m4"]], "VIP", "console")
    undo(ask, made)
    assert tags(workplace, people) == BEFORE | {"m3": {("VIP", "console", True)}}


def test_who_was_erased_since_gets_nothing_back(ask: Ask, workplace: Workplace, people: dict[str, UUID]) -> None:
    made = post(ask, **ALL, source=None, remove=True)
    with workplace.database.begin() as tx:
        profiles.erase(tx, people["m1"], NOW)
        assert (
            tx.scalar(sa.text("SELECT count(*) FROM tag_batch_rows WHERE customer_id = :c"), {"c": people["m1"]}) == 0
        )
    undo(ask, made)
    assert tags(workplace, people).keys() == {"m2", "m5"}


def test_a_search_tags_only_who_is_really_meant(ask: Ask, workplace: Workplace, people: dict[str, UUID]) -> None:
    made = post(ask, query={"search": "王m3"}, tag="found")
    assert made["customers"] == 1
    assert tags(workplace, people, by="found").keys() == {"m3"}
    # Who was searched for is in no log.
    lines = ask("GET", "/api/audit", params={"action": "customers.tag"}).json()["items"]
    assert lines[0]["object"]["query"] == {"search": "***"}
    assert lines[0]["after"] == {"customers": 1, "changed": 1}


def test_a_reader_touches_their_own_customers_alone(
    ask: Ask,
    workplace: Workplace,
    people: dict[str, UUID],
    key_for: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mine = {"authorization": f"Bearer {key_for(workplace, 'store_associate', places=['s1'])}"}

    def many(**body: Any) -> httpx.Response:
        return ask("POST", "/api/customers/tags", json={"tag": "new", "source": "till", **body}, headers=mine)

    made = many(**ALL).json()
    assert (made["customers"], tags(workplace, people, by="new").keys()) == (2, {"m1", "m2"})
    # Another's number is nobody's, and nothing is tagged then.
    refused = many(customer_ids=[str(people["m1"]), str(people["m3"])], tag="other")
    assert (refused.status_code, refused.json()["code"]) == (404, "profiles.no_customer")
    assert tags(workplace, people, by="other") == {}
    # Another's batch is nobody's, either: not the owner's by the store, nor the store's by the owner.
    theirs = post(ask, **ALL, source=None, remove=True)
    assert undo(ask, theirs, headers=mine).json()["code"] == "profiles.no_batch"
    assert undo(ask, made).json()["code"] == "profiles.no_batch"
    assert undo(ask, made, headers=mine).json()["changed"] == 2
    assert tags(workplace, people, by="new") == {}
    # A guard that enters no scope is seen.
    monkeypatch.setattr(scope, "enter", lambda *_: None)
    many(**ALL)
    assert tags(workplace, people, by="new").keys() == {"m1", "m2", "m3", "m4"}


def test_what_makes_no_sense_is_refused_and_nothing_changes(
    ask: Ask, workplace: Workplace, people: dict[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    past = (NOW - timedelta(days=1)).isoformat()
    for body, code in (
        ({}, "lifecycle.which_customers"),
        ({**ALL, "customer_ids": [str(people["m1"])]}, "lifecycle.which_customers"),
        ({**ALL, "source": None}, "lifecycle.which_source"),
        ({**ALL, "tag": " x"}, "profiles.bad_tag"),
        ({**ALL, "expires_at": past}, "profiles.bad_tag"),
        ({"customer_ids": [str(uuid4())]}, "profiles.no_customer"),
        ({"query": {"search": "x"}}, "profiles.search_too_short"),
    ):
        answer = ask("POST", "/api/customers/tags", json={"tag": "VIP", "source": "console", **body})
        assert answer.json()["code"] == code, answer.text
    monkeypatch.setattr(bulk_tagging, "BATCH_CUSTOMERS_MAX", 3)
    answer = ask("POST", "/api/customers/tags", json={"tag": "VIP", "source": "console", **ALL})
    assert (answer.json()["code"], "3" in answer.json()["detail"]) == ("profiles.too_many_to_tag", True)
    assert tags(workplace, people) == BEFORE
    assert undo(ask, {"batch_id": uuid4()}).status_code == 404


def test_a_batch_can_be_taken_back_for_a_week(ask: Ask, workplace: Workplace, people: dict[str, UUID]) -> None:
    made = post(ask, **ALL)
    later = datetime.now(UTC) + bulk_tagging.BATCH_KEPT + timedelta(minutes=1)
    with workplace.database.begin() as tx:
        with pytest.raises(NotFound, match="no_batch"):
            profiles.undo_batch(tx, UUID(made["batch_id"]), None, later)
        assert bulk_tagging.drop_old_batches(tx, later) == 1
        assert tx.scalar(sa.text("SELECT count(*) FROM tag_batch_rows")) == 0
    assert tags(workplace, people)["m3"] == {("VIP", "console", False)}
