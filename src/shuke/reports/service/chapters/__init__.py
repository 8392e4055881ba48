"""The chapters: figures, findings and strategies laid out as blocks, in the reader's words. No figure is made here."""

from shuke.reports.service.chapters.book import write_chapters

__all__ = ["write_chapters"]
