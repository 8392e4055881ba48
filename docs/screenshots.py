"""Pictures of every page of the console for these pages, of a demo that runs meanwhile: ``make screenshots``.

Usage: python docs/screenshots.py FOLDER, where the demo is or is to be.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx

HERE = Path(__file__).parent
OUT = HERE / "images" / "console"
PAGES = {
    "overview": "/overview",
    "customers": "/customers",
    "customer": "/customers/{customer}",
    "segments": "/segments",
    "segment-new": "/segments/new?from=stages%3Dat_risk%26stages%3Dlost%26orders_min%3D3",
    "segment-profile": "/segments/{segment}?part=profile",
    "segment-compare": "/segments/{segment}/compare/{other}",
    "segment-groups": "/segments/groups?job={groups}",
    "lifecycle-stages": "/lifecycle",
    "lifecycle-value": "/lifecycle?part=value",
    "lifecycle-cohorts": "/lifecycle?part=cohorts",
    "lifecycle-retention": "/lifecycle?part=retention",
    "lifecycle-channels": "/lifecycle?part=channels",
    "lifecycle-model": "/lifecycle?part=model",
    "products": "/products",
    "products-baskets": "/products?part=baskets",
    "products-first": "/products?part=first",
    "products-list": "/products?part=catalog",
    "data": "/data",
    "import": "/data/import",
    "report": "/report",
    "settings-brand": "/settings/brand",
    "settings-stages": "/settings/stages",
    "settings-attributes": "/settings/attributes",
    "settings-stores": "/settings/stores",
    "settings-channels": "/settings/channels",
    "settings-team": "/settings/team",
    "settings-roles": "/settings/roles",
    "settings-keys": "/settings/keys",
    "settings-audit": "/settings/audit",
    "settings-webhooks": "/settings/webhooks",
    "account": "/account",
}
#: Those that somebody needs who stands in a store.
ON_A_PHONE = ("overview", "customers", "customer", "segment-new")
LANGUAGES = ("zh-CN", "en")
#: Templates that find somebody in the demo, whenever that is.
SEGMENTS = ("vip", "high_value_at_risk", "lost_but_valuable", "high_average_order", "loyal_cooling")
DESK, PHONE = 1280, 390
#: Of the demo, which imports a year of orders the first time.
SECONDS_TO_START = 900
STILL = """Boolean(document.querySelector('main h1, main h2'))
  && !document.querySelector('main [aria-busy="true"], main[aria-busy="true"]')
  && document.getAnimations().length === 0"""


def main(folder: str) -> None:
    """Write the picture of each page in each language."""
    with _demo(Path(folder)) as said:
        told = {name: _told(said, name) for name in ("Console", "API key", "E-mail", "Password", "Timeline")}
        headers = {"authorization": f"Bearer {told['API key']}"}
        with httpx.Client(base_url=told["Console"], headers=headers, timeout=60) as client:
            segment, other = _keep_segments(client)
            of_all = {"customer": told["Timeline"].split("/")[-2], "segment": segment, "other": other}
            things = {language: of_all | {"groups": _find_groups(client, language)} for language in LANGUAGES}
        _take_all(told["Console"], told["E-mail"], told["Password"], things)


def _keep_segments(client: httpx.Client) -> tuple[str, str]:
    """Have the demo some segments, from the templates, and wait until they are built; the ids of the first two."""
    templates = {one["code"]: one for one in client.get("/api/segments/templates").json()["items"]}
    wanted = [templates[code] for code in SEGMENTS if code in templates]
    there = {one["name"] for one in client.get("/api/segments").json()["items"]}
    for one in wanted:
        if one["name"] not in there:
            kept = {"name": one["name"], "definition": one["definition"]}
            client.post("/api/segments", json=kept).raise_for_status()
    until = time.monotonic() + SECONDS_TO_START
    while any(one["built_at"] is None for one in client.get("/api/segments").json()["items"]):
        _wait(until, "The segments were not built")
    ids = {one["name"]: one["segment_id"] for one in client.get("/api/segments").json()["items"]}
    return ids[wanted[0]["name"]], ids[wanted[1]["name"]]


def _find_groups(client: httpx.Client, language: str) -> str:
    """Have groups found that are named in this language; gives the id of the job."""
    asked = client.post("/api/segments/clusters", json={}, headers={"accept-language": language})
    job = str(asked.raise_for_status().json()["job_id"])
    until = time.monotonic() + SECONDS_TO_START
    while client.get(f"/api/jobs/{job}").json()["state"] in ("queued", "running"):
        _wait(until, "The groups were not found")
    return job


def _wait(until: float, else_: str) -> None:
    if time.monotonic() > until:
        sys.exit(else_)
    time.sleep(1)


@contextmanager
def _demo(folder: Path) -> Iterator[str]:
    """What a demo says that runs meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "said.txt"
    command = [str(Path(sys.executable).with_name("shuke")), "demo", "--out", str(folder), "--lang", "en"]
    with log.open("w") as out, subprocess.Popen(command, stdout=out) as process:  # noqa: S603 - our own program
        try:
            until = time.monotonic() + SECONDS_TO_START
            while "Timeline: " not in (said := log.read_text(encoding="utf-8")):
                if process.poll() is not None or time.monotonic() > until:
                    sys.exit(f"The demo did not start; see {log}")
                time.sleep(0.5)
            yield said
        finally:
            process.send_signal(signal.SIGINT)


def _told(said: str, name: str) -> str:
    found = re.search(rf"^ *{name}: (\S+)", said, re.MULTILINE)
    if found is None:
        sys.exit(f"The demo does not say: {name}")
    return found[1]


def _take_all(address: str, email: str, password: str, things: dict[str, dict[str, str]]) -> None:
    driver = _driver()
    program = driver.find_chromium()
    if program is None:
        sys.exit("needs Chromium")
    OUT.mkdir(parents=True, exist_ok=True)
    browser = driver.Browser(program)
    try:
        browser.open(f"{address}assets/none", width=DESK)
        body = json.dumps({"email": email, "password": password})
        sent = f"{{method: 'POST', headers: {{'content-type': 'application/json'}}, body: {json.dumps(body)}}}"
        status = browser.evaluate(f"fetch('/api/session', {sent}).then(answer => answer.status)")
        if status != 200:
            sys.exit(f"could not sign in: {status}")
        for language in LANGUAGES:
            chosen = {"shuke.language": language, "shuke.appearance": "light"}
            browser.before_each_page(f"Object.assign(localStorage, {json.dumps(chosen)})")
            for page, path in PAGES.items():
                place = address.rstrip("/") + path.format(**things[language])
                for width in (DESK, PHONE) if page in ON_A_PHONE else (DESK,):
                    _take(browser, place, width, OUT / f"{page}-{language}-{width}.webp")
    finally:
        browser.close()


def _take(browser: Any, place: str, width: int, path: Path) -> None:
    browser.open("about:blank", width=width)
    browser.open(place, width=width)
    browser.wait_for(STILL)
    # Charts grow by themselves, which is no animation of the page's.
    time.sleep(1.5)
    answer = browser.call("Page.captureScreenshot", {"format": "webp", "quality": 70})
    path.write_bytes(base64.b64decode(answer["data"]))


def _driver() -> ModuleType:
    """The small driver of the tests."""
    path = HERE.parent / "tests" / "e2e" / "browser.py"
    specification = importlib.util.spec_from_file_location("browser", path)
    if specification is None or specification.loader is None:
        raise LookupError(path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(*sys.argv[1:])
