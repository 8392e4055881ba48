"""Postage within what was paid: taken out where the file says how much, else said."""

from collections.abc import Callable
from decimal import Decimal

from shuke.collect import Collected

from .conftest import counts_of, fields_of, rows_of

Read = Callable[..., Collected]

TAOBAO = """\
订单编号,买家会员名,买家应付邮费,买家实际支付金额,订单状态,订单创建时间,宝贝标题,宝贝总数量
1,小猫,12.50,112.50,交易成功,2024-01-05 08:03:12,衬衫,2
2,小狗,10.00,0.00,交易关闭,2024-01-06 08:03:12,围巾,1
3,小狗,0.00,88.00,交易成功,2024-01-07 08:03:12,围巾,1
4,小狗,8.00,8.00,交易成功,2024-01-08 08:03:12,围巾,1
5,小猪,,20.00,等待买家付款,2024-01-09 08:03:12,围巾,1
"""


def test_postage_is_taken_out_of_what_was_paid_and_stands_apart(read: Read) -> None:
    collected = read(TAOBAO)
    assert rows_of(collected.tables.orders, "order_id", "amount") == [("1", 100.0), ("3", 88.0)]
    assert counts_of(collected) == {
        "sale": (2, Decimal(188)),
        "cancelled_order": (1, Decimal()),
        "unpaid_order": (1, Decimal(20)),
        "zero_price": (1, Decimal()),
        "postage_part": (0, Decimal("20.50")),
    }
    assert collected.quality.amount == Decimal("228.50")
    assert [note.code for note in collected.quality.notes] == ["postage_taken"]


def test_the_postage_of_an_order_is_shared_like_its_amount(read: Read) -> None:
    collected = read(
        "订单编号,会员手机号,下单时间,商品名称,商品数量,商品售价,实付金额,运费\n"
        "W1,138,2024-01-05 08:00,香薰,1,60.00,110.00,10.00\n"
        "W1,138,2024-01-05 08:00,蜡烛,2,20.00,110.00,10.00\n"
        "W2,139,2024-01-06 08:00,香薰,1,60.00,60.00,0.00\n"
    )
    assert rows_of(collected.tables.orders, "order_id", "amount") == [("W1", 100.0), ("W2", 60.0)]
    assert rows_of(collected.tables.order_lines, "order_id", "product_id", "amount") == [
        ("W1", "蜡烛", 40.0),
        ("W1", "香薰", 60.0),
        ("W2", "香薰", 60.0),
    ]
    assert counts_of(collected) == {"sale": (3, Decimal(160)), "postage_part": (0, Decimal(10))}


def test_without_a_column_of_postage_the_reader_is_told(read: Read) -> None:
    collected = read("订单编号,会员手机号,下单时间,实付金额\nW1,138,2024-01-05,110\n")
    assert [note.code for note in collected.quality.notes] == ["postage_within"]
    assert collected.quality.count("sale").amount == Decimal(110)


def test_postage_beside_amounts_of_goods_is_left_alone(read: Read) -> None:
    collected = read("订单编号,会员手机号,下单时间,商品实付金额,运费\nW1,138,2024-01-05,110,10\n")
    assert "postage" not in fields_of(collected)
    assert collected.recognised.unused == (("file0.csv", "运费"),)
    assert counts_of(collected) == {"sale": (1, Decimal(110))}
