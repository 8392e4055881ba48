"""The report as the page and the PDF lay it out: chapters, figures and tables numbered, every value written out.

Both templates get the same plain dictionaries (text, never markup), so neither formats a number or holds a sentence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from shuke.reports.exports.charts import draw
from shuke.reports.exports.writing import Writing
from shuke.reports.model import (
    Axis,
    Block,
    Callout,
    ChartBlock,
    Column,
    FindingBlock,
    Heading,
    KeyFigures,
    Kind,
    Report,
    StrategyBlock,
    TableBlock,
    Text,
)

__all__ = ["Item", "Outline", "outline", "outline_items"]

MONEY = Axis(field="", label="", kind=Kind.MONEY)
COUNT = Axis(field="", label="", kind=Kind.INTEGER)
DAY = Axis(field="", label="", kind=Kind.DATE)

NUMERIC = {Kind.INTEGER, Kind.NUMBER, Kind.MONEY, Kind.PERCENT}

SHORT_LABEL = 12.5  # digits wide, seven Chinese letters

Item = dict[str, Any]


@dataclass(frozen=True)
class Outline:
    """``page`` is what the templates show; ``drawings`` the Vega-Lite specification of each figure by its id."""

    page: dict[str, Any]
    drawings: dict[str, dict[str, Any]]


def outline(report: Report) -> Outline:
    """The report, numbered and written out."""
    writing = Writing(report.language, report.currency)
    words = writing.words
    layout = _Layout(report, writing, _finding_numbers(report))
    chapters = []
    for number, chapter in enumerate(report.chapters, start=1):
        layout.open_chapter(number)
        chapters.append(
            {
                "number": number,
                "code": chapter.code,
                "short": chapter.short,
                "title": chapter.title,
                "lead": chapter.lead,
                "items": list(layout.items(chapter.blocks)),
            }
        )
    page = {
        "lang": report.language.value,
        "title": report.title,
        "subtitle": report.subtitle,
        "brand": report.brand,
        "as_of": words("page.as_of", date=writing.value(report.data_until, DAY)),
        "generated": words("page.generated", date=writing.value(report.generated_at, DAY)),
        "page_of": words.texts["page.page_of"],  # filled in by Typst, which alone knows the pages
        "chapters": chapters,
        # Texts with values in them are filled in here; the templates look the others up.
        "words": {key.replace(".", "_"): text for key, text in words.texts.items() if "{" not in text},
    }
    return Outline(page, layout.drawings)


def outline_items(report: Report, chapter: int, blocks: tuple[Block, ...]) -> list[tuple[Block, Item]]:
    """Each block of a chapter with its item, numbered as on the page, one by one and without drawings."""
    layout = _Layout(report, Writing(report.language, report.currency), _finding_numbers(report), drawn=False)
    layout.open_chapter(chapter)
    return [(block, layout.item(block)) for block in blocks]


def _finding_numbers(report: Report) -> dict[str, int]:
    codes = (block.code for chapter in report.chapters for block in chapter.blocks if isinstance(block, FindingBlock))
    return {code: number for number, code in enumerate(dict.fromkeys(codes), start=1)}


@dataclass
class _Layout:
    """Goes through the blocks once and counts."""

    report: Report
    writing: Writing
    finding_numbers: dict[str, int]
    drawn: bool = True
    drawings: dict[str, dict[str, Any]] = field(default_factory=dict)
    chapter: int = 0
    figures: int = 0
    tables: int = 0

    def open_chapter(self, number: int) -> None:
        self.chapter, self.figures, self.tables = number, 0, 0

    def items(self, blocks: tuple[Block, ...]) -> Iterable[Item]:
        """The blocks as items; two half figures in a row become a pair, a single one a whole figure."""
        waiting: ChartBlock | None = None
        for block in blocks:
            if isinstance(block, ChartBlock) and block.half:
                if waiting is None:
                    waiting = block
                else:
                    yield {"kind": "pair", "items": [self.chart(waiting), self.chart(block)]}
                    waiting = None
                continue
            if waiting is not None:
                yield self.chart(replace(waiting, half=False))
                waiting = None
            yield self.item(block)
        if waiting is not None:
            yield self.chart(replace(waiting, half=False))

    def item(self, block: Block) -> Item:
        made: Item
        match block:
            case Heading():
                made = {"kind": "heading", "text": block.text}
            case Text():
                made = {"kind": "text", "paragraphs": list(block.paragraphs), "points": list(block.points)}
            case KeyFigures():
                shown = [{"label": i.label, "value": i.value, "note": i.note} for i in block.items]
                made = {"kind": "key_figures", "items": shown}
            case Callout():
                title = block.title or self.writing.words(f"callout.{block.kind}")
                made = {"kind": "callout", "style": block.kind.value, "title": title, "text": block.text}
            case TableBlock():
                self.tables += 1
                number = self.writing.words("page.table", number=f"{self.chapter}.{self.tables}")
                made = {"kind": "table", "number": number, **self.table(block)}
            case ChartBlock():
                made = self.chart(block)
            case FindingBlock():
                made = self.finding(block)
            case StrategyBlock():
                made = self.strategy(block)
        return made

    def chart(self, block: ChartBlock) -> Item:
        self.figures += 1
        number = f"{self.chapter}.{self.figures}"
        name = f"figure-{self.chapter}-{self.figures}"
        if self.drawn:
            self.drawings[name] = draw(block, self.writing)
        return {
            "kind": "chart",
            "id": name,
            "number": self.writing.words("page.figure", number=number),
            "title": block.title,
            "reading": block.reading,
            "source": block.source,
            "half": block.half,
            "table": self.table(block.table),
        }

    def table(self, block: TableBlock) -> Item:
        say = self.writing.value
        shown = len(block.rows) - block.last_is_total
        more = ""
        if block.total_rows is not None and block.total_rows > shown:
            more = self.writing.words("page.rows_shown", shown=say(shown, COUNT), total=say(block.total_rows, COUNT))
        rows = [[say(value, c) for value, c in zip(row, block.columns, strict=True)] for row in block.rows]
        return {
            "title": block.title,
            "columns": [_column(c, [row[place] for row in rows]) for place, c in enumerate(block.columns)],
            "rows": rows,
            "bars": _bars(block, shown) if any(column.bar for column in block.columns) else [],
            "note": block.note,
            "more": more,
            "last_is_total": block.last_is_total,
        }

    def finding(self, block: FindingBlock) -> Item:
        words, say = self.writing.words, self.writing.value
        confidence = words(f"finding.{block.confidence}")
        facts = []
        if block.money is not None:
            facts.append({"label": words("finding.money"), "value": say(block.money, MONEY), "note": block.money_label})
        if block.customers is not None:
            facts.append({"label": words("finding.customers"), "value": say(block.customers, COUNT), "note": ""})
        facts.append({"label": words("finding.confidence"), "value": confidence, "note": block.confidence_reason})
        return {
            "kind": "finding",
            "id": f"finding-{block.code}",
            "number": words("finding.label", number=self.finding_numbers[block.code]),
            "headline": block.headline,
            "evidence": list(block.evidence),
            "facts": facts,
            "level": block.confidence.value,
            "list": self.list_of(block.list_code),
        }

    def strategy(self, block: StrategyBlock) -> Item:
        words, say = self.writing.words, self.writing.value
        facts = []
        if block.expected_value is not None:
            note = block.expected_note
            if block.expected_low is not None and block.expected_high is not None:
                low, high = say(block.expected_low, MONEY), say(block.expected_high, MONEY)
                between = words("strategy.expected_range", low=low, high=high)
                note = words("strategy.range_and_note", range=between, note=note) if note else between
            facts.append({"label": words("strategy.expected"), "value": say(block.expected_value, MONEY), "note": note})
        if block.customers is not None:
            facts.append({"label": words("strategy.customers"), "value": say(block.customers, COUNT), "note": ""})
        rests_on = [
            {"id": f"finding-{code}", "label": words("finding.label", number=self.finding_numbers[code])}
            for code in block.findings
            if code in self.finding_numbers
        ]
        return {
            "kind": "strategy",
            "stage": block.stage,
            "title": block.title,
            "why": block.why,
            "actions": list(block.actions),
            "measure": block.measure,
            "facts": facts,
            "findings": rests_on,
            "list": self.list_of(block.list_code),
        }

    def list_of(self, code: str | None) -> Item | None:
        found = self.report.list_of(code)
        return None if found is None else {"title": found.title, "file": found.file_name}


def _column(column: Column, texts: list[str]) -> Item:
    """A column with its width in digits: that of its longest number, or, of texts, within what can be read."""
    tight = column.kind is not Kind.TEXT
    width = max((_digits(text) for text in texts), default=0.0)
    words = max((_digits(word) for word in column.label.split()), default=0.0)
    # Chinese headers break anywhere: short ones keep to one line, long ones to two that are nearly alike.
    label = _digits(column.label)
    short = label <= SHORT_LABEL and label > len(column.label)
    two_lines = label if short else min(label / 2 + 1.75, 13.0)
    width = max(width, min(words, 10.0), two_lines) if tight else max(min(width, 80.0), min(words, 12.0), 8.0)
    return {"label": column.label, "numeric": column.kind in NUMERIC, "tight": tight, "width": round(width, 1)}


def _digits(text: str) -> float:
    return sum(1.75 if ord(letter) > 0x2E80 else 1.0 for letter in text)


def _bars(block: TableBlock, shown: int) -> list[list[int]]:
    """The length of the quiet bar behind each cell, in per cent of the column's largest; 0 where there is none."""
    lengths = [[0] * len(block.columns) for _ in block.rows]
    for place, column in enumerate(block.columns):
        found = [row[place] for row in block.rows[:shown]]
        sizes = [abs(value) if isinstance(value, int | float) else 0.0 for value in found]
        largest = max(sizes, default=0.0)
        if column.bar and largest:
            for index, size in enumerate(sizes):
                lengths[index][place] = round(100 * size / largest)
    return lengths
