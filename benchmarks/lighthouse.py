"""What Lighthouse finds of the console's pages, as somebody sees them who is signed in at a desk.

    .venv/bin/python benchmarks/lighthouse.py ADDRESS EMAIL PASSWORD [--language zh-CN] [PATH ...]

ADDRESS is that of a console on this machine, as ``make demo`` prints it with the other two. Lighthouse comes from its
npm package in the version of ``lighthouse/package-lock.json``, with its own preset for desks; the browser is this
machine's Chromium. Every page is opened by a browser that never saw it, so that nothing is in its memory.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx

PACKAGE = Path(__file__).parent / "lighthouse"
PERFORMANCE_MIN, ACCESSIBILITY_MIN = 90, 95
PAGES = (
    *("/overview", "/customers", "/lifecycle", "/lifecycle?part=value", "/lifecycle?part=cohorts"),
    *("/products", "/data", "/data/import", "/report", "/settings/brand", "/settings/stages", "/settings/roles"),
)


def main() -> None:
    """Print the scores of each page; 1 when one of them misses its target."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("address")
    parser.add_argument("email")
    parser.add_argument("password")
    parser.add_argument("--language", default="zh-CN")
    parser.add_argument("paths", nargs="*", default=PAGES)
    asked = parser.parse_args()
    address = asked.address.rstrip("/")
    cookie = sign_in(address, asked.email, asked.password)
    program = installed()
    print(f"load {os.getloadavg()[0]:.1f} at the start; LCP: the largest piece stands; blocked: no answer to hands")
    print(f"{'page':32} {'performance':>11} {'accessibility':>13} {'LCP':>8} {'blocked':>8} {'shift':>6}")
    missed = [path for path in asked.paths if not seen(program, f"{address}{path}", cookie, asked.language)]
    sys.exit(1 if missed else 0)


def sign_in(address: str, email: str, password: str) -> str:
    """The header that says who is signed in."""
    answer = httpx.post(
        f"{address}/api/session", json={"email": email, "password": password}, headers={"Origin": address}
    )
    answer.raise_for_status()
    return "; ".join(line.partition(";")[0] for line in answer.headers.get_list("set-cookie"))


def installed() -> Path:
    """Lighthouse, of exactly the locked version."""
    program = PACKAGE / "node_modules" / "lighthouse" / "cli" / "index.js"
    if not program.exists():
        subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=PACKAGE, check=True, stdout=subprocess.DEVNULL)
    return program


def seen(program: Path, url: str, cookie: str, language: str) -> bool:
    """Whether a page is as fast and as open to everybody as it should be; prints how much."""
    found = look(program, url, cookie, language)
    audits, categories = found["audits"], found["categories"]
    performance, accessibility = (
        round(100 * (categories[name]["score"] or 0)) for name in ("performance", "accessibility")
    )
    largest, blocked, shift = (
        audits[name]["numericValue"]
        for name in ("largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift")
    )
    met = performance >= PERFORMANCE_MIN and accessibility >= ACCESSIBILITY_MIN
    line = f"{performance:11} {accessibility:13} {largest:5.0f} ms {blocked:5.0f} ms {shift:6.3f}"
    print(f"/{url.split('/', 3)[-1]:31} {line}{'' if met else '  MISSED'}", flush=True)
    for reference in categories["accessibility"]["auditRefs"]:
        audit = audits[reference["id"]]
        if audit["score"] == 0:
            print(f"    {audit['id']}: {audit['title']}")
    if not found["finalDisplayedUrl"].startswith(url):
        sys.exit(f"{url} led to {found['finalDisplayedUrl']}")
    return met


def look(program: Path, url: str, cookie: str, language: str) -> dict[str, Any]:
    """Lighthouse's own account of a page."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("needs Chromium")
    with tempfile.TemporaryDirectory(prefix="shuke-lighthouse-") as folder:
        headers = json.dumps({"Cookie": cookie, "Accept-Language": language})
        out = Path(folder) / "found.json"
        subprocess.run(
            [
                *("node", str(program), url, "--preset=desktop", "--quiet", "--output=json", f"--output-path={out}"),
                *("--only-categories=performance,accessibility", f"--extra-headers={headers}"),
                f"--chrome-flags=--headless=new --no-sandbox --lang={language} --user-data-dir={folder}/profile",
            ],
            env={**os.environ, "CHROME_PATH": chromium},
            check=True,
        )
        found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    if "runtimeError" in found:
        sys.exit(f"{url}: {found['runtimeError']['message']}")
    return found


if __name__ == "__main__":
    main()
