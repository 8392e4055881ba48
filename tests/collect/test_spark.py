"""The same file on the other engine: the same rows, counts and sums."""

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

from shuke import collect
from shuke.platform import Engine, open_engine

from .conftest import rows_of

TEXT = (
    "订单编号,买家会员名,买家应付邮费,买家实际支付金额,退款金额,订单状态,订单创建时间,宝贝标题,宝贝总数量\n"
    '="1001",小猫,5.00,"1,239.50",0,交易成功,2024-01-05 08:03:12,衬衫,2\n'
    "1002,小狗,0,88.00,20.00,交易成功,2024-01-06 08:03:12,围巾,1\n"
    "1002,小狗,0,88.00,20.00,交易成功,2024-01-06 08:03:12,围巾,1\n"
    "1003,小狗,0,5.00,0,交易成功,2024-01-07 08:03:12,补差价专拍,5\n"
    "1004,,0,9.00,0,交易成功,2024-01-08 08:03:12,衬衫,1\n"
    "1005,小猪,0,-7.00,0,交易成功,2024-01-08 09:03:12,衬衫,1\n"
    "1006,小猪,0,70.00,0,交易关闭,2024-01-08 09:03:12,衬衫,1\n"
    "1007,小猪,0,many,0,交易成功,2024-01-09 09:03:12,衬衫,1\n"
    "1008,小猪,3.30,33.30,0,交易成功,2024-01-10 09:03:12,围巾,1\n"
)


@pytest.mark.spark
@pytest.mark.faults
def test_spark_gives_the_same_tables_and_account(tmp_path: Path, engine: Engine) -> None:
    if importlib.util.find_spec("pyspark") is None or shutil.which("java") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have Java and the spark extra")
        pytest.skip("needs a Java runtime and the spark extra")
    path = tmp_path / "orders.csv"
    path.write_text(TEXT, encoding="gb18030")
    here = collect.read_orders([str(path)], engine=engine, work_folder=tmp_path / "here")
    with open_engine("spark", work_folder=tmp_path / "spark", threads=1) as spark:
        there = collect.read_orders([str(path)], engine=spark, work_folder=tmp_path / "there")
        assert there.quality == here.quality
        assert there.quality.reconciles
        for name in ("orders", "order_lines", "refunds"):
            table = getattr(here.tables, name)
            columns = sorted(table.columns)
            assert rows_of(getattr(there.tables, name), *columns) == rows_of(table, *columns)
    assert {count.code: count.rows for count in here.quality.counts} == {
        "sale": 3,
        "duplicate_line": 1,
        "unreadable_amount": 1,
        "cancelled_order": 1,
        "fee_line": 1,
        "no_customer": 1,
        "return_line": 1,
        "postage_part": 0,
    }
