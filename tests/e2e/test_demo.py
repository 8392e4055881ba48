"""The demo as a newcomer meets it: one command, both reports, served on this machine only."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_demo_builds_both_reports_and_serves_them(tmp_path: Path) -> None:
    demo = subprocess.Popen(
        [str(Path(sys.executable).with_name("shuke")), "demo", "--out", str(tmp_path / "demo")],
        env={**os.environ, "LANG": "en_US.UTF-8", "LC_ALL": "", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    )
    assert demo.stdout is not None
    try:
        ready = demo.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/", ready)
        assert found, ready
        pages = {
            path: urllib.request.urlopen(f"{found[0]}{path}", timeout=30).read()  # noqa: S310 - loopback, checked above
            for path in ("", "en/report.html", "zh-CN/report.html", "en/report.pdf", "zh-CN/report.xlsx")
        }
    finally:
        demo.send_signal(signal.SIGINT)
        assert demo.wait(timeout=30) == 0
        demo.stdout.close()
    assert b'href="en/report.html"' in pages[""]
    assert b'href="zh-CN/report.html"' in pages[""]
    assert "Customer lifetime value report" in pages["en/report.html"].decode()
    assert "顾客终身价值分析报告" in pages["zh-CN/report.html"].decode()
    assert pages["en/report.pdf"].startswith(b"%PDF-")
    assert pages["zh-CN/report.xlsx"].startswith(b"PK")
