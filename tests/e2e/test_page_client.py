"""Segment's own client for pages, unmodified, in a real browser, on a page that comes from elsewhere."""

import functools
import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.types import ASGIApp

from shuke import access, profiles
from shuke.app.web import build_web
from shuke.collect import add_source, read_traits
from shuke.collect.http import collector
from shuke.collect.jobs import empty_inbox
from shuke.platform import Workplace

PAGE = """<!doctype html><meta charset="utf-8"><title>新品</title><script src="umd/index.js"></script><script>
const { AnalyticsBrowser } = AnalyticsNext
window.analytics = AnalyticsBrowser.load(SETTINGS, OPTIONS)
async function everything () {
  await analytics.page('Docs', 'Home')
  await analytics.identify('u-1', { email: 'anna@example.com', firstName: 'Anna' })
  await analytics.track('Product Viewed', { product_id: 'p' })
  await analytics.track('Order Completed', { order_id: 'o-1', revenue: 25.5, currency: 'CNY' })
  await analytics.group('g-1', { plan: 'gold' })
  return 'sent'
}
</script>"""

# The ways in which the client sends: a request for each event, one that outlives the page, and several at once.
WAYS: dict[str, dict[str, Any]] = {
    "single": {},
    "keepalive": {"deliveryStrategy": {"config": {"keepalive": True}}},
    "batching": {"deliveryStrategy": {"strategy": "batching", "config": {"size": 5, "timeout": 200}}},
}


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Files of a folder."""

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@pytest.fixture
def shop(tmp_path: Path, segment_clients: Path) -> Iterator[tuple[Path, str]]:
    """The folder and the address of a site with the client's files: to a browser, another origin than the collector."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "umd").symlink_to(segment_clients / "@segment" / "analytics-next" / "dist" / "umd")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield site, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def collecting(
    workplace: Workplace, serve: Callable[[ASGIApp], AbstractContextManager[str]]
) -> Iterator[tuple[str, str]]:
    """The address of a server and a write key."""
    with workplace.database.begin() as tx:
        key = add_source(tx, "site", now=datetime.now(UTC))
    with serve(build_web(workplace)) as address:
        yield address, key


def arrived(workplace: Workplace) -> set[tuple[str, str]]:
    assert empty_inbox(workplace, seconds_max=60)
    with workplace.database.read() as tx:
        assert tx.scalars(sa.text("SELECT reason FROM rejects")).all() == []
        return {(row.kind, row.name) for row in tx.execute(sa.text("SELECT kind, name FROM facts"))}


def send(browser: Any, shop: tuple[Path, str], collecting: tuple[str, str], way: str) -> None:
    """Open a page that sends everything in this way."""
    site, origin = shop
    address, key = collecting
    settings = {"writeKey": key, "cdnURL": address}
    page = PAGE.replace("SETTINGS", json.dumps(settings))
    (site / "index.html").write_text(
        page.replace("OPTIONS", json.dumps({"integrations": {"Segment.io": WAYS[way]}})), encoding="utf-8"
    )
    browser.open(f"{origin}/", width=800)
    assert browser.evaluate("everything()") == "sent", browser.console


EXPECTED = {
    ("page", "Docs Home"),
    ("identify", ""),
    ("track", "Product Viewed"),
    ("order", "Order Completed"),
    ("group", ""),
}


@pytest.mark.parametrize("way", WAYS)
def test_segments_client_for_pages(
    way: str, browser: Any, shop: tuple[Path, str], collecting: tuple[str, str], workplace: Workplace
) -> None:
    """Told only where the collector is, it asks there for its settings, and sends everything there."""
    send(browser, shop, collecting, way)
    if way == "keepalive":
        # What the reader leaves behind at once is sent all the same.
        browser.evaluate("void analytics.track('Left')")
        browser.open("about:blank", width=800)
    wanted = EXPECTED | ({("track", "Left")} if way == "keepalive" else set())
    until = time.monotonic() + 30
    while (found := arrived(workplace)) != wanted and time.monotonic() < until:
        time.sleep(0.1)
    assert found == wanted, browser.console
    outside = [url for url in browser.requests if not url.startswith(("http://127.0.0.1:", "about:", "data:"))]
    assert outside == []
    with workplace.database.read() as tx:
        customer = profiles.find(tx, workplace.keyring, "user_id", "u-1")
        assert customer is not None
        told = read_traits(tx, workplace.keyring, [customer], fields=access.CLEAR)
        assert {name: one.value for name, one in told.items()} == {"email": "anna@example.com", "firstName": "Anna"}
        assert tx.execute(sa.text("SELECT order_id, amount_minor FROM orders")).all() == [("o-1", 2550)]


def test_a_collector_that_only_its_own_pages_may_use_is_noticed(
    browser: Any,
    shop: tuple[Path, str],
    collecting: tuple[str, str],
    workplace: Workplace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Planted: the answer to a browser's question allows no header that the client sends."""
    monkeypatch.setattr(collector, "_PREFLIGHT", [])
    send(browser, shop, collecting, "single")
    assert any("blocked by CORS policy" in line for line in browser.console)
    assert arrived(workplace) == set()


def test_a_page_sends_on_its_way_out(
    browser: Any, shop: tuple[Path, str], collecting: tuple[str, str], workplace: Workplace
) -> None:
    """A beacon carries no header of its own: the key is in the body, and the body is text."""
    site, origin = shop
    address, key = collecting
    (site / "index.html").write_text("<!doctype html><title>x</title>", encoding="utf-8")
    browser.open(f"{origin}/", width=800)
    event = {"writeKey": key, "event": "Left", "userId": "u", "messageId": "m"}
    asked = f"navigator.sendBeacon({json.dumps(address + '/v1/t')}, {json.dumps(json.dumps(event))})"
    assert browser.evaluate(asked) is True
    until = time.monotonic() + 30
    while not (found := arrived(workplace)) and time.monotonic() < until:
        time.sleep(0.1)
    assert found == {("track", "Left")}
