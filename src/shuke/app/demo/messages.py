"""Simulated e-mails: fixed campaigns, and what became of each message. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from shuke.app.demo.columns import facts, json_object, member, members_of, numbered, one_of
from shuke.app.demo.history import DAY, HOUR, MINUTE, SECOND, Flags, Floats, History, Ints
from shuke.app.demo.people import People

#: Month and day of the campaigns of every year; beside them a newsletter on the first Tuesday of each month.
SEASONS = (
    ("spring-gifts", 3, 15),
    ("summer-garden", 6, 16),
    ("christmas-preview", 9, 20),
    ("last-post", 12, 12),
)
SEND_HOUR = 10
#: A day after the first order, and once more when no order has come for so long.
WELCOME_AFTER = DAY
MISSED_AFTER = 90 * DAY

DELIVERED_SHARE = 0.985
#: Who opens: this and that times engagement, fading with the time since the last order; medians of how much later.
OPEN_BASE, OPEN_ENGAGED, OPEN_FADES = 0.10, 0.50, 240 * DAY
OPEN_MEDIAN = 3 * HOUR
CLICK_BASE, CLICK_ENGAGED = 0.05, 0.25
#: Of those who open, so many times (1 - engagement) take themselves off the list, and get nothing from then on.
UNSUBSCRIBE_SHARE = 0.012

_SENT, _DELIVERED, _OPENED, _CLICKED, _UNSUBSCRIBED = range(5)
_NAMES = ("Email Sent", "Email Delivered", "Email Opened", "Email Link Clicked", "Unsubscribed")
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Mailing:
    """The facts of all messages, and who clicked when."""

    facts: pa.Table
    clicks: tuple[Ints, Ints]


def mail(history: History, people: People, rng: np.random.Generator) -> Mailing:
    """Send every campaign to those who have ordered before and are still on the list."""
    campaigns, customer, campaign, sent = _planned(history, rng)
    rows = len(sent)
    keen = people.engagement[customer]
    quiet = sent - history.order_at[history.last_order_before(customer, sent)]
    opens = (OPEN_BASE + OPEN_ENGAGED * keen) * np.exp(-quiet / OPEN_FADES)
    delivered = _later(sent, rng.exponential(20 * SECOND, rows) + SECOND, rng.random(rows) < DELIVERED_SHARE)
    opened = _later(delivered, rng.lognormal(0, 1.2, rows) * OPEN_MEDIAN, rng.random(rows) < opens)
    clicks = rng.random(rows) < CLICK_BASE + CLICK_ENGAGED * keen
    clicked = _later(opened, rng.uniform(5 * SECOND, 90 * SECOND, rows), clicks)
    leaves = rng.random(rows) < UNSUBSCRIBE_SHARE * (1 - keen)
    left = _later(opened, rng.uniform(MINUTE, 3 * MINUTE, rows), leaves)
    # What was sent after somebody left was never sent; what was sent before may still be read.
    first_left = np.full(history.customers, _NEVER)
    np.minimum.at(first_left, customer, np.where(sent > history.end, _NEVER, left))
    moments = np.stack([sent, delivered, opened, clicked, left])
    moments[:, sent > first_left[customer]] = _NEVER
    moments[_UNSUBSCRIBED, left > first_left[customer]] = _NEVER
    what, message = np.nonzero(moments <= history.end)
    at = moments[what, message]
    wrote = facts(
        history,
        customer=customer[message],
        at=at,
        kind="message",
        name=one_of(_NAMES, what),
        channel="email",
        properties=json_object(
            one_of([members_of({"campaign_id": name}) for name in campaigns], campaign[message]),
            member("message_id", numbered("message", message)),
        ),
    )
    clicking = what == _CLICKED
    return Mailing(wrote, (customer[message[clicking]], at[clicking]))


def _planned(history: History, rng: np.random.Generator) -> tuple[list[str], Ints, Ints, Ints]:
    """The campaigns' names; and of each message the customer, the campaign and the moment."""
    begin = int(history.order_at.min())
    fixed = _fixed(begin, history.end)
    names = [*(name for name, _ in fixed), "welcome", "we-miss-you"]
    first_at = history.order_at[history.first_order]
    at = np.array([moment for _, moment in fixed], np.int64)
    campaign, customer = np.nonzero(at[:, None] > first_at[None, :])
    sent = at[campaign] + rng.integers(0, 45 * MINUTE, len(campaign))
    everybody = np.arange(history.customers)
    quiet = np.flatnonzero(history.next_at - history.order_at > MISSED_AFTER)
    parts = (
        (customer, campaign, sent),
        (everybody, np.full(len(everybody), len(fixed)), first_at + WELCOME_AFTER),
        (history.order_customer[quiet], np.full(len(quiet), len(fixed) + 1), history.order_at[quiet] + MISSED_AFTER),
    )
    customers, campaigns, moments = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return names, customers, campaigns, moments


def _fixed(begin: int, end: int) -> list[tuple[str, int]]:
    """The campaigns with a date of their own from ``begin`` to ``end``, with their moments."""
    first, last = (datetime.fromtimestamp(moment // SECOND, UTC) for moment in (begin, end))
    found = []
    for year in range(first.year, last.year + 1):
        found += [(f"{name}-{year}", datetime(year, month, day, SEND_HOUR, tzinfo=UTC)) for name, month, day in SEASONS]
        for month in range(1, 13):
            day = datetime(year, month, 1, SEND_HOUR, 30, tzinfo=UTC)
            found.append((f"newsletter-{year}-{month:02}", day + timedelta(days=(1 - day.weekday()) % 7)))
    moments = [(name, int(at.timestamp()) * SECOND) for name, at in found]
    return [(name, at) for name, at in moments if begin <= at <= end]


def _later(moments: Ints, by: Floats, happens: Flags) -> Ints:
    """Moments that follow others; never where those never were, or where it does not happen."""
    follows = happens & (moments != _NEVER)
    return np.where(follows, np.where(follows, moments, 0) + by.astype(np.int64), _NEVER)
