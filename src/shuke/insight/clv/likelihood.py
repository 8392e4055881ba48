"""The likelihood that NBD, BG/NBD, MBG/NBD and their regular-timing variants share, with its exact derivatives.

A customer orders while alive at Erlang-k intervals of rate λ; λ varies over customers as Gamma(r, α). After an order
the customer drops out with probability p, which varies as Beta(a, b). The members differ in two ways only:

========== === ========================= =====================================
model      k   the coin is tossed        source
========== === ========================= =====================================
NBD        1   never                     Ehrenberg 1959
BG/NBD     1   after each repeat order   Fader, Hardie & Lee 2005, equation 6
MBG/NBD    1   after every order         Batislam, Denizel & Filiztekin 2007
BG/CNBD-k  ≥ 1 after each repeat order   Platzer & Reutterer 2016, equation 5
MBG/CNBD-k ≥ 1 after every order         Platzer & Reutterer 2016, equation 5
========== === ========================= =====================================

With s = r + kx, n tosses survived and u = T − t_x, a history has the likelihood

    L = Γ(s)/Γ(r) · α^r · B(a, b+n)/B(a, b) · Π gap^(k−1)/Γ(k)^x · (gone + alive)
    alive = (α+T)^−s · Σ_{j<k} (s)_j/j! · (u/(α+T))^j        Poisson stages since the last order, fewer than k
    gone  = a/(b+n−1) · (α+t_x)^−s                            dropped out at the last toss, if there was one

evaluated in logarithms. Ratios of Gamma functions of whole distance are sums of logarithms, which neither overflow nor
cancel when parameters are huge.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from scipy import special

from shuke.insight.clv.model import Floats
from shuke.insight.clv.optimise import Evaluation
from shuke.insight.clv.statistics import Statistics

__all__ = ["Dropout", "Likelihood", "Member", "Traits", "log_alive_and_gone", "rising", "stage_terms"]

# Cells per block: its dozen arrays of doubles stay in the processor's cache.
_BLOCK = 16_384


class Dropout(Enum):
    """When a customer may leave."""

    NEVER = "never"
    AFTER_REPEAT = "after_repeat"
    AFTER_EVERY = "after_every"


@dataclass(frozen=True)
class Member:
    """One model of the family: the regularity k of the order times, and when customers may leave."""

    k: int
    dropout: Dropout

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters, as the papers name them."""
        return ("r", "alpha") if self.dropout is Dropout.NEVER else ("r", "alpha", "a", "b")

    def tosses(self, x: Floats) -> Floats:
        """How often the coin has been tossed in a history with x repeat orders."""
        return x + 1.0 if self.dropout is Dropout.AFTER_EVERY else x


@dataclass(frozen=True, eq=False)
class Traits:
    """The parameters of one customer or of many: each a number, or one number per customer."""

    r: Floats | float
    alpha: Floats | float
    a: Floats | float = 1.0
    b: Floats | float = 1.0


@dataclass(frozen=True, eq=False)
class _Rows:
    """Log-likelihoods (n,) with first and second derivatives by log-parameter, each (n,)."""

    value: Floats
    first: list[Floats]
    second: dict[tuple[int, int], Floats]


def log_alive_and_gone(member: Member, traits: Traits, x: Floats, t_x: Floats, T: Floats) -> tuple[Floats, Floats]:
    """Logarithms of ``alive`` and ``gone`` of the module's formula, both times α^s; −inf where it cannot be."""
    alpha, b = np.asarray(traits.alpha), np.asarray(traits.b)
    s = traits.r + member.k * x
    alive = -s * np.log1p(T / alpha)
    if member.k > 1:
        alive = alive + np.log(stage_terms(member.k, s, (T - t_x) / (alpha + T)).sum(axis=0))
    if member.dropout is Dropout.NEVER:
        return alive, np.full_like(alive, -np.inf)
    tosses = member.tosses(x)
    gone = np.log(traits.a) - np.log(b + np.maximum(tosses - 1, 0)) - s * np.log1p(t_x / alpha)
    return alive, np.where(tosses > 0, gone, -np.inf)


def stage_terms(k: int, s: Floats, share: Floats) -> Floats:
    """The terms (s)_j/j! · share^j for j < k, stacked (k, n)."""
    terms = [np.ones(np.broadcast_shapes(s.shape, share.shape))]
    for j in range(1, k):
        terms.append(terms[-1] * share * (s + (j - 1)) / j)
    return np.stack(terms)


