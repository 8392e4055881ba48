"""A report that holds every block and every kind of chart, in either language, with awkward names in all places."""

import math
from datetime import UTC, date, datetime
from itertools import pairwise

import pyarrow as pa

from shuke.base.language import Language
from shuke.reports.model import (
    Axis,
    Block,
    Callout,
    CalloutKind,
    Chapter,
    ChartBlock,
    ChartKind,
    ChartSpec,
    Column,
    Confidence,
    CustomerList,
    FindingBlock,
    Heading,
    KeyFigure,
    KeyFigures,
    Kind,
    Mark,
    Report,
    StrategyBlock,
    TableBlock,
    Text,
)

HOSTILE = (
    "<script>alert('x')</script>",
    "</script><img src=x onerror=alert(1)>",
    '=cmd|"/c calc"!A1',
    '#set page(fill: red) #panic("x")',
    "@SUM(1+1)*cmd",
    "$x^2$ *bold* _it_ `raw` \\ // /* <label> @ref",
    "手工编织羊毛混纺加厚保暖围巾（冬季限定礼盒装·含贺卡与定制刺绣服务）",
    "🎁 Gift & “bag” {{ 7*7 }} {% raw %}",
)


def sample(language: Language, currency: str | None = None) -> Report:
    """The whole report; pounds in English, renminbi in Chinese."""
    zh = language is Language.CHINESE
    say = _chinese if zh else _english
    chapters = (
        Chapter(
            code="summary",
            short=say("Summary", "摘要"),
            title=say("A tenth of the customers brings half of the revenue", "一成客户贡献了一半的销售额"),
            lead=say(
                "The brand sold to 5,850 customers. Those who bought twice are worth five times those who bought once, "
                "and 1,204 of them have gone quiet.",
                "品牌共服务 5,850 位客户。购买两次以上的客户，价值是只买过一次的客户的五倍；其中 1,204 位已经沉默。",
            ),
            blocks=(_key_figures(say), *_summary(say)),
        ),
        Chapter(
            code="customers",
            short=say("Customers and revenue", "客户与销售额"),
            title=say("Revenue grows, but from fewer new customers", "销售额在增长，新客却在减少"),
            lead=say("Each month is compared with the one before.", "以下逐月比较。"),
            blocks=_revenue(say),
        ),
        Chapter(
            code="stages",
            short=say("Lifecycle stages", "生命周期阶段"),
            title=say("Most value sits with loyal customers at risk", "价值集中在有流失风险的忠诚客户"),
            blocks=_stages(say),
        ),
        Chapter(
            code="value",
            short=say("Lifetime value", "终身价值"),
            title=say("The model predicted the holdout within two per cent", "模型对留出期的预测误差在 2% 以内"),
            blocks=_value(say),
        ),
        Chapter(
            code="products",
            short=say("Products", "商品"),
            title=say("Eight products start the best relations", "八款商品带来最好的客户关系"),
            blocks=_products(say),
        ),
        Chapter(
            code="findings",
            short=say("Findings", "发现"),
            title=say("Two findings are worth acting on", "两项发现值得行动"),
            blocks=_findings(say),
        ),
        Chapter(
            code="method",
            short=say("Method", "方法"),
            title=say("How the figures were made", "数字如何得出"),
            blocks=(
                Text((say("Every figure is computed from the orders alone.", "所有数字均由订单数据计算得出。"),)),
                Callout(
                    CalloutKind.CANNOT_SAY,
                    say("There were no costs.", "没有成本数据。"),
                    say("No CAC", "无法计算获客成本"),
                ),
            ),
        ),
    )
    return Report(
        title=say("Customer lifetime value report", "顾客终身价值分析报告"),
        subtitle=say("What customers are worth, who is leaving, what to do", "客户值多少、谁在离开、该做什么"),
        brand=say("Boot & <b>Lace</b> Ltd", "云栖文创 & <b>旗舰店</b>"),
        language=language,
        as_of=datetime(2011, 12, 10, tzinfo=UTC),
        generated_at=datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
        currency=currency or ("CNY" if zh else "GBP"),
        chapters=chapters,
        figures={"customers": {"count": 5850, "share": 0.1234, "none": None}, "names": list(HOSTILE)},
        lists=(_list(say),),
    )


def _english(english: str, chinese: str) -> str:
    del chinese
    return english


def _chinese(english: str, chinese: str) -> str:
    del english
    return chinese


