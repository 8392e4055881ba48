"""Every template is said in both languages, and finds somebody in a demo on the day on which that is made."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import httpx
import pytest

from shuke import lifecycle
from shuke.app.commands.demo import CURRENCY, REFRESHED_BEFORE, SEED
from shuke.app.commands.imports import ImportsOptions, bring_in
from shuke.app.demo.filling import add_simulated, read_history
from shuke.app.demo.moving import last_day, weeks_to_the_present, write_moved
from shuke.base.language import Language, catalogue
from shuke.platform import Database, Keyring, Settings, Workplace, duckdb_of
from shuke.segments.rules.checking import checked, read_tree, written_tree
from shuke.segments.rules.wording import sentence
from shuke.segments.service import previewing
from shuke.segments.service.asking import asking
from shuke.segments.service.columns import Columns, columns_now
from shuke.segments.service.previewing import preview
from shuke.segments.service.reading import names_of
from shuke.segments.service.templates import templates

SHIPPED = Path(__file__).parents[2] / "src" / "shuke" / "app" / "data" / "online_retail.parquet"
#: When the demo is made and asked, so that the test says the same every day; a Monday. (Its last order is of the Friday
#: before. The later in the week, the fewer of the carts of the last seven days are there; of an eighth, none at all.)
MADE = datetime(2025, 6, 9, 9, tzinfo=UTC)
#: Whom the demo's data do not know, and why.
NOBODY = {
    "first_order_bargain": "its orders have no discounts",
    "coupon_hunters": "its orders have no discounts",
    "last_order_discounted": "its orders have no discounts",
    "never_bought_with_consent": "it has no consents",
    "birthday_week": "it knows nobody's birthday",
    "high_value_likely_to_leave": "of one year of orders no chance of leaving can be told",
    "one_category": "its products have no categories",
    "many_categories": "its products have no categories",
    "one_channel": "its orders name no channel",
    "store_only_with_wechat": "its orders name no store, and nobody is known on WeChat",
}
#: Whom all of the demo's customers are who have ordered, and why.
EVERYBODY = {
    "without_consent": "it has no consents",
    "without_phone": "it knows member numbers alone",
}


@pytest.fixture(scope="module")
def made(
    new_database: Callable[[], str], keyring: Keyring, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Workplace, Columns]]:
    """A demo that was made then, of every eighth customer, and its columns as of then."""
    folder = tmp_path_factory.mktemp("demo")
    some, file = folder / "some.parquet", folder / "orders.parquet"
    with duckdb.connect() as connection:
        asked_for = f"SELECT * FROM read_parquet('{SHIPPED}') WHERE CustomerID % 8 = 3"  # noqa: S608 - a file of ours
        connection.execute(f"COPY ({asked_for}) TO '{some}' (FORMAT parquet)")
    write_moved(some, file, weeks_to_the_present(last_day(SHIPPED), MADE.date()))
    with Database(new_database()) as database:
        place = Workplace(Settings(data_folder=folder, database_url=database.url, time_zone="UTC"), database, keyring)
        asked = ImportsOptions(
            kind="orders",
            files=(str(file),),
            language=Language.ENGLISH,
            currency=CURRENCY,
            source="online-retail",
            rejects_folder=folder,
        )
        bring_in(asked, place)
        with duckdb_of(place.settings) as engine:
            history = read_history(place, engine)
        assert add_simulated(place, history, seed=SEED, now=MADE)
        today = MADE.replace(hour=0)
        for days in (*REFRESHED_BEFORE, 0):
            lifecycle.refresh(place, as_of=today - timedelta(days=days), now=MADE, currency=CURRENCY)
        yield place, replace(columns_now(place), at=MADE)


def test_there_is_a_text_for_each_and_each_has_one_only() -> None:
    codes = {one.code for one in templates()}
    groups = {one.group for one in templates()}
    for language in Language:
        texts = catalogue("shuke.segments", language).texts
        said = {key.split(".")[1] for key in texts if key.startswith("templates.")}
        assert said == codes
        assert {key.split(".")[1] for key in texts if key.startswith("template_groups.")} == groups
        names = [texts[f"templates.{code}.name"] for code in codes]
        assert len(set(names)) == len(names)


@pytest.mark.slow
def test_each_finds_somebody_and_not_everybody_on_the_day_the_demo_is_made(
    made: tuple[Workplace, Columns], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, columns = made
    monkeypatch.setattr(previewing, "latest_columns", lambda _: columns)
    found = {}
    with place.database.read() as tx:
        asked = asking(tx, place, MADE)
        for one in templates():
            assert read_tree(written_tree(checked(one.definition, asked.vocabulary))) == one.definition
            for language in Language:
                assert sentence(one.definition, language, names_of(tx, asked, language))
            found[one.code] = preview(place, asked, one.definition)
    ordered = preview(place, asked, read_tree({"node": "figure", "name": "orders", "test": {"op": "known"}})).customers
    assert {code for code, one in found.items() if not one.customers} == set(NOBODY)
    assert {code for code, one in found.items() if one.customers >= ordered} == set(EVERYBODY)


def test_templates_are_told_in_the_readers_language(ask: Callable[..., httpx.Response]) -> None:
    answer = ask("GET", "/api/segments/templates", headers={"Accept-Language": "zh-CN"}).json()["items"]
    assert [one["code"] for one in answer] == [one.code for one in templates()]
    vip = next(one for one in answer if one["code"] == "vip")
    assert (vip["name"], vip["group_name"], vip["text"]) == ("价值最高的 5%", "高价值", "至今与预期总价值最高的 5%")
