"""How large a comparison must be to show an effect. Pure.

Two independent proportions, two-sided, by the normal approximation: n for each arm
= (z_{1−α/2}·√(2·p̄·q̄) + z_{1−β}·√(p₁q₁ + p₂q₂))² / (p₂ − p₁)² (Fleiss, Levin & Paik, Statistical Methods for Rates and
Proportions, 3rd ed., eq. 4.14, without continuity correction).
"""

from __future__ import annotations

from math import ceil, sqrt
from statistics import NormalDist

__all__ = ["detectable_lift", "per_arm"]

ALPHA = 0.05
POWER = 0.8


def per_arm(base_rate: float, lift: float, *, alpha: float = ALPHA, power: float = POWER) -> int:
    """Customers in each arm to show that a rate rises from ``base_rate`` to ``base_rate + lift`` (points as a share).

    Raises ValueError when a rate is not strictly between 0 and 1 or the lift is not above zero.
    """
    raised = base_rate + lift
    if not (0 < base_rate < 1 and lift > 0 and raised < 1):
        raise ValueError(f"no sample size for {base_rate} → {raised}")
    mean = (base_rate + raised) / 2
    z_alpha, z_power = NormalDist().inv_cdf(1 - alpha / 2), NormalDist().inv_cdf(power)
    root = z_alpha * sqrt(2 * mean * (1 - mean)) + z_power * sqrt(base_rate * (1 - base_rate) + raised * (1 - raised))
    return ceil((root / lift) ** 2)


def detectable_lift(base_rate: float, arm: int, *, alpha: float = ALPHA, power: float = POWER) -> float | None:
    """The smallest lift that ``arm`` customers in each arm can show, to a tenth of a point; None when there is none."""
    for tenths in range(1, round((1 - base_rate) * 1000)):
        if per_arm(base_rate, tenths / 1000, alpha=alpha, power=power) <= arm:
            return tenths / 1000
    return None
