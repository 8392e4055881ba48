"""What is simulated of a person: how keen, how content, and on which device. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shuke.app.demo.history import Floats, History, Ints

#: Device and channel of a visit, with the share of people whose usual one it is.
DEVICES = (("desktop", "web"), ("phone", "web"), ("phone", "app"))
DEVICE_SHARES = (0.55, 0.30, 0.15)


@dataclass(frozen=True)
class People:
    """One of each for every customer.

    ``engagement`` lies between 0 and 1 and is higher, on average, with more orders. ``contentment`` is standard normal.
    ``device`` is a place in :data:`DEVICES`.
    """

    engagement: Floats
    contentment: Floats
    device: Ints


def draw_people(history: History, rng: np.random.Generator) -> People:
    """Draw them: the log-odds of engagement are -0.9 + 0.6 z + 0.9 ε, with z the standardised log of orders."""
    orders = np.log1p(history.orders_of)
    spread = float(orders.std())
    frequent = (orders - orders.mean()) / spread if spread else np.zeros(len(orders))
    odds = -0.9 + 0.6 * frequent + rng.normal(0, 0.9, history.customers)
    return People(
        engagement=1 / (1 + np.exp(-odds)),
        contentment=rng.normal(0, 1, history.customers),
        device=rng.choice(len(DEVICES), history.customers, p=DEVICE_SHARES),
    )
