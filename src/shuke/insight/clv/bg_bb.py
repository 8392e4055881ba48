"""BG/BB: customers who may order once at each of a row of opportunities, until they leave unseen between two.

P. S. Fader, B. G. S. Hardie & J. Shang, "Customer-Base Analysis in a Discrete-Time Noncontractual Setting", Marketing
Science 29 (2010). While alive a customer orders at each opportunity with probability p, beta(alpha, beta) over
customers, and leaves before each with probability θ, beta(gamma, delta). A history is x orders at the opportunities
1 … n, the last at t_x: the T of :class:`Statistics` is n, a whole number. Two special cases of other work are BG/BB's
limits: nobody leaves (beta-binomial), and every opportunity is taken (shifted beta-geometric, :mod:`sbg`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln, gammaln, hyp2f1

from shuke.base.errors import BadInput, CannotSay
from shuke.insight.clv.distinct import distinct
from shuke.insight.clv.fitted import FittedModel
from shuke.insight.clv.fitting import refuse_without_repeats
from shuke.insight.clv.latent import Derivatives, observed
from shuke.insight.clv.likelihood import rising
from shuke.insight.clv.model import Floats
from shuke.insight.clv.optimise import Evaluation, Nested, Objective, climb, judge, maximise
from shuke.insight.clv.pareto_likelihood import chunks
from shuke.insight.clv.questions import check_count, check_level, check_rate, check_times, histories
from shuke.insight.clv.statistics import Statistics
from shuke.insight.clv.traits import Covariates

__all__ = ["BGBB", "fit_bg_bb"]

_NAMES = ("alpha", "beta", "gamma", "delta")
# So rare a loss is none, to all practical purposes.
_NEVER = 1e-9
_RARE = 1e-4
# Opportunities that the median until the next order is looked for in.
_WAIT_MAX = 1_000
_HORIZON_MAX = 10_000


@dataclass(frozen=True, eq=False)
class BGBB(FittedModel):
    """A fitted BG/BB; see :class:`model.PurchaseModel`. T is n, the number of opportunities; horizons are whole.

    Raises BadInput ``insight.bad_opportunities`` for broken numbers and x > t_x, ``insight.bad_history`` as others do.
    """

    name: ClassVar[str] = "bg-bb"

    def p_alive(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
        """P(alive at opportunity n + 1 | history), equation 11: there for the next one."""
        shape, people = _people(x, t_x, T)
        return np.asarray(self._alive(*people) * self._stays(people[2], 1)).reshape(shape)

    def expected_total(self, t: ArrayLike) -> Floats:
        """Expected orders of a new customer at the first t opportunities, equation 8; straight between whole t."""
        times = check_times(t, "t")
        _whole(float(np.ceil(times.max(initial=0.0))))
        alpha, beta = self.parameters["alpha"], self.parameters["beta"]
        stays = [float(self._stays(np.zeros(1), j)[0]) for j in range(1, int(np.ceil(times.max(initial=0.0))) + 1)]
        so_far = np.concatenate([[0.0], np.cumsum(stays)])
        return np.asarray(alpha / (alpha + beta) * np.interp(times, np.arange(so_far.size), so_far))

    def probability_of(self, k: int, horizon: float, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
        """P(exactly k orders at the next ``horizon`` opportunities | history), equation 12."""
        check_count(k)
        shape, people = _people(x, t_x, T)
        alive = self._alive(*people)
        first, cell = distinct(people[0], people[2])
        chance = self._orders_alive(k, _whole(horizon), people[0][first], people[2][first])[cell]
        return np.asarray(alive * chance + (1 - alive) * (k == 0)).reshape(shape)

    def purchases_interval(
        self, horizon: float, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, level: float = 0.8
    ) -> tuple[Floats, Floats]:
        """Quantiles of the distribution of the orders at the next ``horizon`` opportunities."""
        check_level(level)
        shape, people = _people(x, t_x, T)
        alive, ahead = self._alive(*people), _whole(horizon)
        first, cell = distinct(people[0], people[2])
        low, high = np.zeros(alive.size), np.zeros(alive.size)
        below = 1 - alive
        for k in range(ahead):
            below = below + alive * self._orders_alive(k, ahead, people[0][first], people[2][first])[cell]
            low += below < (1 - level) / 2 - 1e-12
            high += below < (1 + level) / 2 - 1e-12
            if (below >= (1 + level) / 2 - 1e-12).all():
                break
        return low.reshape(shape), high.reshape(shape)

    def purchases_moments(
        self,
        horizon: float,
        x: ArrayLike,
        t_x: ArrayLike,
        T: ArrayLike,
        *,
        covariates: Covariates | None = None,  # noqa: ARG002 - the model has no traits to look up in them
    ) -> tuple[Floats, Floats]:
        """E[Y] and Var[Y] given the history, of the next ``horizon`` opportunities; equation 13 before it is summed."""
        shape, people = _people(x, t_x, T)
        mean, variance = self._moments(_whole(horizon), people)
        return mean.reshape(shape), variance.reshape(shape)

    def expected_next_order(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
        """Median number of opportunities until the next order of a customer alive at n, who may leave before it.

        NaN where the chance of another order within a thousand opportunities stays below one half.
        """
        shape, people = _people(x, t_x, T)
        first, cell = distinct(people[0], people[2])
        x, n = people[0][first], people[2][first]
        a, b = self.parameters["alpha"] + x, self.parameters["beta"] + n - x
        ordered, wait = np.zeros(x.size), np.full(x.size, np.nan)
        for j in range(1, _WAIT_MAX + 1):
            ordered += np.exp(betaln(a + 1, b + j - 1) - betaln(a, b)) * self._stays(n, j)
            wait[np.isnan(wait) & (ordered >= 0.5)] = j
            if not np.isnan(wait).any():
                break
        return wait[cell].reshape(shape)

    def discounted_residual(
        self, rate_per_unit: float, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, horizon: float | None = None
    ) -> Floats:
        """Discounted expected residual orders, equation 14; an opportunity from now is worth 1/(1+d) = exp(−rate).

        BadInput ``insight.bad_rate`` below 0 or 0 forever.
        """
        check_rate(rate_per_unit, horizon)
        shape, people = _people(x, t_x, T)
        n, where = np.unique(people[2], return_inverse=True)
        worth = float(np.exp(-rate_per_unit))
        if horizon is None:
            gamma, delta = self.parameters["gamma"], self.parameters["delta"]
            life = worth * self._stays(n, 1) * hyp2f1(1, delta + n + 1, gamma + delta + n + 1, worth)
        else:
            ahead = np.arange(1, _whole(horizon) + 1)
            life = np.sum([self._stays(n, int(j)) * worth**j for j in ahead], axis=0) + np.zeros(n.size)
        return np.asarray(self._alive(*people) * self._rate(people) * life[where]).reshape(shape)

    # -- what the answers rest on -------------------------------------------------------------------------------

    def _alive(self, x: Floats, t_x: Floats, n: Floats) -> Floats:
        """P(alive at n | history): the share of the likelihood that has not left by then."""
        theta = np.log([self.parameters[name] for name in _NAMES])
        alive = np.empty(x.size)
        for part in chunks(x.size):
            log_joint = _joint(theta, x[part], t_x[part], n[part])[0]
            alive[part] = np.exp(log_joint[:, -1] - np.logaddexp.reduce(log_joint, axis=1))
        return alive

    def _stays(self, n: Floats, ahead: int) -> Floats:
        """P(alive at n + ahead | alive at n)."""
        gamma, delta = self.parameters["gamma"], self.parameters["delta"]
        return np.asarray(np.exp(betaln(gamma, delta + n + ahead) - betaln(gamma, delta + n)))

    def _rate(self, people: tuple[Floats, Floats, Floats]) -> Floats:
        """E[p | history, alive]."""
        x, _, n = people
        return (self.parameters["alpha"] + x) / (self.parameters["alpha"] + self.parameters["beta"] + n)

    def _moments(self, ahead: int, people: tuple[Floats, Floats, Floats]) -> tuple[Floats, Floats]:
        """E[Y] and Var[Y]: with S_j = P(alive j ahead), E[Y] = E[p] Σ S_j and E[Y²] = E[Y] + 2 E[p²] Σ (j − 1) S_j."""
        n, where = np.unique(people[2], return_inverse=True)
        once, pairs = np.zeros(n.size), np.zeros(n.size)
        for j in range(1, ahead + 1):
            stays = self._stays(n, j)
            once += stays
            pairs += 2 * (j - 1) * stays
        alive, rate = self._alive(*people), self._rate(people)
        size = self.parameters["alpha"] + self.parameters["beta"] + people[2]
        rate_squared = rate * (rate * size + 1) / (size + 1)
        mean = alive * rate * once[where]
        return mean, mean + alive * rate_squared * pairs[where] - mean**2

    def _orders_alive(self, k: int, ahead: int, x: Floats, n: Floats) -> Floats:
        """P(k orders at the next opportunities | alive at n), summed over how many the customer lives to see."""
        a, b = self.parameters["alpha"] + x, self.parameters["beta"] + n - x
        total = np.zeros(x.size)
        for j in range(k, ahead + 1):
            ends = self._stays(n, j) - (self._stays(n, j + 1) if j < ahead else 0.0)
            ways = gammaln(j + 1.0) - gammaln(k + 1.0) - gammaln(j - k + 1.0)
            total += ends * np.exp(ways + betaln(a + k, b + j - k) - betaln(a, b))
        return total


def fit_bg_bb(statistics: Statistics, *, unit: str = "opportunity") -> BGBB:
    """The maximum likelihood estimate; never below the beta-binomial, in which nobody leaves.

    Raises CannotSay ``insight.no_repeat_orders`` and BadInput ``insight.bad_opportunities``.
    """
    refuse_without_repeats(statistics)
    _people(statistics.x, statistics.t_x, statistics.T)

    def without_loss(theta: Floats) -> Evaluation:
        whole = _objective(statistics)(np.concatenate([theta, [np.log(_NEVER), 0.0]]))
        return Evaluation(whole.value, whole.gradient[:2], whole.hessian[:2, :2])

    share = float(statistics.weight @ statistics.x) / max(float(statistics.weight @ statistics.T), 1.0)
    special = climb(without_loss, np.log([share, max(1 - share, 1e-3)]))
    nested = Nested(special.at.value, np.concatenate([special.theta, np.log([_RARE, 1.0])]))
    starts = [np.log([1.0, 1.0, 0.5, 2.0]), np.log([2 * share, 2 * max(1 - share, 1e-3), 0.2, 2.0])]
    optimum = maximise(_objective, statistics, starts, nested=nested)
    covariance, diagnosis = judge(optimum, statistics.customers, _NAMES, nested=nested)
    parameters = dict(zip(_NAMES, np.exp(optimum.theta).tolist(), strict=True))
    return BGBB(parameters, optimum.at.value, covariance, diagnosis, statistics.customers, unit)


def _people(x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> tuple[tuple[int, ...], tuple[Floats, Floats, Floats]]:
    """The common shape, and histories flat."""
    shape = np.broadcast(x, t_x, T).shape
    orders, last, n = (np.ascontiguousarray(column).ravel() for column in histories(x, t_x, T))
    for column, broken in (
        ("x", (orders != np.floor(orders)) | (orders > last)),
        ("t_x", last != np.floor(last)),
        ("n", n != np.floor(n)),
    ):
        if broken.any():
            raise BadInput("insight.bad_opportunities", column=column)
    return shape, (orders, last, n)


def _whole(horizon: float) -> int:
    if not 0 <= horizon < np.inf or horizon != np.floor(horizon):
        raise BadInput("insight.bad_opportunities", column="horizon")
    if horizon > _HORIZON_MAX:
        raise CannotSay("insight.horizon_too_long", orders_max=_HORIZON_MAX)
    return int(horizon)


_Rise = tuple[Floats, Floats, Floats]


def _joint(theta: Floats, x: Floats, t_x: Floats, n: Floats) -> tuple[Floats, Floats, Floats]:
    """Equation 5 term by term: the log of each, with the opportunities u survived and whether that was the end.

    (cells, terms): u = t_x … n − 1 and then left, −inf where the cell has fewer; last column alive at n.
    """
    alpha, beta, gamma, delta = np.exp(theta)
    more = np.arange(int((n - t_x).max(initial=0)))
    u = np.concatenate([t_x[:, None] + more, n[:, None]], axis=1)
    impossible = u[:, :-1] >= n[:, None]
    u[:, :-1] = np.minimum(u[:, :-1], n[:, None])
    left = np.ones(u.shape[1])
    left[-1] = 0.0
    log_joint = rising(alpha, x)[0][:, None] + rising(beta, u - x[:, None])[0] - rising(alpha + beta, u)[0]
    log_joint += rising(delta, u)[0] - rising(gamma + delta, u + left)[0] + left * np.log(gamma)
    log_joint[:, :-1][impossible] = -np.inf
    return log_joint, u, left


def _history(theta: Floats, x: Floats, t_x: Floats, n: Floats) -> Derivatives:
    """ln L of each cell and its derivatives by the logarithms of the parameters."""
    alpha, beta, gamma, delta = np.exp(theta)
    log_joint, u, left = _joint(theta, x, t_x, n)
    ones = np.ones_like(u)
    taken, missed = rising(alpha, x), rising(beta, u - x[:, None])
    offered, stayed, ended = rising(alpha + beta, u), rising(delta, u), rising(gamma + delta, u + left)
    a, g = alpha / (alpha + beta), gamma / (gamma + delta)
    return observed(
        log_joint,
        [
            taken[1][:, None] - a * offered[1],
            missed[1] - (1 - a) * offered[1],
            left * ones - g * ended[1],
            stayed[1] - (1 - g) * ended[1],
        ],
        {
            (0, 0): taken[2][:, None] - _twice(offered, a),
            (0, 1): -a * (1 - a) * (offered[2] - offered[1]),
            (1, 1): missed[2] - _twice(offered, 1 - a),
            (2, 2): -_twice(ended, g),
            (2, 3): -g * (1 - g) * (ended[2] - ended[1]),
            (3, 3): stayed[2] - _twice(ended, 1 - g),
        },
    )


def _twice(rise: _Rise, share: float) -> Floats:
    """Second derivative of f(ln(c + d)) by ln c, where share = c/(c + d)."""
    return np.asarray(share * rise[1] + share**2 * (rise[2] - rise[1]))


def _objective(statistics: Statistics) -> Objective:
    def evaluate(theta: Floats) -> Evaluation:
        value, gradient, hessian = 0.0, np.zeros(4), np.zeros((4, 4))
        for part in chunks(statistics.cells):
            weight = statistics.weight[part]
            found = _history(theta, statistics.x[part], statistics.t_x[part], statistics.T[part])
            value += float(np.einsum("n,n->", weight, found.value))
            gradient += np.einsum("n,ni->i", weight, found.gradient)
            hessian += np.einsum("n,nij->ij", weight, found.hessian)
        return Evaluation(value, gradient, hessian)

    return evaluate
