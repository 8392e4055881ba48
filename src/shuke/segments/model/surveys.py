"""What surveys are called: a fact of this name for each answer, whatever its kind, and its properties."""

from __future__ import annotations

from shuke.segments.model.tree import Facts, Measured, Op

__all__ = ["ANSWER", "ANSWERED", "SCORE", "SURVEY", "surveys_of"]

ANSWERED = "Survey Answered"
#: Which survey; how many points were given, a number; what was chosen, a text. An answer has one of the two, or both.
SURVEY, SCORE, ANSWER = "survey", "score", "answer"


def surveys_of(node: Measured) -> tuple[str, ...]:
    """The surveys of which a statement is about the last answer; none where it is about something else, or more."""
    what = node.what
    if not isinstance(what, Facts) or what.name != ANSWERED or len(what.where) != 1:
        return ()
    which = what.where[0]
    asked = node.by == "last" and node.of in (SCORE, ANSWER) and which.name == SURVEY and which.test.op is Op.IS
    return tuple(str(one) for one in which.test.values) if asked else ()
