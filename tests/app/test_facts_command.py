import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import shuke
from shuke.app.commands.facts import FactsOptions, run
from shuke.base.errors import BadInput
from shuke.base.language import Language

ONLINE_RETAIL = Path(shuke.__file__).parent / "app" / "data" / "online_retail.parquet"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("facts") / "new" / "facts.parquet"
    run(FactsOptions(orders=(str(ONLINE_RETAIL),), out=out, model="mbg-nbd", currency="GBP"))
    return out


def test_one_row_for_each_customer_of_the_shipped_data(written: Path) -> None:
    source = pl.read_parquet(ONLINE_RETAIL)
    sold = source.filter(
        pl.col("CustomerID").is_not_null() & (pl.col("Quantity") > 0) & (pl.col("UnitPrice") > 0)
    ).filter(~pl.col("InvoiceNo").cast(pl.String).str.starts_with("C"))
    facts = pl.read_parquet(written)
    assert facts["customer_id"].n_unique() == facts.height
    # Those who only ever bought postage or the like are no customers of goods.
    assert sold["CustomerID"].n_unique() - facts.height in range(10)
    assert (
        facts.select("p_alive", "predicted_clv", "stage", "rfm_group", "total_clv").null_count().sum_horizontal()[0]
        == 0
    )
    assert facts["p_alive"].is_between(0, 1).all()


def test_only_the_file_asked_for_is_left(written: Path) -> None:
    assert list(written.parent.iterdir()) == [written]


def test_it_says_what_was_done_in_the_language_asked_for(tmp_path: Path) -> None:
    orders = tmp_path / "订单.csv"
    rows = [f"o{n},c{n % 7},2024-0{1 + n % 3}-1{n % 9},{10 + n}" for n in range(40)]
    orders.write_text("订单号,买家手机号,下单时间,实付金额\n" + "\n".join(rows), encoding="utf-8")
    out = tmp_path / "out.parquet"
    command = [sys.executable, "-m", "shuke.app", "facts", str(orders), "--out", str(out), "--lang", "zh-CN"]
    if not (Path(shuke.__file__).parent / "app" / "__main__.py").exists():
        command[1:3] = ["-c", "from shuke.app.cli import main; main()"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    assert "7" in result.stdout
    assert str(out) in result.stdout
    # The gate is closed, and each of its reasons is told in words.
    assert "500" in result.stderr
    assert "insight." not in result.stderr
    facts = pl.read_parquet(out)
    assert facts.height == 7
    assert facts["predicted_clv"].null_count() == 7
    assert facts["historic_clv"].sum() == sum(10 + n for n in range(40))


def test_margin_lowers_value(written: Path, tmp_path: Path) -> None:
    out = tmp_path / "half.parquet"
    run(FactsOptions(orders=(str(ONLINE_RETAIL),), out=out, model="mbg-nbd", currency="GBP", margin="50%"))
    full, half = (pl.read_parquet(path).sort("customer_id") for path in (written, out))
    assert half["predicted_clv"].sum() == pytest.approx(full["predicted_clv"].sum() / 2, rel=1e-9)
    assert half["historic_clv"].sum() == pytest.approx(full["historic_clv"].sum() / 2, rel=1e-9)


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    out = tmp_path / "facts.parquet"
    out.write_bytes(b"old")
    orders = tmp_path / "orders.csv"
    orders.write_text("alpha,beta\n1,2\n", encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        run(FactsOptions(orders=(str(orders),), out=out, language=Language.CHINESE))
    assert caught.value.code.startswith("collect.")
    assert out.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["facts.parquet", "orders.csv"]
