"""Who lives near a store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

import httpx
import pytest

from shuke import catalog, profiles
from shuke.platform import Workplace
from shuke.segments.model.tree import Near
from shuke.segments.rules.checking import read_tree
from shuke.segments.rules.places import Place, living_near
from shuke.segments.service.asking import asking, members_among
from shuke.segments.service.building import build_all

NOW = datetime.now(UTC).replace(microsecond=0)
Ask = Callable[..., httpx.Response]

STORES = (
    catalog.Store(store_id="lake", name="西湖店", city="杭州", district="西湖区"),
    catalog.Store(store_id="park", name="滨江店", city="杭州市", district="滨江"),
    catalog.Store(store_id="tower", name="鼓楼店", city="南京", district="鼓楼区"),
    catalog.Store(store_id="strand", name="Strand", city="London"),
    catalog.Store(store_id="web", name="网店"),
)
LIVING: dict[str, dict[str, str]] = {
    "by the lake": {"city": "杭州", "district": "西湖"},
    "over the river": {"city": "杭州市", "district": "滨江区"},
    "in the city": {"city": "杭州"},
    "by another tower": {"city": "开封", "district": "鼓楼区"},
    "by the tower": {"city": "南京市", "district": "鼓楼区"},
    "abroad": {"city": "London"},
    "somewhere": {"province": "浙江"},
}


def near(within: str, *stores: str) -> dict[str, Any]:
    return {"node": "near", "stores": list(stores), "within": within}


@pytest.mark.parametrize(
    ("definition", "wanted"),
    [
        (near("city", "lake"), {"by the lake", "over the river", "in the city"}),
        (near("city", "park", "strand"), {"by the lake", "over the river", "in the city", "abroad"}),
        (near("district", "lake"), {"by the lake"}),
        (near("district", "park", "tower"), {"over the river", "by the tower"}),
        (
            {"node": "none", "of": [near("city", "lake")]},
            {"by another tower", "by the tower", "abroad", "somewhere"},
        ),
    ],
)
def test_who_lives_near_a_store_is_found(
    workplace: Workplace, ask: Ask, definition: dict[str, Any], wanted: set[str]
) -> None:
    people = {}
    with workplace.database.begin() as tx:
        catalog.save_stores(tx, STORES, now=NOW)
        for name, attributes in LIVING.items():
            (one,) = profiles.resolve(tx, workplace.keyring, [[("member_number", name)]], NOW)
            assert one is not None
            people[one.customer_id] = name
            assert not profiles.set_attributes(tx, workplace.keyring, [(one.customer_id, attributes)], NOW)
    answer = ask("POST", "/api/segments", json={"name": "Near", "definition": definition}).json()
    build_all(workplace, NOW)
    members = ask("GET", f"/api/segments/{answer['segment_id']}/members").json()["items"]
    assert {people[one] for one in people if str(one) in {member["customer_id"] for member in members}} == wanted
    with workplace.database.read() as tx:
        found = members_among(tx, asking(tx, workplace), read_tree(definition), people.keys())
    assert {people[one] for one in found} == wanted


@pytest.mark.parametrize(
    ("definition", "code"),
    [
        (near("city"), "segments.bad_part"),
        (near("city", "moon"), "segments.no_store"),
        (near("city", "web"), "segments.store_without_place"),
        (near("district", "lake", "strand"), "segments.store_without_place"),
    ],
)
def test_what_cannot_be_asked_is_told(workplace: Workplace, ask: Ask, definition: dict[str, Any], code: str) -> None:
    with workplace.database.begin() as tx:
        catalog.save_stores(tx, STORES, now=NOW)
    answer = ask("POST", "/api/segments", json={"name": "Near", "definition": definition})
    assert (answer.status_code, answer.json()["code"]) == (422, code)


@pytest.mark.parametrize(
    ("within", "city", "district", "values"),
    [
        ("city", "杭州", None, [("杭州", "杭州市")]),
        ("city", "杭州市", None, [("杭州", "杭州市")]),
        ("city", "沙市", None, [("沙市", "沙市市")]),  # a name of two signs is whole
        ("city", "Sheffield", None, [("Sheffield",)]),
        ("district", "杭州", "西湖区", [("杭州", "杭州市"), ("西湖", "西湖区")]),
        ("district", "杭州", "西湖", [("杭州", "杭州市"), ("西湖", "西湖区", "西湖县", "西湖市")]),
    ],
)
def test_a_place_has_its_name_with_and_without_its_ending(
    within: Literal["city", "district"], city: str, district: str | None, values: list[tuple[str, ...]]
) -> None:
    said = living_near(Near(stores=("one",), within=within), {"one": Place(None, city, district)})
    each = said.of if within == "district" else (said,)  # type: ignore[union-attr] # a group
    assert [set(one.test.values) for one in each] == [set(one) for one in values]  # type: ignore[union-attr] # attributes
