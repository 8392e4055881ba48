"""Every page of the console as a person sees it: in both languages, on a desk and on a phone, quietly, for everybody.

The server is the real one, on customers that are made here.
"""

import contextlib
import itertools
import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pyotp
import pytest
import sqlalchemy as sa
from starlette.types import ASGIApp

from shuke import access, catalog, collect, lifecycle, profiles
from shuke.access.people_model import NewUser
from shuke.access.service import links, passwords, users
from shuke.app import console
from shuke.app.web import build_web
from shuke.base.language import Language
from shuke.collect.jobs import import_files, preview_file
from shuke.connectors.model import EventKind, Post, Reply
from shuke.connectors.service.deliveries import send_test
from shuke.connectors.service.endpoints import Wanted, add_endpoint
from shuke.connectors.service.sending import send_due
from shuke.platform import Asker, Database, Keyring, Settings, Workplace, new_file, queue_job
from shuke.reports.exports.html import page_policy
from shuke.reports.service.making import ReportTerms
from shuke.reports.tables import reports
from shuke.segments.jobs import find_clusters
from shuke.segments.rules.checking import read_tree
from shuke.segments.service.asking import asking
from shuke.segments.service.building import build
from shuke.segments.service.definitions import add_segment, save_segment
from shuke.segments.service.following import follow