def _since_last_order(k: int, s: Floats, r: Floats | float, share: Floats, rest: Floats) -> _Rows:
    """ln Σ_{j<k} (s)_j/j! · share^j by ln r and ln α (rest = α/(α+T)): moments of j and of h_j = Σ_{i<j} 1/(s+i)."""
    terms = stage_terms(k, s, share)
    whole = terms.sum(axis=0)
    j = np.arange(k, dtype=np.float64)[:, None]
    inverse = 1 / (s + j)
    h = np.concatenate([np.zeros_like(inverse[:1]), np.cumsum(inverse, axis=0)[:-1]])
    h_2 = np.concatenate([np.zeros_like(inverse[:1]), np.cumsum(inverse**2, axis=0)[:-1]])
    odds = terms / whole
    mean_j, mean_h = (odds * j).sum(axis=0), (odds * h).sum(axis=0)
    var_j = (odds * (j - mean_j) ** 2).sum(axis=0)
    bend_h = (odds * ((h - mean_h) ** 2 - h_2)).sum(axis=0)
    cov_jh = (odds * (j - mean_j) * (h - mean_h)).sum(axis=0)
    return _Rows(
        np.log(whole),
        [r * mean_h, -rest * mean_j],
        {
            (0, 0): r * mean_h + r**2 * bend_h,
            (0, 1): -r * rest * cov_jh,
            (1, 1): -rest * (1 - rest) * mean_j + rest**2 * var_j,
        },
    )


def _history(member: Member, traits: Traits, x: Floats, t_x: Floats, T: Floats) -> _Rows:
    """ln(gone + alive) + s ln α, with derivatives by ln r, ln α, ln a, ln b."""
    r, alpha, b = traits.r, traits.alpha, traits.b
    s = r + member.k * x
    late, rest = np.log1p(T / alpha), alpha / (alpha + T)
    value = -s * late
    first = [-r * late, s * (1 - rest)]
    second = {(0, 0): -r * late, (0, 1): r * (1 - rest), (1, 1): -s * rest * (1 - rest)}
    if member.k > 1:
        waiting = _since_last_order(member.k, s, r, (T - t_x) / (alpha + T), rest)
        value = value + waiting.value
        first = [mine + other for mine, other in zip(first, waiting.first, strict=True)]
        second = {key: mine + waiting.second[key] for key, mine in second.items()}
    if member.dropout is Dropout.NEVER:
        return _Rows(value, first, second)

    tosses = member.tosses(x)
    before = np.maximum(tosses - 1, 0)
    early, rest_early = np.log1p(t_x / alpha), alpha / (alpha + t_x)
    kept = b / (b + before)
    gone = np.where(tosses > 0, np.log(traits.a) - np.log(b + before) - s * early, -np.inf)
    top = np.maximum(value, gone)
    ratio = np.exp(np.minimum(value, gone) - top)
    q = np.where(gone >= value, 1.0, ratio) / (1 + ratio)
    p = 1 - q
    spread = p * q
    # Each derivative of ln gone; alive has none by a and b.
    by_r, by_alpha = -r * early, s * (1 - rest_early)
    gap_r, gap_alpha = first[0] - by_r, first[1] - by_alpha
    return _Rows(
        top + np.log1p(ratio),
        [first[0] - q * gap_r, first[1] - q * gap_alpha, q, -q * kept],
        {
            (0, 0): p * second[0, 0] + q * by_r + spread * gap_r**2,
            (0, 1): p * second[0, 1] + q * r * (1 - rest_early) + spread * gap_r * gap_alpha,
            (1, 1): p * second[1, 1] - q * s * rest_early * (1 - rest_early) + spread * gap_alpha**2,
            (0, 2): -spread * gap_r,
            (0, 3): spread * gap_r * kept,
            (1, 2): -spread * gap_alpha,
            (1, 3): spread * gap_alpha * kept,
            (2, 2): spread,
            (2, 3): -spread * kept,
            (3, 3): spread * kept**2 - q * kept * (1 - kept),
        },
    )


def rising(c: Floats | float, n: Floats) -> tuple[Floats, Floats, Floats]:
    """ln (c)_n = ln Γ(c+n)/Γ(c) for whole n, with first and second derivative by ln c.

    For one c the sums over 0 … n−1 are exact to rounding; for many c the special functions are quicker.
    """
    if np.ndim(c) == 0:
        terms = c + np.arange(int(n.max(initial=0)), dtype=np.float64)
        at = n.astype(np.intp)
        value, once, twice = (
            np.concatenate([[0.0], np.cumsum(f)])[at] for f in (np.log(terms), c / terms, (c / terms) ** 2)
        )
        return value, once, once - twice
    value = special.gammaln(c + n) - special.gammaln(c)
    once = c * (special.digamma(c + n) - special.digamma(c))
    return value, once, once + c**2 * (special.polygamma(1, c + n) - special.polygamma(1, c))


