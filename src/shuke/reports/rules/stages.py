"""Which stages a report can be written with, and what it calls them. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from shuke.base.errors import BadInput
from shuke.base.language import Language
from shuke.insight import CUSTOMER_STAGES, StageRules

__all__ = ["check_stages", "stage_names"]


def check_stages(stages: StageRules) -> None:
    """Refuse stages that findings and strategies could not speak of, or that could not be told at past dates.

    Raises:
        BadInput: ``reports.stage_codes`` for other codes than those of the customer vocabulary, in any order;
            ``reports.stage_past`` for a rule that rests on predictions alone, which past dates do not have;
            ``reports.stage_names`` for two stages that a reader could not tell apart.
    """
    needed = CUSTOMER_STAGES.codes
    if set(stages.codes) != set(needed):
        raise BadInput("reports.stage_codes", needed=needed, found=stages.codes)
    for rule, fields in stages.blind_in_the_past().items():
        raise BadInput("reports.stage_past", rule=rule, fields=fields)
    for language in Language:
        names = list(stage_names(stages, language).values())
        if len(set(names)) != len(names):
            raise BadInput("reports.stage_names", language=language.value, names=names)


def stage_names(stages: StageRules, language: Language) -> Mapping[str, str]:
    """The name of each stage by its code, in the order of a life; the shipped name where the stages give none."""
    shipped = {one.code: one.names for one in CUSTOMER_STAGES.stages}
    return {one.code: one.names.get(language.value, shipped[one.code][language.value]) for one in stages.stages}
