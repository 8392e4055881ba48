"""How long work says how far it is. Knows nothing else."""

from __future__ import annotations

from collections.abc import Callable

#: Called with the code of a stage and the share of it that is done, from 0 to 1. It must not raise.
Progress = Callable[[str, float], None]


def silent(_stage: str, _share: float) -> None:
    """The progress that nobody watches."""
