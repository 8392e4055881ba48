"""Exports as the platforms write them: column names, layouts and quirks, with made-up content."""

# ruff: noqa: E501 - exports are wide

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest

from shuke.base.errors import BadInput
from shuke.collect import Collected

from .conftest import counts_of, fields_of, rows_of

Read = Callable[..., Collected]
at = datetime.fromisoformat

SHOPIFY = """\
Name,Email,Financial Status,Paid at,Fulfillment Status,Currency,Subtotal,Shipping,Taxes,Total,Discount Amount,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Lineitem discount,Refunded Amount,Vendor,Source,Shipping Province
#1001,ann@example.com,paid,2024-03-01 10:00:00 -0500,fulfilled,USD,90.00,5.00,7.20,102.20,10.00,2024-03-01 09:59:00 -0500,1,Mug,40.00,MUG-1,0.00,0.00,Kiln,web,NY
#1001,,,,,,,,,,,,2,Plate,30.00,PLT-1,0.00,,Kiln,,
#1002,bob@example.com,refunded,2024-03-05 12:00:00 -0500,fulfilled,USD,30.00,0.00,2.40,32.40,0.00,2024-03-05 11:58:00 -0500,1,Plate,30.00,PLT-1,0.00,30.00,Kiln,pos,CA
#1003,cat@example.com,voided,,unfulfilled,USD,40.00,0.00,0.00,40.00,0.00,2024-03-06 11:58:00 -0500,1,Mug,40.00,MUG-1,0.00,0.00,Kiln,web,CA
#1004,dan@example.com,pending,,unfulfilled,USD,40.00,0.00,0.00,40.00,0.00,2024-03-07 11:58:00 -0500,1,Mug,40.00,MUG-1,0.00,0.00,Kiln,web,CA
"""


def test_shopify_orders_whose_values_stand_on_the_first_line_only(read: Read) -> None:
    collected = read(SHOPIFY)
    fields = fields_of(collected)
    assert (fields["order"], fields["customer"], fields["amount"]) == ("Name", "Email", "Subtotal")
    assert (fields["time"], fields["status"], fields["refund"]) == ("Created at", "Financial Status", "Refunded Amount")
    assert rows_of(collected.tables.orders, "order_id", "customer_id", "ordered_at", "amount", "channel") == [
        ("#1001", "ann@example.com", at("2024-03-01 09:59"), 90.0, "web"),
        ("#1002", "bob@example.com", at("2024-03-05 11:58"), 30.0, "pos"),
    ]
    # 90 is shared by 40 and 2 × 30.
    assert rows_of(collected.tables.order_lines, "order_id", "product_id", "quantity", "amount", "brand") == [
        ("#1001", "MUG-1", 1.0, 36.0, "Kiln"),
        ("#1001", "PLT-1", 2.0, 54.0, "Kiln"),
        ("#1002", "PLT-1", 1.0, 30.0, "Kiln"),
    ]
    assert rows_of(collected.tables.refunds, "customer_id", "order_id", "amount") == [
        ("bob@example.com", "#1002", 30.0)
    ]
    assert collected.currency == "USD"
    assert counts_of(collected) == {
        "sale": (3, Decimal(120)),
        "cancelled_order": (1, Decimal(40)),
        "unpaid_order": (1, Decimal(40)),
    }
    assert {note.code for note in collected.quality.notes} >= {"zone_kept", "order_total", "filled_down"}


def test_shopify_times_on_the_clocks_of_the_brand(read: Read) -> None:
    collected = read(SHOPIFY, timezone="Asia/Shanghai")
    assert rows_of(collected.tables.orders, "order_id", "ordered_at") == [
        ("#1001", at("2024-03-01 22:59")),
        ("#1002", at("2024-03-06 00:58")),
    ]


