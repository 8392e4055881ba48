"""A brand's own stages in the report: which can be reported, what they are called, and how their rules are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from shuke import reports
from shuke.base.errors import BadInput
from shuke.base.language import Language, catalogue, explain
from shuke.insight.stages import CONTACT_STAGES, CUSTOMER_STAGES, FIELDS, Condition, Rule, StageRules, shipped_text
from shuke.reports.model import ChartBlock, Text
from shuke.reports.rules.figures import Figures, StageMove
from shuke.reports.rules.stages import stage_names
from shuke.reports.service.chapters.stages import stages_chapter
from shuke.reports.service.words import Words

Edit = tuple[str, str]


def edited(*edits: Edit) -> StageRules:
    text = shipped_text("customer")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return StageRules.from_toml(text)


def told(figures: Figures, stages: StageRules, language: Language = Language.ENGLISH) -> Text:
    """The block of the chapter that tells the rules."""
    words = Words(language, "CNY", stage_names(stages, language))
    block = stages_chapter(replace(figures, stage_rules=stages), words).blocks[0]
    assert isinstance(block, Text)
    return block


def test_the_catalogue_names_the_shipped_stages_as_their_file_does() -> None:
    for language in Language:
        texts = catalogue("shuke.reports", language)
        assert {code: texts(f"stage.{code}") for code in CUSTOMER_STAGES.codes} == stage_names(
            CUSTOMER_STAGES, language
        )


@pytest.mark.parametrize(
    ("stages", "code", "english", "chinese"),
    [
        (
            lambda: CONTACT_STAGES,
            "reports.stage_codes",
            "prospect, first_purchase, repeat, loyal, at_risk, lost, because",
            "prospect、first_purchase、repeat、loyal、at_risk、lost 的阶段",
        ),
        (
            lambda: edited(("prospect", "stranger")),
            "reports.stage_codes",
            "the file has stranger, first_purchase",
            "文件中为 stranger、first_purchase",
        ),
        (
            lambda: edited(("otherwise.silence = { at_least = 2 }\n", "")),
            "reports.stage_past",
            "Rule 4 of the stages rests on p_alive",
            "第 4 条规则只依据 p_alive",
        ),
        (
            # Only one of the two names is given; the other is the shipped one.
            lambda: edited(
                ('name = { en = "Loyal", zh-CN = "忠诚" }', 'name.zh-CN = "复购"'), (', zh-CN = "复购"', "")
            ),
            "reports.stage_names",
            "one name in zh-CN",
            "有两个阶段的 zh-CN 名称相同",
        ),
    ],
)
def test_stages_that_no_report_can_be_written_with_are_refused(
    stages: Callable[[], StageRules], code: str, english: str, chinese: str
) -> None:
    given = stages()
    for refuse in (
        lambda: reports.check_stages(given),
        lambda: reports.Terms(
            as_of=date(2024, 1, 1),  # type: ignore[arg-type]
            as_of_given=True,
            horizon_days=365,
            margin=None,
            margin_column=None,
            stages=given,
        ),
    ):
        with pytest.raises(BadInput) as caught:
            refuse()
        assert caught.value.code == code
    assert english in explain(caught.value, Language.ENGLISH)
    assert chinese in explain(caught.value, Language.CHINESE)


def test_the_shipped_rules_are_told_in_the_order_of_trial(figures: Figures) -> None:
    english = told(figures, CUSTOMER_STAGES)
    assert english.points == (
        "Prospect: 0 orders.",
        (
            "Lost: at least 2 order days and a probability of being active of less than 20%; "
            "where that is not known, silence of at least 4 usual gaps."
        ),
        "Lost: silence of at least 4 usual gaps.",
        (
            "At risk: at least 2 order days and a probability of being active of less than 50%; "
            "where that is not known, silence of at least 2 usual gaps."
        ),
        "At risk: silence of at least 2 usual gaps.",
        "Loyal: at least 4 order days.",
        "Repeat: at least 2 order days.",
        "First purchase: everyone else.",
    )
    assert len(english.paragraphs) == 1
    chinese = told(figures, CUSTOMER_STAGES, Language.CHINESE).points
    assert chinese[1] == "流失：至少 2 个购买日，且存活概率不到 20%；若未知，则沉默至少 4 个惯常间隔。"
    assert chinese[-1] == "首购：其余所有人。"


def test_an_edited_rule_is_told_to_its_last_decimal(figures: Figures) -> None:
    stages = edited(
        ('name = "customer"', 'name = "customer"\nusual_gap_days = 45.5'),
        ("p_alive = { below = 0.5 }", "p_alive = { below = 0.375 }"),
        ("otherwise.silence = { at_least = 2 }", "otherwise.silence = { above = 2.25 }"),
        (
            "when.order_days = { at_least = 4 }",
            "when.order_days = { at_least = 3, below = 50 }\nwhen.historic_clv = { at_least = 1000 }",
        ),
    )
    block = told(figures, stages)
    assert block.paragraphs[1] == "The brand’s typical gap is set to 45.5 days."
    assert block.paragraphs[2].startswith("These stages are the brand’s own")
    assert block.points[3] == (
        "At risk: at least 2 order days and a probability of being active of less than 37.5%; "
        "where that is not known, silence of more than 2.25 usual gaps."
    )
    assert block.points[5] == ("Loyal: at least 3 and less than 50 order days and a value so far of at least CN¥1,000.")


@pytest.mark.parametrize("language", list(Language))
def test_every_field_can_be_told(figures: Figures, language: Language) -> None:
    fields = (*FIELDS, "event:Product Viewed")
    own = (Rule("loyal", (Condition(field, at_least=0.5),)) for field in fields)
    rules = (*CUSTOMER_STAGES.rules[:-1], *own, CUSTOMER_STAGES.rules[-1])
    points = told(figures, replace(CUSTOMER_STAGES, rules=rules), language).points[-len(fields) - 1 : -1]
    assert len(set(points)) == len(fields)
    for field, said in zip(fields, points, strict=True):
        shown = "50%" if field in ("p_alive", "churn_probability") else "0.5"
        assert shown in said, field
    assert "Product Viewed" in points[-1]


def test_the_chapter_shows_the_names_of_the_file(figures: Figures) -> None:
    stages = edited(
        ('en = "Loyal", zh-CN = "忠诚"', 'en = "Regulars", zh-CN = "铁粉"'),
        ('en = "Lost", zh-CN = "流失"', 'en = "Gone", zh-CN = "走了"'),
    )
    moved = replace(
        figures,
        stage_rules=stages,
        stage_moves=(
            StageMove(source="loyal", target="loyal", customers=3, share=0.75, amount=90.0),
            StageMove(source="loyal", target="lost", customers=1, share=0.25, amount=0.0),
        ),
        stage_moves_from=date(2024, 1, 1),
        stage_history=tuple((date(2024, month, 1), "loyal", month) for month in (1, 2, 3)),
    )
    for language, name, usual, says in (
        (
            Language.ENGLISH,
            "Regulars",
            "Loyal",
            "Findings and strategies keep the usual names: “Loyal” is “Regulars”, “Lost” is “Gone”.",
        ),
        (Language.CHINESE, "铁粉", "忠诚", "发现与策略中仍用通称：“忠诚”即“铁粉”、“流失”即“走了”。"),
    ):
        chapter = stages_chapter(moved, Words(language, "CNY", stage_names(stages, language)))
        rules = chapter.blocks[0]
        assert isinstance(rules, Text)
        assert name in chapter.title
        assert rules.points[5].startswith(name)
        # What the name stands for in the sentences of findings and strategies is said once, and nowhere else used.
        assert rules.paragraphs[-1] == says
        charts = {block.code: block for block in chapter.blocks if isinstance(block, ChartBlock)}
        assert set(charts) == {"stages", "stage_history", "stage_flow", "stage_matrix"}
        for chart in charts.values():
            assert name in chart.reading
            assert any(name in row for row in chart.table.rows)
            assert usual not in str(chart)


def test_the_order_of_the_file_is_the_order_of_the_charts(figures: Figures) -> None:
    turned = replace(CUSTOMER_STAGES, stages=CUSTOMER_STAGES.stages[::-1])
    moved = replace(
        figures,
        stage_rules=turned,
        stage_history=tuple((date(2024, month, 1), "loyal", month) for month in (1, 2, 3)),
    )
    chapter = stages_chapter(moved, Words(Language.ENGLISH, "CNY"))
    (history,) = [block for block in chapter.blocks if isinstance(block, ChartBlock) and block.code == "stage_history"]
    assert history.chart.series_order == ("Lost", "At risk", "Loyal", "Repeat", "First purchase", "Prospect")
