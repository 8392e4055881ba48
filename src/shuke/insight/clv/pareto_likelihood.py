"""The likelihood of Pareto/NBD by quadrature, with its exact derivatives.

With order rates gamma(r, α) and rates of leaving gamma(s, β) over customers (Schmittlein, Morrison & Colombo 1987),

    L = Γ(r+x) α^r β^s / Γ(r) · { (α+T)^−(r+x) (β+T)^−s + s ∫_{t_x}^{T} (α+u)^−(r+x) (β+u)^−(s+1) du }

which is Fader & Hardie, "A Note on Deriving the Pareto/NBD Model and Related Expressions" (2005), before the integral
over the moment of leaving is turned into hypergeometric functions. With y = ln(min(α, β) + u) the integrand is
analytic for ``|Im y| < π``, so that Gauss and Legendre's rule converges geometrically: one pass gives the value and all
derivatives to about twelve digits, without the cancellation from which the hypergeometric form suffers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln, polygamma

from shuke.insight.clv.latent import Derivatives, observed
from shuke.insight.clv.model import Floats
from shuke.insight.clv.optimise import Evaluation
from shuke.insight.clv.statistics import Statistics

__all__ = ["EFOLDINGS", "NODES", "NODE_WEIGHTS", "ParetoLikelihood", "chunks", "joint"]

# Beyond this many e-foldings nothing is left that a double could hold.
EFOLDINGS = 42.0
# Cells at a time: what they need fits the processor's cache.
_CHUNK = 1024


def _gauss_legendre(count: int) -> tuple[Floats, Floats]:
    """Nodes and weights on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return (nodes + 1) / 2, weights / 2


# By how many e-foldings the integrand changes over its range, at most, and the rule that then gives twelve digits.
_RULES = tuple(
    (foldings, _gauss_legendre(count)) for foldings, count in ((1.0, 8), (2.5, 12), (6.0, 18), (12.0, 26), (np.inf, 40))
)
NODES, NODE_WEIGHTS = _RULES[-1][1]

# r, alpha, s, beta; alpha and beta one per cell, or one number for all.
Parameters = tuple[float, Floats, float, Floats]


def chunks(size: int) -> list[slice]:
    """Slices of at most so many cells as the processor's cache takes."""
    return [slice(start, start + _CHUNK) for start in range(0, size, _CHUNK)]


@dataclass(frozen=True, eq=False)
class Joint:
    """Every history with every end u of the customer's life, (cells, nodes + 1); the last column has not left by T.

    ``log_joint``: the log of each one's share of the likelihood, without Γ(r+x)/Γ(r)/α^x. ``order_share`` and
    ``loss_share`` are α/(α+u) and β/(β+u), next to their logarithms; ``leaves`` is 1 where the life ends.
    """

    log_joint: Floats
    order_log: Floats
    loss_log: Floats
    order_share: Floats
    loss_share: Floats
    leaves: Floats


def joint(parameters: Parameters, x: Floats, t_x: Floats, T: Floats) -> Joint:
    """For parameters (r, alpha, s, beta), alpha and beta one per cell."""
    r, alpha, s, beta = parameters
    start = np.minimum(alpha, beta) + t_x
    reach, span, foldings = _ranges(parameters, x, t_x, T)
    most_needed = np.max(foldings, initial=0.0)
    nodes, node_weights = next(rule for most, rule in _RULES if most_needed <= most)
    y = np.concatenate([span[:, None] * nodes, reach[:, None]], axis=1)
    near = start[:, None] * np.exp(y)
    far = near + np.abs(alpha - beta)[:, None]
    log_near = np.log(start)[:, None] + y
    # ln of min/(min+u) and max/(max+u), whichever parameter that is.
    small, large = np.minimum(alpha, beta)[:, None], np.maximum(alpha, beta)[:, None]
    sides = (np.log(small) - log_near, small / near), (np.log(large) - np.log(far), large / far)
    (order_log, order_share), (loss_log, loss_share) = _sorted_sides(alpha <= beta, sides)
    leaves = np.ones(nodes.size + 1)
    leaves[-1] = 0.0
    log_joint = (r + x)[:, None] * order_log + (s + leaves) * loss_log
    with np.errstate(divide="ignore"):  # a history that ends with an order leaves no time to have left in
        log_joint[:, :-1] += log_near[:, :-1] + np.log(s * span / beta)[:, None] + np.log(node_weights)
    return Joint(log_joint, order_log, loss_log, order_share, loss_share, leaves)


def _ranges(parameters: Parameters, x: Floats, t_x: Floats, T: Floats) -> tuple[Floats, Floats, Floats]:
    """For each cell in y = ln(min(alpha, beta) + u): its range, how much of it matters, and the e-foldings in that."""
    r, alpha, s, beta = parameters
    start = np.minimum(alpha, beta) + t_x
    reach = np.log1p((T - t_x) / start)
    # The integrand falls at least at this rate; behind its foothills lies nothing.
    fall = start * ((r + x) / (alpha + t_x) + (s + 1) / (beta + t_x)) - 1
    span = np.minimum(reach, EFOLDINGS / np.maximum(fall, 1e-9))
    return reach, span, span * np.maximum(fall, 1.0)


