"""``shuke clv`` from the file to the JSON, through the program itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from shuke.app.cli import program
from shuke.base.errors import CannotSay
from shuke.base.language import Language, explain


def clv(*arguments: str | Path) -> dict[str, Any]:
    result = CliRunner().invoke(program, ["clv", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """A year of orders without amounts: 400 customers of a small shop, some of whom leave."""
    generator = np.random.default_rng(9)
    rows = ["customer,date"]
    for customer in range(400):
        day = float(generator.integers(0, 120))
        while day < 365:
            rows.append(f"c{customer},{np.datetime64('2024-01-01') + int(day)}")
            if generator.random() < 0.25:
                break
            day += generator.gamma(1, 30)
    file = tmp_path / "orders.csv"
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return file


def test_cdnow_end_to_end(shared_data: Path) -> None:
    sample = shared_data / "cdnow" / "CDNOW_sample.txt"
    columns = "customer=2,time=3,quantity=4,amount=5"
    answer = clv(sample, "--map", columns, "--calibration-end", "1997-09-30", "--model", "bg-nbd")
    assert answer["model"] == "bg-nbd"
    reference = {"r": 0.24259, "alpha": 4.41360, "a": 0.79292, "b": 2.42590}
    assert answer["parameters"] == pytest.approx(reference, abs=2e-5)
    assert answer["log_likelihood"] == pytest.approx(-9582.4292, abs=1e-3)
    assert answer["customers"] == 2357
    calibration = answer["calibration"]
    assert (calibration["begin"], calibration["end"]) == ("1997-01-01", "1997-09-30")
    assert (calibration["sum_x"], calibration["repeat_customers"]) == (2457, 946)
    assert calibration["sum_t_x"] == pytest.approx(16135.5, abs=0.1)
    assert calibration["sum_T"] == pytest.approx(77111, abs=0.5)
    held = answer["holdout"]
    assert held["purchases_actual"] == 1882
    assert held["purchases_predicted"] == pytest.approx(1653.41, abs=0.01)
    assert held["mae"] == pytest.approx(0.7855, abs=5e-5)
    assert held["rmse"] == pytest.approx(1.6080, abs=5e-5)


def test_amounts_are_not_needed_and_auto_says_why(orders: Path, tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    asked = ["clv", str(orders), "--calibration-end", "2024-09-30", "--unit", "day", "--json", str(file)]
    result = CliRunner().invoke(program, asked, catch_exceptions=False)
    assert result.exit_code == 0
    assert result.stdout == ""
    answer = json.loads(file.read_text(encoding="utf-8"))
    assert answer["model"] == next(row["name"] for row in answer["choice"]["candidates"] if row["chosen"])
    assert answer["choice"]["why"][-1]["code"] in {"best_holdout", "simpler_within_error"}
    assert answer["unit"] == "day"
    assert set(answer["standard_errors"]) == set(answer["parameters"])
    same = clv(orders, "--calibration-end", "2024-09-30", "--unit", "day", "--model", answer["model"])
    assert same["parameters"] == answer["parameters"]


def test_bg_bb_counts_periods(orders: Path) -> None:
    answer = clv(orders, "--calibration-end", "2024-09-29", "--model", "bg-bb")
    assert set(answer["parameters"]) == {"alpha", "beta", "gamma", "delta"}
    assert answer["holdout"]["end"] == "2024-12-29"
    assert answer["holdout"]["horizon"] == 13
    assert answer["holdout"]["purchases_actual"] == pytest.approx(answer["holdout"]["purchases_predicted"], rel=0.3)
    assert answer["calibration"]["sum_T"] == int(answer["calibration"]["sum_T"])


def test_without_a_calibration_end_nothing_is_held_out(orders: Path) -> None:
    answer = clv(orders, "--model", "mbg-nbd")
    assert answer["holdout"] is None
    assert answer["customers"] == 400


def test_a_cut_after_the_last_order_is_refused(orders: Path) -> None:
    with pytest.raises(CannotSay, match="no_holdout") as refused:
        clv(orders, "--model", "bg-nbd", "--calibration-end", "2025-06-30")
    assert "没有可用来检验预测的订单" in explain(refused.value, Language.CHINESE)
