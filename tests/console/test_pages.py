"""Every page of the console as a person sees it: in both languages, on a desk and on a phone, quietly, for everybody.

The server is the real one, on customers that are made here.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from starlette.types import ASGIApp

from shuke import access, catalog, collect, lifecycle, profiles
from shuke.access.people_model import NewUser
from shuke.access.service import links, passwords, users
from shuke.app import console
from shuke.app.web import build_web
from shuke.platform import Database, Keyring, Settings, Workplace

NOW = datetime.now(UTC)
AS_OF = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
SHELL_BYTES_MAX = 350_000
PAGES: dict[str, str] = {
    "overview": "/overview",
    "customers": "/customers?stages=loyal&stages=at_risk&sort=churn",
    "customer": "/customers/{customer}",
    "nobody": "/customers/018f0000-0000-7000-8000-000000000000",
    "lifecycle": "/lifecycle?since=2020-01-01",
    "products": "/products",
    "data": "/data",
    "attributes": "/settings/attributes",
    "stores": "/settings/stores",
    "channels": "/settings/channels",
    "team": "/settings/team",
    "roles": "/settings/roles",
    "keys": "/settings/keys",
    "audit": "/settings/audit",
    "account": "/account",
    "nowhere": "/nothing/here",
    # Those that one comes in by.
    "sign_in": "/customers",
    "invite": "/invite#{invitation}",
    "used_up": "/invite#used",
    "setup": "/setup#token",
}
# Parts of pages, which look alike in what differs between the four: each is seen in two.
PARTS: dict[str, str] = {
    "value": "/lifecycle?part=value&channel=online",
    "cohorts": "/lifecycle?part=cohorts&measure=value&period=quarter",
    "retention": "/lifecycle?part=retention",
    "channels_won": "/lifecycle?part=channels&store=S1",
    "model": "/lifecycle?part=model",
    "baskets": "/products?part=baskets",
    "product_list": "/products?part=catalog",
    "behind": "/customers?r_scores=5&f_scores=1&bought=P1&ordered_from=2020-01-01&stood=outside@2020-01-01T00:00Z",
}
OPEN = ("sign_in", "invite", "used_up", "setup")
EMAIL, PASSWORD = "owner@brand.example", "a quiet river in autumn"

#: What is too wide for the window, but for what scrolls within itself.
TOO_WIDE = """[...document.querySelectorAll('#root *')]
  .filter(one => one.getBoundingClientRect().right > innerWidth + 1 && getComputedStyle(one).position !== 'fixed')
  .filter(one => {
    for (let up = one.parentElement; up; up = up.parentElement) {
      if (/auto|scroll|hidden/.test(getComputedStyle(up).overflowX)) return false;
    }
    return true;
  })
  .map(one => one.tagName + '.' + one.className)"""
#: Nothing is awaited any more, and what was to be shown is.
STILL = """(() => {
  const main = document.querySelector('main h1, main h2');
  return Boolean(main) && !document.querySelector('main [aria-busy="true"], main[aria-busy="true"]');
})()"""


@dataclass(frozen=True)
class Running:
    """A server with customers, and the address of each page."""

    address: str
    customer: UUID
    invitation: str


def filled(place: Workplace) -> UUID:
    """Make customers of every stage, the first of them with a bit of everything; gives that one's id."""
    with place.database.begin() as tx:
        source = collect.ensure_source(tx, "shop", now=NOW)
        rows = []
        for number in range(60):
            for turn in range(1 + number % 5):
                at = AS_OF - timedelta(days=3 + number * 5 + turn * 31, hours=number % 20)
                line = collect.OrderLine(f"P{turn}", "龙井 Tea", "tea", None, Decimal(1), 4_900 + number, None)
                rows.append(
                    collect.Order(
                        source_id=source,
                        order_id=f"o{number}-{turn}",
                        ordered_at=at,
                        amount_minor=4_900 + number * 137,
                        currency="CNY",
                        channel="online",
                        store="S1",
                        ids=(("phone", f"138{number:08d}"),),
                        lines=(line,),
                    )
                )
        collect.save_orders(tx, place.keyring, rows, NOW)
        (one, two) = profiles.resolve(
            tx, place.keyring, [[("phone", "13800000004"), ("member_number", "M-20260001")], [("user_id", "u-2")]], NOW
        )
        assert one is not None
        assert two is not None
        known = {
            "last_name": "王",
            "first_name": "小明",
            "city": "杭州",
            "birth_date": "1990-02-03",
            "gender": "female",
        }
        profiles.set_attributes(tx, place.keyring, [(one.customer_id, known)], NOW)
        profiles.add_tags(tx, [profiles.NewTag(one.customer_id, "VIP", "wecom")], NOW)
        profiles.merge(tx, one.customer_id, two.customer_id, {"by": "test", "why": "same_person"}, NOW)
        catalog.save_products(tx, [catalog.Product(product_id="P1", name="龙井 Tea", category="tea")], now=NOW)
        catalog.save_stores(tx, [catalog.Store(store_id="S1", name="西湖店", city="杭州")], now=NOW)
        catalog.save_channels(tx, [catalog.Channel(channel="online", name="网店")], now=NOW)
    lifecycle.refresh(place, as_of=AS_OF, now=NOW)
    return one.customer_id