_Side = tuple[Floats, Floats]


def _sorted_sides(as_given: NDArray[np.bool_], sides: tuple[_Side, _Side]) -> tuple[_Side, _Side]:
    """The two sides as given, or swapped, cell by cell; all cells agree unless they have traits."""
    first, second = sides
    if as_given.all():
        return first, second
    if not as_given.any():
        return second, first
    keep = as_given[:, None]
    return (
        (np.where(keep, first[0], second[0]), np.where(keep, first[1], second[1])),
        (np.where(keep, second[0], first[0]), np.where(keep, second[1], first[1])),
    )


def _history(parameters: Parameters, x: Floats, t_x: Floats, T: Floats) -> Derivatives:
    """ln L of each cell, without Γ(r+x)/Γ(r)/α^x, and its derivatives by ln r, ln alpha, ln s, ln beta."""
    r, s = parameters[0], parameters[2]
    lives = joint(parameters, x, t_x, T)
    R, S = (r + x)[:, None], s + lives.leaves
    by_r, by_s = r * lives.order_log, s * lives.loss_log
    missed, spared = 1 - lives.order_share, 1 - lives.loss_share
    by_alpha, lost = R * missed, S * lives.loss_share
    return observed(
        lives.log_joint,
        [by_r, by_alpha, by_s + lives.leaves, s - lost],
        {
            (0, 0): by_r,
            (0, 1): r * missed,
            (1, 1): -by_alpha * lives.order_share,
            (2, 2): by_s,
            (2, 3): s * spared,
            (3, 3): -lost * spared,
        },
    )


@dataclass(frozen=True, eq=False)
class ParetoLikelihood:
    """The log-likelihood of all customers as a function of the log-parameters, for :func:`optimise.climb`.

    theta is (ln r, ln α, ln s, ln β), then, with ``traits`` (cells, m), the change of ln α per unit of each trait and
    that of ln β. Without traits the sums need no matrix per cell.
    """

    statistics: Statistics
    traits: Floats | None = None

    def __call__(self, theta: Floats) -> Evaluation:
        """Value, gradient and Hessian at theta."""
        cells = self.statistics
        r, s = float(np.exp(theta[0])), float(np.exp(theta[2]))
        total = self._counts(r, theta.size)
        value, gradient, hessian = total.value, total.gradient, total.hessian
        # Cells that need as many nodes go together, since the neediest of a chunk decides for all of it. Traits would
        # change a little which those are, and nothing else.
        plain = (r, np.exp(theta[1]), s, np.exp(theta[3]))
        order = np.argsort(_ranges(plain, cells.x, cells.t_x, cells.T)[2], kind="stable")
        for part in (order[rows] for rows in chunks(cells.cells)):
            weight, x = cells.weight[part], cells.x[part]
            into = _linear(None if self.traits is None else self.traits[part], weight.size)
            own = np.einsum("nij,j->ni", into, theta)
            found = _history((r, np.exp(own[:, 1]), s, np.exp(own[:, 3])), x, cells.t_x[part], cells.T[part])
            found.gradient[:, 1] -= x
            # Not by the linear algebra library, whose threads wait for each other busily for so little work.
            value += float(np.einsum("n,n->", weight, found.value - x * own[:, 1]))
            if self.traits is None:
                gradient += np.einsum("n,ni->i", weight, found.gradient)
                hessian += np.einsum("n,nij->ij", weight, found.hessian)
            else:
                gradient += np.einsum("n,ni,nij->j", weight, found.gradient, into, optimize=True)
                hessian += np.einsum("n,nij,nik,nkl->jl", weight, into, found.hessian, into, optimize=True)
        return Evaluation(value, gradient, hessian)

    def _counts(self, r: float, size: int) -> Evaluation:
        """Γ(r+x)/Γ(r), which depends on x alone."""
        histogram = np.bincount(self.statistics.x.astype(np.intp), weights=self.statistics.weight)
        x = np.flatnonzero(histogram)
        customers, x = histogram[x], x.astype(np.float64)
        gradient, hessian = np.zeros(size), np.zeros((size, size))
        gradient[0] = r * float(customers @ (digamma(r + x) - digamma(r)))
        hessian[0, 0] = gradient[0] + r**2 * float(customers @ (polygamma(1, r + x) - polygamma(1, r)))
        return Evaluation(float(customers @ (gammaln(r + x) - gammaln(r))), gradient, hessian)


def _linear(traits: Floats | None, cells: int) -> Floats:
    """The matrices (cells, 4, 4 + 2m) from theta to each cell's logarithms of the four parameters."""
    if traits is None:
        return np.broadcast_to(np.eye(4), (cells, 4, 4))
    count = traits.shape[1]
    into = np.zeros((cells, 4, 4 + 2 * count))
    into[:, range(4), range(4)] = 1.0
    into[:, 1, 4 : 4 + count] = into[:, 3, 4 + count :] = traits
    return into