def _counts(member: Member, traits: Traits, x: Floats) -> _Rows:
    """ln of Γ(s)/Γ(r) · α^−kx · B(a, b+n)/B(a, b) / Γ(k)^x, with derivatives."""
    kx = member.k * x
    value, by_r, by_rr = rising(traits.r, kx)
    value = value - kx * np.log(traits.alpha) - x * special.gammaln(member.k)
    first, second = [by_r, -kx], {(0, 0): by_rr}
    if member.dropout is Dropout.NEVER:
        return _Rows(value, first, second)
    a, b = traits.a, traits.b
    tosses = member.tosses(x)
    kept, by_b, by_bb = rising(b, tosses)
    drawn, once, twice = rising(a + b, tosses)
    # By the chain rule: d(a+b)/d ln a = a.
    share_a, share_b = a / (a + b), b / (a + b)
    second |= {
        (2, 2): -(share_a * once + share_a**2 * (twice - once)),
        (2, 3): -share_a * share_b * (twice - once),
        (3, 3): by_bb - (share_b * once + share_b**2 * (twice - once)),
    }
    return _Rows(value + kept - drawn, [*first, -share_a * once, by_b - share_b * once], second)


@dataclass(frozen=True, eq=False)
class Likelihood:
    """The log-likelihood of all customers as a function of the log-parameters, for :func:`optimise.climb`.

    Without covariates theta is (ln r, ln α[, ln a, ln b]). ``designs`` (one per parameter, (cells, coefficients), or
    None for a parameter that all share) makes a log-parameter the design times its coefficients.
    """

    member: Member
    statistics: Statistics
    designs: tuple[Floats | None, ...] | None = None

    def __call__(self, theta: Floats) -> Evaluation:
        """Value, gradient and Hessian at theta."""
        cells, p = self.statistics, theta.size
        total = _Total(0.0, np.zeros(p), np.zeros((p, p)))
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            if self.designs is None:
                traits = Traits(*(float(v) for v in np.exp(theta)))
                histogram = np.bincount(cells.x.astype(np.intp), weights=cells.weight).astype(np.float64)
                numbers = np.flatnonzero(histogram)
                total.add(_counts(self.member, traits, numbers.astype(np.float64)), histogram[numbers])
            for start in range(0, cells.cells, _BLOCK):
                rows = slice(start, start + _BLOCK)
                x, weight = cells.x[rows], cells.weight[rows]
                if self.designs is not None:
                    designs = [None if d is None else d[rows] for d in self.designs]
                    traits = self._traits(theta, designs)
                    total.add(_counts(self.member, traits, x), weight, designs)
                else:
                    designs = None
                total.add(_history(self.member, traits, x, cells.t_x[rows], cells.T[rows]), weight, designs)
        return Evaluation(total.value + self._constant(), total.gradient, total.hessian)

    def _traits(self, theta: Floats, designs: list[Floats | None]) -> Traits:
        values: list[Floats | float] = []
        at = 0
        for design in designs:
            size = 1 if design is None else design.shape[1]
            own = theta[at : at + size]
            values.append(float(np.exp(own[0])) if design is None else np.exp(design @ own))
            at += size
        return Traits(*values)

    def _constant(self) -> float:
        """What the gaps between orders add: the same at every theta, rounded so that it repeats to the bit."""
        gaps = self.statistics.log_gap_sum
        if self.member.k == 1 or gaps is None:
            return 0.0
        return round((self.member.k - 1) * float(gaps @ self.statistics.weight), 6)


@dataclass(eq=False)
class _Total:
    """Sums of rows over customers, gathered through the designs."""

    value: float
    gradient: Floats
    hessian: Floats

    def add(self, rows: _Rows, weight: Floats, designs: list[Floats | None] | None = None) -> None:
        self.value += _dot(weight, rows.value)
        if designs is None:
            for i, row in enumerate(rows.first):
                self.gradient[i] += _dot(weight, row)
            for (i, j), row in rows.second.items():
                self.hessian[i, j] += _dot(weight, row)
                self.hessian[j, i] = self.hessian[i, j]
            return
        everyone = np.ones((weight.size, 1))
        columns = [everyone if design is None else design for design in designs]
        ends = np.cumsum([column.shape[1] for column in columns])
        places = [slice(int(end) - column.shape[1], int(end)) for end, column in zip(ends, columns, strict=True)]
        for place, column, row in zip(places, columns, rows.first, strict=True):
            self.gradient[place] += column.T @ (weight * row)
        for (i, j), row in rows.second.items():
            block = columns[i].T @ (columns[j] * (weight * row)[:, None])
            self.hessian[places[i], places[j]] += block
            if i != j:
                self.hessian[places[j], places[i]] += block.T


def _dot(left: Floats, right: Floats) -> float:
    """The inner product, without the linear algebra library: its threads wait for each other busily.

    On a machine with other work that made a fit twenty times slower; here there is too little to do for threads.
    """
    return float(np.einsum("n,n->", left, right))