def _key_figures(say) -> KeyFigures:
    return KeyFigures(
        (
            KeyFigure(
                code="customers",
                label=say("Customers", "客户数"),
                value="5,850",
                note=say("+12.4% on the year", "同比 +12.4%"),
            ),
            KeyFigure(code="revenue", label=say("Net revenue", "净销售额"), value=say("£9.75m", "￥974.8万")),
            KeyFigure(
                code="predicted",
                label=say("Value of the next 365 days", "未来 365 天价值"),
                value=say("£6.21m", "￥621万"),
                note=say("80% interval £5.9m – £6.5m", "80% 区间：￥590万至￥650万"),
            ),
            KeyFigure(
                code="risk",
                label=say("Value at risk", "流失风险价值"),
                value=say("£1.32m", "￥132万"),
                note=say("1,204 customers", "1,204 位客户"),
            ),
        )
    )


def _summary(say) -> tuple[Block, ...]:
    return (
        Text(
            (say("What the figures say:", "数据显示："),),
            (
                say(
                    "Win back 1,204 loyal customers first; they hold £1.32m.",
                    "优先挽回 1,204 位忠诚客户，价值 132 万元。",
                ),
                say("The second order decides: 43% never place one.", "第二单是关键：43% 的客户从未复购。"),
                say(f"Beware of {HOSTILE[0]}.", f"留意“{HOSTILE[0]}”。"),
            ),
        ),
        Callout(
            CalloutKind.WARNING,
            say("23% of the lines name no customer and are left out.", "23% 的明细没有客户编号，未纳入分析。"),
            say("Lines without a customer", "无客户的明细"),
        ),
    )


