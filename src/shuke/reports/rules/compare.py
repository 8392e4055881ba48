"""Whether two groups differ by more than chance. Pure."""

from __future__ import annotations

from math import exp, log, sqrt

__all__ = ["Z95", "rate_difference", "rate_ratio"]

Z95 = 1.959963984540054


def rate_difference(hits: float, of: float, other_hits: float, other_of: float) -> tuple[float, float, float]:
    """The difference of two shares and its 95% interval (Agresti & Caffo 2000: one success and one failure added)."""
    share, other = (hits + 1) / (of + 2), (other_hits + 1) / (other_of + 2)
    half = Z95 * sqrt(share * (1 - share) / (of + 2) + other * (1 - other) / (other_of + 2))
    return hits / of - other_hits / other_of, share - other - half, share - other + half


def rate_ratio(count: float, other: float) -> tuple[float, float, float]:
    """The ratio of two counts over equal times and its 95% interval (log-normal; Poisson counts above zero)."""
    spread = Z95 * sqrt(1 / count + 1 / other)
    ratio = count / other
    return ratio, exp(log(ratio) - spread), exp(log(ratio) + spread)
