"""How long work says how far it is. Knows nothing else."""

from __future__ import annotations

from collections.abc import Callable

#: Called with the code of a stage and the share of it that is done, from 0 to 1. It raises only to end the work.
Progress = Callable[[str, float], None]


def silent(_stage: str, _share: float) -> None:
    """The progress that nobody watches."""


def part(whole: Progress, start: float, end: float) -> Progress:
    """A part of the whole, for work that counts its own from 0 to 1."""

    def heard(stage: str, share: float) -> None:
        whole(stage, start + (end - start) * share)

    return heard
