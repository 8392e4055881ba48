"""Texts in files that spreadsheets open: none may become a formula."""

from __future__ import annotations

__all__ = ["neutral"]

# What a spreadsheet may take for the start of a formula (OWASP, "CSV Injection"), also in full width.
_DANGEROUS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")


def neutral(text: str) -> str:
    """The text so that no spreadsheet computes it: an apostrophe before whatever could start a formula, also after
    blanks, which some programs strip."""
    return f"'{text}" if text.lstrip(" \u00a0\ufeff").startswith(_DANGEROUS) or text.startswith(_DANGEROUS) else text
