"""From the lines of order files to canonical tables, as Ibis expressions. Pure: built and never executed.

A *line* is one row of a file with the columns of `FIELDS` that the file has, beside ``file`` (its number) and, where
the file was staged, ``row``. The rules of `TREATMENTS` are tried in their order; the first that fits names the row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Literal

import ibis
import ibis.expr.types as ir

from shuke.collect.model import EARLIEST_YEAR, FIELDS, ID_FIELDS, MONEY_DIGITS, MONEY_PRECISION, NUMBER_OF, RowRules

MONEY = f"decimal({MONEY_PRECISION}, {MONEY_DIGITS})"


def lines_of(table: ir.Table, columns: Mapping[str, str], *, file: int, texts: Sequence[str]) -> ir.Table:
    """The lines of one file: its columns under the names of their fields. Fields in ``texts`` become text."""
    chosen = {"file": ibis.literal(file, type="int16")}
    for extra in ("row", "flag"):
        if extra in table.columns and extra not in columns.values():
            chosen[extra] = table[extra]
    for field in FIELDS:
        if field in columns:
            column = table[columns[field]]
            if field == "time":
                column = column.cast("timestamp")
            elif field in texts:
                column = column.cast("string")
            chosen[field] = column
    return table.select(**chosen)


def union_of(tables: Sequence[ir.Table]) -> ir.Table:
    """All lines together; a column that a file lacks is null in its rows."""
    types: dict[str, object] = {}
    for table in tables:
        for name, kind in table.schema().items():
            types[name] = kind if name not in types else _wider(types[name], kind)
    aligned = [
        table.select(
            **{
                name: (table[name].cast(kind) if name in table.columns else ibis.null().cast(kind))
                for name, kind in types.items()
            }
        )
        for table in tables
    ]
    return aligned[0] if len(aligned) == 1 else reduce(lambda left, right: left.union(right), aligned)


def _wider(left: object, right: object) -> object:
    if left == right:
        return left
    pair = (ibis.dtype(left), ibis.dtype(right))
    if all(kind.is_temporal() for kind in pair):
        return "timestamp"
    if all(kind.is_integer() for kind in pair):
        return "int64"
    if all(kind.is_numeric() for kind in pair):
        return "float64" if any(kind.is_floating() for kind in pair) else MONEY
    return "string"


def money(lines: ir.Table) -> ir.DecimalValue | None:
    """The money of each line, exact: its amount, else quantity × price − discount; None where a file has neither."""
    product = None
    if "price" in lines.columns and "quantity" in lines.columns:
        product = lines.price.cast(MONEY) * lines.quantity.cast(MONEY)
        if "discount" in lines.columns and "amount" not in lines.columns:
            off = lines.discount.cast(MONEY).abs().fill_null(0)
            product = product - ibis.cases((lines.quantity < 0, -off), else_=off)
        product = product.cast(MONEY)
    if "amount" not in lines.columns:
        return product
    amount = lines.amount.cast(MONEY)
    return amount if product is None else ibis.coalesce(amount, product)


def postage(lines: ir.Table) -> ir.DecimalValue | None:
    """The postage within the money of each line: at most all of it, and none in what was not paid or given back."""
    whole = money(lines)
    if "postage" not in lines.columns or whole is None:
        return None
    part = ibis.least(lines.postage.cast(MONEY).fill_null(0), whole)
    return ibis.ifelse(whole.notnull() & (part > 0), part, ibis.literal(0).cast(MONEY)).cast(MONEY)


def classify(lines: ir.Table, rules: RowRules) -> ir.Table:
    """Each line with its exact ``money`` (null where it has none) and the number of its ``rule``.

    Postage that the money contains is taken out of it and stands in ``postage_part``.
    """
    value, part = money(lines), postage(lines)
    if part is not None:
        lines = lines.mutate(money=(value - part).cast(MONEY), postage_part=part)
    table = lines if part is not None else lines.mutate(money=ibis.null().cast(MONEY) if value is None else value)
    tests = [*_flag_tests(table), *_value_tests(table, rules), *_order_tests(table, rules), *_line_tests(table, rules)]
    # A test on a missing value is no reason: what is missing has tests of its own.
    cases = [(ibis.coalesce(test, ibis.literal(False)), NUMBER_OF[code]) for code, test in tests]  # noqa: FBT003 - a value
    return table.mutate(rule=ibis.cases(*cases, else_=NUMBER_OF["sale"]).cast("int8"))


def _flag_tests(table: ir.Table) -> Iterator[tuple[str, ir.BooleanValue]]:
    if "flag" in table.columns:
        for code in ("duplicate_line", "overlap_line", "ambiguous_id"):
            yield code, table.flag == NUMBER_OF[code]


def _value_tests(table: ir.Table, rules: RowRules) -> Iterator[tuple[str, ir.BooleanValue]]:
    if rules.needs_amount:
        yield "unreadable_amount", table.money.isnull()
    yield "unreadable_time", table.time.isnull()
    earliest = ibis.timestamp(datetime(EARLIEST_YEAR, 1, 1))  # noqa: DTZ001 - the brand's own time has no zone
    yield "impossible_time", (table.time < earliest) | (table.time >= ibis.timestamp(rules.latest))
    if rules.as_of is not None:
        yield "after_as_of", table.time >= ibis.timestamp(rules.as_of)


def _order_tests(table: ir.Table, rules: RowRules) -> Iterator[tuple[str, ir.BooleanValue]]:
    if rules.currency is not None and "currency" in table.columns:
        yield "other_currency", table.currency.upper() != rules.currency
    if rules.cancelled:
        yield "cancelled_order", table.status.isin(rules.cancelled)
    if rules.unpaid:
        yield "unpaid_order", table.status.isin(rules.unpaid)


def _line_tests(table: ir.Table, rules: RowRules) -> Iterator[tuple[str, ir.BooleanValue]]:
    if rules.fee_codes:
        yield "fee_line", table.product.isin(rules.fee_codes)
    if rules.fee_names:
        named = table.product_name.isin(rules.fee_names)
        yield "fee_line", named & table.product.isnull() if "product" in table.columns else named
    yield "no_customer", table.customer.isnull()
    if rules.needs_amount:
        yield "zero_price", table.money == 0
    yield "return_line", table.money < 0
    if "quantity" in table.columns:
        yield "return_line", table.quantity < 0
    if rules.credit_orders:
        yield "return_line", table.order.startswith("C")


def counts(lines: ir.Table) -> ir.Table:
    """Rows and money of each rule, with the first and last moment of its rows, and the postage taken out of them."""
    part = {"postage": lines.postage_part.sum()} if "postage_part" in lines.columns else {}
    return lines.group_by("rule").aggregate(
        rows=lines.count(), amount=lines.money.sum(), first_at=lines.time.min(), last_at=lines.time.max(), **part
    )


@dataclass(frozen=True)
class Shape:
    """What the lines can give: whether a row is an order, how to make an order where a number is missing."""

    one_row_per_order: bool
    has_order: bool
    orders_missing: bool  # some sales lack the order number that the others have
    has_clock: bool
    margin: Literal["share", "money"] | None = None  # what the margin column holds


def all_sales(lines: ir.Table) -> ir.Table:
    """Each line as a sale, with its exact ``money``: for files whose columns leave no rule anything to find."""
    return lines.mutate(money=money(lines), rule=ibis.literal(NUMBER_OF["sale"], type="int8"))


def with_order_id(lines: ir.Table, shape: Shape) -> ir.Table:
    """The lines with ``order_id``: the number in the file, else one made of the customer and the moment (or day)."""
    if shape.has_order and not shape.orders_missing:
        return lines.mutate(order_id=lines.order)
    made = _made_order_id(lines.customer, _moment(lines, shape))
    return lines.mutate(order_id=ibis.coalesce(lines.order.cast("string"), made) if shape.has_order else made)


def _moment(lines: ir.Table, shape: Shape) -> ir.Value:
    return lines.time if shape.has_clock else lines.time.date()


def _made_order_id(customer: ir.Value, moment: ir.Value) -> ir.StringValue:
    return ibis.literal("@").join([customer.cast("string"), moment.cast("string")])


def orders_of(lines: ir.Table, shape: Shape) -> ir.Table:
    """The canonical orders: one row per customer and order of the lines that are sales."""
    sales = lines.filter(lines.rule == NUMBER_OF["sale"])
    optional = [name for name in ("channel", "store", "region") if name in sales.columns]
    sums = {"units": "quantity", "discount": "discount"}
    if shape.one_row_per_order:
        return sales.select(
            customer_id=sales.customer,
            order_id=sales.order,
            ordered_at=sales.time,
            amount=_amount(sales),
            **{name: sales[field].cast("float64") for name, field in sums.items() if field in sales.columns},
            **_cost(sales, shape),
            **{name: sales[name] for name in optional},
        )
    detailed = with_order_id(sales.mutate(paid=_amount(sales), **_cost(sales, shape)), shape)
    totals = {name: detailed[field].cast("float64").sum() for name, field in sums.items() if field in sales.columns}
    if "cost" in _cost(sales, shape):
        totals["cost"] = detailed.cost.sum()
    # To group by the moment itself is far cheaper than by the text that is made of it.
    key = {"order_id": detailed.order_id} if shape.has_order else {"moment": _moment(detailed, shape)}
    orders = detailed.group_by(customer_id=detailed.customer, **key).aggregate(
        ordered_at=detailed.time.min(),
        amount=detailed.paid.sum(),
        **totals,
        # One order has one of each; the smallest stands where a file says otherwise, the same on every engine.
        **{name: detailed[name].min() for name in optional},
    )
    if shape.has_order:
        return orders
    return orders.mutate(order_id=_made_order_id(orders.customer_id, orders.moment)).drop("moment")


def order_lines_of(lines: ir.Table, shape: Shape) -> ir.Table | None:
    """The canonical order lines, under the product's most frequent name; None where the files name no products."""
    if not {"product", "product_name"} & set(lines.columns):
        return None
    sales = with_order_id(lines.filter(lines.rule == NUMBER_OF["sale"]), shape)
    quantity = sales.quantity.cast("float64").fill_null(1) if "quantity" in sales.columns else ibis.literal(1.0)
    plain = {name: sales[name] for name in ("category", "brand") if name in sales.columns}
    numbers = {name: sales[name].cast("float64") for name in ("price", "discount") if name in sales.columns}
    product = _product(sales)
    result = sales.select(
        customer_id=sales.customer,
        order_id=sales.order_id,
        ordered_at=sales.time,
        product_id=product,
        quantity=quantity,
        amount=_amount(sales),
        **plain,
        **numbers,
        **_cost(sales, shape),
    )
    result = result.filter(result.product_id.notnull())
    if "product_name" not in sales.columns:
        return result
    return result.left_join(product_names(lines), "product_id").drop("product_id_right")


