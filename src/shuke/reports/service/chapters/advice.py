"""Findings and strategies, put into words."""

from __future__ import annotations

from shuke.reports.model import Block, Chapter, FindingBlock, Heading, StrategyBlock, Text
from shuke.reports.rules.figures import Figures
from shuke.reports.rules.finding import Finding
from shuke.reports.rules.findings import RULES
from shuke.reports.rules.said import Said, Term, count, named, share
from shuke.reports.rules.strategies import STAGES, Expected, Strategy
from shuke.reports.service.words import Words

__all__ = ["findings_chapter", "strategies_chapter"]

ACTIONS_MOST = 4


def findings_chapter(found: tuple[Finding, ...], words: Words) -> Chapter:
    """Each finding with its evidence, size, confidence and list."""
    blocks: list[Block] = [Text((words("findings.how"), words("findings.confidence")))]
    blocks += [_finding(one, words) for one in found]
    if not found:
        blocks.append(Text((words("findings.none"),)))
    return Chapter(
        code="findings",
        short=words("chapter.findings.short"),
        title=words("chapter.findings.title", findings=count(len(found)), rules=count(len(RULES))),
        lead=words("chapter.findings.lead"),
        blocks=tuple(blocks),
    )


def _finding(one: Finding, words: Words) -> FindingBlock:
    return FindingBlock(
        code=one.code,
        headline=words.fill(f"finding.{one.code}.headline", one.values),
        evidence=tuple(
            words("findings.evidence", text=words.fill(line.key, line.values), table=_shown_in(line.table, words))
            for line in one.evidence
        ),
        confidence=one.confidence,
        confidence_reason=words(f"confidence.reason.{one.confidence_reason}", sample=count(one.sample))
        if one.confidence_reason == "sample"
        else words(f"confidence.reason.{one.confidence_reason}"),
        money=one.money,
        money_label=words(f"finding.{one.code}.money") if one.money is not None else "",
        customers=one.customers,
        list_code=one.list_code,
    )


def _shown_in(table: str, words: Words) -> Said | Term:
    """The title of the table, chart or list that shows the evidence."""
    for key in (f"table.{table}", f"heading.{table}"):
        if words.has(key):
            return named(words(key))
    if table.startswith("list_"):
        return named(words("findings.list", list=words(f"list.{table.removeprefix('list_')}")))
    return named(words(f"shown_in.{table}"))


def strategies_chapter(figures: Figures, chosen: tuple[Strategy, ...], words: Words) -> Chapter:
    """Stage by stage: what to do, for whom, worth what under which assumption, measured how."""
    blocks: list[Block] = [Text((words("strategies.how"), words("strategies.measuring")))]
    for stage in STAGES:
        blocks.append(Heading(words(f"strategy_stage.{stage}")))
        here = [one for one in chosen if one.stage == stage]
        blocks += [_strategy(one, figures, words) for one in here]
        if not here:
            blocks.append(Text((words("strategy_stage.none"),)))
    return Chapter(
        code="strategies",
        short=words("chapter.strategies.short"),
        title=words("chapter.strategies.title", strategies=count(len(chosen))),
        lead=words("chapter.strategies.lead"),
        blocks=tuple(blocks),
    )


def _strategy(one: Strategy, figures: Figures, words: Words) -> StrategyBlock:
    expected = one.expected
    actions = [f"strategy.{one.code}.action{number}" for number in range(1, ACTIONS_MOST + 1)]
    return StrategyBlock(
        code=one.code,
        stage=words(f"strategy_stage.{one.stage}"),
        title=words(f"strategy.{one.code}.title"),
        why=words.fill(f"strategy.{one.code}.why", one.values),
        actions=tuple(words.fill(key, one.values) for key in actions if words.has(key)),
        measure=words.fill(one.measure.key, one.measure.values),
        findings=one.findings,
        expected_value=expected.value if expected else None,
        expected_low=expected.low if expected else None,
        expected_high=expected.high if expected else None,
        expected_note=_note(expected, figures, words),
        customers=one.customers,
        list_code=one.list_code,
    )


def _note(expected: Expected | None, figures: Figures, words: Words) -> str:
    if expected is None:
        return words("assumption.none")
    low, middle, high = expected.shares
    said = words(expected.assumption, share=share(middle, 0), low=share(low, 0), high=share(high, 0))
    margin = figures.scope.margin
    after = words("assumption.revenue") if margin is None else words("assumption.margin", margin=share(margin, 0))
    return words("assumption.joined", assumption=said, after=after)
