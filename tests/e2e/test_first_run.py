"""From an empty folder to a report, as the first owner walks it: the link, a file, what is left out, a report to read.

The server is the real one, with its own database, its web process and a worker; the pages are seen in a browser.
"""

import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shuke.app.console import BUILT

pytestmark = pytest.mark.slow

SHUKE = str(Path(sys.executable).with_name("shuke"))
HOSTILE = "杯<script>document.title='taken'</script>"
WORDS = {"name": "张伟", "email": "owner@brand.example", "password": "a quiet river in autumn"}


@dataclass(frozen=True)
class Served:
    """A running ``shuke serve``, its address, the link that it printed, and a folder beside its data."""

    address: str
    link: str
    folder: Path


@pytest.fixture
def served() -> Iterator[Served]:
    if not (BUILT / "index.html").is_file():
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have the console, built with `make console`")
        pytest.skip("needs the console, built with `make console`")
    with tempfile.TemporaryDirectory(prefix="shuke-test-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        log = folder / "serve.log"
        given = {"SHUKE_DATA_FOLDER": str(folder / "data"), "SHUKE_WORKERS": "1", "LANG": "C"}
        environment = {**os.environ, **given, "SHUKE_TIME_ZONE": "Asia/Shanghai"}
        command = [SHUKE, "serve", "--port", "0"]
        with log.open("w") as out, subprocess.Popen(command, env=environment, stdout=out, stderr=out) as process:
            try:
                until = time.monotonic() + 120
                while not (found := re.search(r"(http://\S+:\d+/)setup#\S+", log.read_text())):
                    assert process.poll() is None, log.read_text()
                    assert time.monotonic() < until, log.read_text()
                    time.sleep(0.1)
                yield Served(found[1], found[0], folder)
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(60)


def order_file(folder: Path) -> Path:
    """An export in the encoding of Chinese spreadsheets: sixty customers, and two rows that cannot be read."""
    chance = random.Random(3)  # noqa: S311 - a file that is the same each time
    lines = ["订单号,会员手机号,下单时间,商品编码,商品名称,数量,实付金额,渠道"]
    goods = [("tea", "龙井"), ("cup", HOSTILE), ("pot", "壶")]
    for number in range(240):
        at = datetime(2026, 1, 1, 9) + timedelta(days=number, hours=number % 7)  # noqa: DTZ001 - as files have it
        code, called = chance.choice(goods)
        lines.append(f"A{number},138{number * 7 % 60:08d},{at},{code},{called},1,{99 + number % 9},小程序")
    lines += [
        "A9001,13800000001,2026-05-03 12:00:00,tea,龙井,1,abc,小程序",
        "A9002,13800000001,2026年32月,tea,龙井,1,10.00,小程序",
    ]
    path = folder / "订单 5月.csv"
    path.write_text("\n".join(lines) + "\n", encoding="gb18030")
    return path


def see(browser: Any, *texts: str) -> None:
    for text in texts:
        browser.wait_for(f"document.body.innerText.includes({json.dumps(text)})", seconds=120)


def click(browser: Any, text: str, *, within: str = "") -> None:
    """Choose what is called so; the components set two Chinese letters apart."""
    found = (
        f"[...document.querySelectorAll('{within} button, {within} a')]"
        f".find(one => one.innerText.replaceAll(' ', '') === {json.dumps(text)} && !one.disabled)"
    )
    browser.wait_for(f"{found} !== undefined")
    browser.evaluate(f"{found}.click()")


def fetched(browser: Any, path: str) -> str:
    """What the owner's browser is answered."""
    text: str = browser.evaluate(f"fetch({json.dumps(path)}).then(answer => answer.text())")
    return text


def test_from_an_empty_folder_to_a_report(served: Served, browser: Any) -> None:
    browser.before_each_page("localStorage.setItem('shuke.language', 'zh-CN')")
    browser.open(served.link, width=1280)
    browser.wait_for("document.querySelectorAll('input').length === 3")
    for field, text in WORDS.items():
        browser.evaluate(f"document.querySelector('input[type={field}], input#{field}').focus()")
        browser.write(text)
    browser.press("Enter")
    see(browser, "总览")

    # The file is looked at, tried, and brought in.
    browser.open(f"{served.address}data/import", width=1280)
    browser.wait_for("document.querySelector('input[type=file]') !== null")
    root = browser.call("DOM.getDocument")["root"]["nodeId"]
    place = browser.call("DOM.querySelector", {"nodeId": root, "selector": "input[type=file]"})["nodeId"]
    browser.call("DOM.setFileInputFiles", {"files": [str(order_file(served.folder))], "nodeId": place})
    see(browser, "GB18030", "哪一列是什么", "13800000007", "还缺：币种")
    browser.evaluate("document.querySelector('#currency').focus()")
    browser.write("CNY")
    browser.press("Enter")
    click(browser, "试一遍")
    see(browser, "试导入的结果", "有 2 行未导入", "没有金额，或金额不是数字", "2026年32月")
    click(browser, "开始导入")
    browser.wait_for("location.pathname.startsWith('/data/imports/')")
    # Whoever comes back finds it.
    browser.open(browser.evaluate("location.href"), width=1280)
    see(browser, "已导入", "¥24,711.00", "有 2 行未导入")
    rejects = browser.evaluate("document.querySelector('a[download]').getAttribute('href')")
    assert "A9001" in fetched(browser, rejects)
    assert fetched(browser, rejects).count("\n") == 3

    click(browser, "立即计算阶段与价值")
    see(browser, "阶段与价值已算好")
    click(browser, "查看总览")
    see(browser, "各阶段客户", "60")

    # The report is made, and read in its frame.
    browser.open(f"{served.address}report", width=1280)
    see(browser, "还没有报告")
    click(browser, "生成报告")
    click(browser, "生成", within=".ant-modal")
    browser.wait_for("document.querySelector('iframe') !== null", seconds=200)
    page = browser.evaluate("document.querySelector('iframe').getAttribute('src')")
    assert browser.evaluate("document.querySelector('iframe').sandbox.value") == "allow-scripts"
    saved = browser.evaluate("[...document.querySelectorAll('a[download]')].map(one => one.innerText.trim())")
    assert {"PDF", "Excel", "JSON"} <= set(saved)
    assert browser.failures == []
    assert browser.console == []
    text = fetched(browser, page)
    assert HOSTILE not in text
    assert "杯&lt;script&gt;" in text
    browser.open(f"{served.address}overview", width=1280)
    see(browser, "最近一份报告的发现")
    # By itself, too, the page has no origin, and draws its charts.
    browser.open(f"{served.address.rstrip('/')}{page}", width=1280)
    assert browser.evaluate("origin") == "null"
    browser.evaluate("document.querySelector('figure').scrollIntoView()")
    browser.wait_for("document.querySelector('figure.drawn') !== null")
    assert browser.evaluate("document.title") != "taken"
