"""Simulated visits to the shop: before an order, between orders, after a click; they die away when orders do. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from shuke.app.demo.columns import facts, json_object, member, members_of, money_member, numbered, one_of
from shuke.app.demo.history import DAY, HOUR, MINUTE, SECOND, Flags, Floats, History, Ints
from shuke.app.demo.people import DEVICES, People

# Why somebody comes: to order, to look before an order, out of interest since the last one, by a click in a message.
ORDERING, LOOKING, IDLE, CLICKED = range(4)

#: Orders that are placed in the shop online after a visit; the others come by telephone or post.
VISITED_SHARE = 0.92
#: Of an order's products, so many at most are seen to be viewed.
BOUGHT_VIEWS_MAX = 4
#: Visits before an order: how many on average, and the median of how long before.
LOOKING_MEAN = 0.8
LOOKING_MEDIAN = 30 * HOUR
#: After an order a customer of engagement 1 comes so often a day; it falls by a factor e in so many days.
IDLE_PER_DAY = 0.07
IDLE_FADES = 45 * DAY
#: Products viewed besides, by reason (Poisson means; all but those who order view one at least).
OTHER_VIEWS = (1.5, 2.0, 1.5, 1.0)
#: A view is of a product of the order that the visit belongs to, rather than of any, in proportion to lines sold.
OWN_SHARE = (0.0, 0.5, 0.35, 0.2)
#: Visits without an order in which a product is put into the cart, and how many of these get further.
CART_SHARE = (0.0, 0.08, 0.12, 0.2)
CART_VIEWED_SHARE = 0.5
CHECKOUT_SHARE = 0.3
#: Who uses the usual device; and the hours at which people browse (weights of 0 to 23 o'clock, UTC).
USUAL_DEVICE_SHARE = 0.85
HOUR_WEIGHTS = (1, 0.5, 0.3, 0.2, 0.2, 0.4, 1, 2, 4, 5, 6, 6, 7, 6, 6, 5, 5, 5, 6, 8, 9, 8, 6, 3)
#: Seconds between two steps of a visit: gamma with this shape and scale.
STEP_SHAPE, STEP_SCALE = 1.2, 30.0

_STEPS = (
    ("page", "Home"),
    ("track", "Product List Viewed"),
    ("track", "Product Viewed"),
    ("track", "Product Added"),
    ("track", "Cart Viewed"),
    ("track", "Checkout Started"),
)
_HOME, _LIST, _VIEWED, _ADDED, _CART, _CHECKOUT = range(len(_STEPS))
_LISTS = ("new-in", "gifts", "kitchen", "garden", "christmas", "sale")


@dataclass(frozen=True)
class Visits:
    """When somebody comes and why. A visit to order ends just before ``anchor``, every other begins there.

    It has to lie between ``after`` and ``before``, else it is dropped. ``order`` is whose products are looked at.
    """

    reason: Ints
    customer: Ints
    order: Ints
    anchor: Ints
    after: Ints
    before: Ints

    @property
    def count(self) -> int:
        """How many."""
        return len(self.reason)

    @classmethod
    def of(cls, history: History, reason: int, order: Ints, *, anchor: Ints, after: Ints, before: Ints) -> Visits:
        """Visits for one reason that belong to these orders."""
        return cls(np.full(len(order), reason), history.order_customer[order], order, anchor, after, before)

    @classmethod
    def all(cls, *parts: Visits) -> Visits:
        """These visits together."""
        names = cls.__dataclass_fields__
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True)
class _Steps:
    """What is done in the visits: ``rank`` puts the steps of a visit in order; ``product`` may be none (-1)."""

    visit: Ints
    rank: Floats
    step: Ints
    product: Ints

    @classmethod
    def of(cls, visit: Ints, step: int, rank: Floats | float, product: Ints | None = None) -> _Steps:
        rows = len(visit)
        products = np.full(rows, -1) if product is None else product
        return cls(visit, np.broadcast_to(rank, rows).astype(float), np.full(rows, step), products)


def browse(history: History, people: People, clicks: tuple[Ints, Ints], rng: np.random.Generator) -> pa.Table:
    """The facts of all visits; ``clicks`` are customers and moments of clicks in messages."""
    visits = Visits.all(
        _ordering(history, rng),
        _looking(history, rng),
        _idle(history, people, rng),
        _clicked(history, *clicks, rng),
    )
    steps = _in_order(_steps(history, visits, rng))
    at, kept, number = _moments(history, visits, steps, rng)
    usual = people.device[visits.customer]
    other = rng.integers(0, len(DEVICES), visits.count)
    device = np.where(rng.random(visits.count) < USUAL_DEVICE_SHARE, usual, other)
    lists = rng.integers(0, len(_LISTS), len(steps.visit))
    rows = np.flatnonzero(kept)
    chosen = _Steps(steps.visit[rows], steps.rank[rows], steps.step[rows], steps.product[rows])
    return _facts(history, visits, chosen, at[rows], number, device, lists[rows])


def _ordering(history: History, rng: np.random.Generator) -> Visits:
    order = np.flatnonzero((rng.random(len(history.order_at)) < VISITED_SHARE) & (history.lines_of > 0))
    at = history.order_at[order]
    return Visits.of(history, ORDERING, order, anchor=at, after=history.previous_at[order], before=at)


def _looking(history: History, rng: np.random.Generator) -> Visits:
    order = np.repeat(np.arange(len(history.order_at)), rng.poisson(LOOKING_MEAN, len(history.order_at)))
    at = history.order_at[order]
    anchor = _at_a_likely_hour(at - (LOOKING_MEDIAN * rng.lognormal(0, 1, len(order))).astype(np.int64), rng)
    return Visits.of(history, LOOKING, order, anchor=anchor, after=history.previous_at[order], before=at - HOUR)


def _idle(history: History, people: People, rng: np.random.Generator) -> Visits:
    """A Poisson process whose rate falls from each order on, until the next."""
    span = history.next_at - history.order_at
    share = -np.expm1(-span / IDLE_FADES)
    rate = people.engagement[history.order_customer] * IDLE_PER_DAY / DAY
    order = np.repeat(np.arange(len(span)), rng.poisson(rate * IDLE_FADES * share))
    later = -IDLE_FADES * np.log1p(-rng.random(len(order)) * share[order])
    at = history.order_at[order]
    anchor = _at_a_likely_hour(at + later.astype(np.int64), rng)
    return Visits.of(history, IDLE, order, anchor=anchor, after=at, before=history.next_at[order])


def _clicked(history: History, customer: Ints, at: Ints, rng: np.random.Generator) -> Visits:
    order = history.last_order_before(customer, at)
    begin = at + rng.integers(3 * SECOND, 20 * SECOND, len(at))
    return Visits.of(history, CLICKED, order, anchor=begin, after=at, before=np.full(len(at), history.end))


def _at_a_likely_hour(moments: Ints, rng: np.random.Generator) -> Ints:
    """The same days, at hours at which people browse."""
    weights = np.array(HOUR_WEIGHTS) / sum(HOUR_WEIGHTS)
    hour = rng.choice(24, len(moments), p=weights)
    return moments // DAY * DAY + hour * HOUR + rng.integers(0, HOUR, len(moments))


def _steps(history: History, visits: Visits, rng: np.random.Generator) -> list[_Steps]:
    every = np.arange(visits.count)
    buys = visits.reason == ORDERING
    visit, product = _bought(history, visits, rng)
    bought_rank = rng.random(len(visit))
    other, other_product = _other_views(history, visits, rng)
    other_rank = rng.random(len(other))
    # The first view of a visit that only fills a cart is what goes into it.
    first = np.concatenate([[True], other[1:] != other[:-1]])[: len(other)]
    fills = rng.random(visits.count) < np.array(CART_SHARE)[visits.reason]
    added = first & fills[other]
    viewed_cart = (fills & (rng.random(visits.count) < CART_VIEWED_SHARE)) | (buys & (rng.random(visits.count) < 0.4))
    starts = buys | (fills & (rng.random(visits.count) < CHECKOUT_SHARE))
    return [
        _Steps.of(every[rng.random(visits.count) < 0.7], _HOME, -2),
        _Steps.of(every[rng.random(visits.count) < 0.6], _LIST, -1),
        _Steps.of(visit, _VIEWED, bought_rank, product),
        _Steps.of(visit, _ADDED, bought_rank, product),
        _Steps.of(other, _VIEWED, other_rank, other_product),
        _Steps.of(other[added], _ADDED, other_rank[added], other_product[added]),
        _Steps.of(every[viewed_cart], _CART, 2),
        _Steps.of(every[starts], _CHECKOUT, 3),
    ]


def _bought(history: History, visits: Visits, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Visits to order and some of the different products that were bought then."""
    visit_of = np.full(len(history.order_at), -1)
    buys = np.flatnonzero(visits.reason == ORDERING)
    visit_of[visits.order[buys]] = buys
    lines = np.lexsort((rng.random(len(history.line_order)), history.line_order))
    order, product = history.line_order[lines], history.line_product[lines]
    # A product may be on several lines.
    pair = order * len(history.product_ids) + product
    once = np.sort(np.unique(pair, return_index=True)[1])
    order, product = order[once], product[once]
    place = np.arange(len(order)) - np.searchsorted(order, order)
    some = (place < BOUGHT_VIEWS_MAX) & (visit_of[order] >= 0)
    return visit_of[order[some]], product[some]