TAOBAO = """\
订单编号,买家会员名,买家支付宝账号,买家应付货款,买家应付邮费,总金额,买家实际支付金额,订单状态,收货人姓名,收货地址,联系手机,订单创建时间,订单付款时间,宝贝标题,宝贝种类,宝贝总数量,店铺名称,退款金额
="1234567890123456789",小猫,,"1,234.50",0.00,"1,234.50","1,234.50",交易成功,张三,浙江省 杭州市,'13800000001,2024-01-05 08:03:12,2024-01-05 08:05:00,棉麻衬衫,1,2,熟客旗舰店,0.00
="1234567890123456790",小狗,,88.00,0.00,88.00,0.00,交易关闭,李四,浙江省 杭州市,'13800000002,2024-01-06 08:03:12,,羊毛围巾,1,1,熟客旗舰店,0.00
="1234567890123456791",小狗,,88.00,0.00,88.00,88.00,等待买家付款,李四,浙江省 杭州市,'13800000002,2024-01-07 08:03:12,,羊毛围巾,1,1,熟客旗舰店,0.00
="1234567890123456792",小狗,,5.00,0.00,5.00,5.00,交易成功,李四,浙江省 杭州市,'13800000002,2024-01-08 08:03:12,2024-01-08 08:05:00,补差价专拍,1,5,熟客旗舰店,0.00
="1234567890123456793",小猫,,88.00,0.00,88.00,88.00,卖家已发货，等待买家确认,张三,浙江省 杭州市,'13800000001,2024-02-05 08:03:12,2024-02-05 08:05:00,羊毛围巾,1,1,熟客旗舰店,20.00
"""


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig", "utf-16"])
def test_taobao_orders(read: Read, encoding: str) -> None:
    collected = read(TAOBAO.encode(encoding))
    assert fields_of(collected)["amount"] == "买家实际支付金额"
    assert rows_of(collected.tables.orders, "order_id", "customer_id", "amount", "store") == [
        ("1234567890123456789", "小猫", 1234.5, "熟客旗舰店"),
        ("1234567890123456793", "小猫", 88.0, "熟客旗舰店"),
    ]
    assert rows_of(collected.tables.order_lines, "order_id", "product_id", "product_name", "quantity") == [
        ("1234567890123456789", "棉麻衬衫", "棉麻衬衫", 2.0),
        ("1234567890123456793", "羊毛围巾", "羊毛围巾", 1.0),
    ]
    assert rows_of(collected.tables.refunds, "customer_id", "amount") == [("小猫", 20.0)]
    assert counts_of(collected) == {
        "sale": (2, Decimal("1322.50")),
        "cancelled_order": (1, Decimal()),
        "unpaid_order": (1, Decimal(88)),
        "fee_line": (1, Decimal(5)),
    }


def test_jd_orders_whose_amount_is_repeated_on_each_item(read: Read) -> None:
    text = """\
订单号,商品ID,商品名称,订购数量,支付方式,下单时间,京东价,订单金额,结算金额,余额支付,应付金额,订单状态,订单类型,下单帐号,客户姓名,客户地址,联系电话
285001,1001,电饭煲,1,在线支付,2024/1/5 8:03:12,300.00,340.00,320.00,0.00,320.00,完成,SOP,jd_a,张三,北京,1380****001
285001,1002,锅铲,2,在线支付,2024/1/5 8:03:12,20.00,340.00,320.00,0.00,320.00,完成,SOP,jd_a,张三,北京,1380****001
285002,1002,锅铲,1,在线支付,2024/1/6 8:03:12,20.00,20.00,20.00,0.00,20.00,(删除)已取消,SOP,jd_b,李四,北京,1380****002
285003,1001,电饭煲,1,在线支付,2024/1/7 8:03:12,300.00,300.00,300.00,0.00,300.00,完成,SOP,jd_b,李四,北京,1380****002
"""
    collected = read(text.encode("gb18030"))
    fields = fields_of(collected)
    assert (fields["customer"], fields["amount"], fields["price"]) == ("下单帐号", "应付金额", "京东价")
    assert rows_of(collected.tables.orders, "order_id", "customer_id", "amount") == [
        ("285001", "jd_a", 320.0),
        ("285003", "jd_b", 300.0),
    ]
    lines = rows_of(collected.tables.order_lines, "order_id", "product_id", "amount")
    assert lines[0][2] + lines[1][2] == 320.0
    assert lines[0][:2] == ("285001", "1001")
    assert lines[0][2] == pytest.approx(320 * 300 / 340, abs=1e-4)
    assert counts_of(collected)["cancelled_order"] == (1, Decimal(20))


