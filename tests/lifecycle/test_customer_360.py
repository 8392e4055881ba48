"""One customer seen whole, by one call: masked unless the reader may see, whatever was merged, nobody after erasure."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from starlette.types import ASGIApp

from shuke import access, collect, lifecycle, profiles
from shuke.base.errors import BadInput, NotFound
from shuke.collect.service import traits
from shuke.collect.service.traits import write_traits
from shuke.platform import Transaction, Workplace

NOW = datetime(2026, 7, 1, 3, tzinfo=UTC)
AS_OF = datetime(2026, 7, 1, tzinfo=UTC)
SAID = NOW - timedelta(days=2)
PHONE, MAIL, STREET = "13812345678", "anna.canary@example.com", "Canary Street 7"


def resolved(tx: Transaction, place: Workplace, *ids: tuple[str, str]) -> profiles.Resolved:
    (one,) = profiles.resolve(tx, place.keyring, [ids], NOW)
    assert one is not None
    return one


Ask = Callable[[str], httpx.Response]


def asked(app: ASGIApp, path: str) -> httpx.Response:
    async def answer() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(path)

    return asyncio.run(answer())


@pytest.fixture
def ask(workplace: Workplace, web_of: Callable[..., ASGIApp]) -> Ask:
    return partial(asked, web_of(workplace))


def whole(place: Workplace, customer_id: UUID, **options: Any) -> lifecycle.Customer360:
    with place.database.read() as tx:
        return lifecycle.customer_360(tx, place.keyring, customer_id, NOW, **options)


@pytest.fixture
def anna(workplace: Workplace) -> UUID:
    """A customer with a name, a tag, three orders, and something that events told."""
    keyring = workplace.keyring
    with workplace.database.begin() as tx:
        one = resolved(tx, workplace, ("phone", PHONE), ("user_id", "u1"))
        profiles.set_attributes(tx, keyring, [(one.customer_id, {"name": "王小明", "city": "杭州"})], NOW)
        profiles.add_tags(tx, [profiles.NewTag(one.customer_id, "VIP", "wecom")], NOW)
        said = {
            "email": MAIL,
            "birthday": "1990-02-03",
            "plan": "gold",
            "address": {"street": STREET},
            "contacts": [MAIL],
            "visits": 7,
        }
        write_traits(tx, keyring, [(one.customer_id, SAID, name, value) for name, value in said.items()], NOW)
        source = collect.ensure_source(tx, "shop", now=NOW)
        orders = [
            collect.Order(
                source_id=source,
                order_id=f"o{number}",
                ordered_at=AS_OF - timedelta(days=100 * number),
                amount_minor=1000 * number,
                currency="CNY",
                status=collect.OrderStatus.COMPLETED,
                ids=(("phone", PHONE),),
            )
            for number in (1, 2, 3)
        ]
        collect.save_orders(tx, keyring, orders, NOW)
    return one.customer_id


@pytest.fixture
def _refreshed(workplace: Workplace, anna: UUID) -> None:  # noqa: ARG001 - after the orders
    lifecycle.refresh(workplace, as_of=AS_OF, now=NOW)


@pytest.mark.usefixtures("_refreshed")
def test_one_call_has_everything(workplace: Workplace, anna: UUID) -> None:
    found = whole(workplace, anna, latest=2, fields=access.CLEAR)
    with workplace.database.read() as tx:
        assert found.profile == profiles.profile_360(tx, workplace.keyring, anna, NOW, fields=access.CLEAR)
        assert found.computed == lifecycle.facts_of(tx, [anna])[anna]
        older = collect.timeline(tx, anna, before=found.timeline.next)
    assert found.traits["address"] == collect.Trait({"street": STREET}, SAID)
    assert found.traits["email"].value == MAIL
    assert found.computed is not None
    assert (found.computed.orders, found.computed.stage_since, found.computed.horizon_days) == (3, AS_OF, 365)
    assert [(fact.kind, fact.occurred_at) for fact in found.timeline.facts] == [
        ("stage", AS_OF),
        ("order", AS_OF - timedelta(days=100)),
    ]
    assert [fact.order_id for fact in older.facts] == ["o2", "o3"]
    assert older.next is None


def test_what_is_personal_is_masked(workplace: Workplace, anna: UUID) -> None:
    found = whole(workplace, anna)
    assert {name: one.value for name, one in found.traits.items()} == {
        "email": "a***@example.com",
        "birthday": "1990-**-**",
        "plan": "gold",
        "address": "***",
        "contacts": "***",
        "visits": 7,
    }
    assert found.profile.attributes["name"] == "王**"


def leaks(ask: Ask, customer_id: UUID) -> set[str]:
    answer = ask(f"/api/customers/{customer_id}")
    assert answer.status_code == 200, answer.text
    return {canary for canary in (PHONE, MAIL, STREET, "王小明", "1990-02-03") if canary in answer.text}


def test_nothing_personal_goes_over_the_wire(ask: Ask, anna: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    assert leaks(ask, anna) == set()
    monkeypatch.setattr(traits, "_shown", lambda _name, value, _fields: value)
    assert leaks(ask, anna) == {MAIL, STREET, "1990-02-03"}


def test_the_latest_word_of_customers_who_are_one_counts(workplace: Workplace, anna: UUID) -> None:
    later = SAID + timedelta(hours=1)
    with workplace.database.begin() as tx:
        other = resolved(tx, workplace, ("email", "b@example.com"))
        said = [(other.customer_id, later, "plan", "silver"), (other.customer_id, SAID - timedelta(1), "visits", 1)]
        write_traits(tx, workplace.keyring, said, NOW)
        profiles.merge(tx, anna, other.customer_id, {"by": "test", "why": "same"}, NOW)
    found = whole(workplace, other.customer_id)
    assert found.profile.customer_ids == (anna, other.customer_id)
    assert found.traits["plan"] == collect.Trait("silver", later)
    assert found.traits["visits"] == collect.Trait(7, SAID)
    assert found == whole(workplace, anna)


def test_who_has_not_ordered_has_no_computed_facts(workplace: Workplace) -> None:
    with workplace.database.begin() as tx:
        new = resolved(tx, workplace, ("user_id", "new"))
    found = whole(workplace, new.customer_id)
    assert (found.computed, found.timeline, found.traits) == (None, collect.TimelinePage((), None), {})


def test_the_erased_are_nobody(ask: Ask, workplace: Workplace, anna: UUID) -> None:
    with workplace.database.begin() as tx:
        profiles.erase(tx, anna, NOW)
    with pytest.raises(NotFound, match=r"profiles\.no_customer"):
        whole(workplace, anna)
    for customer_id in (anna, uuid4()):
        assert ask(f"/api/customers/{customer_id}").status_code == 404


def test_the_latest_facts_are_limited(ask: Ask, workplace: Workplace) -> None:
    for latest in (0, lifecycle.LATEST_MAX + 1):
        with pytest.raises(BadInput, match=r"lifecycle\.too_many_latest"):
            whole(workplace, uuid4(), latest=latest)
        assert ask(f"/api/customers/{uuid4()}?latest={latest}").status_code == 422


@pytest.mark.usefixtures("_refreshed")
def test_over_the_wire_it_is_the_profile_with_what_other_rooms_know(ask: Ask, anna: UUID) -> None:
    told = ask(f"/api/customers/{anna}?latest=1").json()
    assert told["customer_id"] == str(anna)
    assert told["traits"]["plan"] == {"value": "gold", "said_at": "2026-06-29T03:00:00Z"}
    assert told["computed"]["cannot_say"][0] == {
        "code": "gate.too_few_customers",
        "values": {"needed": 500, "found": 1},
    }
    older = ask(f"/api/customers/{anna}/timeline?before={told['timeline']['next']}").json()
    assert [fact["kind"] for fact in told["timeline"]["facts"] + older["facts"]] == ["stage"] + ["order"] * 3