@pytest.fixture(scope="module")
def running(
    new_database: Callable[[], str],
    keyring: Keyring,
    serve: Callable[[ASGIApp], AbstractContextManager[str]],
    built: Path,  # noqa: ARG001 - the server serves it
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Running]:
    """The server."""
    folder = tmp_path_factory.mktemp("console")
    with Database(new_database()) as database:
        settings = Settings(data_folder=folder, database_url=database.url, time_zone="Asia/Shanghai")
        place = Workplace(settings, database, keyring)
        customer = filled(place)
        hashed = passwords.hashed(PASSWORD)
        owner = NewUser(name="张伟", email=EMAIL, role="owner", language="en", password_hash=hashed)
        with database.begin() as tx:
            user_id = users.add_user(tx, owner, NOW)
            reader = access.reader_for(tx, kind="user", id=user_id, name="张伟", role="owner", places=())
            wanted = {"email": "li@brand.example", "role": "analyst", "places": [], "team_id": None}
            _, token = links.invite(tx, reader, **wanted, now=NOW)
            access.make_key(tx, reader, access.NewKey(name="till", role="analyst"), NOW)
        with serve(build_web(place)) as address:
            yield Running(address, customer, token)


@pytest.fixture(scope="module")
def cookies(browser: Any, running: Running) -> list[Any]:
    """What the owner's browser has after signing in."""
    browser.open(f"{running.address}/assets/none", width=1280)
    body = json.dumps({"email": EMAIL, "password": PASSWORD})
    sent = f"{{method: 'POST', headers: {{'content-type': 'application/json'}}, body: {json.dumps(body)}}}"
    assert browser.evaluate(f"fetch('/api/session', {sent}).then(answer => answer.status)") == 200
    return list(browser.call("Network.getCookies")["cookies"])


@pytest.fixture
def signed_in(browser: Any, cookies: list[Any]) -> None:
    """The browser as the owner's."""
    known = ("name", "value", "domain", "path", "httpOnly", "sameSite", "secure")
    given = [{name: cookie[name] for name in known if name in cookie} for cookie in cookies]
    browser.call("Network.setCookies", {"cookies": given})


def opened(browser: Any, running: Running, page: str, *, language: str, width: int = 1280, dark: bool = False) -> None:
    """Go to a page as somebody who has chosen this language and appearance, and wait until it is still."""
    chosen = {"shuke.language": language, "shuke.appearance": "dark" if dark else "light"}
    browser.before_each_page(f"Object.assign(localStorage, {json.dumps(chosen)})")
    if page in OPEN:
        browser.call("Network.clearBrowserCookies")
    # What is behind the # alone would load nothing.
    browser.open("about:blank", width=width)
    path = (PAGES | PARTS)[page].format(customer=running.customer, invitation=running.invitation)
    browser.open(f"{running.address}{path}", width=width)
    browser.wait_for(STILL)