def test_youzan_items(read: Read) -> None:
    text = """\
订单号,订单状态,商品名称,商品规格,规格编码,商品编码,商品单价(元),商品数量,商品金额小计,店铺优惠（分摊）,商品实际成交金额,买家手机号,收货人手机号/提货人手机号,买家付款时间,订单创建时间,商品已退款金额,归属店铺
E2024010508031200001,交易完成,手冲咖啡,250g,G1,P1,￥68.00,2,136.00,16.00,￥120.00,13800000001,13900000009,2024-01-05 08:05:00,2024-01-05 08:03:12,0.00,总店
E2024010508031200001,交易完成,滤纸,100张,G2,P2,￥20.00,1,20.00,0.00,￥20.00,13800000001,13900000009,2024-01-05 08:05:00,2024-01-05 08:03:12,20.00,总店
E2024010608031200002,交易关闭,手冲咖啡,250g,G1,P1,￥68.00,1,68.00,0.00,￥68.00,13800000002,13900000009,,2024-01-06 08:03:12,0.00,总店
"""
    collected = read(text)
    fields = fields_of(collected)
    assert (fields["customer"], fields["amount"], fields["time"]) == ("买家手机号", "商品实际成交金额", "订单创建时间")
    assert rows_of(collected.tables.orders, "order_id", "amount", "store") == [("E2024010508031200001", 140.0, "总店")]
    assert rows_of(collected.tables.refunds, "product_id", "amount") == [("P2", 20.0)]
    assert collected.currency == "CNY"


def test_weimob_orders_below_a_preamble(read: Read) -> None:
    text = """\
导出时间：2024-02-01 10:00:00
店铺：熟客 微商城,,,

订单编号,下单时间,付款时间,订单状态,会员昵称,会员手机号,商品名称,商品编码,商品数量,商品售价,实付金额,优惠金额
W001,2024年1月5日 8时3分,2024年1月5日 8时4分,已完成,猫,13800000001,香薰,A1,1,99.00,89.00,10.00
W002,2024年1月6日 18时30分,,待付款,狗,13800000002,香薰,A1,1,99.00,99.00,0.00
"""
    collected = read(text)
    assert collected.quality.files[0].skipped_lines == 3
    assert fields_of(collected)["customer"] == "会员手机号"
    assert rows_of(collected.tables.orders, "order_id", "customer_id", "ordered_at", "amount") == [
        ("W001", "13800000001", at("2024-01-05 08:03"), 89.0)
    ]


def test_woocommerce_with_items_by_line(read: Read) -> None:
    text = """\
Order Number,Order Status,Order Date,Email (Billing),Order Subtotal Amount,Order Refund Amount,Order Total Amount,SKU,Item #,Item Name,Quantity (- Refund),Item Cost
501,Completed,2024-01-05 08:03,ann@example.com,50.00,0.00,55.00,TEA,1,Green tea,2,20.00
501,Completed,2024-01-05 08:03,ann@example.com,50.00,0.00,55.00,CUP,2,Cup,1,10.00
502,Cancelled,2024-01-06 08:03,bob@example.com,10.00,0.00,15.00,CUP,1,Cup,1,10.00
"""
    collected = read(text)
    assert rows_of(collected.tables.orders, "order_id", "customer_id", "amount", "units") == [
        ("501", "ann@example.com", 50.0, 3.0)
    ]
    assert rows_of(collected.tables.order_lines, "product_id", "amount") == [("CUP", 10.0), ("TEA", 40.0)]


def test_a_question_and_no_guess_where_two_columns_are_equally_good(read: Read) -> None:
    with pytest.raises(BadInput) as raised:
        read("会员编号,客户编号,下单时间,实付金额\n1,2,2024-01-05,10\n")
    assert raised.value.code == "collect.ambiguous_column"
    assert raised.value.values["candidates"] == "会员编号, 客户编号"
    collected = read("会员编号,客户编号,下单时间,实付金额\n1,2,2024-01-05,10\n", mapping={"customer": "客户编号"})
    assert rows_of(collected.tables.orders, "customer_id") == [("2",)]
    assert [match.why for match in collected.recognised.matches if match.field == "customer"] == ["given"]


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("谁,下单时间,实付金额", "collect.missing_customer"),
        ("会员编号,何时,实付金额", "collect.missing_time"),
        ("会员编号,下单时间,单价", "collect.missing_amount"),
    ],
)
def test_a_question_where_no_column_is_recognised(read: Read, header: str, code: str) -> None:
    with pytest.raises(BadInput) as raised:
        read(f"{header}\n1,2024-01-05,10\n")
    assert raised.value.code == code
    assert raised.value.values["columns"] == header.replace(",", ", ")
