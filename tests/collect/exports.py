"""Exports of six shops with some 700 customers each, as their platforms write them; made up from a seed.

Usage: python tests/collect/exports.py FOLDER
"""

# ruff: noqa: SIM905 - headers as the exports have them

from __future__ import annotations

import csv
import io
import sys
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np

SEED = 20_261_122
CUSTOMERS = 700
PRODUCTS = [
    ("SKU1", "棉麻衬衫", 129.0),
    ("SKU2", "羊毛围巾", 88.5),
    ("SKU3", "手冲咖啡", 68.0),
    ("SKU4", "香薰蜡烛", 39.9),
]
FIRST = datetime(2024, 11, 1, 8)  # noqa: DTZ001 - a shop's own clock
DAYS = 740

Order = tuple[int, int, datetime, list[tuple[int, int]], float, str]


@cache
def orders() -> list[Order]:
    """Orders in time: number, customer, moment, (product, quantity) of each line, postage, state."""
    random = np.random.default_rng(SEED)
    found = []
    for customer in range(CUSTOMERS):
        day = random.uniform(0, DAYS * 0.7)
        rate = random.gamma(2.0, 0.01)
        while day < DAYS:
            lines = [(int(p), int(random.integers(1, 4))) for p in random.permutation(4)[: random.integers(1, 4)]]
            state = str(random.choice(["done", "closed", "refunded"], p=[0.93, 0.04, 0.03]))
            moment = FIRST + timedelta(days=float(day))
            found.append(
                (customer, moment.replace(microsecond=0), lines, float(random.choice([0.0, 8.0, 12.5])), state)
            )
            if random.random() < 0.15:
                break
            day += random.exponential(1 / rate)
    found.sort(key=lambda order: order[1])
    return [(number, *order) for number, order in enumerate(found)]


def goods(lines: list[tuple[int, int]]) -> float:
    return sum(PRODUCTS[product][2] * quantity for product, quantity in lines)


def text(header: list[str], rows: list[list[object]], *, preamble: str = "") -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([header, *rows])
    return preamble + out.getvalue()


def shopify() -> bytes:
    header = (
        "Name,Email,Financial Status,Paid at,Fulfillment Status,Currency,Subtotal,Shipping,Taxes,Total,Discount Amount,"
        "Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Lineitem discount,Refunded Amount,"
        "Vendor,Source,Shipping Province"
    ).split(",")
    rows: list[list[object]] = []
    for number, customer, at, lines, postage, state in orders():
        total, stamp = goods(lines), f"{at:%Y-%m-%d %H:%M:%S} +0800"
        status = {"done": "paid", "closed": "voided", "refunded": "refunded"}[state]
        back = f"{total:.2f}" if state == "refunded" else "0.00"
        whole: list[object] = [f"c{customer}@example.com", status, stamp, "fulfilled", "USD", f"{total:.2f}"]
        whole += [f"{postage:.2f}", "0.00", f"{total + postage:.2f}", "0.00", stamp]
        for at_line, (product, quantity) in enumerate(lines):
            sku, name, price = PRODUCTS[product]
            first = at_line == 0
            line: list[object] = [f"#{1000 + number}", *(whole if first else [""] * 10), *([] if first else [stamp])]
            line += [quantity, name, f"{price:.2f}", sku, "0.00", back if first else "", "Kiln"]
            rows.append([*line, *(["web", "NY"] if first else ["", ""])])
    return text(header, rows).encode()


def woocommerce() -> bytes:
    header = (
        "Order Number,Order Status,Order Date,Email (Billing),Order Subtotal Amount,Order Shipping Amount,"
        "Order Refund Amount,Order Total Amount,SKU,Item #,Item Name,Quantity (- Refund),Item Cost"
    ).split(",")
    rows: list[list[object]] = []
    for number, customer, at, lines, postage, state in orders():
        total = goods(lines)
        status = {"done": "Completed", "closed": "Cancelled", "refunded": "Refunded"}[state]
        back = f"{total:.2f}" if state == "refunded" else "0.00"
        head = [500 + number, status, f"{at:%Y-%m-%d %H:%M}", f"c{customer}@example.com", f"{total:.2f}"]
        head += [f"{postage:.2f}", back, f"{total + postage:.2f}"]
        for item, (product, quantity) in enumerate(lines, start=1):
            sku, name, price = PRODUCTS[product]
            rows.append([*head, sku, item, name, quantity, f"{price:.2f}"])
    return text(header, rows).encode("utf-8-sig")