def _other_views(history: History, visits: Visits, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Visits and the products that are viewed without being bought then, though perhaps at another time."""
    views = rng.poisson(np.array(OTHER_VIEWS)[visits.reason]) + (visits.reason != ORDERING)
    visit = np.repeat(np.arange(visits.count), views)
    order = visits.order[visit]
    lines = history.lines_of[order]
    own = (rng.random(len(visit)) < np.array(OWN_SHARE)[visits.reason[visit]]) & (lines > 0)
    any_line = rng.integers(0, len(history.line_product), len(visit))
    own_line = history.first_line[order] + (rng.random(len(visit)) * lines).astype(np.int64)
    return visit, history.line_product[np.where(own, own_line, any_line)]


def _in_order(parts: list[_Steps]) -> _Steps:
    """Visit by visit, and what is added right after it was viewed."""
    visit, rank, step, product = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("visit", "rank", "step", "product")
    )
    order = np.lexsort((step, rank, visit))
    return _Steps(visit[order], rank[order], step[order], product[order])


def _moments(history: History, visits: Visits, steps: _Steps, rng: np.random.Generator) -> tuple[Ints, Flags, Ints]:
    """When each step is, which steps remain, and the number of each visit by its beginning (-1 where it is dropped)."""
    visit = steps.visit
    pause = (rng.gamma(STEP_SHAPE, STEP_SCALE, len(visit)) * SECOND).astype(np.int64) + SECOND
    opens = np.concatenate([[True], visit[1:] != visit[:-1]])[: len(visit)]
    passed = np.cumsum(pause)
    first = np.flatnonzero(opens)
    begun = np.repeat(passed[first], np.diff(np.append(first, len(visit))))
    passed = passed - begun
    lasts = np.zeros(visits.count, np.int64)
    np.maximum.at(lasts, visit, passed)
    paying = rng.integers(20 * SECOND, 4 * MINUTE, visits.count)
    start = np.where(visits.reason == ORDERING, visits.anchor - paying - lasts, visits.anchor)
    end = start + lasts
    fits = (start > visits.after) & (end < visits.before) & (end <= history.end)
    happens = np.zeros(visits.count, bool)
    happens[visit] = True
    number = np.full(visits.count, -1)
    kept = np.flatnonzero(fits & happens)
    number[kept[np.lexsort((visits.customer[kept], start[kept]))]] = np.arange(len(kept))
    return start[visit] + passed, fits[visit], number


def _facts(
    history: History, visits: Visits, steps: _Steps, at: Ints, number: Ints, device: Ints, lists: Ints
) -> pa.Table:
    visit, step, product = steps.visit, steps.step, steps.product
    in_app = np.array([channel == "app" for _, channel in DEVICES])[device[visit]]
    kinds = np.where(step == _HOME, np.where(in_app, 2, 1), 0)
    buys = (visits.reason[visit] == ORDERING) & (step == _CHECKOUT)
    order = visits.order[visit]
    context = [members_of({"$context": {"device": {"type": kind}}}) for kind, _ in DEVICES]
    return facts(
        history,
        customer=visits.customer[visit],
        at=at,
        kind=one_of(("track", "page", "screen"), kinds),
        name=one_of([name for _, name in _STEPS], step),
        channel=one_of([channel for _, channel in DEVICES], device[visit]),
        session=numbered("simulated", number[visit]),
        order_id=history.order_ids.take(pa.array(order, mask=~buys)),
        properties=json_object(
            one_of(_products(history), product, where=product >= 0),
            member("list_id", one_of(_LISTS, lists, where=step == _LIST)),
            money_member("value", history.order_minor[order], history.digits, where=buys),
            one_of([members_of({"currency": history.currency})], np.zeros(len(step), np.int64), where=buys),
            one_of(context, device[visit]),
        ),
    )


def _products(history: History) -> list[str]:
    """What an event says of each product, in the words of the collecting protocol."""
    return [
        members_of(
            {"product_id": code, "name": name, "price": minor / 10**history.digits, "currency": history.currency}
        )
        for code, name, minor in zip(
            history.product_ids, history.product_names, history.product_minor.tolist(), strict=True
        )
    ]