#: What the server rightly answers with a refusal.
REFUSED = {"nobody": "404", "sign_in": "401", "used_up": "404"}


def troubles(browser: Any, page: str) -> list[str]:
    """What went wrong beyond what the page is about: refusals, errors, violations of the policy."""
    expected = REFUSED.get(page)
    failed = [one for one in browser.failures if not (expected and one.startswith(f"{expected} "))]
    told = [one for one in browser.console if not (expected and expected in one)]
    return failed + told


def findings(browser: Any, node_modules: Path) -> list[str]:
    """What axe finds that keeps somebody from using the page."""
    browser.evaluate((node_modules / "axe-core" / "axe.min.js").read_text() + "; undefined")
    found = browser.evaluate("axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)")
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


WAYS = {
    "zh-CN-desk-light": ("zh-CN", 1280, False),
    "zh-CN-phone-dark": ("zh-CN", 390, True),
    "en-desk-dark": ("en", 1280, True),
    "en-phone-light": ("en", 390, False),
}
LOOKS = [(page, way) for page in PAGES for way in WAYS] + [(page, way) for page in PARTS for way in list(WAYS)[1:3]]


@pytest.mark.slow
@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize(("page", "way"), LOOKS, ids=map("-".join, LOOKS))
def test_a_page_is_whole_quiet_fitting_and_for_everybody(
    browser: Any, running: Running, node_modules: Path, page: str, way: str
) -> None:
    language, width, dark = WAYS[way]
    opened(browser, running, page, language=language, width=width, dark=dark)
    assert troubles(browser, page) == []
    assert {url for url in browser.requests if not url.startswith((running.address, "about:"))} == set()
    assert browser.evaluate("document.documentElement.lang") == language
    assert browser.evaluate("document.title").endswith("熟客" if language == "zh-CN" else "Shuke")
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate(TOO_WIDE) == []
    assert findings(browser, node_modules) == []


@pytest.mark.usefixtures("signed_in")
def test_a_page_that_not_everybody_can_use_is_seen(browser: Any, running: Running, node_modules: Path) -> None:
    opened(browser, running, "nowhere", language="en")
    browser.evaluate("document.querySelector('main').innerHTML = '<button></button><h1>x</h1>'")
    assert any(one.startswith("button-name") for one in findings(browser, node_modules))


