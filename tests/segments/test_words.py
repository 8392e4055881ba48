"""What definitions can speak of: the words and values that stand in the columns, and never what is personal."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import pyarrow as pa
import pytest
import sqlalchemy as sa

from shuke import catalog, collect, lifecycle, privacy, profiles
from shuke.platform import Workplace
from shuke.segments.service import words
from shuke.segments.service.columns import columns_now, latest_columns

Ask = Callable[..., httpx.Response]

NOW = datetime.now(UTC).replace(microsecond=0)
LONG = "长" * 101


@pytest.fixture
def told(workplace: Workplace) -> Workplace:
    """Three customers with orders, of whom two were heard of in events, and what they are called and have agreed to."""
    with workplace.database.begin() as tx:
        source = collect.ensure_source(tx, "shop", now=NOW)
        catalog.save_stores(tx, [catalog.Store(store_id="S1", name="西湖店")], now=NOW)
        catalog.save_products(tx, [catalog.Product(product_id="P1", name="龙井 Green")], now=NOW)
        found = []
        for member, city, product, category in (
            ("m1", "杭州", "P1", "茶"),
            ("m2", "杭州", "P1", "茶"),
            ("m3", "北京", "P2", "壶"),
        ):
            ids = (("member_number", member),)
            (one,) = profiles.resolve(tx, workplace.keyring, [list(ids)], NOW)
            assert one is not None
            found.append(one)
            line = collect.OrderLine(product, product, category, "Brand", Decimal(1), 500, None)
            order = collect.Order(
                source_id=source,
                order_id=member,
                ordered_at=NOW - timedelta(days=3),
                amount_minor=500,
                currency="CNY",
                ids=ids,
                store="S1",
                channel="shop",
                lines=(line,),
            )
            collect.save_orders(tx, workplace.keyring, [order], NOW)
            stated = {"city": city, "name": "王小明", "birth_date": "1990-01-01"}
            assert not profiles.set_attributes(tx, workplace.keyring, [(one.customer_id, stated)], NOW)
        gone = NOW - timedelta(days=1)
        profiles.add_tags(
            tx,
            [
                *(profiles.NewTag(one.customer_id, "VIP", "wecom", None) for one in found[:2]),
                profiles.NewTag(found[2].customer_id, "Old", "wecom", gone),
            ],
            NOW - timedelta(days=2),
        )
        said = privacy.Consent(
            customer_id=found[0].customer_id,
            purpose="marketing",
            channel="sms",
            state=privacy.ConsentState.GRANTED,
            notice_version="v1",
            proof=privacy.Proof(privacy.ProofMethod.FORM, "a"),
            at=NOW,
            by="shop",
        )
        profiles.record_consents(tx, workplace.keyring, [said], NOW)
        told = [
            ("Product Viewed", {"product_id": "P1", "price": 5, "sale": True, "note": LONG}),
            ("Product Viewed", {"product_id": "P1", "price": 7, "parts": [1], "a'b": "x"}),
            ("Wished", {"product_id": "P2"}),
        ]
        collect.record_fact_table(
            tx,
            pa.table(
                {
                    "fact_id": [str(uuid4()) for _ in told],
                    "occurred_at": pa.array([NOW - timedelta(hours=1)] * 3, pa.timestamp("us", "UTC")),
                    "received_at": pa.array([NOW] * 3, pa.timestamp("us", "UTC")),
                    "identity_id": [found[0].identity_id, found[1].identity_id, found[0].identity_id],
                    "source_id": pa.array([source] * 3, pa.int32()),
                    "kind": ["track"] * 3,
                    "name": [name for name, _ in told],
                    "channel": ["web", None, "web"],
                    "properties": [json.dumps(properties) for _, properties in told],
                }
            ),
        )
    lifecycle.refresh(workplace, as_of=lifecycle.last_midnight(NOW, "UTC"), now=NOW)
    return workplace


def suggestions(ask: Ask, **asked: str) -> list[tuple[str, str, int]]:
    answer = ask("GET", "/api/segments/suggestions", params=asked)
    assert answer.status_code == 200, answer.text
    return [(one["value"], one["label"], one["times"]) for one in answer.json()["items"]]


def vocabulary(ask: Ask, language: str = "en") -> dict[str, Any]:
    answer = ask("GET", "/api/segments/vocabulary", headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_what_can_be_spoken_of(told: Workplace, ask: Ask) -> None:
    made = ask("POST", "/api/segments", json={"name": "Everybody", "definition": {"node": "all"}}).json()
    found = vocabulary(ask)
    latest = latest_columns(told)
    assert latest is not None
    assert found["as_of"] == latest.at.isoformat().replace("+00:00", "Z")
    # Those that are one short value, and can be named, have columns of their own.
    named = {"price", "product_id", "sale"}
    assert set(latest.own) & (named | {"note", "parts", "a'b"}) == named
    # Of personal ones nothing can be asked, but of a date whether its day comes.
    kinds = {one["name"]: one["kind"] for one in found["attributes"]}
    assert kinds["city"] == "text"
    assert [name for name, kind in kinds.items() if kind == "yearly"] == ["birth_date"] == list(kinds)[-1:]
    assert not kinds.keys() & {"name", "first_name"}
    assert {"name": "orders", "label": "number of orders", "kind": "number"} in found["figures"]
    assert {"code": "outside", "name": "Not yet a customer"} in found["stages"]
    assert found["tags"] == [{"tag": "VIP", "customers": 2}]
    assert found["identities"] == [{"kind": "member_number", "label": "a member number", "customers": 3}]
    agreed = {"purpose": "marketing", "channel": "sms", "state": "granted", "customers": 1}
    assert found["consents"] == [agreed]
    viewed = next(one for one in found["facts"] if one["name"] == "Product Viewed")
    assert (viewed["kind"], viewed["times"], viewed["looked_at"]) == ("track", 2, 2)
    # What a definition cannot name, a list and a name with a quote, is not among them.
    assert viewed["properties"] == [
        {"name": "price", "kind": "number", "times": 2},
        {"name": "product_id", "kind": "text", "times": 2},
        {"name": "channel", "kind": "text", "times": 1},
        {"name": "note", "kind": "text", "times": 1},
        {"name": "sale", "kind": "truth", "times": 1},
    ]
    assert found["channels"] == [{"value": "shop", "times": 3}]
    assert found["stores"] == [{"value": "S1", "label": "西湖店", "times": 3}]
    assert found["categories"] == [{"value": "茶", "times": 2}, {"value": "壶", "times": 1}]
    assert found["brands"] == [{"value": "Brand", "times": 3}]
    assert found["segments"] == [{"segment_id": made["segment_id"], "name": "Everybody", "customers": None}]
    assert "王小明" not in str(found)
    assert vocabulary(ask, "zh-CN")["identities"][0]["label"] == "会员号"


def test_words_are_found_once_for_the_same_columns(told: Workplace, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    first = vocabulary(ask)
    monkeypatch.setattr(words, "_found", lambda *_: pytest.fail("asked again"))
    assert vocabulary(ask) == first
    monkeypatch.undo()
    columns_now(told)
    assert vocabulary(ask)["as_of"] > first["as_of"]


@pytest.mark.usefixtures("told")
def test_values_are_suggested(ask: Ask) -> None:
    assert suggestions(ask, of="attribute", name="city") == [("杭州", "杭州", 2), ("北京", "北京", 1)]
    assert suggestions(ask, of="attribute", name="city", begins="北") == [("北京", "北京", 1)]
    # By what it is called, and whether A to Z are capitals or not.
    assert suggestions(ask, of="product", begins="gREEN") == [("P1", "龙井 Green", 2)]
    assert suggestions(ask, of="product", begins="p2") == [("P2", "P2", 1)]
    assert suggestions(ask, of="store", begins="西湖") == [("S1", "西湖店", 3)]
    assert suggestions(ask, of="category") == [("茶", "茶", 2), ("壶", "壶", 1)]
    assert suggestions(ask, of="brand", begins="x") == []
    assert suggestions(ask, of="tag") == [("VIP", "VIP", 2)]
    assert suggestions(ask, of="channel") == [("shop", "shop", 3)]
    viewed = {"of": "property", "fact_kind": "track", "fact_name": "Product Viewed"}
    assert suggestions(ask, **viewed, name="product_id") == [("P1", "P1", 2)]
    assert suggestions(ask, of="property", name="product_id") == [("P1", "P1", 2), ("P2", "P2", 1)]
    assert suggestions(ask, **viewed, name="channel") == [("web", "web", 1)]
    # Only of those of which another property is this.
    on_web = viewed | {"name": "product_id", "where": "channel", "where_is": "web"}
    assert suggestions(ask, **on_web) == [("P1", "P1", 1)]
    assert suggestions(ask, **on_web | {"where": "product_id", "where_is": "P2"}) == []
    # Too long for a word.
    assert suggestions(ask, **viewed, name="note") == []


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"of": "attribute", "name": "birth_date"}, "segments.personal_attribute"),
        ({"of": "attribute", "name": "shoe"}, "segments.no_attribute"),
        ({"of": "attribute"}, "segments.no_attribute"),
        ({"of": "property"}, "segments.bad_property"),
        ({"of": "property", "name": "a'b"}, "segments.bad_property"),
        ({"of": "property", "name": "a", "where": "a'b"}, "segments.bad_property"),
    ],
)
def test_what_is_no_word_has_no_values(ask: Ask, asked: dict[str, str], code: str) -> None:
    answer = ask("GET", "/api/segments/suggestions", params=asked)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_of_many_facts_some_are_looked_at(told: Workplace) -> None:
    with told.database.begin() as tx:
        tx.execute(
            sa.text(
                """
                INSERT INTO facts (fact_id, occurred_at, received_at, identity_id, source_id, kind, name, properties)
                SELECT gen_random_uuid(), occurred_at, received_at, identity_id, source_id, kind, 'Often',
                    jsonb_build_object('n', n)
                FROM (SELECT * FROM facts WHERE name = 'Wished') fact, generate_series(1, 30000) n
                """
            )
        )
    columns_now(told)
    often = next(one for one in words.words_now(told).facts if one.name == "Often")
    assert often.times == 30_000
    # About so many: thirteen times as far as such a number strays from its mean.
    assert abs(often.looked_at - 5_000) < 900
    assert [(one.name, one.times) for one in often.properties] == [("n", often.looked_at)]


def test_of_a_new_brand_there_are_no_words_yet(ask: Ask) -> None:
    found = vocabulary(ask)
    assert (found["facts"], found["tags"], found["categories"]) == ([], [], [])
    assert suggestions(ask, of="product") == []