def _months(count: int) -> list[date]:
    return [date(2009 + (11 + i) // 12, (11 + i) % 12 + 1, 1) for i in range(count)]


def _block(say, code: str, spec: ChartSpec, title: tuple[str, str], *, half: bool = False) -> ChartBlock:
    axes = [axis for axis in (spec.x, spec.series, spec.y, spec.value) if axis is not None]
    unique = list({axis.field: axis for axis in axes}.values())
    columns = tuple(Column(key=a.field, label=a.label or a.field, kind=a.kind, digits=a.digits) for a in unique)
    rows = tuple(tuple(row[a.field] for a in unique) for row in spec.rows)
    return ChartBlock(
        code=code,
        title=say(*title),
        reading=say(f"{title[0]}: the reading of the chart.", f"{title[1]}：图表解读。"),
        chart=spec,
        half=half,
        table=TableBlock(code=code, title=say(*title), columns=columns, rows=rows[:40], total_rows=len(rows)),
        source=say("Orders net of refunds; months of the order.", "订单扣除退款后的净额，按下单月份统计。"),
    )


def _revenue(say) -> tuple[Block, ...]:
    months = _months(25)
    month = Axis(field="month", label=say("Month", "月份"), kind=Kind.MONTH)
    money = Axis(field="net", label=say("Net revenue", "净销售额"), kind=Kind.MONEY)
    who = Axis(field="who", label=say("Customers", "客户"))
    new, returning = say("New customers", "新客"), say("Returning customers", "老客")
    sales = [300_000 + 12_000 * i + 150_000 * math.sin(i) for i in range(25)]
    split = tuple(
        {"month": m, "who": name, "net": part}
        for m, total in zip(months, sales, strict=True)
        for name, part in ((new, total * 0.3), (returning, total * 0.7))
    )
    stores = tuple(
        {"store": name, "net": 900_000 / (i + 1)}
        for i, name in enumerate((say("Flagship store", "旗舰店"), say("Web shop", "官网商城"), *HOSTILE))
    )
    bins = tuple({"low": 10 * i, "high": 10 * i + 10, "n": int(900 * math.exp(-i / 4))} for i in range(24))
    lorenz = tuple({"c": i / 50, "v": (i / 50) ** 3} for i in range(51))
    return (
        _block(
            say,
            "monthly",
            ChartSpec(kind=ChartKind.STACKED_BAR, rows=split, x=month, y=money, series=who),
            ("Returning customers carry the growth", "老客支撑了增长"),
        ),
        _block(
            say,
            "stores",
            ChartSpec(
                kind=ChartKind.BAR,
                rows=stores,
                x=Axis(field="store", label=say("Store", "门店")),
                y=money,
                horizontal=True,
                emphasis=(say("Flagship store", "旗舰店"),),
            ),
            ("The flagship store sells most", "旗舰店销售额最高"),
        ),
        _block(
            say,
            "gaps",
            ChartSpec(
                kind=ChartKind.HISTOGRAM,
                rows=bins,
                x=Axis(field="low", label=say("Days between orders", "下单间隔天数"), kind=Kind.INTEGER),
                x_end="high",
                y=Axis(field="n", label=say("Orders", "订单数"), kind=Kind.INTEGER),
                marks=(Mark(axis="x", value=46, label=say("median 46 days", "中位数 46 天")),),
            ),
            ("Most come back within 50 days", "多数客户在 50 天内再次购买"),
            half=True,
        ),
        _block(
            say,
            "lorenz",
            ChartSpec(
                kind=ChartKind.LORENZ,
                rows=lorenz,
                x=Axis(field="c", label=say("Share of customers", "客户占比"), kind=Kind.PERCENT),
                y=Axis(field="v", label=say("Share of revenue", "销售额占比"), kind=Kind.PERCENT),
            ),
            ("A tenth of the customers brings half", "一成客户贡献一半"),
            half=True,
        ),
    )


STAGES = (
    ("Prospect", "潜在"),
    ("First purchase", "首购"),
    ("Repeat", "复购"),
    ("Loyal", "忠诚"),
    ("At risk", "有流失风险"),
    ("Lost", "流失"),
)


def _stages(say) -> tuple[Block, ...]:
    names = [say(*stage) for stage in STAGES][1:]
    columns = (
        Column(key="stage", label=say("Stage", "阶段")),
        Column(key="customers", label=say("Customers", "客户数"), kind=Kind.INTEGER, bar=True),
        Column(key="share", label=say("Share", "占比"), kind=Kind.PERCENT),
        Column(key="value", label=say("Predicted value", "预测价值"), kind=Kind.MONEY),
        Column(key="last", label=say("Last order", "最近下单"), kind=Kind.DATE),
        Column(key="lift", label=say("Lift", "提升度"), kind=Kind.NUMBER, digits=2),
    )
    rows = tuple(
        (name, 400 * (i + 1), 0.05 * (i + 1), 123_456.0 * (5 - i), date(2011, 12 - i, 9), 1.5 * i - 2 if i else None)
        for i, name in enumerate(names)
    )
    total = (say("All", "合计"), 6000, 1.0, 1_851_840.0, None, None)
    flows = tuple(
        {"from": a, "to": b, "n": max(0, 900 - 260 * abs(i - j) - 40 * i)}
        for i, a in enumerate(names)
        for j, b in enumerate(names)
    )
    customers = Axis(field="n", label=say("Customers", "客户数"), kind=Kind.INTEGER)
    start, end = (
        Axis(field="from", label=say("Stage before", "原阶段")),
        Axis(field="to", label=say("Stage after", "新阶段")),
    )
    share = Axis(field="p", label=say("Share who moved", "转移比例"), kind=Kind.PERCENT, digits=0)
    matrix = tuple(
        {
            "from": row["from"],
            "to": row["to"],
            "p": row["n"] / (sum(r["n"] for r in flows if r["from"] == row["from"]) or 1),
        }
        for row in flows
    )
    ladder = tuple(
        {"step": say(*step), "n": n}
        for step, n in zip(
            (
                ("First order", "首单"),
                ("Second order", "第二单"),
                ("Third order", "第三单"),
                ("Fourth order", "第四单"),
            ),
            (5850, 3330, 2410, 1890),
            strict=True,
        )
    )
    return (
        Heading(say("How many stand where", "各阶段有多少客户")),
        TableBlock(
            code="stage_table", title=say("Customers by stage", "各阶段客户"), columns=columns, rows=(*rows, total),
            note=say("A customer stands at one stage.", "每位客户只处于一个阶段。"), last_is_total=True,
        ),
        _block(
            say, "flow", ChartSpec(kind=ChartKind.FLOW, rows=flows, x=start, y=end, value=customers),
            ("Half of the repeat buyers stayed where they were", "半数复购客户停留在原阶段"),
        ),
        _block(
            say, "matrix", ChartSpec(kind=ChartKind.HEATMAP, rows=matrix, x=end, y=start, value=share),
            ("Loyal customers leave by way of risk", "忠诚客户先有风险再流失"), half=True,
        ),
        _block(
            say, "ladder",
            ChartSpec(kind=ChartKind.LADDER, rows=ladder, x=Axis(field="step", label=say("Step", "步骤")), y=customers),
            ("The second order is the hurdle", "第二单是门槛"), half=True,
        ),
    )  # fmt: skip


def _value(say) -> tuple[Block, ...]:
    weeks = [date.fromordinal(date(2011, 1, 3).toordinal() + 7 * i) for i in range(48)]
    actual, predicted = say("Actual", "实际"), say("Predicted", "预测")
    rows = tuple(
        {"week": week, "kind": kind, "n": n, "lo": lo, "hi": hi}
        for i, week in enumerate(weeks)
        for kind, n, lo, hi in (
            (actual, 210 * i + 60 * math.sin(i / 4), None, None),
            (predicted, 207 * i, 207 * i * 0.94, 207 * i * 1.06),
        )
    )
    week = Axis(field="week", label=say("Week", "周"), kind=Kind.DATE)
    orders = Axis(field="n", label=say("Orders, cumulative", "累计订单数"), kind=Kind.INTEGER)
    kind = Axis(field="kind", label=say("Series", "类别"))
    cohorts = tuple(
        {"cohort": m, "period": str(k), "kept": 0.42 / (1 + k) ** 0.4 + 0.01 * (i % 3) if k else 1.0}
        for i, m in enumerate(_months(12))
        for k in range(12 - i)
    )
    hours = tuple(
        {"day": day, "hour": str(h), "n": int(400 * math.exp(-(((h - 13) / 4) ** 2)) * (1 + 0.1 * d))}
        for d, day in enumerate(say("Mon Tue Wed Thu Fri Sat Sun", "周一 周二 周三 周四 周五 周六 周日").split())
        for h in range(24)
    )
    survival = tuple(
        {"days": 20 * i, "p": math.exp(-i / 12), "lo": math.exp(-i / 12) * 0.95, "hi": min(1, math.exp(-i / 12) * 1.05)}
        for i in range(20)
    )
    grouped = tuple(
        {"x": str(f), "kind": k, "n": v}
        for f in range(8)
        for k, v in ((actual, 3.1 * f**0.9), (predicted, 3.0 * f**0.92))
    )
    marks = (Mark(axis="x", value=date(2011, 6, 10), label=say("calibration ends", "校准期结束")),)
    return (
        _block(
            say, "tracking",
            ChartSpec(kind=ChartKind.AREA, rows=rows, x=week, y=orders, series=kind, low="lo", high="hi",
                      dashed=(predicted,), marks=marks),
            ("Prediction follows what happened", "预测与实际吻合"),
        ),
        _block(
            say, "by_frequency",
            ChartSpec(kind=ChartKind.GROUPED_BAR, rows=grouped,
                      x=Axis(field="x", label=say("Orders before", "此前订单数")),
                      y=Axis(field="n", label=say("Orders in the holdout", "留出期订单数"), kind=Kind.NUMBER),
                      series=kind),
            ("Calibrated at every frequency", "各频次均校准良好"), half=True,
        ),
        _block(
            say, "survival",
            ChartSpec(kind=ChartKind.LINE, rows=survival, low="lo", high="hi",
                      x=Axis(field="days", label=say("Days since the first order", "距首单天数"), kind=Kind.INTEGER),
                      y=Axis(field="p", label=say("Not yet returned", "尚未复购"), kind=Kind.PERCENT)),
            ("Half are back after 160 days", "160 天后半数客户已复购"), half=True,
        ),
        _block(
            say, "cohorts",
            ChartSpec(kind=ChartKind.HEATMAP, rows=cohorts,
                      x=Axis(field="period", label=say("Months since the first order", "距首单月数")),
                      y=Axis(field="cohort", label=say("Cohort", "批次"), kind=Kind.MONTH),
                      value=Axis(field="kept", label=say("Customers who ordered", "下单客户占比"), kind=Kind.PERCENT,
                                 digits=0)),
            ("The December cohort stays best", "十二月客户留存最好"),
        ),
        _block(
            say, "hours",
            ChartSpec(kind=ChartKind.HEATMAP, rows=hours, x=Axis(field="hour", label=say("Hour", "小时")),
                      y=Axis(field="day", label=say("Day", "星期")),
                      value=Axis(field="n", label=say("Orders", "订单数"), kind=Kind.INTEGER)),
            ("People order around noon", "客户多在中午下单"),
        ),
    )  # fmt: skip


def _products(say) -> tuple[Block, ...]:
    names = [*HOSTILE, *(say(f"Product number {i}", f"商品第 {i} 号") for i in range(1, 13))]
    money = Axis(field="net", label=say("Net revenue", "净销售额"), kind=Kind.MONEY)
    points = tuple(
        {"name": name, "net": 2_000_000 / (i + 1), "buyers": 1500 / (i + 2), "again": 0.15 + 0.02 * (i * 7 % 13)}
        for i, name in enumerate(names)
    )
    pairs = TableBlock(
        code="pairs",
        title=say("Bought together", "经常一起购买的商品"),
        columns=(
            Column(key="a", label=say("Product", "商品")),
            Column(key="b", label=say("With", "搭配")),
            Column(key="lift", label=say("Lift", "提升度"), kind=Kind.NUMBER, digits=1),
            Column(key="orders", label=say("Orders", "订单数"), kind=Kind.INTEGER, bar=True),
        ),
        rows=tuple((a, b, 3.5 + i, 900 - 100 * i) for i, (a, b) in enumerate(pairwise(HOSTILE))),
        total_rows=212,
    )
    return (
        _block(
            say, "bubbles",
            ChartSpec(kind=ChartKind.SCATTER, rows=points, label="name",
                      x=Axis(field="again", label=say("Share who came back", "复购率"), kind=Kind.PERCENT, zero=False),
                      y=money, value=Axis(field="buyers", label=say("Buyers", "购买人数"), kind=Kind.INTEGER)),
            ("Some big sellers bring nobody back", "部分畅销品并未带来复购"),
        ),
        _block(
            say, "first_product",
            ChartSpec(kind=ChartKind.LOLLIPOP, rows=points[:10],
                      x=Axis(field="name", label=say("First product", "首购商品")),
                      y=money, horizontal=True, order=tuple(names[:10])),
            ("The first product foretells the value", "首购商品预示终身价值"),
        ),
        pairs,
    )  # fmt: skip


def _findings(say) -> tuple[Block, ...]:
    return (
        FindingBlock(
            code="at_risk", headline=say("1,204 loyal customers have gone quiet", "1,204 位忠诚客户已经沉默"),
            evidence=(
                say("Their last order is 2.4 times their usual gap ago.", "距最近一单已是其平均间隔的 2.4 倍。"),
                say(f"They used to buy {HOSTILE[2]}.", f"他们常买“{HOSTILE[2]}”。"),
            ),
            confidence=Confidence.HIGH,
            confidence_reason=say("the holdout was predicted within 2%", "留出期预测误差在 2% 以内"),
            money=1_320_456.0, money_label=say("at risk in 365 days", "未来 365 天风险金额"),
            customers=1204, list_code="at_risk",
        ),
        FindingBlock(
            code="second", headline=say("43% never place a second order", "43% 的客户从未复购"),
            evidence=(say("2,520 of 5,850.", "5,850 人中的 2,520 人。"),), confidence=Confidence.LOW,
        ),
        StrategyBlock(
            code="win_back", stage=say("At risk", "有流失风险"),
            title=say("Win back the quiet loyal customers", "挽回沉默的忠诚客户"),
            why=say("They are few and worth much.", "人数少，价值高。"),
            actions=(say("A personal message from the associate.", "由导购一对一问候。"),
                     say("A gift with the next order.", "下一单附赠礼品。")),
            measure=say("Hold out 10%; compare orders after 60 days.", "留出 10% 作对照，60 天后比较订单数。"),
            findings=("at_risk",), expected_value=132_000.0, expected_low=80_000.0, expected_high=190_000.0,
            expected_note=say("if one in ten returns", "假设十分之一的客户回来"), customers=1204, list_code="at_risk",
        ),
    )  # fmt: skip


def _list(say) -> CustomerList:
    names = [f"C{i:05d}" for i in range(1196)] + list(HOSTILE)
    table = pa.table(
        {
            "customer_id": names,
            "orders": pa.array(range(len(names)), pa.int64()),
            "value": pa.array([1.25 * i for i in range(len(names))], pa.float64()),
            "last": pa.array([date(2011, 9, 1)] * len(names), pa.date32()),
        }
    )
    return CustomerList(
        code="at_risk",
        title=say("Loyal customers at risk", "有流失风险的忠诚客户"),
        columns=(
            Column(key="customer_id", label=say("Customer", "客户编号")),
            Column(key="orders", label=say("Orders", "订单数"), kind=Kind.INTEGER),
            Column(key="value", label=say("Predicted value", "预测价值"), kind=Kind.MONEY, digits=2),
            Column(key="last", label=say("Last order", "最近下单"), kind=Kind.DATE),
        ),
        total_rows=table.num_rows,
        batches=table.to_batches,
    )
