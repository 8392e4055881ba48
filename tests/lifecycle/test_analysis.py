"""Figures of orders, worked out by hand; and behind each of them the customers that it counts, and no others."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from pydantic import TypeAdapter

from shuke import collect, lifecycle, profiles
from shuke.access import Where
from shuke.base.errors import NotAvailable
from shuke.collect import Order, OrderLine, OrderStatus
from shuke.lifecycle import CustomerQuery, jobs
from shuke.lifecycle.analysis_model import Cohorts, Narrowing
from shuke.lifecycle.service import coming_back, desk, goods, prepared
from shuke.lifecycle.service.desk import Desk, whose
from shuke.lifecycle.service.usual import prepare_figures
from shuke.platform import Database, Keyring, Settings, Workplace

AS_OF = datetime(2026, 3, 15, tzinfo=UTC)
EARLIER = datetime(2026, 2, 1, tzinfo=UTC)
NOW = AS_OF + timedelta(hours=3)
#: Number, customer, day, channel, store, and the lines: product, category, amount, cost.
ORDERS: tuple[tuple[str, str, str, str, str, tuple[tuple[str, str, int, int | None], ...]], ...] = (
    ("1", "a", "2026-01-05", "web", "s1", (("P1", "tea", 10_000, 4_000),)),
    ("2", "b", "2026-01-20", "shop", "s2", (("P1", "tea", 1_500, None), ("P2", "pot", 500, None))),
    ("3", "c", "2026-02-03", "web", "s1", (("P1", "tea", 3_000, None),)),
    ("4", "a", "2026-02-10", "shop", "s1", (("P2", "pot", 5_000, None),)),
    ("5", "c", "2026-02-25", "web", "s1", (("P1", "tea", 1_000, None),)),
)


def order(
    number: str, customer: str, day: str, channel: str, store: str, lines: Any, status: str = "completed"
) -> Order:
    return Order(
        source_id=1,
        order_id=number,
        ordered_at=datetime.fromisoformat(day).replace(hour=9, tzinfo=UTC),
        amount_minor=sum(line[2] for line in lines),
        currency="CNY",
        status=OrderStatus(status),
        channel=channel,
        store=store,
        ids=(("member_number", customer),),
        lines=tuple(
            OrderLine(product, product.lower(), category, None, Decimal(1), amount, cost)
            for product, category, amount, cost in lines
        ),
    )


class Brand:
    """A brand of three customers, refreshed twice, and whoever asks of it."""

    def __init__(self, place: Workplace, web: Any) -> None:
        self.place, self.web = place, web
        self.customers: dict[str, UUID] = {}
        with place.database.begin() as tx:
            assert collect.ensure_source(tx, "shop", now=NOW) == 1
            for name in ("a", "b", "c"):
                (one,) = profiles.resolve(tx, place.keyring, [[("member_number", name)]], NOW)
                assert one is not None
                self.customers[name] = one.customer_id
            collect.save_orders(tx, place.keyring, [order(*one) for one in ORDERS], NOW)
            back = collect.Refund(
                source_id=1,
                refund_id="r",
                order_id="3",
                refunded_at=datetime(2026, 3, 1, tzinfo=UTC),
                amount_minor=500,
                currency="CNY",
            )
            collect.save_refunds(tx, place.keyring, [back], NOW)
        for as_of in (EARLIER, AS_OF):
            lifecycle.refresh(place, as_of=as_of, now=NOW)

    def ask(self, path: str, *, key: str | None = None, **options: Any) -> Any:
        """What the application answers: to a path, to an owner or whoever has the key."""

        async def answer() -> httpx.Response:
            headers = {} if key is None else {"authorization": f"Bearer {key}"}
            transport = httpx.ASGITransport(self.web, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
                return await client.request("POST" if "json" in options else "GET", f"/api/{path}", **options)

        found = asyncio.run(answer())
        assert found.status_code < 300, found.text
        return found.json()

    def listed(self, *, key: str | None = None, **asked: Any) -> set[str]:
        """Whom a list has; it counts them all."""
        page = self.ask("customers/list", key=key, json=asked)
        names = {str(customer): name for name, customer in self.customers.items()}
        found = {names[row["customer_id"]] for row in page["customers"]}
        assert page["count"] == {"customers": len(found), "exact": True}
        return found


@pytest.fixture(scope="module")
def brand(
    new_database: Callable[[], str],
    keyring: Keyring,
    web_of: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Brand]:
    with Database(new_database()) as database:
        settings = Settings(data_folder=tmp_path_factory.mktemp("lake"), database_url=database.url)
        place = Workplace(settings, database, keyring)
        yield Brand(place, web_of(place))


def table(found: dict[str, Any]) -> dict[str, list[tuple[int, int, int, int, bool]]]:
    """Cohorts as rows of (active, orders, money, value, complete), by the month."""
    names = ("active", "orders", "amount_minor", "value_minor", "complete")
    return {
        one["begins"][:7]: [tuple(cell[name] for name in names) for cell in one["cells"]] for one in found["cohorts"]
    }


JANUARY = [(2, 2, 12_000, 12_000, True), (1, 1, 5_000, 17_000, True), (0, 0, 0, 17_000, False)]
FEBRUARY = [(1, 2, 4_000, 4_000, True), (0, 0, 0, 3_500, False)]


def test_cohorts_are_as_by_hand(brand: Brand) -> None:
    found = brand.ask("lifecycle/cohorts")
    assert table(found) == {"2026-01": JANUARY, "2026-02": FEBRUARY}
    assert [(one["customers"], one["ends"]) for one in found["cohorts"]] == [(2, "2026-01-31"), (1, "2026-02-28")]
    assert (found["basis"]["currency"], found["basis"]["currencies"]) == ("CNY", ["CNY"])
    assert found["basis"]["as_of"] == "2026-03-15T00:00:00Z"
    quarters = brand.ask("lifecycle/cohorts?period=quarter")
    assert table(quarters) == {"2026-01": [(3, 5, 21_000, 20_500, False)]}
    assert quarters["cohorts"][0]["ends"] == "2026-03-31"


@pytest.mark.parametrize(
    ("narrowed", "months"),
    [
        ("since=2026-02-01", {"2026-02": FEBRUARY}),
        (
            "until=2026-01-05",
            {"2026-01": [(1, 1, 10_000, 10_000, True), (1, 1, 5_000, 15_000, True), (0, 0, 0, 15_000, False)]},
        ),
        ("channel=shop", {"2026-01": [(1, 1, 2_000, 2_000, True), (0, 0, 0, 2_000, True), (0, 0, 0, 2_000, False)]}),
        ("store=s2&channel=web", {}),
    ],
)
def test_customers_are_narrowed_by_their_first_order(brand: Brand, narrowed: str, months: dict[str, Any]) -> None:
    assert table(brand.ask(f"lifecycle/cohorts?{narrowed}")) == months


def test_who_comes_back_is_as_by_hand(brand: Brand) -> None:
    found = brand.ask("lifecycle/retention")
    # One of three after 22 days; of the two who were still waited for, one after 36. The third is not given up.
    assert [(point["days"], point["came_back"]) for point in found["curve"]] == [(22, 1), (36, 2)]
    assert [point["share"] for point in found["curve"]] == pytest.approx([1 / 3, 2 / 3])
    assert [(step["customers"], step["went_on"], step["share_within"]) for step in found["ladder"]] == [
        (3, 2, None),
        (2, 0, None),
    ]
    assert (found["customers"], found["gaps"]["median_days"]) == (3, 29)


def test_channels_are_as_by_hand(brand: Brand) -> None:
    web, shop = brand.ask("lifecycle/channels")["channels"]
    assert (web["channel"], web["customers"], web["repeat_customers"], web["orders"]) == ("web", 2, 2, 4)
    assert (web["revenue_minor"], web["refunds_minor"], web["first_order_minor"]) == (19_000, 500, 6_500)
    # 6000 of the order whose cost is known; six tenths, its margin, of all others.
    assert web["contribution_minor"] == 6_000 + 5_400 - 300
    assert web["margin_rate"] == pytest.approx(0.6)
    assert (web["historic_minor"], web["predicted_minor"], web["spend_minor"]) == (18_500, None, None)
    assert (shop["channel"], shop["customers"], shop["revenue_minor"], shop["historic_minor"]) == (
        "shop",
        1,
        2_000,
        2_000,
    )


def test_what_winning_customers_cost_is_told_to_who_sees_all(brand: Brand, key_for: Callable[..., str]) -> None:
    costs = "INSERT INTO costs (channel, period, currency, spend_minor) VALUES ('web', '2026-01-01', 'CNY', 4000)"
    with brand.place.database.begin() as tx:
        tx.execute(sa.text(costs))
    collect.update_lake(brand.place, rebuild=True)
    web, shop = brand.ask("lifecycle/channels")["channels"]
    # One customer was won by it in January, who brought 15 000.
    assert (web["spend_minor"], web["cost_minor"], web["value_to_cost"]) == (4_000, 4_000, 3.75)
    assert shop["spend_minor"] is None
    some = key_for(brand.place, "store_associate", places=("s1",))
    assert [one["spend_minor"] for one in brand.ask("lifecycle/channels", key=some)["channels"]] == [None]


def test_products_are_as_by_hand(brand: Brand) -> None:
    found = brand.ask("lifecycle/products")
    one, two = found["products"]
    assert (found["items"], found["for_80"], found["revenue_minor"], found["customers"]) == (2, 2, 21_000, 3)
    assert (one["key"], one["name"], one["revenue_minor"], one["orders"], one["customers"]) == (
        "P1",
        "p1",
        15_500,
        4,
        3,
    )
    assert (one["share"], one["repeat_share"]) == (pytest.approx(15.5 / 21), pytest.approx(1 / 3))
    assert (one["contribution_minor"], one["margin_rate"]) == (6_000, pytest.approx(0.6))
    assert (two["revenue_minor"], two["customer_share"], two["margin_rate"]) == (5_500, pytest.approx(2 / 3), None)
    categories = brand.ask("lifecycle/products?by=category&channel=shop")["products"]
    assert [(row["key"], row["revenue_minor"]) for row in categories] == [("pot", 5_500), ("tea", 1_500)]
    baskets = brand.ask("lifecycle/baskets")
    assert (baskets["orders"], baskets["needed"], baskets["pairs"]) == (5, 20, [])
    first = brand.ask("lifecycle/first-products")
    assert (first["days"], first["until"], first["products"]) == (90, "2025-12-15", [])


MOMENTS = {"since": EARLIER.isoformat(), "until": AS_OF.isoformat()}
BEHIND: list[tuple[dict[str, Any], set[str]]] = [
    ({"first_order_from": "2026-01-01T00:00:00Z", "first_order_to": "2026-01-31T23:59:59Z"}, {"a", "b"}),
    ({"bought": {"since": "2026-02-01T00:00:00Z", "until": "2026-02-28T23:59:59Z"}}, {"a", "c"}),
    ({"bought": {"products": ["P2"]}}, {"a", "b"}),
    ({"bought": {"products": ["P1", "P2"]}}, {"a", "b", "c"}),
    ({"bought": {"products": ["P1", "P2"], "together": True}}, {"b"}),
    ({"bought": {"categories": ["tea"], "channels": ["shop"]}}, {"b"}),
    ({"bought": {"products": ["P2"], "stores": ["s1"]}}, {"a"}),
    ({"first_products": ["P2"]}, {"b"}),
    ({"first_products": ["P1"]}, {"a", "b", "c"}),
    ({"came_back_within_days": 22}, {"c"}),
    ({"came_back_within_days": 36}, {"a", "c"}),
    ({"order_days_min": 2}, {"a", "c"}),
    ({"order_days_max": 1}, {"b"}),
    ({"channels": ["web"]}, {"a", "c"}),
    ({"no_channel": True}, set()),
    ({"channels": ["web"], "no_channel": True}, {"a", "c"}),
    ({"bought": {"categories": ["pot"], "no_category": True}}, {"a", "b"}),
    ({"ordered_on": {"until": "2026-02-10T23:59:59Z", "days_max": 1}}, {"b", "c"}),
    ({"ordered_on": {"until": "2026-02-25T23:59:59Z", "days_min": 2}}, {"a", "c"}),
    ({"ordered_on": {"until": "2026-01-04T23:59:59Z"}}, set()),
    ({"stood": [{"stages": ["outside"], "at": MOMENTS["since"]}]}, {"c"}),
    ({"r_scores": [1, 2, 3, 4, 5]}, {"a", "b", "c"}),
]


@pytest.mark.parametrize("few_max", [5_000, 0])
def test_behind_each_mark_are_those_whom_it_counts(
    brand: Brand, key_for: Callable[..., str], monkeypatch: pytest.MonkeyPatch, few_max: int
) -> None:
    # As few, who are found first, and as many, of whom one after the other is asked.
    monkeypatch.setattr("shuke.lifecycle.service.listing.FEW_MAX", few_max)
    some = key_for(brand.place, "store_associate", places=("s1",))
    for asked, members in BEHIND:
        assert brand.listed(**asked) == members, asked
        assert brand.listed(key=some, **asked) == members - {"b"}, asked


@pytest.mark.parametrize("few_max", [5_000, 0])
def test_behind_each_flow_and_cell_are_as_many_as_it_says(
    brand: Brand, key_for: Callable[..., str], monkeypatch: pytest.MonkeyPatch, few_max: int
) -> None:
    monkeypatch.setattr("shuke.lifecycle.service.listing.FEW_MAX", few_max)
    some = key_for(brand.place, "store_associate", places=("s1",))
    for key, customers in ((None, 3), (some, 2)):
        flows = brand.ask("lifecycle/flows", key=key, params=MOMENTS)
        assert (flows["first"], flows["since"]) == ("2026-02-01T00:00:00Z", "2026-02-01T00:00:00Z")
        assert sum(flow["customers"] for flow in flows["flows"]) == customers
        for flow in flows["flows"]:
            stood = [
                {"stages": [flow[side] or "outside"], "at": MOMENTS[moment]}
                for side, moment in (("before", "since"), ("after", "until"))
            ]
            assert len(brand.listed(key=key, stood=stood)) == flow["customers"]
        for cell in brand.ask("lifecycle/rfm", key=key)["cells"]:
            scores = {"r_scores": [cell["r_score"]], "f_scores": [cell["f_score"]]}
            assert len(brand.listed(key=key, **scores)) == cell["customers"]
        for stage in brand.ask("lifecycle/stages?channel=web", key=key)["stages"]:
            assert len(brand.listed(key=key, stages=[stage["stage"]], channels=["web"])) == stage["customers"]
        for band in brand.ask("lifecycle/values", key=key)["bands"]:
            bounds = {"value_min_minor": band["from_minor"], "value_max_minor": band["to_minor"] - 1}
            assert len(brand.listed(key=key, **bounds)) == band["customers"]


AFTERWARDS = EARLIER + timedelta(days=20)


@pytest.mark.parametrize("few_max", [5_000, 0])
def test_figures_of_a_past_day_are_those_of_then_and_so_are_the_customers_behind_them(
    brand: Brand, key_for: Callable[..., str], monkeypatch: pytest.MonkeyPatch, few_max: int
) -> None:
    monkeypatch.setattr("shuke.lifecycle.service.listing.FEW_MAX", few_max)
    some = key_for(brand.place, "store_associate", places=("s1",))
    for key, params, customers, brought in (
        (None, {}, 2, 12_000),
        (None, {"channel": "web"}, 1, 10_000),
        (None, {"store": "s2", "currency": "CNY"}, 1, 2_000),
        (some, {}, 1, 10_000),
    ):
        at = {"at": AFTERWARDS.isoformat(), **params}
        place = {f"{name}s": [value] for name, value in params.items() if name != "currency"}
        stages, cells, spread = (
            brand.ask(f"lifecycle/{what}", key=key, params=at) for what in ("stages", "rfm", "values")
        )
        known = {"first": "2026-02-01T00:00:00Z", "as_of": "2026-02-01T00:00:00Z", "past": True, "currency": "CNY"}
        assert stages["known"] == cells["known"] == spread["known"] == known
        marks = [
            *(({"stages": [one["stage"]]}, one) for one in stages["stages"]),
            *(({"r_scores": [one["r_score"]], "f_scores": [one["f_score"]]}, one) for one in cells["cells"]),
            *(
                ({"value_min_minor": one["from_minor"], "value_max_minor": one["to_minor"] - 1}, one)
                for one in spread["bands"]
            ),
        ]
        for asked, one in marks:
            stood = [{**asked, "at": known["as_of"]}]
            assert len(brand.listed(key=key, stood=stood, **place)) == one["customers"], asked
        assert sum(one["customers"] for _, one in marks) == 3 * customers
        assert sum(one["historic_minor"] for one in stages["stages"]) == brought
        assert sum(one["historic_minor"] for one in cells["cells"]) == brought
        assert sum(one["value_minor"] for one in spread["bands"]) == brought


def test_of_what_was_not_known_then_nobody_is_counted(brand: Brand) -> None:
    before = {"at": (EARLIER - timedelta(seconds=1)).isoformat()}
    for params, as_of in ((before, None), ({"currency": "USD"}, "2026-03-15T00:00:00Z")):
        stages, cells, spread = (brand.ask(f"lifecycle/{what}", params=params) for what in ("stages", "rfm", "values"))
        assert (stages["stages"], cells["cells"], spread["customers"], spread["bands"]) == ([], [], 0, [])
        assert {one["known"]["as_of"] for one in (stages, cells, spread)} == {as_of}
    assert brand.ask("lifecycle/flows", params={**MOMENTS, "currency": "USD"})["flows"] == []


def seen(brand: Brand, key: str | None, until: str = "2026-03-14") -> tuple[int, int]:
    """How many customers cohorts tell a reader of, and how much money products do."""
    cohorts = brand.ask(f"lifecycle/cohorts?until={until}", key=key)["cohorts"]
    products = brand.ask(f"lifecycle/products?until={until}", key=key)
    assert products["customers"] == sum(one["customers"] for one in cohorts)
    return products["customers"], products["revenue_minor"]


def test_who_sees_some_customers_is_told_of_no_other(
    brand: Brand, key_for: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert seen(brand, None) == (3, 21_000)
    first, second, nobody = (key_for(brand.place, "store_associate", places=(one,)) for one in ("s1", "s2", "s3"))
    assert seen(brand, first) == (2, 19_000)
    assert seen(brand, second) == (1, 2_000)
    assert seen(brand, nobody) == (0, 0)
    assert {one["channel"] for one in brand.ask("lifecycle/channels", key=second)["channels"]} == {"shop"}
    assert brand.ask("lifecycle/retention", key=second)["customers"] == 1
    assert brand.ask("lifecycle/baskets", key=second)["orders"] == 1
    # Somebody's own customers are by now those whom nobody gave them.
    assert seen(brand, key_for(brand.place, "service_agent", where=Where.OWN)) == (0, 0)
    # Tables that are not cut down are seen here.
    monkeypatch.setattr(desk, "of_customers", lambda tables, _: tables)
    assert seen(brand, nobody, until="2026-03-13") == (3, 21_000)


def test_an_answer_is_kept_until_something_changes(brand: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    at, computed = Desk(brand.place), []
    opens = desk.duckdb_of
    monkeypatch.setattr(desk, "duckdb_of", lambda *given, **how: computed.append(1) or opens(*given, **how))

    def asked(**narrowed: Any) -> Cohorts:
        with brand.place.database.read() as tx:
            by = whose(tx, everybody=True)
        return coming_back.cohorts(at, by, Narrowing(**narrowed))

    assert asked() == asked()
    assert len(computed) == 1
    asked(until=date(2026, 1, 31))
    assert len(computed) == 2
    cancelled = order(*ORDERS[1], status="cancelled")
    for status in (cancelled, order(*ORDERS[1])):
        with brand.place.database.begin() as tx:
            collect.save_orders(tx, brand.place.keyring, [status], NOW + timedelta(minutes=len(computed)))
        collect.update_lake(brand.place)
        # Of many orders, what is new waits until a worker has prepared it.
        with monkeypatch.context() as many:
            many.setattr(prepared, "ORDERS_AT_ONCE_MAX", 0)
            assert sum(one.customers for one in asked().cohorts) == (3 if status is cancelled else 2)
        assert sum(one.customers for one in asked().cohorts) == (2 if status is cancelled else 3)
    assert len(computed) == 4


@pytest.mark.parametrize("refreshed", [True, False])
def test_a_night_that_refreshed_prepares(brand: Brand, refreshed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[Workplace] = []
    monkeypatch.setattr(jobs, "refresh_when_due", lambda *_: refreshed)
    monkeypatch.setattr(jobs, "prepare_figures", places.append)
    context: Any = SimpleNamespace(additional_context={"workplace": brand.place})
    jobs.nightly_refresh.func(context, 0)
    assert places == [brand.place] * refreshed


def test_what_everybody_asks_first_is_answered_before(brand: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "LEFT_SECONDS", 0)
    collect.update_lake(brand.place, rebuild=True)
    prepare_figures(brand.place)
    folders = sorted((brand.place.settings.data_folder / "desk").iterdir(), key=lambda one: one.stat().st_mtime)
    assert len(folders) <= prepared.FOLDERS_MAX
    assert {file.stem for file in folders[-1].glob("*.json")} == {
        "basis",
        *("answer-cohorts-month", "answer-retention", "answer-channels"),
        *("answer-products-product-100", "answer-baskets-50", "answer-first_products-100"),
    }
    expected = brand.ask("lifecycle/cohorts")
    # Another process computes none of it.
    monkeypatch.setattr(Desk, "_answer", None)
    with brand.place.database.read() as tx:
        by = whose(tx, everybody=True)
    found = coming_back.cohorts(Desk(brand.place), by, Narrowing())
    assert TypeAdapter(Cohorts).dump_python(found, mode="json") == expected
    assert goods.products(Desk(brand.place), by, Narrowing()).customers == 3


def test_a_server_that_is_busy_says_so(brand: Brand, monkeypatch: pytest.MonkeyPatch) -> None:
    at = Desk(brand.place)
    with brand.place.database.read() as tx:
        by = whose(tx, everybody=True)
    monkeypatch.setattr(desk, "WAIT_SECONDS_MAX", 0.01)
    turns = [at._turns.acquire() for _ in range(desk.AT_ONCE_MAX)]
    with pytest.raises(NotAvailable) as refused:
        coming_back.cohorts(at, by, Narrowing())
    assert refused.value.code == "lifecycle.busy"
    monkeypatch.setattr(desk, "WAITING_MAX", 0)
    with pytest.raises(NotAvailable):
        coming_back.cohorts(at, by, Narrowing())
    for _ in turns:
        at._turns.release()
    monkeypatch.setattr(desk, "WAITING_MAX", 1)
    assert len(coming_back.cohorts(at, by, Narrowing()).cohorts) == 2


def test_before_the_first_refresh_there_are_no_figures(workplace: Workplace) -> None:
    with workplace.database.read() as tx:
        by = whose(tx, everybody=False)
    found = coming_back.cohorts(Desk(workplace), by, Narrowing())
    assert (found.basis.as_of, found.cohorts) == (None, ())


def test_too_much_is_refused(brand: Brand) -> None:
    with brand.place.database.read() as tx:
        for query in (
            CustomerQuery(stood=(lifecycle.StoodIn(("lost",), AS_OF),) * 3),
            CustomerQuery(bought=collect.Bought(products=tuple("abcdef"), together=True)),
            CustomerQuery(first_products=("x",) * 51),
        ):
            with pytest.raises(Exception, match=r"lifecycle\.too_many_words"):
                lifecycle.list_customers(tx, brand.place.keyring, query)


def test_a_pair_says_how_many_orders_and_how_many_customers_it_stands_for(
    brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shuke.insight.baskets._ORDERS_MIN", 1)
    again = ("9", "b", "2026-02-27", "shop", "s2", ORDERS[1][-1])
    with brand.place.database.begin() as tx:
        collect.save_orders(tx, brand.place.keyring, [order(*again)], NOW + timedelta(days=1))
    collect.update_lake(brand.place)
    (pair,) = brand.ask("lifecycle/baskets")["pairs"]
    assert (pair["orders"], pair["customers"]) == (2, 1)
    asked = {"products": [pair["first"], pair["second"]], "together": True}
    assert len(brand.listed(bought=asked)) == pair["customers"]


def test_behind_what_has_no_name_are_those_whom_it_counts(brand: Brand) -> None:
    with brand.place.database.begin() as tx:
        tx.execute(sa.text("UPDATE orders SET channel = NULL WHERE order_id = '2'"))
        tx.execute(sa.text("UPDATE order_lines SET category = NULL WHERE product_id = 'P2'"))
    lifecycle.refresh(brand.place, as_of=AS_OF, now=NOW)
    counts = {one["channel"]: one["customers"] for one in brand.ask("lifecycle/channels")["channels"]}
    assert counts == {"web": 2, None: 1}
    assert brand.listed(no_channel=True) == {"b"}
    assert brand.listed(no_channel=True, channels=["web"]) == {"a", "b", "c"}
    found = {one["key"]: one["customers"] for one in brand.ask("lifecycle/products?by=category")["products"]}
    assert found == {"tea": 3, None: 2}
    assert brand.listed(bought={"no_category": True}) == {"a", "b"}
    shop = brand.ask("lifecycle/products?by=category&store=s2")["products"]
    assert {one["key"]: one["customers"] for one in shop}[None] == 1
    assert brand.listed(bought={"no_category": True, "stores": ["s2"]}) == {"b"}