NOW = datetime.now(UTC)
AS_OF = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
SHELL_BYTES_MAX = 350_000
PAGES: dict[str, str] = {
    "overview": "/overview",
    "customers": "/customers?stages=loyal&stages=at_risk&sort=churn",
    "customer": "/customers/{customer}",
    "nobody": "/customers/018f0000-0000-7000-8000-000000000000",
    "segments": "/segments",
    "new_segment": "/segments/new?from=stages%3Dloyal%26tags%3DVIP%26stood%3Dlost%402020-01-01T00%3A00Z",
    "lists": "/segments/lists",
    "change_segment": "/segments/{segment}/edit",
    "segment": "/segments/{segment}",
    "compared": "/segments/{segment}/compare/{other}",
    "groups": "/segments/groups",
    "lifecycle": "/lifecycle?since=2020-01-01",
    "products": "/products",
    "data": "/data",
    "import": "/data/import",
    "brand": "/settings/brand",
    "stage_rules": "/settings/stages",
    "looked": "/data/import?looked={looked}",
    "imported": "/data/imports/{imported}",
    "report": "/report",
    "attributes": "/settings/attributes",
    "stores": "/settings/stores",
    "channels": "/settings/channels",
    "team": "/settings/team",
    "roles": "/settings/roles",
    "keys": "/settings/keys",
    "webhooks": "/settings/webhooks",
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
    "segment_changes": "/segments/{segment}?part=changes",
    "segment_sizes": "/segments/{segment}?part=sizes",
    "segment_compare": "/segments/{segment}?part=compare",
    "segment_profile": "/segments/{segment}?part=profile",
    "segment_uses": "/segments/{segment}?part=uses",
    "segment_versions": "/segments/{segment}?part=versions",
    "segment_members": "/customers?segment={segment}",
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
    place: Workplace
    customer: UUID
    invitation: str
    looked: UUID
    imported: UUID
    segment: UUID
    other: UUID


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


#: Of every kind that is written in a way of its own.
SAID: dict[str, Any] = {
    "node": "all",
    "of": [
        {"node": "figure", "name": "stage", "test": {"op": "is_not", "values": ["lost"]}},
        {
            "node": "any",
            "of": [
                {
                    "node": "did",
                    "what": {"of": "orders", "goods": {"categories": ["tea"]}},
                    "times": {"op": "at_least", "values": [2]},
                    "window": {"when": "last", "span": {"n": 12, "unit": "months"}},
                },
                {"node": "tag", "tag": "VIP"},
                {
                    "node": "sequence",
                    "steps": [
                        {"what": {"of": "orders", "which": "first"}},
                        {
                            "what": {"of": "orders"},
                            "within": {"n": 40, "unit": "days"},
                            "unless": {"what": {"of": "facts", "kind": "refund"}, "within": {"n": 7, "unit": "days"}},
                        },
                    ],
                },
            ],
        },
        {"node": "none", "of": [{"node": "top", "by": "orders", "n": 1}]},
    ],
}


OFTEN: dict[str, Any] = {"node": "figure", "name": "orders", "test": {"op": "at_least", "values": [3]}}


def segments(place: Workplace) -> tuple[UUID, UUID]:
    """A segment that has said two things, and another, with customers in common."""
    first = {"node": "all", "of": SAID["of"][:1]}
    with place.database.begin() as tx:
        asked = asking(tx, place)
        made = add_segment(tx, asked, "常客", read_tree(first), made_by="张伟", now=NOW)
        save_segment(tx, asked, made.segment_id, "常客", read_tree(SAID), made_by="张伟", now=NOW)
        other = add_segment(tx, asked, "买过三次", read_tree(OFTEN), made_by="张伟", now=NOW)
    for one in (made, other):
        build(place, one.segment_id, datetime.now(UTC))
    return made.segment_id, other.segment_id


ORDERS = "订单号,会员手机号,下单时间,实付金额\nf1,13800000001,2026-05-01 10:00,99\nf2,13800000002,2026-05-02,abc\n"
#: What a page of a report must not do, were there a way to get it in.
HOSTILE = "<!doctype html><html lang=zh><title>x</title><h1>Report</h1><script>document.title = 'taken'</script>"


def imported(place: Workplace, user_id: UUID) -> tuple[UUID, UUID]:
    """A file that the owner has sent, looked at and brought in; gives the numbers of the two jobs."""
    asker = Asker("user", user_id, "张伟")
    with new_file(place, kind="import", name="订单.csv", media_type="text/csv", asker=asker, days=1) as out:
        out.write(ORDERS.encode())
        with place.database.begin() as tx:
            file = str(out.finish(tx).file_id)
            told = {
                "kind": "orders",
                "files": [{"file_id": file, "name": "订单.csv"}],
                "mapping": {},
                "source": "files",
                "currency": "CNY",
                "timezone": None,
                "identity_kind": None,
                "dry_run": False,
                "language": "zh-CN",
            }
            looked = queue_job(tx, preview_file, kind="collect.preview", asker=asker, asked={"file_id": file})
            job = queue_job(tx, import_files, kind="collect.import", asker=asker, asked=told)
    worked(place, preview_file, looked)
    worked(place, import_files, job)
    return looked, job


def worked(place: Workplace, task: Any, job: UUID | str) -> None:
    """Do a job as the worker does."""
    task.func(SimpleNamespace(additional_context={"workplace": place}), str(job))


def grouped(place: Workplace, user_id: UUID) -> None:
    """Groups of customers that the owner has found."""
    with place.database.begin() as tx:
        told = {"clusters": None, "language": "zh-CN"}
        job = queue_job(tx, find_clusters, kind="segments.clusters", asker=Asker("user", user_id, "张伟"), asked=told)
    worked(place, find_clusters, job)


def report(place: Workplace, user_id: UUID) -> None:
    """A report whose page would do harm if it could."""
    asker = Asker("user", user_id, "张伟")
    with new_file(place, kind="report", name="report.html", media_type="text/html", asker=asker, days=1) as out:
        out.write(HOSTILE.encode())
        with place.database.begin() as tx:
            file = out.finish(tx)
            finding = {"code": "loyal_core", "headline": "忠诚顾客带来一半的销售额", "confidence": "high"}
            finding |= {"money": 1_234.5, "money_label": "每年", "customers": 12}
            tx.execute(
                sa.insert(reports).values(
                    report_id=UUID(int=7),
                    made_at=NOW,
                    data_until=NOW.date(),
                    terms=ReportTerms(languages=(Language.CHINESE,)).told(),
                    currency="CNY",
                    customers=60,
                    policy=page_policy(),
                    files={"zh-CN": {"html": {"file_id": str(file.file_id), "size_bytes": file.size_bytes}}},
                    findings={"zh-CN": [finding]},
                    who="张伟",
                    scheduled=True,
                )
            )


class Refusing:
    """A receiver of webhooks that takes nothing."""

    async def post(self, _: Post) -> Reply:
        return Reply(status=500, answer="not now")


def told(place: Workplace, made: UUID) -> None:
    """Have webhooks, of which one was tried and takes nothing."""
    with place.database.begin() as tx:
        for name, on in (("Automation", True), ("Old shop system", False)):
            said = {"kinds": tuple(EventKind), "segment_ids": [made], "on": on}
            wanted = Wanted(name=name, url="https://hooks.example.com/shuke/in", **said)
            one, _ = add_endpoint(tx, place.keyring, wanted, own_hosts=(), made_by="张伟", now=NOW)
            if on:
                send_test(tx, one.endpoint_id, NOW)
    assert send_due(place, Refusing()) == 1


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
            users.add_user(tx, replace(owner, name="手", email="hands@brand.example"), NOW)
            reader = access.reader_for(tx, kind="user", id=user_id, name="张伟", role="owner", places=())
            wanted = {"email": "li@brand.example", "role": "analyst", "places": [], "team_id": None}
            _, token = links.invite(tx, reader, **wanted, now=NOW)
            access.make_key(tx, reader, access.NewKey(name="till", role="analyst"), NOW)
        report(place, user_id)
        looked, job = imported(place, user_id)
        with pytest.MonkeyPatch.context() as patch, serve(build_web(place)) as address:
            # Of so few customers a shop would be told no more than that they are few.
            for module in ("service.clustering", "measures.profile"):
                patch.setattr(f"shuke.segments.{module}.CUSTOMERS_MIN", 5)
            grouped(place, user_id)
            made = segments(place)
            told(place, made[0])
            yield Running(address, place, customer, token, looked, job, *made)


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


def opened(browser: Any, running: Running, page: str, *, language: str, width: int = 1280) -> None:
    """Go to a page as somebody who has chosen this language, and wait until it is still."""
    chosen = {"shuke.language": language, "shuke.appearance": "system"}
    browser.before_each_page(f"Object.assign(localStorage, {json.dumps(chosen)})")
    if page in OPEN:
        browser.call("Network.clearBrowserCookies")
    # What is behind the # alone would load nothing.
    browser.open("about:blank", width=width)
    path = (PAGES | PARTS)[page].format(**vars(running))
    browser.open(f"{running.address}{path}", width=width)
    browser.wait_for(STILL)


#: What the server rightly answers with a refusal.
REFUSED = {"nobody": "404", "sign_in": "401", "used_up": "404", "report": "Content Security Policy"}


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


#: Styles of components that were not made as the console was built, and cost each visitor their making.
MADE_HERE = """[...document.querySelectorAll("style[data-css-hash]:not([data-token-hash])")]
  .map(style => style.textContent.slice(0, 80))"""

APPEARS = {"zh-CN": False, "en": True}
#: Every page in both languages; of those that are many views of one kind, each in one.
LOOKS = [(page, language) for page in PAGES for language in APPEARS]
LOOKS += [(page, language) for page, language in zip(PARTS, itertools.cycle(APPEARS), strict=False)]


@pytest.mark.slow
@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize(("page", "language"), LOOKS, ids=map("-".join, LOOKS))
def test_a_page_is_whole_quiet_fitting_and_for_everybody(
    browser: Any, running: Running, node_modules: Path, page: str, language: str
) -> None:
    """On a desk, and then on a phone with the other appearance."""
    first_dark = APPEARS[language]
    browser.appear(dark=first_dark)
    opened(browser, running, page, language=language)
    for width, dark in ((1280, first_dark), (390, not first_dark)):
        browser.resize(width=width)
        browser.appear(dark=dark)
        browser.wait_for(f"document.documentElement.dataset.appearance === '{'dark' if dark else 'light'}'")
        browser.wait_for(f"{STILL} && document.getAnimations().length === 0")
        assert troubles(browser, page) == []
        assert {url for url in browser.requests if not url.startswith((running.address, "about:"))} == set()
        assert browser.evaluate("document.documentElement.lang") == language
        assert browser.evaluate("document.title").endswith("熟客" if language == "zh-CN" else "Shuke")
        assert browser.evaluate("document.documentElement.scrollWidth") <= width
        assert browser.evaluate(TOO_WIDE) == []
        assert browser.evaluate(MADE_HERE) == []
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


@pytest.mark.usefixtures("signed_in")
def test_a_page_of_a_report_reaches_nothing(browser: Any, running: Running) -> None:
    """Its script is none of the two that reports have; should it run, it would still have no origin."""
    opened(browser, running, "report", language="zh-CN")
    browser.wait_for("document.querySelector('iframe') !== null")
    page = browser.evaluate("document.querySelector('iframe').src")
    browser.open(page, width=1280)
    browser.wait_for("document.querySelector('h1') !== null")
    assert browser.evaluate("document.title") == "x"
    assert any("Content Security Policy" in one for one in browser.console)
    assert browser.evaluate("origin") == "null"
    # A policy that lets it run is seen.
    with running.place.database.begin() as tx:
        tx.execute(sa.update(reports).values(policy="script-src 'unsafe-inline'"))
    try:
        browser.open(page, width=1280)
        assert browser.evaluate("document.title") == "taken"
        assert browser.evaluate("origin") == "null"
        opened(browser, running, "report", language="zh-CN")
        browser.wait_for("document.querySelector('iframe') !== null")
        assert browser.evaluate("document.title") == "报告 · 熟客"
    finally:
        with running.place.database.begin() as tx:
            tx.execute(sa.update(reports).values(policy=page_policy()))


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


#: What a person presses, by its name; and what they type into, choose from, or see.
HANDS = """
window.hands ??= {
  shown: one => one.getClientRects().length > 0 && getComputedStyle(one).visibility !== 'hidden',
  name: one => (one.getAttribute('aria-label') || one.innerText || '').trim(),
  find: (name, kinds) => [...document.querySelectorAll(kinds)].reverse().find(
    one => hands.shown(one) && !one.disabled && hands.name(one) === name),
  button: name => hands.find(name, 'button, a, [role=button], [role=menuitem], label'),
  dialogs: () => [...document.querySelectorAll('[role=dialog]')].filter(hands.shown).length,
}
"""


class Person:
    """Somebody with their hands on the page."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser

    def press(self, name: str) -> None:
        """Press the button, link or entry of this name, once it is there; of several the one on top."""
        self.waits(f"Boolean(hands.button({json.dumps(name)}))")
        self.browser.evaluate(f"hands.button({json.dumps(name)}).click()")

    def field(self, name: str) -> str:
        """The field that is called so, by itself or by its label."""
        labelled = f"document.querySelector(`input[id='${{hands.find({json.dumps(name)}, 'label')?.htmlFor}}']`)"
        return f"(hands.find({json.dumps(name)}, 'input, textarea') || {labelled})"

    def types(self, name: str, text: str) -> None:
        """Type into the field that is called so, in place of what is there."""
        field = self.field(name)
        self.waits(f"Boolean({field})")
        self.browser.evaluate(f"(one => {{ one.focus(); one.select(); }})({field})")
        self.browser.write(text)

    def chooses(self, name: str, option: str) -> None:
        """Choose an option of the selection that is called so."""
        field = self.field(name)
        self.waits(f"Boolean({field})")
        entry = (
            f"[...document.querySelectorAll('.ant-select-item-option')]"
            f".find(one => hands.shown(one) && one.innerText.trim() === {json.dumps(option)})"
        )
        # A form that is just opening takes the focus for its first field: then once more.
        for _ in range(3):
            self.browser.evaluate(f"{field}.focus()")
            self.browser.press("ArrowDown")
            with contextlib.suppress(AssertionError):
                self.waits(f"Boolean({entry})", seconds=5)
                break
        self.waits(f"Boolean({entry})")
        self.browser.evaluate(f"{entry}.click()")

    def sees(self, text: str) -> None:
        """Wait until the page says something."""
        self.waits(f"document.body.innerText.includes({json.dumps(text)})")

    def sees_no_more(self, text: str) -> None:
        """Wait until the page says something no more."""
        self.waits(f"!document.body.innerText.includes({json.dumps(text)})")

    def waits(self, expression: str, *, seconds: float = 15) -> None:
        """Wait until it is so; on a page that was loaded anew, too."""
        # At each look: the page may be another by then.
        self.browser.wait_for(f"({HANDS.strip()}, {expression})", seconds=seconds)


@pytest.fixture
def person(browser: Any, running: Running) -> Callable[..., Person]:
    """Signs in an owner of their own, whose session the test may change, and opens a page."""

    def at(page: str, *, width: int = 1280) -> Person:
        browser.call("Network.clearBrowserCookies")
        browser.before_each_page("Object.assign(localStorage, {'shuke.language': 'en', 'shuke.appearance': 'light'})")
        browser.open(f"{running.address}/assets/none", width=width)
        body = json.dumps({"email": "hands@brand.example", "password": PASSWORD})
        sent = f"{{method: 'POST', headers: {{'content-type': 'application/json'}}, body: {json.dumps(body)}}}"
        assert browser.evaluate(f"fetch('/api/session', {sent}).then(answer => answer.status)") == 200
        browser.open(f"{running.address}{page.format(customer=running.customer)}", width=width)
        browser.wait_for(STILL)
        return Person(browser)

    return at


@pytest.mark.slow
def test_dialogs_about_a_customer_do_what_they_say(person: Callable[..., Person]) -> None:
    at = person("/customers/{customer}")
    # Two become one, and are two again.
    at.press("Merge")
    at.types("Value", "13800000005")
    at.press("Find")
    at.sees("There is such a customer.")
    at.press("Merge into this customer")
    at.sees("The two are one customer now.")
    at.press("Undo")
    at.sees_no_more("The two are one customer now.")
    # The merge that was there before is undone by its own button, which asks first.
    at.press("Undo")
    at.sees("Undo this merge?")
    at.press("Cancel")
    at.sees_no_more("Undo this merge?")
    # Whole values, for a reason.
    at.sees("138****0004")
    at.press("Show whole values")
    at.chooses("Why", "To call back")
    at.press("Show whole values")
    at.sees("+8613800000004")
    at.press("Hide again")
    at.sees_no_more("+8613800000004")
    # A tag of another source goes and comes back as it was.
    at.press("Remove the tag VIP")
    at.sees("The tag “VIP” is removed.")
    at.press("Undo")
    at.sees("VIP")
    # What is personal is not replaced before it is said that nobody can bring it back.
    at.press("Change First name")
    at.types("First name", "小红")
    at.press("Save")
    at.sees("Replace First name?")
    at.press("Cancel")
    at.sees_no_more("Replace First name?")
    # What somebody says is recorded.
    at.press("Record consent")
    at.types("Version of the notice", "privacy-2026-01")
    at.press("Save")
    at.sees("notice privacy-2026-01")
    assert troubles(at.browser, "customer") == []


@pytest.mark.slow
def test_dialogs_about_who_may_do_what_do_what_they_say(person: Callable[..., Person]) -> None:
    is_there = "[...document.querySelectorAll('h2')].some(one => one.innerText === 'helper')"
    at = person("/settings/roles")
    at.press("New role")
    at.types("Code", "helper")
    at.press("Save")
    at.waits(f"{is_there} && hands.dialogs() === 0")
    at.press("Edit")
    at.press("Save")
    at.waits("hands.dialogs() === 0")
    at.press("Remove")
    at.sees("Remove the role helper?")
    at.press("Remove")
    at.waits(f"!{is_there}")

    at = person("/settings/keys")
    at.press("New key")
    at.types("What it is for", "till two")
    at.press("New key")
    at.sees("Copy it now")
    at.waits("document.querySelector('[role=dialog] input')?.value.startsWith('sk_')")
    at.press("Close")
    at.press("Revoke")
    at.sees("What uses it is refused at once.")
    at.press("Revoke")
    at.sees("revoked")

    at = person("/account")
    at.press("Set up")
    at.waits("document.querySelector('[role=dialog] code')?.innerText.length > 15")
    secret = at.browser.evaluate("document.querySelector('[role=dialog] code').innerText")
    at.types("Six digits", pyotp.TOTP(secret).now())
    at.press("Turn on")
    at.press("I have kept them")
    at.press("New recovery codes")
    at.sees("count no more")
    at.press("New recovery codes")
    at.press("I have kept them")
    at.press("Remove")
    at.sees("Your password alone will then be enough.")
    at.press("Remove")
    at.waits("Boolean(hands.button('Set up'))")
    assert troubles(at.browser, "account") == []


@pytest.mark.slow
def test_a_webhook_is_made_tried_and_taken_away(person: Callable[..., Person], running: Running) -> None:
    at = person("/settings/webhooks")
    at.press("Add a webhook")
    at.types("Name", "Partner")
    at.types("Address", "http://partner.example.com/in")
    at.press("Save")
    at.sees("goes to port 443 or 8443")
    at.types("Address", "https://partner.example.com/in")
    at.press("Save")
    at.sees("It is shown this once; copy it now.")
    at.waits("document.querySelector('[role=dialog] input')?.value.startsWith('whsec_')")
    at.press("Close")
    at.sees("https://partner.example.com/in")
    at.press("New secret for Partner")
    at.sees("Messages are signed by both secrets for 24 hours")
    at.press("New secret")
    at.waits("document.querySelector('[role=dialog] input')?.value.startsWith('whsec_')")
    at.press("Close")
    at.press("Messages to Partner")
    at.sees("No messages")
    at.press("Send a test")
    at.press("Details")
    at.sees('"type": "webhook.test"')
    send_due(running.place, Refusing())
    at.sees("Answered, but not with success")
    at.sees("not now")
    # The address that was refused, and nothing else.
    assert [one for one in troubles(at.browser, "webhooks") if "422" not in one] == []
    at = person("/settings/webhooks")
    at.press("Remove Partner")
    at.sees("what was sent to it is forgotten")
    at.press("Remove")
    at.sees_no_more("https://partner.example.com/in")


def test_who_signed_in_long_ago_is_asked_again_and_what_they_began_goes_on(
    person: Callable[..., Person], running: Running
) -> None:
    at = person("/settings/team")
    with running.place.database.begin() as tx:
        tx.execute(sa.text("UPDATE sessions SET signed_in_at = signed_in_at - interval '1 hour'"))
    at.press("New sign-in link")
    at.sees("Is it still you?")
    at.types("Password of hands@brand.example", PASSWORD)
    at.press("Go on")
    at.waits("document.querySelector('[role=dialog] input')?.value.includes('/invite#')")
    # Only that it was asked for went wrong.
    assert [one[:3] for one in at.browser.failures] == ["403"]
    at.press("Close")
    # And the new session does what the old one did: who is disabled leaves no key behind, which is said before.
    with running.place.database.begin() as tx:
        gone = NewUser(name="Gone", email="gone@brand.example", role="owner", language="en")
        gone_id = users.add_user(tx, gone, NOW)
        reader = access.reader_for(tx, kind="user", id=gone_id, name="Gone", role="owner", places=())
        _, secret = access.make_key(tx, reader, access.NewKey(name="their key", role="analyst"), NOW)
    at.browser.evaluate("location.reload()")
    at.press("Edit Gone")
    at.chooses("Role", "Analyst")
    at.sees("their key")
    at.press("Save")
    at.waits("hands.dialogs() === 0")
    at.press("Disable Gone")
    at.sees("What uses them is refused at once")
    at.press("Disable")
    at.waits("hands.dialogs() === 0")
    at.sees("disabled")
    with running.place.database.begin() as tx:
        assert access.reader_of_key(tx, secret, NOW) is None
    at.press("Add")
    at.types("Name of the team", "Tea")
    at.press("Save")
    at.sees("0 members")


@pytest.mark.slow
def test_many_are_tagged_and_exported_and_tags_come_back(person: Callable[..., Person]) -> None:
    at = person("/customers?stages=lost")
    tagged = (
        "[...document.querySelectorAll('.ant-table-row .ant-tag')].filter(one => one.innerText === 'spring').length"
    )
    at.waits("document.querySelectorAll('.ant-table-row').length > 30")
    at.browser.evaluate("document.querySelector('.ant-table-thead .ant-checkbox-input').click()")
    at.press("Add a tag")
    at.types("Tag", "spring")
    at.press("Add")
    at.sees("customers got the tag “spring”.")
    at.waits(f"{tagged} > 30")
    at.press("Undo")
    at.waits(f"{tagged} === 0")
    # All whom a list finds that is longer than its page, and to a file.
    at = person("/customers")
    at.waits("document.querySelectorAll('.ant-table-row').length >= 50")
    at.browser.evaluate("document.querySelector('.ant-table-thead .ant-checkbox-input').click()")
    everybody = "[...document.querySelectorAll('button')].find(one => /^Select all \\d/.test(one.innerText))"
    at.waits(f"Boolean({everybody})")
    at.browser.evaluate(f"{everybody}.click()")
    at.press("Remove a tag")
    at.types("Tag", "spring")
    at.press("Remove")
    at.sees("was taken off, 0 in all.")
    at = person("/customers?stages=lost")
    at.press("Export")
    at.press("Make the file")
    at.waits("document.querySelector('[role=dialog] [role=progressbar]') !== null")
    at.press("Close")
    assert troubles(at.browser, "customers") == []


@pytest.mark.slow
def test_a_view_is_kept_with_its_columns_and_comes_back(person: Callable[..., Person]) -> None:
    at = person("/customers?stages=lost")
    # The view has what the address said, and the columns in their order.
    at.press("Save as view")
    at.types("Name of the view", "Win back")
    at.press("Save")
    at.sees("The view “Win back” is saved.")
    at.waits("Boolean(hands.button('Choose a view: Win back'))")
    at.press("Columns")
    at.press("Move Stage up")
    at.sees("Changed, not saved")
    at.waits("document.querySelectorAll('.ant-table-thead th')[2].innerText === 'Stage'")
    at.press("Move Stage down")
    at.sees_no_more("Changed, not saved")
    at.press("Move Stage up")
    at.press("Save")
    at.sees_no_more("Changed, not saved")
    at.press("More about this view")
    at.press("Begin with this view")
    at.browser.open(f"{at.browser.evaluate('location.origin')}/customers", width=1280)
    at.waits("location.search.includes('stages=lost')")
    at.waits("document.querySelectorAll('.ant-table-thead th')[2]?.innerText === 'Stage'")
    at.press("More about this view")
    at.press("Delete the view")
    at.sees("The view “Win back” is deleted.")
    at.press("Undo")
    at.press("Choose a view: All customers")
    at.sees("Win back")
    assert troubles(at.browser, "customers") == []


@pytest.mark.slow
def test_settings_are_changed_with_their_effect_in_sight_and_come_back(person: Callable[..., Person]) -> None:
    at = person("/settings/stages")
    loyal = "[...document.querySelectorAll('[data-row-key=loyal] td')].pop()?.innerText"
    at.waits(f"{loyal} === '4'")
    at.types("Rule 6: value of Days with an order", "3")
    at.waits(f"({loyal} ?? '').startsWith('6')")
    at.types("Name of Loyal, English", "Regulars")
    at.press("Save")
    at.sees("The stages are saved.")
    at.sees("Version 1")
    at.waits("[...document.querySelectorAll('[data-row-key=loyal] td')][0]?.innerText === 'Regulars'")
    at.press("Undo")
    at.sees("Version 2")
    at.waits("[...document.querySelectorAll('[data-row-key=loyal] td')][0]?.innerText === 'Loyal'")

    at = person("/settings/brand")
    at.types("Name", "Dragon Well")
    at.press("Save")
    at.sees("The brand is saved.")
    at.press("Undo")
    at.waits("document.querySelector('form input').value === ''")

    at = person("/settings/stores")
    at.press("Edit 西湖店")
    at.types("Region", "east")
    at.press("Save")
    at.sees("east")
    at.press("Undo")
    at.sees_no_more("east")
    assert troubles(at.browser, "stores") == []


COUNTED = "document.querySelector('main [role=status] strong')?.innerText"
#: Drag the handle of one statement over the lower half of another, and let go.
DRAG = """((from, to) => {
  const statement = name => document.querySelector(`[role=group][aria-label="${name}"]`).closest('li');
  const [handle, target] = [statement(from).querySelector('[draggable=true]'), statement(to)];
  const dataTransfer = new DataTransfer();
  const box = target.getBoundingClientRect();
  const at = { bubbles: true, cancelable: true, dataTransfer, clientX: box.x + 20, clientY: box.bottom - 2 };
  const step = (one, kind) => one.dispatchEvent(new DragEvent(kind, at));
  step(handle, 'dragstart');
  return new Promise(done => setTimeout(() => {
    step(target, 'dragover');
    setTimeout(() => { step(target, 'drop'); step(handle, 'dragend'); done(); }, 50);
  }, 50));
})"""


@pytest.mark.slow
def test_a_segment_is_built_of_sentences_that_are_moved(person: Callable[..., Person]) -> None:
    at = person("/segments")
    at.press("New segment")
    at.types("Name", "Regulars")
    # By keys alone: the menu, what it adds, its form, and back to the part that was changed.
    at.waits("Boolean(hands.button('Add a statement'))")
    at.browser.evaluate("hands.button('Add a statement').focus()")
    at.browser.press("Enter")
    at.waits("document.activeElement.role === 'menuitem' && document.activeElement.innerText === 'Stage'")
    at.browser.press("Enter")
    at.waits("document.activeElement.ariaLabel === 'Comparison'")
    at.sees("One statement is not finished")
    at.chooses("Values", "Loyal")
    at.press("Done")
    at.waits("document.activeElement.ariaLabel === 'Condition: is Loyal'")
    at.waits(f"{COUNTED} === '4'")
    at.sees("stage is Loyal")
    # A group of two, of which one is enough; the figure follows.
    at.press("Add a statement")
    at.press("Bought")
    at.press("Done")
    at.waits("Boolean(hands.button('When: in the last 90 days'))")
    at.press("More for Statement 2")
    at.press("Put into a group")
    at.waits("document.activeElement.ariaLabel === 'More for Statement 2.1'")
    at.browser.evaluate(f"{DRAG}('Statement 1', 'Statement 2.1')")
    at.waits("Boolean(document.querySelector('[aria-label=\"Statement 1.2\"]'))")
    at.sees("at least one order in the last 90 days or stage is Loyal")
    # What was just added and has moved does not open its form again.
    assert at.browser.evaluate("hands.dialogs()") == 0
    at.press("More for Statement 1.2")
    at.press("Move out of the group")
    at.sees("and stage is Loyal")
    at.press("More for Statement 1.1")
    at.press("Remove")
    at.press("Undo")
    at.waits("Boolean(document.querySelector('[aria-label=\"Statement 1.1\"]'))")
    at.press("More for Any of these")
    at.press("Remove")
    at.waits(f"{COUNTED} === '4'")
    # A draft is not left by mistake.
    at.press("Cancel")
    at.sees("Leave without saving?")
    at.press("Stay")
    at.sees_no_more("Leave without saving?")
    assert at.browser.evaluate("location.pathname") == "/segments/new"
    at.press("Cancel")
    at.press("Leave")
    at.waits("location.pathname === '/segments'")
    assert troubles(at.browser, "new_segment") == []


def test_a_template_is_found_and_begun_with(person: Callable[..., Person]) -> None:
    at = person("/segments")
    at.press("From a template")
    # By what the groups are called, not by their codes.
    at.sees("What they think of you")
    at.types("Search templates", "birthday")
    at.sees_no_more("What they think of you")
    at.press("Take this one: Birthday within a week")
    at.waits("location.pathname === '/segments/new'")
    at.sees("date of birth has its anniversary today or in the next 7 days")
    at.waits("Boolean(hands.button('Condition: has its anniversary today or in the next 7 days'))")
    # What nobody but people can say: where they live, what they like and think.
    at.press("Add a statement")
    at.sees("Interests and attitudes")
    at.press("Lives near a store")
    at.sees("One statement is not finished")
    at.sees("lives in the")
    assert troubles(at.browser, "template") == []


@pytest.mark.slow
def test_a_segment_is_saved_and_changed_and_what_it_said_comes_back(
    person: Callable[..., Person], running: Running
) -> None:
    at = person("/segments/new?from=stages%3Dloyal")
    at.types("Name", "Regulars")
    at.waits(f"{COUNTED} === '4'")
    at.press("Save")
    at.sees("“Regulars” is saved.")
    # A worker brings its members up to date, and asks who was touched since the columns; there is none here.
    at.sees("Bringing members up to date")
    made = UUID(at.browser.evaluate("location.pathname.split('/')[2]"))
    build(running.place, made, datetime.now(UTC))
    while follow(running.place, datetime.now(UTC)).more:
        pass
    at.browser.open(f"{running.address}/segments/{made}", width=1280)
    at.sees("4 customers")
    at.waits("document.querySelectorAll('main .ant-table-row').length === 4")
    # Why somebody is in it.
    at.browser.evaluate("[...document.querySelectorAll('main .ant-table-row button')][0].click()")
    at.sees("Holds")
    at.sees("Is: Loyal")
    at.press("Close")
    # It is changed; what it said before is seen beside it, and comes back.
    at.press("Change")
    at.press("Condition: is Loyal")
    at.chooses("Comparison", "is not (or is not known)")
    at.press("Done")
    at.waits(f"{COUNTED} > '4'")
    at.press("Save")
    at.sees("Version 2 has not been built yet.")
    at.press("Versions")
    at.press("See the difference between version 1 and now")
    at.waits("document.querySelectorAll('[data-marked=gone], [data-marked=new]').length === 2")
    at.press("Take up again: version 1")
    at.sees("Version 1 is in force again.")
    at.sees("Version 3")
    at.press("Archive Regulars")
    at.press("Archive")
    at.waits("location.pathname === '/segments'")
    at.sees_no_more("Regulars\n")
    assert troubles(at.browser, "segments") == []


@pytest.mark.slow
def test_what_is_wrong_with_a_statement_is_said_there(person: Callable[..., Person]) -> None:
    at = person("/segments/new?from=churn_min%3D0.5%26orders_min%3D1")
    at.press("Condition: is at least 50%")
    at.chooses("Comparison", "is from … to …")
    at.types("To", "20")
    at.press("Done")
    alert = "document.querySelector('[aria-label=\"Statement 2\"] [role=alert]')"
    at.waits(f"({alert}?.innerText ?? '').includes('cannot be asked')")
    assert {one[:3] for one in at.browser.failures} == {"422"}
    # Whoever goes to another address is asked by the browser, and whoever goes to another page by the page.
    at = person("/segments/new?from=orders_min%3D1")
    at.press("Condition: is at least 1")
    at.chooses("Comparison", "is from … to …")
    at.press("Done")
    at.press("Cancel")
    at.press("Leave")
    at.waits("location.pathname === '/segments'")


@pytest.mark.slow
def test_a_list_of_customers_is_kept_as_a_segment(person: Callable[..., Person]) -> None:
    said = "/customers?stages=loyal&stages=at_risk&orders_min=2"
    at = person(said)
    listed = whom_the_list_counts(at.browser)
    at = person(f"{said}&came_back_within_days=400")
    at.press("Keep as a segment")
    at.sees("stage is Loyal or At risk, and number of orders is at least 2")
    at.waits(f"{COUNTED} === '{listed}'")
    assert listed > 0
    # What no segment says is not left out silently.
    at.sees("how soon they came back")


TRAITS = "[...document.querySelectorAll('main table[aria-label=\"What sets it apart\"] tbody tr')]"


@pytest.mark.slow
def test_what_sets_a_segment_apart_is_ranked_and_laid_beside_another(
    person: Callable[..., Person], running: Running
) -> None:
    one, other = running.segment, running.other
    at = person(f"/segments/{one}")
    assert not any("/profile" in url for url in at.browser.requests)
    at.press("What sets it apart")
    at.waits(f"{TRAITS}.length > 0")
    told = asked(at.browser, f"/api/segments/{one}/profile")
    at.sees(f"Worked out of {told['customers']} customers in it and {told['against']} others")
    if len(told["items"]) > 12:
        at.press(f"Show all {len(told['items'])}")
    at.waits(f"{TRAITS}.length === {len(told['items'])}")
    shown = at.browser.evaluate(f"{TRAITS}.map(row => [...row.children].map(cell => cell.innerText.trim()))")
    assert [row[0] for row in shown] == [trait["text"] for trait in told["items"]]
    for (_, effect), trait in zip(shown, told["items"], strict=True):
        size = abs(trait["effect"])
        word = "Large" if size >= 0.8 else "Medium" if size >= 0.5 else "Small" if size >= 0.2 else "Slight"
        assert effect.split() == [word, f"{'−' if trait['effect'] < 0 else '+'}{size:.2f}".rstrip("0").rstrip(".")]
    # Beside another: who is in which, from either side.
    at.press("Compare")
    at.chooses("Compare with", "买过三次")
    at.waits(f"location.pathname === '/segments/{one}/compare/{other}'")
    told = asked(at.browser, f"/api/segments/compare?one={one}&other={other}")
    figures = [told["only_one"], told["both"], told["only_other"]]
    parts = "[...document.querySelectorAll('main dl dd')].map(one => parseInt(one.innerText)).join()"
    at.waits(f"{parts} === {json.dumps(','.join(map(str, figures)))}")
    assert told["both"] > 0
    assert told["both"] + told["only_other"] == told["other"]["customers"]
    at.press("The other way round")
    at.waits(f"location.pathname === '/segments/{other}/compare/{one}'")
    at.waits(f"{parts} === {json.dumps(','.join(map(str, reversed(figures))))}")
    at.chooses("Compare with", "Everyone else")
    at.waits(f"location.pathname + location.search === '/segments/{other}?part=profile'")
    at.waits(f"{TRAITS}.length > 0")
    assert troubles(at.browser, "segment") == []


@pytest.mark.slow
def test_groups_are_found_and_one_is_kept(
    person: Callable[..., Person], running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = person("/segments")
    at.press("Find groups")
    at.sees("No groups have been looked for yet")
    at.chooses("Groups", "3 groups")
    at.press("Find groups")
    at.sees("Waiting to begin")
    job = at.browser.evaluate("new URLSearchParams(location.search).get('job')")
    worked(running.place, find_clusters, job)
    # The page hears of it by itself.
    at.sees("All 60 customers with an order are in one of them")
    result = asked(at.browser, f"/api/jobs/{job}")["result"]
    at.sees("Their mean silhouette is")
    # The groups themselves; what sets each apart can be kept, too.
    keeps = (
        "[...document.querySelectorAll('[aria-label^=\"Keep as a segment: \"]')]"
        ".filter(one => !one.closest('table')).map(one => one.ariaLabel)"
    )
    assert at.browser.evaluate(keeps) == [f"Keep as a segment: {one['name']}" for one in result["clusters"]]
    # Who comes back finds them, and the rule of one in the builder, which means whom it was said to.
    at.browser.open(f"{running.address}/segments/groups", width=1280)
    second = result["clusters"][1]
    at.press(f"Keep as a segment: {second['name']}")
    at.waits(f"{at.field('Name')}?.value === {json.dumps(second['name'])}")
    at.sees(second["text"])
    at.waits(f"Number({COUNTED}) > 0")
    counted, customers = int(at.browser.evaluate(COUNTED)), second["customers"]
    assert customers * second["agreement"] <= counted + 0.01
    assert counted <= customers / second["agreement"] + 0.01
    assert troubles(at.browser, "groups") == []
    # Where there are too few, that is said, and what to do.
    monkeypatch.setattr("shuke.segments.service.clustering.CUSTOMERS_MIN", 200)
    at.browser.open(f"{running.address}/segments/groups", width=1280)
    at.press("Find groups")
    at.waits(f"!['', {json.dumps(f'?job={job}')}].includes(location.search)")
    worked(running.place, find_clusters, at.browser.evaluate("new URLSearchParams(location.search).get('job')"))
    at.sees("Only 60 customers have an order")
    at.sees("Import orders")


def asked(browser: Any, path: str) -> Any:
    """What the API answers the page's reader."""
    return browser.evaluate(f"fetch({json.dumps(path)}).then(answer => answer.json())")


MEANWHILE = "Somebody else has changed this meanwhile"


def test_who_was_overtaken_is_told_and_overwrites_nothing(person: Callable[..., Person], running: Running) -> None:
    """In a dialog, and in a form that stays open while what it was filled from is asked for again behind it."""
    with running.place.database.begin() as tx:
        catalog.save_stores(tx, [catalog.Store(store_id="S2", name="Bund", city="上海")], now=NOW)
    with running.place.database.read() as tx:
        as_it_was = catalog.brand_of(tx)

    def store() -> catalog.Store:
        with running.place.database.read() as tx:
            return next(one for one in catalog.list_stores(tx).items if one.store_id == "S2")

    at = person("/settings/stores")
    at.press("Edit Bund")
    at.types("Region", "mine")
    with running.place.database.begin() as tx:
        catalog.save_stores(tx, [catalog.Store(store_id="S2", name="Bund", city="theirs")], now=NOW)
    at.press("Save")
    at.sees(MEANWHILE)
    assert (store().city, store().region) == ("theirs", None)
    assert at.browser.evaluate("document.querySelector('#region').value") == "mine"
    # What they have made of it is loaded where it is asked for, and goes on from there.
    at.press("Load the newest")
    at.waits("document.querySelector('#city')?.value === 'theirs' && document.querySelector('#region').value === ''")
    at.types("Region", "mine")
    at.press("Save")
    at.waits("hands.dialogs() === 0")
    assert (store().city, store().region) == ("theirs", "mine")
    # Nor does somebody take back what was changed after them.
    with running.place.database.begin() as tx:
        catalog.save_stores(tx, [catalog.Store(store_id="S2", name="Bund", city="again theirs")], now=NOW)
    at.press("Undo")
    at.sees("Somebody has changed this meanwhile.")
    assert store().city == "again theirs"
    # A number that there is already is no new store.
    at.press("New store")
    at.types("Number", "S2")
    at.press("Save")
    at.sees("There is one of this name or number already.")
    assert store().city == "again theirs"

    at = person("/settings/brand")
    at.types("Name", "Mine")
    with running.place.database.begin() as tx:
        catalog.save_brand(tx, replace(as_it_was, name="Theirs"), now=NOW)
    # Coming back to the window asks for everything anew: the form keeps what it was filled from.
    asked = "performance.getEntriesByType('resource').length"
    before = at.browser.evaluate(asked)
    at.browser.evaluate(AWAY_AND_BACK)
    at.waits(f"{asked} > {before}")
    at.press("Save")
    at.sees(MEANWHILE)
    assert at.browser.evaluate("document.querySelector('#name').value") == "Mine"
    with running.place.database.read() as tx:
        assert catalog.brand_of(tx).name == "Theirs"
    at.press("Load the newest")
    at.waits("document.querySelector('#name').value === 'Theirs'")
    with running.place.database.begin() as tx:
        catalog.save_brand(tx, as_it_was, now=NOW)


#: The page is hidden and seen again, later by its own clock than anything is kept for.
AWAY_AND_BACK = """(() => {
  const now = Date.now;
  Date.now = () => now() + 3_600_000;
  for (const state of ['hidden', 'visible']) {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
    document.dispatchEvent(new Event('visibilitychange'));
    window.dispatchEvent(new Event('visibilitychange'));
  }
})()"""


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
    counts = {(one["r_score"], one["f_score"]): one["customers"] for one in told["cells"]}
    assert (asked["channels"], listed) == ("online", counts[scores])
    assert troubles(browser, "value") == []