@pytest.mark.usefixtures("signed_in")
def test_a_policy_that_the_page_does_not_keep_is_seen(
    browser: Any, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = console.policy
    monkeypatch.setattr(console, "policy", lambda _: kept("another"))
    opened(browser, running, "nowhere", language="en")
    assert any("Content Security Policy" in one for one in troubles(browser, "nowhere"))


def test_the_shell_is_small(built: Path) -> None:
    page = (built / "index.html").read_text()
    scripts = re.findall(r'(?:src|href)="/assets/([^"]+\.js)"', page)
    assert scripts
    # With the words of the larger language, which the page loads next.
    words = max((path.stat().st_size for path in (built / "assets").glob("words.*.js.gz")), default=0)
    assert words > 0
    size = sum((built / "assets" / f"{name}.gz").stat().st_size for name in scripts) + words
    assert size <= SHELL_BYTES_MAX


@pytest.mark.usefixtures("signed_in")
def test_a_change_is_made_where_the_value_stands_and_can_be_undone(browser: Any, running: Running) -> None:
    opened(browser, running, "customer", language="en")
    browser.wait_for("document.body.innerText.includes('杭州')")
    browser.wait_for("document.querySelector('[aria-label=\"Change City\"]') !== null")
    browser.evaluate("document.querySelector('[aria-label=\"Change City\"]').click()")
    browser.wait_for("document.activeElement.matches('input[aria-label=\"City\"]')")
    browser.evaluate("document.activeElement.select()")
    browser.write("苏州")
    browser.press("Enter")
    browser.wait_for("[...document.querySelectorAll('dd')].some(one => one.innerText.includes('苏州'))")
    undo = "[...document.querySelectorAll('[class*=message] button')].find(one => one.innerText === 'Undo')"
    browser.wait_for(f"{undo} !== undefined")
    browser.evaluate(f"{undo}.click()")
    browser.wait_for("[...document.querySelectorAll('dd')].some(one => one.innerText.includes('杭州'))")
    assert troubles(browser, "customer") == []


def whom_the_list_counts(browser: Any) -> int:
    """The number of customers on the page that a mark led to."""
    said = "(document.querySelector('main header p')?.innerText ?? '')"
    browser.wait_for(f"location.pathname === '/customers' && /^[0-9,]+ customers?$/.test({said})")
    return int(browser.evaluate(f"{said}.replace(/[^0-9]/g, '')"))


def press_link(browser: Any, figure: str, column: int) -> int:
    """Show a figure as a table and press the first row's link with the keyboard; gives what the row counts."""
    browser.wait_for(f"document.querySelector('[aria-label=\"{figure} as a table\"]') !== null")
    browser.evaluate(f"document.querySelector('[aria-label=\"{figure} as a table\"]').click()")
    browser.wait_for("document.querySelector('main td a') !== null")
    row = "document.querySelector('main td a').closest('tr')"
    counted = int(browser.evaluate(f"{row}.children[{column}].innerText.replace(/[^0-9]/g, '')"))
    browser.evaluate("document.querySelector('main td a').focus()")
    browser.press("Enter")
    return counted


@pytest.mark.usefixtures("signed_in")
def test_behind_a_mark_are_as_many_as_it_says(browser: Any, running: Running) -> None:
    opened(browser, running, "lifecycle", language="en")
    flow = press_link(browser, "How customers moved", 2)
    assert whom_the_list_counts(browser) == flow > 0
    # Each condition can be taken away, and the way back leads to the view that it came from.
    assert browser.evaluate("document.querySelectorAll('main [aria-label=\"Conditions\"] li').length") == 2
    browser.evaluate("history.back()")
    browser.wait_for("location.pathname + location.search === '/lifecycle?since=2020-01-01'")

    opened(browser, running, "cohorts", language="en")
    cohort = press_link(browser, "Cohorts", 3)
    assert whom_the_list_counts(browser) == cohort > 0

    opened(browser, running, "value", language="en")
    # The cell itself, on the picture: of those of its size, any.
    cell = (
        "[...document.querySelectorAll('main div[role=img]')[0]?.querySelectorAll('path') ?? []].find(one => {"
        " const box = one.getBoundingClientRect(); return box.width > 30 && box.width < 160 && box.height > 30; })"
    )
    browser.wait_for(f"{cell} !== undefined")
    place = browser.evaluate(
        f"(() => {{ const box = {cell}.getBoundingClientRect();"
        " return {x: box.x + box.width / 2, y: box.y + box.height / 2}; })()"
    )
    for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
        at = {"x": place["x"], "y": place["y"], "button": "left", "clickCount": 1}
        browser.call("Input.dispatchMouseEvent", {"type": kind, **at})
    listed = whom_the_list_counts(browser)
    told = browser.evaluate("fetch('/api/lifecycle/rfm?channel=online').then(answer => answer.json())")
    asked = browser.evaluate("Object.fromEntries(new URLSearchParams(location.search))")
    scores = (int(asked["r_scores"]), int(asked["f_scores"]))
    counts = {(one["r_score"], one["f_score"]): one["customers"] for one in told}
    assert (asked["channels"], listed) == ("online", counts[scores])
    assert troubles(browser, "value") == []
