"""Lists of customers: the right ones, in the right order, each once, however the pages are cut."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shuke import access, collect, lifecycle, profiles
from shuke.base.errors import BadInput
from shuke.lifecycle import CustomerQuery, Sort
from shuke.lifecycle.service import listing
from shuke.platform import Workplace
from shuke.profiles.service import terms

AS_OF = datetime(2026, 7, 1, tzinfo=UTC)
NOW = AS_OF + timedelta(hours=3)
#: Member, name, and how many days ago each ordered for how much; the last two never did.
PEOPLE: tuple[tuple[str, str, tuple[tuple[int, int], ...]], ...] = (
    ("m1", "王小明", ((10, 5_000), (40, 5_000), (70, 5_000), (100, 9_000))),
    ("m2", "王大海", ((20, 2_000), (300, 2_000))),
    ("m3", "李小明", ((400, 90_000),)),
    ("m4", "Anna Berg", ((5, 1_000),)),
    ("m5", "Bernd Anders", ((5, 1_000),)),
    ("m6", "王五", ()),
    ("m7", "Nobody", ()),
)


@pytest.fixture
def people(workplace: Workplace) -> dict[str, UUID]:
    """The customers by their member number, refreshed."""
    found = {}
    with workplace.database.begin() as tx:
        source = collect.ensure_source(tx, "shop", now=NOW)
        for second, (member, name, orders) in enumerate(PEOPLE):
            came = NOW + timedelta(seconds=second)
            (one,) = profiles.resolve(tx, workplace.keyring, [[("member_number", member)]], came)
            assert one is not None
            found[member] = one.customer_id
            profiles.set_attributes(tx, workplace.keyring, [(one.customer_id, {"name": name})], NOW)
            stated = [
                collect.Order(
                    source_id=source,
                    order_id=f"{member}-{days}",
                    ordered_at=AS_OF - timedelta(days=days),
                    amount_minor=amount,
                    currency="CNY",
                    ids=(("member_number", member),),
                    channel="web" if days < 30 else "store",
                    store="s1" if member in ("m1", "m2") else "s2",
                )
                for days, amount in orders
            ]
            collect.save_orders(tx, workplace.keyring, stated, NOW)
        profiles.add_tags(tx, [profiles.NewTag(found[one], "VIP", "wecom") for one in ("m1", "m3", "m7")], NOW)
    lifecycle.refresh(workplace, as_of=AS_OF, now=NOW)
    return found


def listed(place: Workplace, people: dict[str, UUID], **asked: Any) -> list[str]:
    """The members of all pages together, in order."""
    paging = {name: asked.pop(name) for name in ("sort", "descending", "limit") if name in asked}
    names = {customer: member for member, customer in people.items()}
    members: list[str] = []
    after = None
    while True:
        with place.database.read() as tx:
            page = lifecycle.list_customers(
                tx,
                place.keyring,
                CustomerQuery(**asked),
                after=after,
                fields=access.all_fields(access.Seen.CLEAR),
                **paging,
            )
        members += [names[row.customer_id] for row in page.customers]
        after = page.next
        if after is None:
            return members


def test_every_order_has_everybody_once(workplace: Workplace, people: dict[str, UUID]) -> None:
    spent = {"m1": 24_000, "m2": 4_000, "m3": 90_000, "m4": 1_000, "m5": 1_000}
    # Nothing is predicted of so few, so that the value is what was spent; whoever never ordered comes last.
    for sort, ordered in {
        Sort.CREATED: ["m7", "m6", "m5", "m4", "m3", "m2", "m1"],
        Sort.VALUE: ["m3", "m1", "m2", "m5", "m4", "m7", "m6"],
        Sort.LAST_ORDER: ["m5", "m4", "m1", "m2", "m3", "m7", "m6"],
        Sort.ORDERS: ["m1", "m2", "m5", "m4", "m3", "m7", "m6"],
        Sort.CHURN: ["m7", "m6", "m5", "m4", "m3", "m2", "m1"],
    }.items():
        for limit in (1, 2, 3, 100):
            assert listed(workplace, people, sort=sort, limit=limit) == ordered, (sort, limit)
    assert listed(workplace, people, sort=Sort.VALUE, descending=False, limit=2) == [
        *sorted(spent, key=lambda member: (spent[member], member)),
        *("m6", "m7"),
    ]


CONDITIONS: list[tuple[dict[str, Any], set[str]]] = [
    ({"search": "小明"}, {"m1", "m3"}),
    ({"search": "王"}, {"m1", "m2", "m6"}),
    ({"search": "m4"}, {"m4"}),
    ({"search": "an"}, {"m4", "m5"}),
    ({"search": "王", "tags": ("VIP",)}, {"m1"}),
    ({"search": "berg ann"}, {"m4"}),
    ({"tags": ("VIP", "none")}, {"m1", "m3", "m7"}),
    ({"value_min_minor": 4_000, "value_max_minor": 24_000}, {"m1", "m2"}),
    ({"orders_min": 2}, {"m1", "m2"}),
    ({"orders_max": 1}, {"m3", "m4", "m5"}),
    ({"last_order_from": AS_OF - timedelta(days=10)}, {"m1", "m4", "m5"}),
    ({"first_order_to": AS_OF - timedelta(days=300)}, {"m2", "m3"}),
    ({"channels": ("web",)}, {"m4", "m5"}),
    ({"stages": ("none",)}, set()),
    ({"churn_min": 0.0}, set()),
]


@pytest.mark.oldest
def test_conditions_choose(workplace: Workplace, people: dict[str, UUID], monkeypatch: pytest.MonkeyPatch) -> None:
    # As few, who are looked at by their ids, and as many, of whom one after the other is.
    for few_max, (asked, members) in itertools.product((100, 1), CONDITIONS):
        monkeypatch.setattr(listing, "FEW_MAX", few_max)
        for sort in Sort:
            found = listed(workplace, people, sort=sort, limit=2, **asked)
            assert (len(found), set(found)) == (len(members), members), (asked, sort)


def test_who_was_merged_or_erased_is_in_no_list(workplace: Workplace, people: dict[str, UUID]) -> None:
    with workplace.database.begin() as tx:
        profiles.merge(tx, people["m1"], people["m2"], {"by": "test"}, NOW)
        profiles.erase(tx, people["m3"], NOW)
    assert listed(workplace, people, sort=Sort.VALUE) == ["m1", "m5", "m4", "m7", "m6"]
    with workplace.database.read() as tx:
        page = lifecycle.list_customers(tx, workplace.keyring, CustomerQuery(search="大海"))
    assert [row.customer_id for row in page.customers] == [people["m1"]]


def test_whom_a_search_does_not_mean_hides_nobody_behind_them(
    workplace: Workplace, people: dict[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if all names had the same terms, and a page were looked for once: most pages show nobody, and there is a next.
    monkeypatch.setattr(terms, "_number", lambda _: 7)
    monkeypatch.setattr(listing, "_PAGES_LOOKED_THROUGH_MAX", 1)
    with workplace.database.begin() as tx:
        tx.execute(sa.text("UPDATE vault SET terms = '{7}' WHERE terms IS NOT NULL"))
    assert listed(workplace, people, search="小明", sort=Sort.VALUE, limit=1) == ["m3", "m1"]


def test_a_row_says_what_is_known(workplace: Workplace, people: dict[str, UUID]) -> None:
    with workplace.database.read() as tx:
        page = lifecycle.list_customers(tx, workplace.keyring, CustomerQuery(search="m1"))
    (row,) = page.customers
    assert (row.customer_id, row.name, row.member_number, row.tags) == (people["m1"], "王**", "***", ("VIP",))
    assert (row.orders, row.spent_minor, row.value_minor) == (4, 24_000, 24_000)
    assert (row.value_low_minor, row.churn_probability, row.next_order_on) == (None, None, None)
    assert row.last_order_at == AS_OF - timedelta(days=10)
    assert (page.next, page.count, page.currency) == (None, lifecycle.Count(1, exact=True), "CNY")


def test_many_are_counted_roughly(
    workplace: Workplace, people: dict[str, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    with workplace.database.begin() as tx:
        tx.execute(sa.text("ANALYZE customers, customer_facts"))
        for_two = {"sort": Sort.VALUE, "limit": 2}
        assert lifecycle.list_customers(tx, workplace.keyring, CustomerQuery(), **for_two).count == lifecycle.Count(
            len(people), exact=True
        )
        monkeypatch.setattr(listing, "COUNTED_MAX", 3)
        count = lifecycle.list_customers(tx, workplace.keyring, CustomerQuery(), **for_two).count
    assert count is not None
    assert not count.exact
    assert count.customers >= 3


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(max_size=60))
def test_a_page_that_is_none_is_refused(workplace: Workplace, text: str) -> None:
    with workplace.database.read() as tx, pytest.raises(BadInput) as refused:
        lifecycle.list_customers(tx, workplace.keyring, CustomerQuery(), sort=Sort.VALUE, after=text)
    assert refused.value.code == "lifecycle.bad_page"


Ask = Callable[..., httpx.Response]


def test_lists_and_the_overview_over_http(people: dict[str, UUID], ask: Ask) -> None:
    body = {"search": "王", "sort": "value", "limit": 2}
    first = ask("POST", "/api/customers/list", json=body).json()
    assert [row["customer_id"] for row in first["customers"]] == [str(people["m1"]), str(people["m2"])]
    second = ask("POST", "/api/customers/list", json={**body, "after": first["next"]}).json()
    assert [row["customer_id"] for row in second["customers"]] == [str(people["m6"])]
    assert "王小明" not in str(first)
    refused = ask("POST", "/api/customers/list", json={"search": "x"})
    assert (refused.status_code, refused.json()["code"]) == (422, "profiles.search_too_short")

    seen = ask("GET", "/api/overview").json()
    assert (seen["customers"], seen["without_order"], seen["compared_with"]) == (7, 2, None)
    assert sum(stage["customers"] for stage in seen["stages"]) == 5
    assert sum(stage["historic_minor"] for stage in seen["stages"]) == 120_000


@pytest.mark.parametrize("few_max", [100, 0])
def test_who_sees_a_store_lists_its_customers_alone(
    workplace: Workplace,
    people: dict[str, UUID],
    ask: Ask,
    key_for: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    few_max: int,
) -> None:
    monkeypatch.setattr(listing, "FEW_MAX", few_max)
    key = key_for(workplace, "store_associate", places=("s1",))

    def seen(method: str, path: str, **options: Any) -> Any:
        return ask(method, path, headers={"authorization": f"Bearer {key}"}, **options).json()

    def found(**asked: Any) -> set[str]:
        rows = seen("POST", "/api/customers/list", json=asked)["customers"]
        return {member for member, customer in people.items() if str(customer) in {row["customer_id"] for row in rows}}

    assert found() == {"m1", "m2"}
    assert found(search="王") == {"m1", "m2"}
    assert found(search="小明", sort="value") == {"m1"}
    assert found(search="anna") == found(search="berg ann") == set()
    assert found(tags=["VIP"]) == {"m1"}
    figures = seen("GET", "/api/overview")
    assert (figures["customers"], figures["compared_with"]) == (2, None)
    assert sum(stage["historic_minor"] for stage in figures["stages"]) == 28_000
    assert sum(week["orders"] for week in figures["weeks"]) == 4
    assert seen("GET", "/api/lifecycle/values")["customers"] == 2
    assert sum(cell["customers"] for cell in seen("GET", "/api/lifecycle/rfm")["cells"]) == 2
    span = {"since": "2020-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z"}
    assert sum(flow["customers"] for flow in seen("GET", "/api/lifecycle/flows", params=span)["flows"]) == 2
    orders = [seen("GET", f"/api/customers/{people[member]}/orders")["orders"] for member in ("m1", "m3")]
    assert [len(listed) for listed in orders] == [4, 0]
    # More have the name than are looked at one by one, and the first of them are another store's.
    with workplace.database.begin() as tx:
        its = sa.text(
            "INSERT INTO identity_stores SELECT identity_id, 's2' FROM identities WHERE customer_id = :customer"
        )
        tx.execute(its, {"customer": people["m6"]})
    key = key_for(workplace, "store_associate", places=("s2",))
    assert found(search="王") == {"m6"}


@pytest.mark.usefixtures("people")
def test_the_overview_compares_with_a_week_ago(workplace: Workplace) -> None:
    later = AS_OF + timedelta(days=8)
    with workplace.database.begin() as tx:
        source = collect.ensure_source(tx, "shop", now=NOW)
        new = collect.Order(
            source_id=source,
            order_id="late",
            ordered_at=AS_OF + timedelta(days=6, hours=1),
            amount_minor=7_000,
            currency="CNY",
            ids=(("member_number", "m6"),),
        )
        collect.save_orders(tx, workplace.keyring, [new], later)
    lifecycle.refresh(workplace, as_of=later, now=later)
    with workplace.database.read() as tx:
        seen = lifecycle.overview(tx)
    assert seen.compared_with == AS_OF
    assert sum(stage.customers for stage in seen.stages) == 6
    assert sum(stage.before or 0 for stage in seen.stages) <= 5
    last = seen.weeks[-1]
    # The seventh of July 2026 is a Tuesday.
    assert last.monday.isoformat() == "2026-07-06"
    assert (last.orders, last.revenue_minor, last.new_customers) == (1, 7_000, 1)
    assert len(seen.weeks) == 13
    # Those who were lost when it was looked for the first time do not count as lost in that week.
    assert sum(week.lost_customers for week in seen.weeks) == 0
    assert sum(week.orders for week in seen.weeks) == 7


def test_before_the_first_refresh_there_are_customers_and_nothing_else(workplace: Workplace) -> None:
    with workplace.database.read() as tx:
        seen = lifecycle.overview(tx)
    assert (seen.refresh, seen.customers, seen.stages, seen.weeks) == (None, 0, (), ())
