"""From a definition to its members: previewed, built, changed, explained; in columns and in PostgreSQL alike."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import ibis
import ibis.expr.types as ir
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from shuke import collect, lifecycle, profiles
from shuke.platform import Engine, Workplace
from shuke.segments.model.tree import Node, Tagged
from shuke.segments.rules.checking import read_tree
from shuke.segments.service import building
from shuke.segments.service.asking import asking, members_among
from shuke.segments.service.building import build_all
from shuke.segments.service.columns import columns_now
from shuke.segments.service.previewing import preview

NOW = datetime.now(UTC).replace(microsecond=0)
AS_OF = lifecycle.last_midnight(NOW, "UTC")
#: Member, and of each order: days ago, category, amount.
PEOPLE: dict[str, tuple[tuple[int, str, int], ...]] = {
    "often": ((5, "茶", 5_000), (40, "茶", 4_000), (70, "壶", 9_000)),
    "once": ((20, "茶", 2_000),),
    "long_ago": ((400, "茶", 90_000),),
    "never": (),
}
TEA = {"of": "orders", "goods": {"categories": ["茶"]}}
DAYS_AGO = {"op": "days_ago", "values": [90]}
SHARE = {"node": "measured", "what": TEA, "of": "amount_minor", "by": "share"}
TWICE = {"op": "at_least", "values": [2]}


@pytest.fixture
def people(workplace: Workplace) -> dict[str, UUID]:
    """The customers by their member number, refreshed."""
    found = {}
    with workplace.database.begin() as tx:
        source = collect.ensure_source(tx, "shop", now=NOW)
        for member, orders in PEOPLE.items():
            ids = (("member_number", member),)
            (one,) = profiles.resolve(tx, workplace.keyring, [list(ids)], NOW)
            assert one is not None
            found[member] = one.customer_id
            stated = [bought(source, member, *order) for order in orders]
            collect.save_orders(tx, workplace.keyring, stated, NOW)
        profiles.set_attributes(tx, workplace.keyring, [(found["once"], {"city": "杭州"})], NOW)
        profiles.add_tags(tx, [profiles.NewTag(found["never"], "VIP", "wecom", NOW + timedelta(hours=1))], NOW)
    lifecycle.refresh(workplace, as_of=AS_OF, now=NOW)
    return found


def bought(source: int, member: str, days: int, category: str, amount: int) -> collect.Order:
    return collect.Order(
        source_id=source,
        order_id=f"{member}-{days}",
        ordered_at=NOW - timedelta(days=days),
        amount_minor=amount,
        currency="CNY",
        ids=(("member_number", member),),
        lines=(collect.OrderLine(f"P{category}", category, category, None, Decimal(1), amount, None),),
    )


TREES: tuple[tuple[dict[str, Any], set[str]], ...] = (
    ({"node": "all"}, {"often", "once", "long_ago", "never"}),
    ({"node": "did", "what": TEA, "times": TWICE}, {"often"}),
    (
        {"node": "did", "what": TEA, "window": {"when": "last", "span": {"n": 30, "unit": "days"}}},
        {"often", "once"},
    ),
    ({"node": "did", "what": TEA, "times": {"op": "is", "values": [0]}}, {"never"}),
    (
        {"node": "attribute", "name": "city", "test": {"op": "is_not", "values": ["杭州"]}},
        {"often", "long_ago", "never"},
    ),
    ({"node": "tag", "tag": "VIP"}, {"never"}),
    ({"node": "identity", "kind": "member_number"}, {"often", "once", "long_ago", "never"}),
    ({"node": "top", "by": "historic_clv_minor", "n": 1}, {"long_ago"}),
    ({"node": "figure", "name": "stage", "test": {"op": "is", "values": ["outside"]}}, {"never"}),
    (
        {
            "node": "measured",
            "what": {"of": "orders"},
            "of": "amount_minor",
            "by": "average",
            "test": {"op": "between", "values": [2_000, 6_000]},
        },
        {"often", "once"},
    ),
    # Of 18,000 it is 9,000.
    (SHARE | {"test": {"op": "is", "values": [0.5]}}, {"often"}),
    (SHARE | {"test": {"op": "at_least", "values": [0.5]}}, {"often", "once", "long_ago"}),
    (SHARE | {"test": {"op": "unknown"}}, {"never"}),
    (
        {
            "node": "sequence",
            "steps": [
                {"what": {"of": "orders", "goods": {"categories": ["壶"]}}},
                {"what": TEA, "within": {"n": 40, "unit": "days"}},
            ],
        },
        {"often"},
    ),
    (
        {
            "node": "none",
            "of": [{"node": "figure", "name": "last_order_at", "test": {"op": "days_ago", "values": [90]}}],
        },
        {"often", "once", "never"},
    ),
)


def test_columns_and_postgres_agree(workplace: Workplace, people: dict[str, UUID]) -> None:
    columns = columns_now(workplace)
    facts = pq.read_table(columns.folder / "facts.parquet", columns=["kind", "name", "us", "customer_id"]).to_pylist()
    # What is asked for by name lies side by side, and of a quarter each customer's.
    order = [(one["kind"], one["name"], one["us"] // (91 * 86_400_000_000), one["customer_id"]) for one in facts]
    assert order == sorted(order)
    assert len({place[:3] for place in order}) > 2
    names = {customer: member for member, customer in people.items()}
    with workplace.database.read() as tx:
        asked = asking(tx, workplace)
        for document, meant in TREES:
            tree = read_tree(document)
            assert {names[one] for one in members_among(tx, asked, tree, list(names))} == meant, document
            found = preview(workplace, asked, tree)
            assert ({names[one] for one in found.some}, found.customers, found.everybody) == (meant, len(meant), 4)


def test_a_merged_customer_is_one(workplace: Workplace, people: dict[str, UUID]) -> None:
    with workplace.database.begin() as tx:
        profiles.merge(tx, people["never"], people["once"], reason={"by": "test"}, now=NOW)
    columns_now(workplace)
    tree = read_tree({"node": "all", "of": [{"node": "tag", "tag": "VIP"}, {"node": "did", "what": TEA}]})
    in_city = read_tree({"node": "attribute", "name": "city", "test": {"op": "is", "values": ["杭州"]}})
    with workplace.database.read() as tx:
        asked = asking(tx, workplace)
        for one in (tree, in_city):
            meant = members_among(tx, asked, one, list(people.values()))
            assert len(meant) == 1
            assert meant == set(preview(workplace, asked, one).some)
        assert preview(workplace, asked, read_tree({"node": "all"})).everybody == 3


Ask = Callable[..., httpx.Response]


def made(ask: Ask, name: str, definition: dict[str, Any]) -> dict[str, Any]:
    answer = ask("POST", "/api/segments", json={"name": name, "definition": definition})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_who_enters_and_leaves_is_told(workplace: Workplace, people: dict[str, UUID], ask: Ask) -> None:
    segment = made(ask, "Tea twice", {"node": "did", "what": TEA, "times": TWICE})
    address = f"/api/segments/{segment['segment_id']}"
    assert segment["customers"] is None
    assert [(one.customers, one.entered, one.left) for one in build_all(workplace, NOW)] == [(1, 1, 0)]
    with workplace.database.begin() as tx:
        source = collect.ensure_source(tx, "shop", now=NOW)
        collect.save_orders(tx, workplace.keyring, [bought(source, "once", 1, "茶", 100)], NOW)
    assert [(one.customers, one.entered, one.left) for one in build_all(workplace, NOW)] == [(2, 1, 0)]
    changed = {"name": "Tea twice", "definition": {"node": "did", "what": TEA, "times": {"op": "is", "values": [0]}}}
    tag = ask("GET", address).headers["etag"]
    assert ask("PUT", address, json=changed, headers={"If-Match": tag}).json()["version"] == 2
    assert [(one.customers, one.entered, one.left) for one in build_all(workplace, NOW)] == [(1, 1, 2)]
    members = ask("GET", f"{address}/members").json()["items"]
    assert [one["customer_id"] for one in members] == [str(people["never"])]
    told = ask("GET", f"{address}/changes").json()["items"]
    assert sorted((one["entered"], one["why"]) for one in told) == [
        *[(False, "definition")] * 2,
        *[(True, "definition")] * 2,
        (True, "facts"),
    ]
    with workplace.database.read() as tx:
        facts = tx.execute(sa.text("SELECT name FROM facts WHERE kind = 'segment'")).scalars().all()
    assert sorted(facts) == ["entered"] * 3 + ["left"] * 2


def test_no_segment_is_built_back_in_time(
    workplace: Workplace, people: dict[str, UUID], ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(ask, "Tea twice", {"node": "did", "what": TEA, "times": TWICE})
    former = columns_now(workplace)
    assert people
    with workplace.database.begin() as tx:
        source = collect.ensure_source(tx, "shop", now=NOW)
        collect.save_orders(tx, workplace.keyring, [bought(source, "once", 1, "茶", 100)], NOW)
    assert [(one.customers, one.entered) for one in build_all(workplace, NOW)] == [(2, 2)]
    monkeypatch.setattr(building, "columns_now", lambda _: former)
    assert [(one.customers, one.entered, one.left) for one in build_all(workplace, NOW)] == [(2, 0, 0)]


@pytest.mark.usefixtures("people")
def test_one_that_fails_stops_no_other(workplace: Workplace, ask: Ask) -> None:
    with workplace.database.begin() as tx:
        profiles.define_attribute(tx, profiles.AttributeDefinition("cups", profiles.AttributeType.NUMBER, False), NOW)
    broken = made(ask, "Broken", {"node": "attribute", "name": "cups", "test": {"op": "known"}})
    made(ask, "Sound", {"node": "all"})
    with workplace.database.begin() as tx:
        profiles.retire_attribute(tx, "cups", NOW)
    assert [one.customers for one in build_all(workplace, NOW)] == [4]
    said = ask("GET", f"/api/segments/{broken['segment_id']}").json()
    assert (said["failed"], said["customers"]) == ("segments.no_attribute", None)


@pytest.mark.spark
def test_spark_means_the_same_members_and_one_that_it_cannot_run_stops_no_other(
    workplace: Workplace,
    people: dict[str, UUID],
    ask: Ask,
    spark_engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = made(ask, "Broken", {"node": "tag", "tag": "nobody"})
    meant = {made(ask, f"Segment {place}", tree)["segment_id"]: who for place, (tree, who) in enumerate(TREES)}
    members_of = building.members_of

    def asked(tree: Node, *rest: Any) -> ir.Table:
        nowhere = ibis.table({"customer_id": "int32"}, name="nowhere")
        return nowhere if isinstance(tree, Tagged) and tree.tag == "nobody" else members_of(tree, *rest)

    monkeypatch.setattr(building, "members_of", asked)
    built = build_all(workplace, NOW, spark_engine)
    assert {str(one.segment_id): one.customers for one in built} == {one: len(who) for one, who in meant.items()}
    assert ask("GET", f"/api/segments/{broken['segment_id']}").json()["failed"] == "segments.engine"
    for segment_id, who in meant.items():
        items = ask("GET", f"/api/segments/{segment_id}/members").json()["items"]
        assert {one["customer_id"] for one in items} == {str(people[member]) for member in who}
    # DuckDB finds nobody who would have to enter or leave.
    again = build_all(workplace, NOW)
    assert {(one.entered, one.left) for one in again} == {(0, 0)}


def test_every_statement_says_whether_it_holds(people: dict[str, UUID], ask: Ask) -> None:
    tree = {"node": "all", "of": [{"node": "tag", "tag": "VIP"}, {"node": "did", "what": TEA}]}
    segment = made(ask, "Both", tree)
    answer = ask(
        "GET",
        f"/api/segments/{segment['segment_id']}/customers/{people['never']}",
        headers={"Accept-Language": "zh-CN"},
    ).json()
    assert answer["holds"] is False
    assert [(one["text"], one["holds"]) for one in answer["parts"]] == [
        ("有标签“VIP”", True),
        ("有含“茶”的订单", False),
    ]


@pytest.mark.parametrize(
    ("definition", "code"),
    [
        ({"node": "attribute", "name": "first_name", "test": {"op": "known"}}, "segments.personal_attribute"),
        ({"node": "attribute", "name": "shoe", "test": {"op": "known"}}, "segments.no_attribute"),
        ({"node": "attribute", "name": "city", "test": {"op": "at_least", "values": [3]}}, "segments.bad_test"),
        ({"node": "figure", "name": "stage", "test": {"op": "is", "values": ["x"]}}, "segments.no_stage"),
        ({"node": "sequence", "steps": []}, "segments.bad_sequence"),
        ({"node": "share", "seed": "a", "since": 50, "until": 50}, "segments.bad_share"),
        ({"node": "segment", "segment_id": "01890000-0000-7000-8000-000000000000"}, "segments.no_segment"),
        ({"node": "did", "what": {"of": "orders", "goods": {}}}, "segments.bad_part"),
        (SHARE | {"of": "quantity", "test": {"op": "known"}}, "segments.bad_measure"),
        (SHARE | {"what": {"of": "orders"}, "test": {"op": "known"}}, "segments.bad_measure"),
        (SHARE | {"what": {"of": "facts"}, "test": {"op": "known"}}, "segments.bad_measure"),
        (SHARE | {"test": {"op": "is", "values": ["much"]}}, "segments.bad_test"),
    ],
)
def test_what_cannot_be_asked_is_refused(ask: Ask, definition: dict[str, Any], code: str) -> None:
    answer = ask("POST", "/api/segments", json={"name": "x", "definition": definition})
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_a_segment_is_never_part_of_itself(ask: Ask) -> None:
    first = made(ask, "First", {"node": "all"})
    second = made(ask, "Second", {"node": "segment", "segment_id": first["segment_id"]})
    address = f"/api/segments/{first['segment_id']}"
    circle = {
        "name": "First",
        "definition": {"node": "none", "of": [{"node": "segment", "segment_id": second["segment_id"]}]},
    }
    tag = ask("GET", address).headers["etag"]
    assert ask("PUT", address, json=circle, headers={"If-Match": tag}).json()["code"] == "segments.cycle"
    assert ask("DELETE", address, headers={"If-Match": tag}).json()["code"] == "segments.in_use"
