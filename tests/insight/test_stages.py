"""Vocabularies are checked, rules decide in order, and history, moves, dwell and money agree with plain SQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pytest

from shuke.base.errors import BadInput
from shuke.base.language import Language, explain
from shuke.insight.stages import (
    CONTACT_STAGES,
    CUSTOMER_STAGES,
    FIELDS,
    OUTSIDE,
    StageRules,
    assign_stage,
    facts_at,
    shipped_text,
    stage_coverage,
    stage_dwell,
    stage_flows,
    stage_transitions,
    stage_values,
    stages_at,
)
from shuke.insight.tables import Tables

Make = Callable[[list[tuple[str, str, float]]], ir.Table]
MONTHS = [dt.date(2011, month, 1) for month in range(1, 13)]
HEAD = 'name = "t"\n[[stages]]\ncode = "a"\n[[stages]]\ncode = "b"\n'


def rules(text: str) -> StageRules:
    return StageRules.from_toml(HEAD + text)


def test_shipped_vocabularies_are_in_the_order_of_a_life_and_named_in_both_languages() -> None:
    assert CUSTOMER_STAGES.codes == ("prospect", "first_purchase", "repeat", "loyal", "at_risk", "lost")
    assert CONTACT_STAGES.codes == ("contact", "awareness", "purchase", "use", "maintenance", "exit")
    assert [stage.names["zh-CN"] for stage in CONTACT_STAGES.stages] == ["接触", "认知", "购买", "使用", "维护", "退出"]
    for stage in (*CUSTOMER_STAGES.stages, *CONTACT_STAGES.stages):
        assert set(stage.names) == {"en", "zh-CN"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[[rules]]\nstage = 'a'\n[[rules]]\nstage = 'b'\nwhen.orders = {at_least = 1}", "insight.stage_no_catch_all"),
        ("[[rules]]\nstage = 'a'\nwhen.mood = {at_least = 1}\n[[rules]]\nstage = 'b'", "insight.stage_field"),
        ("[[rules]]\nstage = 'c'\nwhen.orders = {at_least = 1}\n[[rules]]\nstage = 'b'", "insight.stage_unknown"),
        ("[[rules]]\nstage = 'b'", "insight.stage_without_rule"),
        (
            "[[rules]]\nstage = 'a'\nwhen.orders = {above = 2, at_most = 2}\n[[rules]]\nstage = 'b'",
            "insight.stage_impossible",
        ),
        ("[[rules]]\nstage = 'a'\nwhen.orders = {above = 'x'}\n[[rules]]\nstage = 'b'", "insight.stage_limits"),
        ("[[rules]]\nstage = 'a'\nwhen.orders = {above = true}\n[[rules]]\nstage = 'b'", "insight.stage_limits"),
        ("[[rules]]\nstage = 'a'\nwhen.orders = {above = nan}\n[[rules]]\nstage = 'b'", "insight.stage_limits"),
        ("[[rules]]\nstage = 'a'\nwhen.orders = {above = inf}\n[[rules]]\nstage = 'b'", "insight.stage_limits"),
        (f"[[rules]]\nstage = 'a'\nwhen.orders = {{above = 1{'0' * 400}}}", "insight.stage_limits"),
        ("[[rules]]\nstage = 'a'\nwhen.orders = {over = 2}\n[[rules]]\nstage = 'b'", "insight.stage_limits"),
        ("[[rules]]\nstage = 'a'\nwhen.orders = 2\n[[rules]]\nstage = 'b'", "insight.stage_limits"),
        ("[[rules]]\nstage = 'a'\nwhen = 2\n[[rules]]\nstage = 'b'", "insight.stage_limits"),
        ("[[rules]]\nstage = 'a'\nwhen.orders = {}\n[[rules]]\nstage = 'b'", "insight.stage_limits"),
        ("[[rules]]\nstage = 'a'\nwhen.orders = {above = 2}\notherwise = {}", "insight.stage_limits"),
        ("[[rules]]\nstage = 'a'\nwhen.p_alive = {below = 20}\n[[rules]]\nstage = 'b'", "insight.stage_share"),
        ("[[rules]]\nstage = 'a'\nif.orders = {above = 2}\n[[rules]]\nstage = 'b'", "insight.stage_key"),
        ("[[rules]]\nwhen.orders = {above = 2}\n[[rules]]\nstage = 'b'", "insight.stage_of_rule"),
        ("usual_gap_days = 30\n[[rules]]\nstage = 'a'", "insight.stage_key"),
        ("name = {english = 'B'}\n[[rules]]\nstage = 'a'", "insight.stage_key"),
        ("name = {en = ' '}\n[[rules]]\nstage = 'a'", "insight.stage_name"),
        ("name = 'B'\n[[rules]]\nstage = 'a'", "insight.stage_name"),
        ("name.en = 'B'\n[[stages]]\ncode = 'c'\nname.en = 'B'\n[[rules]]\nstage = 'a'", "insight.stage_names"),
        ("needs = 'money'\n[[rules]]\nstage = 'a'", "insight.stage_needs"),
        ("[[stages]]\n[[rules]]\nstage = 'a'", "insight.stage_code"),
        ("[[stages]]\ncode = ''\n[[rules]]\nstage = 'a'", "insight.stage_code"),
        ("[[stages]]\ncode = 'a'\n[[rules]]\nstage = 'a'", "insight.stage_codes"),
        ("[[stages]]\ncode = 'outside'\n[[rules]]\nstage = 'a'", "insight.stage_codes"),
        ("[[rules", "insight.stage_not_toml"),
        ("", "insight.stage_tables"),
    ],
)
def test_a_wrong_vocabulary_is_refused_with_its_own_code_and_words(text: str, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        rules(text)
    assert caught.value.code == code
    english, chinese = (explain(caught.value, language) for language in Language)
    assert english.startswith("Stages “")
    assert chinese.startswith("阶段定义“")


def test_what_was_found_is_shown_as_it_was_written() -> None:
    with pytest.raises(BadInput) as caught:
        rules("[[rules]]\nstage = 'a'\nwhen.orders = {over = 2, above = true, below = 'x'}\n[[rules]]\nstage = 'b'")
    said = 'in rule 1, “orders” is { over = 2, above = true, below = "x" }. Write limits with numbers'
    assert said in explain(caught.value, Language.ENGLISH)


def test_what_is_no_toml_is_found_by_line_and_column() -> None:
    for text, place in (
        ("name = 't'\nusual gap = 3", (2, 7)),
        ("name = 't'\n[[rules", (2, 8)),
        (f"usual_gap_days = {'1' * 5000}", (1, 5018)),
    ):
        with pytest.raises(BadInput) as caught:
            StageRules.from_toml(text)
        assert (caught.value.values["line"], caught.value.values["column"]) == place


@pytest.mark.parametrize("gap", ["0", "-3", "true", "inf", "nan", "'30'"])
def test_a_usual_gap_that_is_no_number_of_days_is_refused(gap: str) -> None:
    with pytest.raises(BadInput, match="stage_gap"):
        StageRules.from_toml(f"usual_gap_days = {gap}\n" + HEAD + "[[rules]]\nstage = 'a'\n[[rules]]\nstage = 'b'")


def test_the_shipped_files_explain_themselves() -> None:
    """A brand that edits a copy sees every field that it may name, in a comment."""
    explained = "".join(line for line in shipped_text("customer").splitlines(keepends=True) if line.startswith("#"))
    for field in FIELDS:
        assert f" {field}" in explained, field
    for limit in ("at_least", "above", "at_most", "below", "otherwise", "usual_gap_days", "event:"):
        assert limit in explained
    # The mark that some editors put before a text is no part of it.
    assert StageRules.from_toml("\ufeff" + shipped_text("customer")) == CUSTOMER_STAGES


def test_rules_say_which_of_them_past_dates_cannot_answer() -> None:
    assert CUSTOMER_STAGES.blind_in_the_past() == {}
    text = "[[rules]]\nstage = 'a'\nwhen.m_score = {at_least = 4}\nwhen.orders = {above = 1}\n"
    text += "[[rules]]\nstage = 'b'\nwhen.orders = {above = 2}\notherwise.p_alive = {below = 0.5}\n"
    text += "[[rules]]\nstage = 'a'"
    assert rules(text).blind_in_the_past() == {1: ("m_score",), 2: ("p_alive",)}


def test_rules_say_which_events_they_count() -> None:
    assert CUSTOMER_STAGES.event_fields() == ()
    assert CONTACT_STAGES.event_fields() == ("interest_events",)
    text = "[[rules]]\nstage = 'a'\nwhen.'event:Product Viewed' = {at_least = 4}\n[[rules]]\nstage = 'b'"
    assert rules(text).event_fields() == ("event:Product Viewed",)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("when.p_alive = {below = 0.6}", "when.p_alive = {below = 0.3}"),
        ("when.p_alive = {at_most = 0.3}", "when.p_alive = {below = 0.3}"),
        ("when.orders = {at_least = 2}", "when.orders = {at_least = 2}\nwhen.silence = {above = 1}"),
        (
            "when.p_alive = {below = 0.3}\notherwise.silence = {above = 2}",
            "when.p_alive = {below = 0.6}\notherwise.silence = {above = 3}",
        ),
        ("when.silence = {above = 2}", "when.p_alive = {below = 0.6}\notherwise.silence = {above = 3}"),
    ],
)
def test_a_rule_that_an_earlier_one_always_pre_empts_is_refused(first: str, second: str) -> None:
    text = "[[rules]]\nstage = 'a'\n{}\n[[rules]]\nstage = 'b'\n{}\n[[rules]]\nstage = 'a'"
    with pytest.raises(BadInput) as caught:
        rules(text.format(first, second))
    assert caught.value.code == "insight.stage_unreachable"
    assert (caught.value.values["rule"], caught.value.values["earlier"]) == (2, 1)


def test_rules_that_narrow_first_and_widen_later_are_fine() -> None:
    text = "[[rules]]\nstage = 'a'\nwhen.p_alive = {below = 0.3}\notherwise.silence = {above = 3}\n"
    text += (
        "[[rules]]\nstage = 'b'\nwhen.p_alive = {below = 0.6}\notherwise.silence = {above = 2}\n[[rules]]\nstage = 'a'"
    )
    assert [rule.stage for rule in rules(text).rules] == ["a", "b", "a"]


def people(**columns: list[Any]) -> ir.Table:
    kinds = {"customer_id": "string", "first_order_at": "date", "last_order_at": "date"}
    integers = ("orders", "order_days", "recency_days", "interest_events")
    count = len(next(iter(columns.values())))
    columns = {"customer_id": [f"c{number}" for number in range(count)], **columns}
    return ibis.memtable(
        columns,
        schema={name: kinds.get(name, "int64" if name in integers else "float64") for name in columns},
    )


def stages_of(table: ir.Table, vocabulary: StageRules) -> list[str]:
    frame = ibis.duckdb.connect().to_pandas(assign_stage(table, vocabulary))
    return [str(stage) for stage in frame.sort_values("customer_id").stage]


def test_the_first_rule_that_holds_decides_and_unknown_is_not_true() -> None:
    vocabulary = rules("[[rules]]\nstage = 'a'\nwhen.p_alive = {at_least = 0.2, below = 0.5}\n[[rules]]\nstage = 'b'")
    assert stages_of(people(p_alive=[0.1999, 0.2, 0.4999, 0.5, None]), vocabulary) == ["b", "a", "a", "b", "b"]


def test_the_alternative_decides_where_the_prediction_is_not_known() -> None:
    vocabulary = rules(
        "[[rules]]\nstage = 'a'\nwhen.p_alive = {below = 0.5}\notherwise.recency_days = {above = 90}\n"
        "[[rules]]\nstage = 'b'"
    )
    table = people(p_alive=[0.9, 0.4, None, None], recency_days=[100, 10, 91, 90])
    assert stages_of(table, vocabulary) == ["b", "a", "a", "b"]
    assert stages_of(table.drop("p_alive"), vocabulary) == ["a", "b", "a", "b"]


def test_a_rule_without_its_column_and_without_alternative_is_refused() -> None:
    vocabulary = rules("[[rules]]\nstage = 'a'\nwhen.total_clv = {above = 5}\n[[rules]]\nstage = 'b'")
    with pytest.raises(BadInput) as caught:
        assign_stage(people(orders=[1]), vocabulary)
    assert caught.value.code == "insight.stage_field_missing"
    assert caught.value.values["fields"] == ["total_clv"]


def test_customer_stages_by_silence_in_usual_gaps() -> None:
    start = dt.date(2024, 1, 1)
    # c0 and c1 fix the typical gap: gaps of 30 and 50 days, median 40.
    spans = [(2, 30, 10), (3, 100, 10), (1, 0, 79), (1, 0, 80), (1, 0, 160), (5, 40, 10), (None, None, None)]
    table = people(
        orders=[days for days, _, _ in spans],
        order_days=[days for days, _, _ in spans],
        first_order_at=[start if days else None for days, _, _ in spans],
        last_order_at=[start + dt.timedelta(days=gap) if days else None for days, gap, _ in spans],
        recency_days=[recency for _, _, recency in spans],
    )
    # The typical gap is now the median of 30, 50 and 10: 30 days. One-time buyers: 79/30, 80/30 and 160/30 gaps.
    assert stages_of(table, CUSTOMER_STAGES) == ["repeat", "repeat", "at_risk", "at_risk", "lost", "loyal", "prospect"]
    fixed = StageRules(CUSTOMER_STAGES.name, CUSTOMER_STAGES.stages, CUSTOMER_STAGES.rules, usual_gap_days=40)
    assert stages_of(table, fixed)[2:5] == ["first_purchase", "at_risk", "lost"]
    known = table.mutate(p_alive=ibis.literal(0.19))
    assert stages_of(known, CUSTOMER_STAGES) == ["lost", "lost", "at_risk", "at_risk", "lost", "lost", "prospect"]


def test_coverage_says_what_the_data_cannot_show(make_orders: Make) -> None:
    orders = make_orders([("a", "2024-01-01", 1.0)])
    alone = stage_coverage(Tables(orders), CONTACT_STAGES)
    assert alone.shown == ("purchase", "use", "maintenance", "exit")
    assert alone.missing == {"contact": "people", "awareness": "events"}
    assert not alone.complete
    listed = Tables(orders, customers=ibis.memtable({"customer_id": ["a"]}))
    assert stage_coverage(listed, CONTACT_STAGES).missing == {"awareness": "events"}
    assert stage_coverage(Tables(orders), CUSTOMER_STAGES).missing == {"prospect": "people"}
    assert stage_coverage(with_events(orders), CONTACT_STAGES).complete


def with_events(orders: ir.Table) -> Tables:
    moments = [dt.datetime.fromisoformat(day) for day in ("2024-01-05", "2024-01-20", "2024-02-10", "2024-01-07")]
    events = ibis.memtable(
        {
            "customer_id": ["x", "x", "a", "y"],
            "event": ["Page Viewed", "Product Viewed", "Product Viewed", "Newsletter Opened"],
            "happened_at": moments,
        }
    )
    customers = ibis.memtable(
        {"customer_id": ["z", "w"], "first_seen_at": [dt.datetime.fromisoformat("2024-01-15"), None]},
        schema={"customer_id": "string", "first_seen_at": "timestamp"},
    )
    return Tables(orders, events=events, customers=customers)


def rows(table: ir.Table, *columns: str) -> list[tuple[Any, ...]]:
    found = ibis.duckdb.connect().to_pyarrow(table.select(*columns)).to_pylist()
    return sorted(tuple(row[name] for name in columns) for row in found)


def test_contact_stages_at_past_dates(make_orders: Make) -> None:
    orders = make_orders([("a", "2024-01-10T10:00", 5.0), ("a", "2024-02-20", 5.0), ("b", "2024-01-31T23:59:59", 5.0)])
    dates = [dt.date(2024, 1, 10), dt.date(2024, 2, 1), dt.date(2024, 3, 5)]
    history = rows(stages_at(with_events(orders), CONTACT_STAGES, dates), "at", "customer_id", "stage")
    first, second, third = (dt.datetime.combine(day, dt.time()) for day in dates)
    assert history == [
        (first, "x", "contact"),
        (first, "y", "contact"),
        (second, "a", "purchase"),
        (second, "b", "purchase"),
        (second, "x", "awareness"),
        (second, "y", "contact"),
        (second, "z", "contact"),
        (third, "a", "maintenance"),
        (third, "b", "use"),
        (third, "x", "awareness"),
        (third, "y", "contact"),
        (third, "z", "contact"),
    ]


def test_rules_may_count_events_by_name(make_orders: Make) -> None:
    vocabulary = rules('[[rules]]\nstage = "a"\nwhen."event:Page Viewed" = {at_least = 1}\n[[rules]]\nstage = "b"')
    tables = with_events(make_orders([("a", "2024-01-10", 5.0)]))
    found = rows(stages_at(tables, vocabulary, [dt.date(2024, 3, 1)]), "customer_id", "stage")
    assert found == [("a", "b"), ("x", "a"), ("y", "b"), ("z", "b")]


def test_a_date_with_a_clock_knows_the_rest_of_its_day(make_orders: Make) -> None:
    tables = Tables(make_orders([("a", "2024-01-10T18:00", 5.0)]))
    noon = dt.datetime.fromisoformat("2024-01-10T12:00")
    assert rows(stages_at(tables, CUSTOMER_STAGES, [noon]), "customer_id", "stage") == [("a", "first_purchase")]
    assert rows(facts_at(tables, [noon], rules=CUSTOMER_STAGES), "recency_days") == [(0,)]
    assert rows(facts_at(tables, [dt.date(2024, 1, 12)], rules=CUSTOMER_STAGES), "recency_days") == [(1,)]
    assert rows(stages_at(tables, CUSTOMER_STAGES, [dt.date(2024, 1, 10)]), "customer_id") == []
    with pytest.raises(BadInput) as caught:
        stages_at(tables, CUSTOMER_STAGES, [])
    assert caught.value.code == "insight.no_dates"


def test_scores_of_a_date_decide_on_that_date(make_orders: Make) -> None:
    tables = Tables(make_orders([(who, day, 5.0) for who in "ab" for day in ("2024-01-01", "2024-01-11")]))
    dates = [dt.date(2024, 2, 1), dt.date(2024, 3, 1)]
    scores = ibis.memtable(
        {"customer_id": ["a", "b"], "at": [dt.date(2024, 2, 1)] * 2, "p_alive": [0.1, 0.9], "predicted_clv": [7.0, 8.0]}
    )
    found = rows(stages_at(tables, CUSTOMER_STAGES, dates, scores=scores), "at", "stage", "predicted_clv")
    # 20 days of silence are two usual gaps, which is at risk; P(alive) says worse, and of b says nothing against it.
    assert [(stage, value) for _, stage, value in found] == [
        ("at_risk", 8.0),
        ("lost", 7.0),
        ("lost", None),
        ("lost", None),
    ]
    assert rows(stages_at(tables, CUSTOMER_STAGES, dates[:1]), "stage") == [("at_risk",)] * 2


@pytest.fixture(scope="module")
def history(duck: Any, online_retail: Tables) -> ir.Table:
    return duck.create_table("stage_history", stages_at(online_retail, CUSTOMER_STAGES, MONTHS))


def test_stage_at_the_last_date_is_the_stage_of_the_facts(
    duck: Any, online_retail: Tables, online_retail_facts: ir.Table
) -> None:
    now = stages_at(online_retail, CUSTOMER_STAGES, [dt.date(2011, 12, 10)])
    then = dict(rows_of(duck, now.select("customer_id", "stage")))
    facts = dict(rows_of(duck, assign_stage(online_retail_facts, CUSTOMER_STAGES).select("customer_id", "stage")))
    assert len(facts) == 4338
    assert {customer: then[customer] for customer in facts} == facts
    # Those with nothing but returns never bought.
    assert {stage for customer, stage in then.items() if customer not in facts} == {"prospect"}


def rows_of(duck: Any, table: ir.Table) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in duck.to_pyarrow(table).to_pylist()]


def test_history_is_what_plain_sql_says(duck: Any, history: ir.Table) -> None:
    expected = duck.con.execute(
        """
        WITH typical AS (
            SELECT median(gap) AS m FROM (
                SELECT (max(d) - min(d)) / (count(*) - 1) AS gap
                FROM (SELECT DISTINCT customer_id, CAST(ordered_at AS DATE) AS d FROM or_orders) WHERE d < '2011-12-01'
                GROUP BY customer_id HAVING count(*) > 1)),
        asked AS (SELECT unnest(range(DATE '2011-01-01', DATE '2011-12-02', INTERVAL 1 MONTH)) AS "at"),
        facts AS (
            SELECT "at", customer_id, count(DISTINCT CAST(ordered_at AS DATE)) AS n,
                   date_diff('day', max(ordered_at), "at") - 1 AS recency,
                   date_diff('day', min(ordered_at), max(ordered_at)) AS span
            FROM asked JOIN or_orders ON ordered_at < "at" GROUP BY "at", customer_id)
        SELECT "at", CASE WHEN recency * n / (span + m) >= 4 THEN 'lost'
                          WHEN recency * n / (span + m) >= 2 THEN 'at_risk'
                          WHEN n >= 4 THEN 'loyal' WHEN n >= 2 THEN 'repeat' ELSE 'first_purchase' END AS stage,
               count(*)
        FROM facts, typical GROUP BY ALL ORDER BY ALL
        """
    ).fetchall()
    counted = history.filter(history.stage != "prospect").group_by("at", "stage").aggregate(customers=ibis._.count())
    assert sorted(rows_of(duck, counted)) == expected
    assert len(expected) == 56


def test_transitions_count_every_customer_once_per_period(duck: Any, history: ir.Table) -> None:
    expected = duck.con.execute(
        """
        SELECT coalesce(a.stage, 'outside'), b.stage, count(*) FROM stage_history b
        LEFT JOIN stage_history a ON a.customer_id = b.customer_id AND a."at" = b."at" - INTERVAL 1 MONTH
        WHERE b."at" > '2011-01-01' GROUP BY ALL ORDER BY ALL
        """
    ).fetchall()
    table = stage_transitions(history)
    assert rows_of(duck, table.select("from_stage", "to_stage", "customers")) == expected
    sums = duck.to_pyarrow(table.group_by("from_stage").aggregate(p=ibis._.probability.sum())).to_pylist()
    assert [row["p"] for row in sums] == pytest.approx([1.0] * 7)
    each = duck.to_pyarrow(stage_transitions(history, each_period=True)).to_pylist()
    assert len({(row["from_at"], row["to_at"]) for row in each}) == 11
    assert sum(row["customers"] for row in each) == sum(row[2] for row in expected)


def test_flows_add_up_to_all_money_of_the_period(duck: Any, history: ir.Table) -> None:
    table = stage_flows(history)
    sales, refunds = (
        duck.con.execute(
            f"SELECT sum(amount) FROM {name} WHERE {moment} >= '2011-01-01' AND {moment} < '2011-12-01'"  # noqa: S608 - fixed names
        ).fetchall()[0][0]
        for name, moment in (("or_orders", "ordered_at"), ("or_refunds", "refunded_at"))
    )
    assert duck.to_pyarrow(table.amount.sum()).as_py() == pytest.approx(sales - refunds)
    newcomers = duck.to_pyarrow(table.filter(table.from_stage == OUTSIDE).amount.sum()).as_py()
    assert newcomers == pytest.approx(1457040.583, abs=0.001)


def test_flows_carry_predicted_value(make_orders: Make) -> None:
    orders = make_orders([("a", "2024-01-01", 5.0), ("b", "2024-01-01", 5.0), ("b", "2024-02-03", 8.0)])
    dates = [dt.date(2024, 2, 1), dt.date(2024, 3, 1)]
    scores = ibis.memtable(
        {
            "customer_id": ["a", "b", "a", "b"],
            "at": [dates[0], dates[0], dates[1], dates[1]],
            "predicted_clv": [10.0, 20.0, 4.0, 30.0],
        }
    )
    history = stages_at(Tables(orders), CUSTOMER_STAGES, dates, scores=scores)
    columns = ("from_stage", "to_stage", "amount", "predicted_before", "predicted_after")
    assert rows(stage_flows(history), *columns) == [
        ("first_purchase", "first_purchase", 0.0, 10.0, 4.0),
        ("first_purchase", "repeat", 8.0, 20.0, 30.0),
    ]
    now = ibis.memtable({"customer_id": ["b", "c"], "predicted_clv": [33.0, 1.0]})
    flows = stage_flows(history.drop("predicted_clv"), predicted=now)
    assert rows(flows.fill_null({"predicted_clv": 0.0}), "to_stage", "predicted_clv") == [
        ("first_purchase", 0.0),
        ("repeat", 33.0),
    ]


def test_dwell_counts_spells_and_censors_what_is_not_over() -> None:
    days = [dt.datetime.fromisoformat(f"2024-0{month}-01") for month in (1, 2, 3, 4)]
    lives = {"a": "xxyy", "b": "-xyy", "c": "-xxx", "d": "-xyx", "e": "--yx"}
    cells = [(name, days[place], stage) for name, life in lives.items() for place, stage in enumerate(life)]
    seen = [cell for cell in cells if cell[2] != "-"]
    table = ibis.memtable(
        {"customer_id": [c for c, _, _ in seen], "at": [at for _, at, _ in seen], "stage": [s for _, _, s in seen]}
    )
    # x: b 29 days and d 29 (left), c 60, d and e 0 (censored). a's first x was under way.
    # y: a, b 31 (censored), d, e 31 (left).
    columns = (
        "stage",
        "spells",
        "ended",
        "quarter_left_days",
        "median_days",
        "three_quarters_left_days",
        "longest_days",
    )
    assert rows(stage_dwell(table), *columns) == [
        ("x", 5, 2, 29, 29, None, 60),
        ("y", 4, 2, 31, 31, None, 31),
    ]


def test_dwell_on_the_real_shop_agrees_with_lifelines(duck: Any, history: ir.Table) -> None:
    lifelines = pytest.importorskip("lifelines")
    spells: dict[str, list[tuple[int, bool]]] = {}
    frame = duck.to_pandas(history).sort_values(["customer_id", "at"])
    first = frame["at"].min()
    for _, rows_of_one in frame.groupby("customer_id"):
        run: list[Any] = []
        for stage, at in [*zip(rows_of_one.stage, rows_of_one["at"], strict=True), (None, None)]:
            if run and stage != run[0]:
                if run[1] > first:
                    spells.setdefault(run[0], []).append((((at if stage else run[2]) - run[1]).days, stage is not None))
                run = []
            run = [stage, run[1] if run else at, at]
    for row in duck.to_pyarrow(stage_dwell(history)).to_pylist():
        durations, ended = zip(*spells[row["stage"]], strict=True)
        fitted = lifelines.KaplanMeierFitter().fit(durations, ended)
        assert (row["spells"], row["ended"]) == (len(durations), sum(ended))
        assert row["median_days"] == (
            None if fitted.median_survival_time_ == float("inf") else fitted.median_survival_time_
        )


def test_value_of_each_stage_is_a_plain_sum(duck: Any, online_retail_facts: ir.Table) -> None:
    facts = assign_stage(online_retail_facts, CUSTOMER_STAGES)
    values = {row["stage"]: row for row in duck.to_pyarrow(stage_values(facts)).to_pylist()}
    assert {stage: row["customers"] for stage, row in values.items()} == {
        "at_risk": 564,
        "first_purchase": 740,
        "lost": 627,
        "loyal": 1315,
        "repeat": 1092,
    }
    frame = duck.to_pandas(facts)
    for stage, row in values.items():
        money = frame[frame.stage == stage].historic_clv
        assert row["historic_clv"] == pytest.approx(money.sum())
        assert row["historic_clv_per_customer"] == pytest.approx(money.mean())
        assert row["share_of_historic_clv"] == pytest.approx(money.sum() / frame.historic_clv.sum())
    assert "predicted_clv" not in values["lost"]
    unknown = facts.mutate(predicted_clv=ibis.null("float64"))
    assert {row["predicted_clv"] for row in duck.to_pyarrow(stage_values(unknown)).to_pylist()} == {None}


def test_the_limits_of_silence_tell_who_comes_back(duck: Any, shared_data: Path) -> None:
    """The figures that customer.toml gives for its limits, on two years of orders."""
    folder = shared_data / "online_retail"
    duck.con.execute(
        f"""
        CREATE OR REPLACE TABLE two_years AS
        SELECT DISTINCT customer_id, CAST(day AS DATE) AS day FROM (
            SELECT CustomerID AS customer_id, InvoiceDate AS day, Quantity AS q, UnitPrice AS p
            FROM read_parquet('{folder}/online_retail_2010_2011.parquet')
            UNION ALL SELECT "Customer ID", InvoiceDate, Quantity, Price
            FROM read_parquet('{folder}/online_retail_II_2009_2010.parquet') WHERE InvoiceDate < '2010-12-01')
        WHERE customer_id IS NOT NULL AND q > 0 AND p > 0
        """  # noqa: S608 - the path is the test's own
    )
    days = duck.table("two_years")
    orders = days.select(
        "customer_id", order_id=days.day, ordered_at=days.day.cast("timestamp"), amount=ibis.literal(1.0)
    )
    facts = facts_at(Tables(orders), [dt.date(2010, 12, 1)], rules=CUSTOMER_STAGES)
    later = days.filter(days.day >= dt.date(2010, 12, 1), days.day < dt.date(2011, 12, 1)).customer_id
    known = facts.select(
        band=ibis.least((facts.silence / 2).floor(), 2), back=facts.customer_id.isin(later).cast("int8")
    )
    shares = duck.to_pyarrow(known.group_by("band").aggregate(back=ibis._.back.mean()).order_by("band")).to_pylist()
    assert [round(row["back"], 2) for row in shares] == [0.73, 0.46, 0.31]


def test_everything_compiles_for_spark(make_orders: Make) -> None:
    tables = with_events(make_orders([("a", "2024-01-10", 5.0)]))
    assert ibis.pyspark.name == "pyspark"
    history = stages_at(tables, CONTACT_STAGES, MONTHS)
    facts = facts_at(tables, MONTHS, rules=CUSTOMER_STAGES)
    for table in (
        history,
        assign_stage(facts, CUSTOMER_STAGES),
        stage_transitions(history, each_period=True),
        stage_dwell(history),
        stage_flows(history),
        stage_values(assign_stage(facts, CUSTOMER_STAGES)),
    ):
        assert "SELECT" in ibis.to_sql(table, dialect="pyspark")