def product_names(lines: ir.Table) -> ir.Table:
    """``product_id`` and the ``product_name`` that most of its sold lines carry (of equals the first by alphabet)."""
    sales = lines.filter((lines.rule == NUMBER_OF["sale"]) & lines.product_name.notnull())
    named = sales.select(product_id=_product(sales), product_name=sales.product_name)
    named = named.filter(named.product_id.notnull())
    tally = named.group_by("product_id", "product_name").aggregate(lines=named.count())
    place = ibis.row_number().over(group_by=tally.product_id, order_by=[tally.lines.desc(), tally.product_name])
    ranked = tally.mutate(place=place)
    return ranked.filter(ranked.place == 0).select("product_id", "product_name")


def refunds_of(lines: ir.Table, shape: Shape, rules: RowRules) -> ir.Table | None:
    """What customers got back: lines that are returns, the column of refunds, and orders marked as refunded.

    A refund that a column of the order states is dated with the order, since such files do not say when it was paid.
    """
    parts: list[ir.Table] = []
    if "amount" in lines.columns or "price" in lines.columns:
        parts.append(_refund(lines, lines.rule == NUMBER_OF["return_line"], lines.money.cast("float64").abs(), shape))
        sold = lines.rule == NUMBER_OF["sale"]
        if "refund" in lines.columns:
            given = lines.refund.cast("float64").abs()
            parts.append(_refund(lines, sold & (given > 0), given, shape))
        elif rules.refunded:
            parts.append(_refund(lines, sold & lines.status.isin(rules.refunded), lines.money.cast("float64"), shape))
    if not parts:
        return None
    together = parts[0] if len(parts) == 1 else reduce(lambda left, right: left.union(right), parts)
    return together.filter(together.amount > 0)


