"""The order of the chapters."""

from __future__ import annotations

from shuke.reports.model import Chapter
from shuke.reports.rules.figures import Figures
from shuke.reports.rules.finding import Finding
from shuke.reports.rules.strategies import Strategy
from shuke.reports.service.chapters.advice import findings_chapter, strategies_chapter
from shuke.reports.service.chapters.customers import customers_chapter
from shuke.reports.service.chapters.groups import rfm_chapter
from shuke.reports.service.chapters.method import method_chapter
from shuke.reports.service.chapters.opening import quality_chapter, summary_chapter
from shuke.reports.service.chapters.products import economics_chapter, products_chapter
from shuke.reports.service.chapters.retention import retention_chapter
from shuke.reports.service.chapters.stages import stages_chapter
from shuke.reports.service.chapters.value import value_chapter
from shuke.reports.service.words import Words

__all__ = ["write_chapters"]


def write_chapters(
    figures: Figures, found: tuple[Finding, ...], chosen: tuple[Strategy, ...], words: Words
) -> tuple[Chapter, ...]:
    """All twelve, the summary first."""
    return (
        summary_chapter(figures, found, chosen, words),
        quality_chapter(figures, words),
        customers_chapter(figures, words),
        stages_chapter(figures, words),
        value_chapter(figures, words),
        rfm_chapter(figures, words),
        retention_chapter(figures, words),
        products_chapter(figures, words),
        economics_chapter(figures, words),
        findings_chapter(found, words),
        strategies_chapter(figures, chosen, words),
        method_chapter(figures, words),
    )
