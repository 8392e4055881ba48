"""Customers listed, tagged and exported by the segment that they are in."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from shuke import profiles
from shuke.platform import Workplace
from shuke.segments.service.building import build_all

from .test_exports import asked, file_of, key, rows_of

Ask = Callable[..., httpx.Response]

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def people(workplace: Workplace) -> dict[str, UUID]:
    """Three customers, of whom two live in Hangzhou."""
    found = {}
    with workplace.database.begin() as tx:
        for member, city in (("m1", "杭州"), ("m2", "杭州"), ("m3", "北京")):
            (one,) = profiles.resolve(tx, workplace.keyring, [[("member_number", member)]], NOW)
            assert one is not None
            profiles.set_attributes(tx, workplace.keyring, [(one.customer_id, {"city": city})], NOW)
            found[member] = one.customer_id
    return found


@pytest.fixture
def segment(ask: Ask, workplace: Workplace, people: dict[str, UUID]) -> str:
    """The segment of those in Hangzhou, built."""
    assert people
    here = {"node": "attribute", "name": "city", "test": {"op": "is", "values": ["杭州"]}}
    made = ask("POST", "/api/segments", json={"name": "Here", "definition": here}).json()
    build_all(workplace, NOW)
    return str(made["segment_id"])


def listed(ask: Ask, **query: Any) -> tuple[set[UUID], Any]:
    answer = ask("POST", "/api/customers/list", json=query)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return {UUID(one["customer_id"]) for one in found["customers"]}, found["count"]


def test_who_is_in_a_segment_is_listed_and_counted(ask: Ask, people: dict[str, UUID], segment: str) -> None:
    here = {people["m1"], people["m2"]}
    assert listed(ask, segment=segment) == (here, {"customers": 2, "exact": True})
    assert listed(ask, segment=segment, sort="value")[0] == here
    assert listed(ask, segment=segment, limit=1)[1]["customers"] == 2
    assert listed(ask, segment=segment, search="m3")[0] == set()
    answer = ask("POST", "/api/customers/list", json={"segment": str(uuid4())})
    assert (answer.status_code, answer.json()["code"]) == (404, "segments.no_segment")


def test_they_are_tagged_and_exported(ask: Ask, workplace: Workplace, people: dict[str, UUID], segment: str) -> None:
    tagged = ask("POST", "/api/customers/tags", json={"query": {"segment": segment}, "tag": "Here", "source": "s"})
    assert tagged.json()["changed"] == 2
    assert listed(ask, tags=["Here"])[0] == {people["m1"], people["m2"]}
    job = asked(ask, workplace, query={"segment": segment})
    assert job["result"]["customers"] == 2
    rows = rows_of(file_of(ask, job))
    assert {row[0] for row in rows if row} >= {str(people["m1"]), str(people["m2"])}
    assert str(people["m3"]) not in {row[0] for row in rows if row}


def test_who_may_not_look_at_segments_learns_nothing_of_them(
    workplace: Workplace, key_for: Callable[..., str], ask: Ask, segment: str
) -> None:
    mine = key(workplace, key_for, "service_agent")
    answer = ask("POST", "/api/customers/list", json={"segment": segment}, headers=mine)
    assert (answer.status_code, answer.json()["code"]) == (403, "access.not_allowed")