def _refund(lines: ir.Table, test: ir.BooleanValue, amount: ir.FloatingValue, shape: Shape) -> ir.Table:
    rows = with_order_id(lines.mutate(refunded_amount=amount).filter(test), shape)
    columns = {
        "customer_id": rows.customer,
        "refunded_at": rows.time,
        "amount": rows.refunded_amount,
        "order_id": rows.order_id,
    }
    if {"product", "product_name"} & set(rows.columns):
        columns["product_id"] = _product(rows)
    if "quantity" in rows.columns:
        columns["quantity"] = rows.quantity.cast("float64").abs()
    return rows.select(**columns)


def _amount(sales: ir.Table) -> ir.FloatingValue:
    # A column of doubles is taken as it is: through the exact decimal it would cost twice as much and say the same.
    plain = not {"price", "postage_part"} & set(sales.columns)
    if plain and "amount" in sales.columns and sales.amount.type().is_floating():
        return sales.amount.cast("float64")
    return sales.money.cast("float64")


def _product(rows: ir.Table) -> ir.Value:
    if "product" not in rows.columns:
        return rows.product_name
    if "product_name" not in rows.columns or not rows.product.type().is_string():
        return rows.product
    return ibis.coalesce(rows.product, rows.product_name)


def _cost(sales: ir.Table, shape: Shape) -> dict[str, ir.FloatingValue]:
    """The cost of the goods of each line, from its own column, the cost of one, or the margin (a share or money)."""
    if "cost" in sales.columns:
        return {"cost": sales.cost.cast("float64")}
    if "unit_cost" in sales.columns:
        units = sales.quantity.cast("float64").fill_null(1) if "quantity" in sales.columns else ibis.literal(1.0)
        return {"cost": sales.unit_cost.cast("float64") * units}
    if shape.margin is not None:
        margin, paid = sales.margin.cast("float64"), _amount(sales)
        return {"cost": paid * (1 - margin) if shape.margin == "share" else paid - margin}
    return {}