def youzan() -> bytes:
    header = (
        "订单号,订单状态,商品名称,商品规格,规格编码,商品编码,商品单价(元),商品数量,商品金额小计,店铺优惠（分摊）,"
        "商品实际成交金额,买家手机号,收货人手机号/提货人手机号,买家付款时间,订单创建时间,商品已退款金额,归属店铺,运费"
    ).split(",")
    rows: list[list[object]] = []
    for number, customer, at, lines, postage, state in orders():
        status = {"done": "交易完成", "closed": "交易关闭", "refunded": "交易完成"}[state]
        for product, quantity in lines:
            sku, name, price = PRODUCTS[product]
            money = f"{price * quantity:.2f}"
            back = money if state == "refunded" else "0.00"
            line: list[object] = [
                f"E{at:%Y%m%d%H%M%S}{number:07d}",
                status,
                name,
                "标准",
                f"G{sku}",
                sku,
                f"￥{price:.2f}",
            ]
            line += [quantity, money, "0.00", f"￥{money}", 13_800_000_000 + customer, 13_900_000_000 + customer]
            rows.append([*line, f"{at:%Y-%m-%d %H:%M:%S}", f"{at:%Y-%m-%d %H:%M:%S}", back, "总店", f"{postage:.2f}"])
    return text(header, rows).encode("utf-8-sig")


def weimob() -> bytes:
    header = (
        "订单编号,下单时间,付款时间,订单状态,会员昵称,会员手机号,商品名称,商品编码,商品数量,商品售价,实付金额,优惠金额,运费"
    ).split(",")
    rows: list[list[object]] = []
    for number, customer, at, lines, postage, state in orders():
        status = {"done": "已完成", "closed": "已关闭", "refunded": "已退款"}[state]
        paid, stamp = goods(lines) + postage, f"{at.year}年{at.month}月{at.day}日 {at.hour}时{at.minute}分"
        for product, quantity in lines:
            sku, name, price = PRODUCTS[product]
            line: list[object] = [f"W{number:08d}", stamp, stamp, status, f"会员{customer}", 13_800_000_000 + customer]
            rows.append([*line, name, sku, quantity, f"{price:.2f}", f"{paid:.2f}", "0.00", f"{postage:.2f}"])
    return text(header, rows, preamble="导出时间：2026-11-20 10:00:00\r\n店铺：熟客 微商城,,,\r\n\r\n").encode(
        "gb18030"
    )


def taobao() -> bytes:
    header = (
        "订单编号,买家会员名,买家支付宝账号,买家应付货款,买家应付邮费,总金额,买家实际支付金额,订单状态,收货人姓名,收货地址,联系手机,"
        "订单创建时间,订单付款时间,宝贝标题,宝贝种类,宝贝总数量,店铺名称,退款金额"
    ).split(",")
    rows: list[list[object]] = []
    for number, customer, at, lines, postage, state in orders():
        total = goods(lines)
        paid = 0.0 if state == "closed" else total + postage
        line: list[object] = [f'="{3_000_000_000_000_000_000 + number}"', f"买家{customer}", "", f"{total:,.2f}"]
        line += [f"{postage:.2f}", f"{total + postage:,.2f}", f"{paid:,.2f}"]
        line += [
            "交易关闭" if state == "closed" else "交易成功",
            "张三",
            "浙江省 杭州市",
            f"'{13_800_000_000 + customer}",
        ]
        line += [f"{at:%Y-%m-%d %H:%M:%S}", "" if state == "closed" else f"{at:%Y-%m-%d %H:%M:%S}"]
        line += ["，".join(PRODUCTS[product][1] for product, _ in lines), len(lines), sum(q for _, q in lines)]
        rows.append([*line, "熟客旗舰店", f"{total:.2f}" if state == "refunded" else "0.00"])
    return text(header, rows, preamble="淘宝订单导出,,\r\n").encode("gbk")


def jd() -> bytes:
    header = (
        "订单号,商品ID,商品名称,订购数量,支付方式,下单时间,京东价,订单金额,结算金额,余额支付,应付金额,订单状态,订单类型,"
        "下单帐号,客户姓名,客户地址,联系电话"
    ).split(",")
    rows: list[list[object]] = []
    for number, customer, at, lines, _, state in orders():
        status = {"done": "完成", "closed": "(删除)已取消", "refunded": "完成"}[state]
        stamp = f"{at.year}/{at.month}/{at.day} {at:%H:%M:%S}"
        total = f"{goods(lines):.2f}"
        for product, quantity in lines:
            sku, name, price = PRODUCTS[product]
            line: list[object] = [
                285_000_000 + number,
                sku,
                name,
                quantity,
                "在线支付",
                stamp,
                f"{price:.2f}",
                total,
                total,
            ]
            rows.append([*line, "0.00", total, status, "SOP", f"jd_{customer}", "张三", "北京", "1380****001"])
    return text(header, rows).encode("gb18030")


SHOPS = {
    "shopify": shopify,
    "woocommerce": woocommerce,
    "youzan": youzan,
    "weimob": weimob,
    "taobao": taobao,
    "jd": jd,
}

if __name__ == "__main__":
    for shop, make in SHOPS.items():
        (Path(sys.argv[1]) / f"{shop}.csv").write_bytes(make())
