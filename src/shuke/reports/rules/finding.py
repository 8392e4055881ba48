"""What a finding is, before it is put into words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from shuke.reports.model import Confidence
from shuke.reports.rules.figures import Figures
from shuke.reports.rules.said import Evidence, Said, Term

__all__ = ["Finding", "Rule"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What the figures say.

    The headline is the text ``finding.<code>.headline`` filled with ``values``; ``money`` is sized as
    ``finding.<code>.money`` says. ``said_first`` sets remarks on the trustworthiness of the report itself before all
    others; the rest are ranked by money.
    """

    code: str
    evidence: tuple[Evidence, ...]
    confidence: Confidence
    confidence_reason: str
    sample: float
    values: Mapping[str, Said | Term] = field(default_factory=dict)
    money: float | None = None
    list_code: str | None = None
    customers: int | None = None
    said_first: bool = False


Rule = Callable[[Figures], Finding | None]
