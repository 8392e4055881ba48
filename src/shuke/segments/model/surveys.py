"""What surveys are called: a fact of this name for each answer, whatever its kind, and its properties."""

from __future__ import annotations

__all__ = ["ANSWER", "ANSWERED", "SCORE", "SURVEY"]

ANSWERED = "Survey Answered"
#: Which survey; how many points were given, a number; what was chosen, a text. An answer has one of the two, or both.
SURVEY, SCORE, ANSWER = "survey", "score", "answer"
