"""Customers drawn from the models, for tests and benchmarks: the truth is known, so estimates can be held against it.

Vectorised over customers: each round draws everybody's next order. Randomness comes from the generator that is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shuke.insight.clv.model import Floats

__all__ = ["Orders", "simulate_bg_nbd", "simulate_pareto_nbd", "summarise"]


@dataclass(frozen=True, eq=False)
class Orders:
    """Simulated orders, in no stated order: ``customer`` (0 … n−1) and ``time`` since the customer's first order.

    Every customer's first order, at time 0, is among them. ``lifetime`` (n,) is when each really left (inf: not while
    watched) and ``rate`` (n,) how often each really orders.
    """

    customer: NDArray[np.int64]
    time: Floats
    rate: Floats
    lifetime: Floats


def simulate_bg_nbd(
    generator: np.random.Generator,
    until: ArrayLike,
    *,
    r: float,
    alpha: float,
    a: float,
    b: float,
    k: int = 1,
    coin: Literal["after_repeat", "after_every"] = "after_repeat",
) -> Orders:
    """Draw customers of BG/NBD (k = 1), MBG/NBD (coin after every order) or their regular-timing variants (k > 1).

    ``until`` (n,): how long each customer is watched, in the unit of ``alpha``. Gaps are Gamma(k, rate).
    """
    watched = np.asarray(until, dtype=np.float64)
    rate = generator.gamma(r, 1 / alpha, watched.size)
    leaving = generator.beta(a, b, watched.size)
    lifetime = np.full(watched.size, np.inf)
    alive = np.arange(watched.size)
    if coin == "after_every":
        leaves = generator.random(watched.size) < leaving
        lifetime[leaves] = 0.0
        alive = alive[~leaves]
    now = np.zeros(watched.size)
    customers, times = [np.arange(watched.size)], [now.copy()]
    while alive.size:
        # A rate of 0 (below the smallest double) waits for ever.
        with np.errstate(divide="ignore"):
            now[alive] += generator.gamma(k, 1.0, alive.size) / rate[alive]
        alive = alive[now[alive] <= watched[alive]]
        customers.append(alive)
        times.append(now[alive])
        leaves = generator.random(alive.size) < leaving[alive]
        lifetime[alive[leaves]] = now[alive[leaves]]
        alive = alive[~leaves]
    return Orders(np.concatenate(customers), np.concatenate(times), rate, lifetime)


def simulate_pareto_nbd(
    generator: np.random.Generator, until: ArrayLike, *, r: float, alpha: float, s: float, beta: float
) -> Orders:
    """Draw customers of Pareto/NBD: lifetimes are exponential with rates from Gamma(s, beta)."""
    watched = np.asarray(until, dtype=np.float64)
    rate = generator.gamma(r, 1 / alpha, watched.size)
    with np.errstate(divide="ignore"):
        lifetime = generator.exponential(1.0, watched.size) / generator.gamma(s, 1 / beta, watched.size)
    end = np.minimum(watched, lifetime)
    count = generator.poisson(rate * end)
    customer = np.repeat(np.arange(watched.size), count)
    time = generator.random(customer.size) * end[customer]
    everyone = np.arange(watched.size)
    return Orders(np.concatenate([everyone, customer]), np.concatenate([np.zeros(watched.size), time]), rate, lifetime)


def summarise(orders: Orders, until: ArrayLike) -> tuple[Floats, Floats, Floats, Floats]:
    """x, t_x, T and the sum of ln(gap) of each customer, (n,) each, from the orders up to ``until``.

    Times are kept as drawn: this is the likelihood's own continuous time, in which no two orders share a day.
    """
    T = np.broadcast_to(np.asarray(until, dtype=np.float64), orders.rate.shape)
    seen = orders.time <= T[orders.customer]
    customer, time = orders.customer[seen], orders.time[seen]
    ranked = np.lexsort((time, customer))
    customer, time = customer[ranked], time[ranked]
    same = customer[1:] == customer[:-1]
    log_gap = np.log(np.diff(time)[same])
    x = np.bincount(customer, minlength=T.size).astype(np.float64) - 1.0
    t_x = np.zeros(T.size)
    np.maximum.at(t_x, customer, time)
    log_gap_sum = np.bincount(customer[1:][same], weights=log_gap, minlength=T.size).astype(np.float64)
    return x, t_x, T.copy(), log_gap_sum