def id_types(tables: Sequence[tuple[ir.Table, Mapping[str, str]]]) -> tuple[str, ...]:
    """The id fields that must become text because the files give them different types."""
    texts = []
    for field in ID_FIELDS:
        kinds = {table[columns[field]].type().is_integer() for table, columns in tables if field in columns}
        if len(kinds) > 1:
            texts.append(field)
    return tuple(texts)


# ---- What goes from files into the database: text that PostgreSQL takes, whole minor units, batches.

#: Letters of an order's or a product's number, and of a name; more of a name is cut off.
_CODE_LENGTH, _NAME_LENGTH = 200, 500
_CONTROL = r"[\x00-\x1f\x7f]+"


def orders_to_import(orders: ir.Table, *, digits: int, amount_max: int, batch_orders: int, personal: bool) -> ir.Table:
    """The canonical orders with ``amount_minor`` and the number of their ``batch``.

    ``digits`` are the decimals of the currency. An order that cannot be kept has a ``reason`` (a code of the catalogue
    under ``import_reasons``) and no batch. ``made`` marks numbers that are made of the customer or may be an address;
    ``personal`` says that customers are named by something that no number may hold, such as their phone.
    """
    money = orders.amount.cast(MONEY)
    table = orders.select(
        order_id=orders.order_id.cast("string"),
        customer=orders.customer_id.cast("string"),
        ordered_at=orders.ordered_at.cast("timestamp"),
        money=money,
        amount_minor=_minor(money, digits),
        discount_minor=_minor(orders.discount.cast(MONEY).abs().fill_null(0), digits)
        if "discount" in orders.columns
        else ibis.literal(0, type="int64"),
        **{name: _plain(orders, name) for name in ("channel", "store", "region")},
    )
    owners = table.count().over(ibis.window(group_by=table.order_id))
    table = table.mutate(
        made=_may_name_a_person(table, personal=personal),
        reason=ibis.cases(
            (owners > 1, "several_customers"),
            (table.order_id.length() > _CODE_LENGTH, "bad_order_number"),
            (table.order_id.re_search(_CONTROL), "bad_order_number"),
            (table.amount_minor > amount_max, "amount_too_large"),
            else_=ibis.null("string"),
        ),
    )
    # Those with a reason come last, so that the others are numbered without a gap.
    place = ibis.row_number().over(order_by=[table.reason.notnull(), table.order_id, table.customer])
    batch = ibis.ifelse(table.reason.isnull(), place // batch_orders, ibis.null("int64"))
    return table.mutate(batch=batch.cast("int64"))


def lines_to_import(lines: ir.Table, orders: ir.Table, *, digits: int) -> ir.Table:
    """The lines of the orders that go in, numbered within their order, in the order's batch.

    Lines are rounded so that those of an order sum to the rounded sum: each gets the difference of two running totals.
    """
    table = lines.select(
        order_id=lines.order_id.cast("string"),
        product_id=_plain(lines, "product_id", _CODE_LENGTH),
        **{name: _plain(lines, name) for name in ("product_name", "category", "brand")},
        quantity=lines.quantity.cast("float64"),
        money=lines.amount.cast(MONEY),
        cost_minor=_minor(lines.cost.cast(MONEY), digits) if "cost" in lines.columns else ibis.null("int64"),
    )
    batches = orders.filter(orders.reason.isnull()).select("order_id", "batch", "made")
    table = table.join(batches, "order_id")
    within = [table.product_id, table.product_name, table.money, table.quantity, table.cost_minor]
    table = table.mutate(line=ibis.row_number().over(group_by=table.order_id, order_by=within) + 1)
    total = table.money.sum().over(group_by=table.order_id, order_by=table.line, rows=(None, 0))
    table = table.mutate(total=total.cast(MONEY))
    amount = _minor(table.total, digits) - _minor((table.total - table.money).cast(MONEY), digits)
    return table.mutate(amount_minor=amount).drop("total", "money")


def refunds_to_import(refunds: ir.Table, *, digits: int, amount_max: int, batch_rows: int, personal: bool) -> ir.Table:
    """The canonical refunds with what makes their number: ``part`` is the product and which of its refunds this is."""
    table = refunds.select(
        order_id=refunds.order_id.cast("string")
        if "order_id" in refunds.columns
        else refunds.customer_id.cast("string") + "@",
        customer=refunds.customer_id.cast("string"),
        refunded_at=refunds.refunded_at.cast("timestamp"),
        amount_minor=_minor(refunds.amount.cast(MONEY), digits),
        money=refunds.amount.cast(MONEY),
        product=_plain(refunds, "product_id", _CODE_LENGTH).fill_null(""),
    )
    within = [table.refunded_at, table.customer, table.amount_minor]
    number = ibis.row_number().over(group_by=[table.order_id, table.product], order_by=within) + 1
    table = table.mutate(part=table.product + "/" + number.cast("string"))
    table = table.mutate(
        made=_may_name_a_person(table, personal=personal),
        reason=ibis.cases(
            (table.order_id.length() > _CODE_LENGTH, "bad_order_number"),
            (table.order_id.re_search(_CONTROL), "bad_order_number"),
            (table.amount_minor > amount_max, "amount_too_large"),
            else_=ibis.null("string"),
        ),
    )
    place = ibis.row_number().over(order_by=[table.reason.notnull(), table.order_id, table.part])
    batch = ibis.ifelse(table.reason.isnull(), place // batch_rows, ibis.null("int64"))
    return table.mutate(batch=batch.cast("int64"), product=table["product"].nullif(""))


def products_to_import(lines: ir.Table) -> ir.Table:
    """Each product of the imported lines once, with what the lines say of it."""
    named = lines.filter(lines.product_id.length() > 0)
    return named.group_by("product_id").aggregate(
        **{name: named[name].max() for name in ("product_name", "category", "brand")}
    )


def _may_name_a_person(table: ir.Table, *, personal: bool) -> ir.BooleanValue:
    same = table.order_id.contains(table.customer) if personal else table.order_id == table.customer
    return table.order_id.contains("@") | same


def _minor(money: ir.DecimalValue, digits: int) -> ir.IntegerValue:
    return (money * 10**digits).round(0).cast("int64")


def _plain(table: ir.Table, name: str, length: int = _NAME_LENGTH) -> ir.StringValue:
    """A column as text on one line; null where there is none."""
    if name not in table.columns:
        return ibis.null("string")
    column = table[name].cast("string")
    return column.re_replace(_CONTROL, " ").substr(0, length).nullif("") if table[name].type().is_string() else column
