"""How many orders are still to come from one customer: the exact distribution, for the family of :mod:`likelihood`.

Given that a customer with x orders is alive at T, and that j < k Poisson stages of the running interval have passed,
the posteriors are λ ~ Gamma(s + j, α + T) and p ~ Beta(a, b + n), independent, with s = r + kx and n tosses survived.
The m-th order of the next t units needs m − 1 more tosses survived and at least mk − j stages:

    P(Y(t) ≥ m | alive, j) = B(a, b+n+m−1)/B(a, b+n) · P(N ≥ mk − j),    N ~ NegativeBinomial(s + j, t/(α+T+t))

This follows from the conjugate posteriors of Fader, Hardie & Lee 2005 (equations 6-10); summed over m it is their
equation 10 (and its counterparts for MBG/NBD and NBD) without the Gauss hypergeometric function, and it holds for every
k, where Platzer & Reutterer 2016 (section 4) approximate. All terms are positive, so nothing cancels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shuke.base.errors import CannotSay
from shuke.insight.clv.model import Floats

__all__ = ["Future", "Outlook", "moments"]

# The tail that a sum over m leaves out, relative to the customer's own geometric decay.
_TAIL = 1e-10
_ROUNDING = 1e-14
_ORDERS_MAX = 50_000
_LARGE = 1e200
_LOG_LARGE = float(np.log(_LARGE))

Chosen = NDArray[np.bool_] | NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Outlook:
    """What the future of living customers depends on; arrays (n,).

    ``shape`` s; ``span`` the horizon relative to α + T; ``a`` and ``b`` of the posterior of p (None: nobody leaves).
    """

    k: int
    shape: Floats
    span: Floats
    a: Floats | None
    b: Floats | None

    def at(self, chosen: Chosen) -> Outlook:
        """The same for some of the customers."""
        a, b = (None, None) if self.a is None or self.b is None else (self.a[chosen], self.b[chosen])
        return Outlook(self.k, self.shape[chosen], self.span[chosen], a, b)


class Future:
    """Walks through m = 1, 2, …: :meth:`next` gives P(Y ≥ m | alive, j), (k, n).

    P(N = 0) of a busy customer may be too small for a double. Masses are therefore kept relative to it, and brought
    down by a known factor before they grow too large.
    """

    def __init__(self, outlook: Outlook) -> None:
        stages = np.arange(outlook.k)[:, None]
        self.m = 0
        self.outlook = outlook
        self._share = outlook.span / (1 + outlook.span)
        self._shape = outlook.shape + stages
        self._log_factor = -self._shape * np.log1p(outlook.span)
        self._factor = np.exp(self._log_factor)
        self._deep = bool(self._log_factor.min(initial=0.0) < -_LOG_LARGE)
        self._mass = np.ones(self._shape.shape)
        self._below = np.zeros(self._shape.shape)
        self._survived = np.ones(outlook.shape.shape)

    def next(self) -> Floats:
        """P(Y ≥ m) for the next m."""
        k, a, b = self.outlook.k, self.outlook.a, self.outlook.b
        self.m += 1
        if self.m > 1 and a is not None and b is not None:
            self._survived = self._survived * ((b + (self.m - 2)) / (a + b + (self.m - 2)))
        for j in range(k):
            # P(N < mk − j) has k terms more than for the m before; the first m lacks the j stages that have passed.
            for n in range(max((self.m - 1) * k - j, 0), self.m * k - j):
                self._below[j] += self._mass[j]
                self._mass[j] *= self._share * ((self._shape[j] + n) / (n + 1))
            if self._deep:
                self._scale_down()
        return self._survived * np.maximum(1 - self._below * self._factor, 0)

    def _scale_down(self) -> None:
        large = self._mass > _LARGE
        if large.any():
            self._mass[large] /= _LARGE
            self._below[large] /= _LARGE
            self._log_factor[large] += _LOG_LARGE
            self._factor = np.exp(self._log_factor)

    def keep(self, chosen: Chosen) -> None:
        """Walk on with some of the customers only."""
        self.outlook = self.outlook.at(chosen)
        for name in ("_shape", "_mass", "_below", "_factor", "_log_factor"):
            setattr(self, name, getattr(self, name)[:, chosen])
        self._share, self._survived = self._share[chosen], self._survived[chosen]


def moments(outlook: Outlook) -> tuple[Floats, Floats]:
    """E[Y | alive, j] and E[Y² | alive, j], each (k, n): the sums of P(Y ≥ m) and of (2m − 1) P(Y ≥ m)."""
    mean = np.zeros((outlook.k, outlook.shape.size))
    square = np.zeros_like(mean)
    open_ = np.flatnonzero(outlook.span > 0)
    if open_.size == 0:
        return mean, square
    future = Future(outlook.at(outlook.span > 0))
    enough = np.maximum(_TAIL / (1 + future.outlook.span), _ROUNDING)
    while open_.size:
        tails = future.next()
        mean[:, open_] += tails
        square[:, open_] += (2 * future.m - 1) * tails
        if future.m % 4 == 0:
            going = tails.max(axis=0) > enough
            if np.count_nonzero(going) < 0.8 * going.size:
                future.keep(going)
                open_, enough = open_[going], enough[going]
        if future.m > _ORDERS_MAX:
            raise CannotSay("insight.horizon_too_long", orders_max=_ORDERS_MAX)
    return mean, square
