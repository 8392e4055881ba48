"""Everything that figures can say exists in both languages, and nothing else is said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace

import pytest

from shuke.base.language import Language
from shuke.reports.model import (
    Block,
    Callout,
    CalloutKind,
    Chapter,
    ChartBlock,
    FindingBlock,
    KeyFigures,
    StrategyBlock,
    TableBlock,
    Text,
)
from shuke.reports.rules.figures import Economics, Figures, Gate, GateReason, ListSize
from shuke.reports.rules.findings import RULES, findings
from shuke.reports.rules.strategies import PLANS, strategies
from shuke.reports.service.chapters import write_chapters
from shuke.reports.service.words import Words

BOTH = pytest.mark.parametrize("language", list(Language))


def _chapters(figures: Figures, language: Language) -> dict[str, Chapter]:
    found = findings(figures)
    words = Words(language, figures.scope.currency)
    return {one.code: one for one in write_chapters(figures, found, strategies(figures, found), words)}


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _texts(item)
    elif is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            yield from _texts(getattr(value, one.name))


def _bare(figures: Figures) -> Figures:
    """What an order-level file of a young shop leaves."""
    return replace(
        figures,
        scope=replace(figures.scope, has_lines=False, has_costs=False, has_channel=False, has_region=False),
        gate=Gate(ok=False, reasons=(GateReason(code="history_too_short", needed=180, found=40, ok=False),)),
        model=None,
        holdout=None,
        stages=tuple(replace(one, predicted=None, churn=None) for one in figures.stages),
        rfm_groups=tuple(replace(one, predicted=None, churn=None) for one in figures.rfm_groups),
        value_groups=tuple(replace(one, predicted=None, churn=None) for one in figures.value_groups),
        by_cohort=(),
        by_channel=(),
        by_region=(),
        season=(),
        products=(),
        pairs=(),
        first_products=(),
        returned_products=(),
        reasons=(),
        discount_first=None,
        economics=Economics(),
        value_bins=(),
        lists={
            code: ListSize(**{**_fields(size), "predicted": None, "base_rate": None})
            for code, size in figures.lists.items()
        },
    )


def _fields(size: ListSize) -> dict[str, float]:
    return {one.name: getattr(size, one.name) for one in fields(size)}


@BOTH
def test_all_chapters_come_whatever_is_known(figures: Figures, language: Language) -> None:
    codes = ["summary", "quality", "customers", "stages", "value", "rfm", "retention", "products"]
    codes += ["economics", "findings", "strategies", "method"]
    for it in (figures, _bare(figures), replace(figures, holdout=None, holdout_missing="too_short")):
        assert list(_chapters(it, language)) == codes


@BOTH
def test_every_rule_and_every_plan_has_its_words(figures: Figures, language: Language) -> None:
    closed = replace(figures, gate=_bare(figures).gate)
    rising = replace(
        figures, cohort_quality=tuple(replace(one, repeated_90=60 - one.repeated_90) for one in figures.cohort_quality)
    )
    said: set[str] = set()
    planned: set[str] = set()
    for it in (figures, closed, rising):
        for chapter in _chapters(it, language).values():
            said |= {block.code for block in chapter.blocks if isinstance(block, FindingBlock)}
            planned |= {block.code for block in chapter.blocks if isinstance(block, StrategyBlock)}
    assert said == {rule.__name__ for rule in RULES}
    assert planned == {plan.code for plan in PLANS}


@BOTH
def test_no_code_and_no_gap_is_left_in_a_text(figures: Figures, language: Language) -> None:
    for it in (figures, _bare(figures)):
        for code, chapter in _chapters(it, language).items():
            shown = [chapter.title, chapter.lead, chapter.short, *_shown(chapter.blocks)]
            for text in shown:
                assert not re.search(r"[{}]|\bNone\b|\bnan\b|\b[a-z]+_[a-z_]+\b", text), (code, text)
                if language is Language.CHINESE:
                    assert "  " not in text, (code, text)


def _shown(blocks: tuple[Block, ...]) -> Iterator[str]:
    """Texts that a reader sees; codes of blocks and columns are not among them."""
    for block in blocks:
        match block:
            case TableBlock():
                yield block.title
                yield block.note
                yield from (column.label for column in block.columns)
                yield from (value for row in block.rows for value in row if isinstance(value, str))
            case KeyFigures():
                for item in block.items:
                    yield from (item.label, item.value, item.note)
            case FindingBlock():
                yield from (block.headline, *block.evidence, block.confidence_reason, block.money_label)
            case StrategyBlock():
                yield from (block.stage, block.title, block.why, *block.actions, block.measure, block.expected_note)
            case Callout():
                yield from (block.title, block.text)
            case _ if hasattr(block, "reading"):
                yield from (block.title, block.reading, block.source)
                yield from _shown((block.table,))
            case _:
                yield from _texts(block)


@BOTH
def test_what_cannot_be_said_is_said_to_be_missing(figures: Figures, language: Language) -> None:
    chapters = _chapters(_bare(figures), language)
    for code in ("value", "products", "economics"):
        kinds = [block.kind for block in chapters[code].blocks if isinstance(block, Callout)]
        assert CalloutKind.CANNOT_SAY in kinds, code
    text = " ".join(block.text for block in chapters["value"].blocks if isinstance(block, Callout))
    assert "180" in text
    assert "40" in text


def test_chinese_is_written_in_chinese(figures: Figures) -> None:
    for code, chapter in _chapters(figures, Language.CHINESE).items():
        for text in (chapter.title, chapter.lead):
            assert re.search(r"[\u4e00-\u9fff]", text), code
    headline = next(
        block.headline
        for block in _chapters(figures, Language.CHINESE)["findings"].blocks
        if isinstance(block, FindingBlock) and block.code == "at_risk_valuable"
    )
    assert headline == "120 位优质顾客逾期未购：近 12 个月他们消费了 ¥24,000"


def test_the_stages_add_up(figures: Figures) -> None:
    table = next(
        block for block in _chapters(figures, Language.ENGLISH)["stages"].blocks if isinstance(block, TableBlock)
    )
    customers = [row[1] for row in table.rows]
    assert customers[-1] == sum(customers[:-1]) == figures.base.customers  # type: ignore[arg-type] # whole numbers
    assert table.last_is_total


def test_a_model_in_which_nobody_leaves_says_so(figures: Figures) -> None:
    assert figures.model is not None
    nbd = replace(figures.model, name="nbd", warnings=("nobody_leaves",))
    chapters = _chapters(replace(figures, model=nbd), Language.ENGLISH)
    texts = [block.text for block in chapters["value"].blocks if isinstance(block, Callout)]
    assert any("takes all customers to stay" in text for text in texts)


@BOTH
def test_cost_stands_beside_value_the_best_channel_first(figures: Figures, language: Language) -> None:
    (ads,) = figures.economics.channels
    shop = replace(ads, channel="shop", cac=50.0, value=300.0, value_by_cac=6.0, payback_months=2)
    unknown = replace(ads, channel="flyers", new_customers=0, cac=None, value=None, value_by_cac=None)
    both = replace(figures, economics=replace(figures.economics, channels=(ads, shop, unknown)))
    chart = _charts(_chapters(both, language)["economics"])["cost_and_value"]
    assert chart.chart.order == ("shop", "ads")
    assert [row["amount"] for row in chart.chart.rows] == [50.0, 300.0, 300.0, 240.0]
    assert "6.0" in chart.reading
    assert "0.8" in chart.reading
    assert "cost_and_value_one" in _charts(_chapters(figures, language)["economics"])


def _charts(chapter: Chapter) -> dict[str, ChartBlock]:
    return {block.code: block for block in chapter.blocks if isinstance(block, ChartBlock)}


@BOTH
def test_without_costs_the_chapter_says_what_to_hand_in(figures: Figures, language: Language) -> None:
    without = replace(figures, scope=replace(figures.scope, has_costs=False), economics=Economics())
    for it, words in ((without, ("--costs", "period", "spend", "store", "--margin")), (_bare(figures), ("--costs",))):
        wanted = [block for block in _chapters(it, language)["economics"].blocks if isinstance(block, Text)]
        text = " ".join(wanted[0].points)
        assert [word for word in words if word not in text] == []
        assert ("store" in text) is it.scope.has_channel
