"""The present value, in orders, of what living customers will still order, with continuous discounting at a rate δ.

Fader, Hardie & Lee 2005 ("RFM and CLV", equation 11) give it for Pareto/NBD; here for the family of :mod:`likelihood`.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from shuke.insight.clv.future import Outlook, moments
from shuke.insight.clv.model import Floats

__all__ = ["discounted_forever", "discounted_until"]

_NODES = 20
_STEPS = 96
# Enough for c = 1e-6.
_TERMS_MAX = 12_000
# Cells per block: a block's nodes stay in memory of a few megabytes.
_BLOCK = 2_048


def discounted_until(outlook: Outlook, horizon: float, rate: float) -> Floats:
    """E[Σ e^(−δ·time of order) | alive, j] for orders within the horizon, (k, n).

    Integrated by parts, e^(−δH) E(H) + δ ∫ e^(−δu) E(u) du, where E(u) are the expected orders until u: Gauss-Legendre
    in the square root of u, since E bends most at the start.
    """
    points, weights = np.polynomial.legendre.leggauss(_NODES)
    roots = (points + 1) / 2
    total: Floats = np.exp(-rate * horizon) * moments(outlook)[0]
    for root, weight in zip(roots, weights, strict=True):
        share = root**2
        until = Outlook(outlook.k, outlook.shape, outlook.span * share, outlook.a, outlook.b)
        # du = 2 H root d(root), and d(root) is half the rule's own interval.
        total += rate * horizon * root * weight * np.exp(-rate * horizon * share) * moments(until)[0]
    return total


def discounted_forever(outlook: Outlook, scale: Floats, rate: float) -> Floats:
    """The same without an end, (k, n); ``scale`` is α + T, and ``outlook.span`` is not used.

    With φ = λ/(λ+δ) the discount of one Poisson stage, order m is worth (1−p)^(m−1) φ^(mk−j), in sum
    φ^−j / (c + p) with c = φ^−k − 1. The mean over p is a Gauss hypergeometric function, ₂F₁(1, a; a+b; −1/c)/c, by its
    continued fraction; the mean over λ a trapezoidal sum in ln λ, which converges geometrically.
    """
    value = np.empty((outlook.k, outlook.shape.size))
    # Customers of like rates together: the busiest of a block decides how many terms it takes.
    order = np.argsort(outlook.shape / scale)
    for start in range(0, order.size, _BLOCK):
        block = order[start : start + _BLOCK]
        part = outlook.at(block)
        for j in range(outlook.k):
            value[j, block] = _forever(part, part.shape + j, scale[block], rate, j)
    return value


def _forever(outlook: Outlook, shape: Floats, scale: Floats, rate: float, j: int) -> Floats:
    root = np.sqrt(shape)
    # Around the mode of ln λ: far enough down that even (λ/δ)^1 λ^s has vanished, up until e^(−βλ) has.
    low = -(38 / (shape + 1) + 9 / root + np.log1p(shape / (rate * scale)) / (1 + shape))
    high = np.log1p((9 * root + 40) / shape)
    step = (high - low) / (_STEPS - 1)
    at = low + step * np.arange(_STEPS)[:, None]
    weight = step * np.exp(shape * (at + np.log(shape)) - shape * np.exp(at) - special.gammaln(shape))
    # −ln φ; of an order worth less than e^−700 nothing is left that a double could hold.
    stage = np.minimum(np.log1p(rate * scale / (shape * np.exp(at))), 700 / outlook.k)
    c = np.expm1(outlook.k * stage)
    if outlook.a is None or outlook.b is None:
        per_order = 1 / c
    else:
        per_order = np.stack([_mean_inverse(outlook.a, outlook.b, row) for row in c])
    value: Floats = (weight * np.exp(j * stage) * per_order).sum(axis=0)
    return value


def _mean_inverse(a: Floats, b: Floats, c: Floats) -> Floats:
    """E[1/(c + p)] over p ~ Beta(a, b), c > 0.

    Gauss's continued fraction of ₂F₁(a, 1; a+b; −1/c)/c (Lorentzen & Waadeland, "Continued fractions", 2008, 6.1). With
    a negative argument all its terms are positive, so that it converges for every a and b and nothing cancels; the
    error falls by the factor 1 − 2√c per term.
    """
    total = a + b - 1
    z = 1 / c
    terms = min(int(12 / np.sqrt(c.min())) + 24, _TERMS_MAX)
    value = np.ones_like(c)
    for m in range(terms // 2, 0, -1):
        value = 1 + z * (a + m) * (total + m) / ((total + 2 * m) * (total + 2 * m + 1)) / value
        value = 1 + z * m * (b - 1 + m) / ((total + 2 * m - 1) * (total + 2 * m)) / value
    value = 1 + z * a / (total + 1) / value
    return z / value
