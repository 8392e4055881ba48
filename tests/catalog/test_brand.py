"""What the brand says of itself: kept, checked, in the log, and taken by all who ask for its clock."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from shuke import catalog
from shuke.app.web import build_web
from shuke.base.language import Language
from shuke.platform import Workplace
from shuke.reports.service.making import ReportTerms

NOW = datetime(2026, 11, 22, 17, tzinfo=UTC)
PATH = "/api/settings/brand"
NOTHING: dict[str, Any] = {"name": None, "time_zone": None, "currency": None, "margin": None}
ALL: dict[str, Any] = {"name": "龙井茶庄", "time_zone": "Asia/Shanghai", "currency": "CNY", "margin": 0.35}


def test_a_brand_says_nothing_until_it_does(ask: Callable[..., httpx.Response]) -> None:
    assert ask("GET", PATH).json() == {**NOTHING, "time_zone_default": "UTC"}
    assert ask("PUT", PATH, json=ALL).json() == {**ALL, "time_zone_default": "UTC"}
    assert ask("PUT", PATH, json={**ALL, "margin": None}).status_code == 200
    assert ask("GET", PATH).json() == {**ALL, "margin": None, "time_zone_default": "UTC"}
    lines = ask("GET", "/api/audit", params={"action": "brand.change"}).json()["items"]
    assert [(line["before"], line["after"]) for line in lines] == [(ALL, {**ALL, "margin": None}), (NOTHING, ALL)]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"name": " x"}, "catalog.bad_brand_name"),
        ({"name": "a\nb"}, "catalog.bad_brand_name"),
        ({"time_zone": "Mars/Olympus"}, "base.unknown_timezone"),
        ({"currency": "XQX"}, "base.unknown_currency"),
        ({"margin": 0}, "app.bad_request"),
        ({"margin": 35}, "app.bad_request"),
        ({"age": 1}, "app.bad_request"),
    ],
)
def test_what_no_brand_is_changes_nothing(ask: Callable[..., httpx.Response], wrong: dict[str, Any], code: str) -> None:
    ask("PUT", PATH, json=ALL)
    refused = ask("PUT", PATH, json={**ALL, **wrong})
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert ask("GET", PATH).json() == {**ALL, "time_zone_default": "UTC"}


def test_the_zone_of_the_environment_counts_until_the_brand_says_one(workplace: Workplace) -> None:
    with workplace.database.begin() as tx:
        assert catalog.zone_of(tx, workplace.settings) == "UTC"
        catalog.save_brand(tx, catalog.Brand(time_zone="Asia/Tokyo"), now=NOW)
        assert catalog.zone_of(tx, workplace.settings) == "Asia/Tokyo"


def test_the_page_of_the_console_has_the_brand_s_clock(workplace: Workplace) -> None:
    served = build_web(workplace).router.default
    assert served.time_zone() == "UTC"  # type: ignore[attr-defined]
    with workplace.database.begin() as tx:
        catalog.save_brand(tx, catalog.Brand(time_zone="Asia/Tokyo"), now=NOW)
    assert served.time_zone() == "Asia/Tokyo"  # type: ignore[attr-defined]


def test_a_report_is_made_as_the_brand_says_where_nothing_else_is_asked_for() -> None:
    brand = catalog.Brand(**ALL)
    plain = ReportTerms(languages=(Language.ENGLISH,)).of_brand(brand)
    assert (plain.brand, plain.currency, plain.margin) == ("龙井茶庄", "CNY", 0.35)
    asked = ReportTerms(languages=(Language.ENGLISH,), brand="Tea", currency="EUR", margin=1.0)
    assert asked.of_brand(brand) == asked
    assert ReportTerms(languages=(Language.ENGLISH,), by_costs=True).of_brand(brand).margin is None
