"""Likelihoods whose customers die unseen: derivatives by Louis' identity.

Where the moment of death u is hidden, a customer's likelihood is a sum (or a quadrature) over u of the joint density
of what was seen and u. With w(u) the posterior weights of the hidden moments,

    gradient of log L = E_w[score(u)]
    Hessian of log L  = E_w[curvature(u)] + Var_w[score(u)]

(T. A. Louis, "Finding the observed information matrix when using the EM algorithm", JRSS B 44, 1982, eq. 3.1-3.2), so
one pass over the hidden moments gives the value and every derivative, exactly.

Pure NumPy: ``n`` customers (or cells of equal customers), ``m`` hidden moments each, ``p`` parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Derivatives:
    """Log-likelihood per cell (n), its gradient (n, p) and its Hessian (n, p, p)."""

    value: Array
    gradient: Array
    hessian: Array


def observed(log_joint: Array, scores: list[Array], curvature: dict[tuple[int, int], Array]) -> Derivatives:
    """Integrate the hidden moments out.

    ``log_joint`` is (n, m): the log of each moment's share of the likelihood, quadrature weight included; −inf where a
    cell has no such moment. ``scores`` holds for each parameter ∂ log_joint / ∂ parameter, ``curvature`` its second
    derivatives by (row, column) with row ≤ column, absent where zero; each (n, m).
    """
    highest = log_joint.max(axis=1, keepdims=True)
    weights = log_joint - highest
    np.exp(weights, out=weights)
    total = weights.sum(axis=1, keepdims=True)
    weights /= total
    value = highest[:, 0] + np.log(total[:, 0])
    count = len(scores)
    gradient = np.empty((len(value), count))
    hessian = np.empty((len(value), count, count))
    centred: list[Array] = []
    for row, score in enumerate(scores):
        gradient[:, row] = np.einsum("nm,nm->n", weights, score)
        centred.append(score - gradient[:, row, None])
    for row in range(count):
        weighted = weights * centred[row]
        for column in range(row, count):
            entry = np.einsum("nm,nm->n", weighted, centred[column])
            second = curvature.get((row, column))
            if second is not None:
                entry += np.einsum("nm,nm->n", weights, second)
            hessian[:, row, column] = hessian[:, column, row] = entry
    return Derivatives(value, gradient, hessian)
