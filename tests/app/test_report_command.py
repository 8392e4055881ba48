"""``shuke report`` as a person calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from shuke.app.terminal import margin_of
from shuke.base.errors import BadInput

SHUKE = str(Path(sys.executable).with_name("shuke"))


def _call(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LANG": "C.UTF-8", "PYTHONWARNINGS": "ignore"}
    return subprocess.run(
        [SHUKE, "report", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """An export as a Chinese shop system writes it: GBK, 60 customers, half a year."""
    lines = ["订单号,买家手机号,下单时间,商品名称,数量,实付金额"]
    for number in range(180):
        day = date(2024, 1, 1) + timedelta(days=number)
        lines.append(
            f"D{number},138{number % 60:08d},{day} 10:00,{'茶' if number % 2 else '壶'},1,{50 + number % 7}.00"
        )
    path = tmp_path / "订单.csv"
    path.write_bytes("\n".join(lines).encode("gb18030"))
    return path


def test_one_command_writes_everything(orders: Path, tmp_path: Path) -> None:
    done = _call(orders.name, "--out", "报告", "--lang", "zh-CN", "--currency", "CNY", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    out = tmp_path / "报告"
    assert {path.name for path in out.iterdir() if path.is_file()} == {
        *("report.html", "report.pdf", "report.xlsx", "report.json"),
    }
    assert (out / "report.pdf").read_bytes().startswith(b"%PDF-")
    assert "识别结果" in done.stderr
    assert "买家手机号" in done.stderr
    assert "report.html" in done.stdout
    figures = json.loads((out / "report.json").read_text(encoding="utf-8"))["figures"]["figures"]
    assert figures["base"]["customers"] == 60
    assert figures["base"]["gross"] == sum(50 + number % 7 for number in range(180))
    assert figures["scope"]["as_of"].startswith("2024-06-29")  # the day after the last order
    assert not figures["scope"]["as_of_given"]
    for listed in (out / "lists").glob("*.csv"):
        assert listed.read_bytes().startswith(b"\xef\xbb\xbf")


def test_a_day_can_be_given_and_old_lists_go(orders: Path, tmp_path: Path) -> None:
    old = tmp_path / "out" / "lists" / "old.csv"
    old.parent.mkdir(parents=True)
    old.write_text("x", encoding="utf-8")
    asked = ("--as-of", "2024-05-01", "--format", "json", "--margin", "40%", "--currency", "CNY", "--lang", "en")
    done = _call(orders.name, "--out", "out", *asked, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not old.exists()
    assert not (tmp_path / "out" / "report.html").exists()
    figures = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))["figures"]["figures"]
    assert figures["scope"]["as_of_given"]
    assert figures["scope"]["margin"] == 0.4
    assert figures["base"]["orders"] == 121  # 1 January to 30 April of a leap year
    assert figures["base"]["net"] == pytest.approx(sum(one["historic"] for one in figures["stages"]) / 0.4)


@pytest.mark.parametrize(("language", "says"), [("en", "no file"), ("zh-CN", "找不到文件")])
def test_what_is_wrong_is_said_in_the_persons_language(language: str, says: str, tmp_path: Path) -> None:
    done = _call("missing.csv", "--out", "out", "--lang", language, cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert "missing.csv" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_margin_of_each_line_becomes_the_brands(tmp_path: Path) -> None:
    rows = [
        f"D{at},c{at % 50},{date(2024, 1, 1) + timedelta(days=at)},100.00,{30 if at % 2 else 50}.00"
        for at in range(120)
    ]
    (tmp_path / "orders.csv").write_text(
        "\n".join(["order_id,customer_id,date,amount,profit", *rows]), encoding="utf-8"
    )
    asked = ("--margin", "profit", "--format", "json", "--currency", "CNY", "--lang", "en")
    done = _call("orders.csv", "--out", "out", *asked, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))["figures"]["figures"]
    assert figures["scope"]["margin"] == pytest.approx(0.4)
    assert sum(one["historic"] for one in figures["stages"]) == pytest.approx(0.4 * 12_000)
    assert dict(figures["economics"]["profit"])["contribution"] == pytest.approx(4_800.0)


def test_a_margin_is_a_rate_or_a_column() -> None:
    assert margin_of(None) == (None, None)
    assert margin_of("0.45") == (0.45, None)
    assert margin_of("45%") == (0.45, None)
    assert margin_of("毛利") == (None, "毛利")
    for wrong in ("1.5", "-0.1", "0", "45"):
        with pytest.raises(BadInput, match="bad_margin"):
            margin_of(wrong)
