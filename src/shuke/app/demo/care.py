"""Simulated service tickets and surveys: what went wrong, how soon it was answered, and what people thought. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from shuke.app.demo.columns import facts, json_object, member, members_of, numbered, one_of
from shuke.app.demo.history import DAY, HOUR, MINUTE, Flags, Floats, History, Ints
from shuke.app.demo.people import People

TOPICS = ("delivery", "product", "invoice", "return", "damaged")
#: Orders with a ticket, and their topics; refunds with a ticket, and theirs.
ORDER_SHARE, ORDER_TOPICS = 0.02, (0.5, 0.3, 0.2, 0.0, 0.0)
REFUND_SHARE, REFUND_TOPICS = 0.20, (0.0, 0.0, 0.0, 0.6, 0.4)
ORDER_MEDIAN, REFUND_MEDIAN = 3 * DAY, 12 * HOUR
#: Medians of the time to the first answer and from there to the end, log-normal with a spread of 1.
ANSWER_MEDIAN, CLOSE_MEDIAN = 4 * HOUR, 20 * HOUR
SOLVED_SHARE = 0.92
CHANNELS = ("email", "phone", "chat")
CHANNEL_SHARES = (0.60, 0.25, 0.15)

#: Closed tickets that are asked about; orders after which people are asked how likely they are to recommend the shop.
CSAT_SHARE = 0.7
NPS_SHARE = 0.25
NPS_AFTER = 30 * DAY
#: Nobody is asked twice within this, whatever the survey.
COOLDOWN = 60 * DAY
ANSWER_BASE, ANSWER_ENGAGED = 0.10, 0.35
#: Who orders again within this is more content than who does not.
RETURNS_WITHIN = 90 * DAY

_CSAT, _NPS = range(2)
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Tickets:
    """One of each for every ticket. ``experience`` is about 0, below it where somebody was let down."""

    customer: Ints
    order: Ints  # -1 where it is about a refund
    topic: Ints
    opened: Ints
    answered: Ints
    closed: Ints
    solved: Ints
    experience: Floats


def draw_tickets(history: History, rng: np.random.Generator) -> Tickets:
    """About some orders, and about many more of the refunds."""
    order = np.flatnonzero(rng.random(len(history.order_at)) < ORDER_SHARE)
    # The lines of one credit note are one refund. What is given back before the first order that is known belongs to
    # orders that are not, and to nobody whom the shop has met here.
    known = history.refund_at >= history.order_at[history.first_order][history.refund_customer]
    note = np.unique(np.stack([history.refund_customer[known], history.refund_at[known]]), axis=1)
    note = note[:, rng.random(note.shape[1]) < REFUND_SHARE]
    about_orders, rows = len(order), len(order) + note.shape[1]
    since = np.concatenate([history.order_at[order], note[1]])
    median = np.where(np.arange(rows) < about_orders, ORDER_MEDIAN, REFUND_MEDIAN)
    topic = np.concatenate([rng.choice(5, about_orders, p=ORDER_TOPICS), rng.choice(5, note.shape[1], p=REFUND_TOPICS)])
    opened = since + (median * rng.lognormal(0, 0.7, rows)).astype(np.int64)
    waited = (ANSWER_MEDIAN * rng.lognormal(0, 1, rows)).astype(np.int64) + MINUTE
    answered = opened + waited
    closed = answered + (CLOSE_MEDIAN * rng.lognormal(0, 1, rows)).astype(np.int64) + MINUTE
    solved = (rng.random(rows) < SOLVED_SHARE).astype(np.int64)
    slow = np.log(waited / ANSWER_MEDIAN)
    experience = 0.4 - 0.5 * slow - 0.5 * (topic == TOPICS.index("damaged")) - 1.5 * (1 - solved)
    customer = np.concatenate([history.order_customer[order], note[0]])
    orders = np.concatenate([order, np.full(note.shape[1], -1)])
    return Tickets(customer, orders, topic, opened, answered, closed, solved, experience)


def serve(history: History, tickets: Tickets, rng: np.random.Generator) -> pa.Table:
    """The facts of all tickets, as far as they had come by the end."""
    moments = np.stack([tickets.opened, tickets.answered, tickets.closed])
    what, ticket = np.nonzero(moments <= history.end)
    waited = (tickets.answered - tickets.opened) // MINUTE
    order = tickets.order[ticket]
    return facts(
        history,
        customer=tickets.customer[ticket],
        at=moments[what, ticket],
        kind="service",
        name=one_of(("Ticket Opened", "Ticket Answered", "Ticket Closed"), what),
        channel=one_of(CHANNELS, rng.choice(3, len(tickets.opened), p=CHANNEL_SHARES)[ticket]),
        order_id=history.order_ids.take(pa.array(order, mask=order < 0)),
        properties=json_object(
            member("ticket_id", numbered("ticket", ticket)),
            member("topic", one_of(TOPICS, tickets.topic[ticket])),
            member("first_response_minutes", pa.array(waited[ticket], mask=what == 0)),
            member("outcome", one_of(("not_solved", "solved"), tickets.solved[ticket], where=what == 2)),
        ),
    )


def ask(history: History, people: People, tickets: Tickets, rng: np.random.Generator) -> pa.Table:
    """The facts of all surveys: satisfaction after a ticket, recommendation after an order."""
    ticket = np.flatnonzero(rng.random(len(tickets.closed)) < CSAT_SHARE)
    order = np.flatnonzero(rng.random(len(history.order_at)) < NPS_SHARE)
    customer = np.concatenate([tickets.customer[ticket], history.order_customer[order]])
    sent = np.concatenate([tickets.closed[ticket] + HOUR, history.order_at[order] + NPS_AFTER])
    survey = np.repeat([_CSAT, _NPS], [len(ticket), len(order)])
    served = np.concatenate([tickets.experience[ticket], _experience(history, tickets, order)])
    content = people.contentment[customer]
    back = np.concatenate([np.zeros(len(ticket)), _returns(history, order)])
    rows = len(sent)
    csat = 4.0 + 0.4 * content + 0.7 * served + rng.normal(0, 0.7, rows)
    nps = 7.9 + 0.9 * content + 1.0 * served + 1.2 * (back - 0.5) + rng.normal(0, 1.3, rows)
    score = np.where(survey == _CSAT, np.clip(np.rint(csat), 1, 5), np.clip(np.rint(nps), 0, 10)).astype(np.int64)
    answers = rng.random(rows) < ANSWER_BASE + ANSWER_ENGAGED * people.engagement[customer]
    answered = sent + (6 * HOUR * rng.lognormal(0, 1, rows)).astype(np.int64) + MINUTE
    rested = _rested(customer, sent)
    moments = np.stack([np.where(rested, sent, _NEVER), np.where(rested & answers, answered, _NEVER)])
    what, one = np.nonzero(moments <= history.end)
    return facts(
        history,
        customer=customer[one],
        at=moments[what, one],
        kind="survey",
        name=one_of(("Survey Sent", "Survey Answered"), what),
        channel="email",
        properties=json_object(
            one_of([members_of({"survey": "csat", "scale": "1-5"}), members_of({"survey": "nps", "scale": "0-10"})],
                   survey[one]),
            member("invitation_id", numbered("invitation", one)),
            member("score", pa.array(score[one], mask=what == 0)),
        ),
    )  # fmt: skip


def _experience(history: History, tickets: Tickets, order: Ints) -> Floats:
    """The mean experience of the tickets that each order's customer had closed when asked about it; 0 without any."""
    asked = history.order_at[order] + NPS_AFTER
    by_time = np.lexsort((tickets.closed, tickets.customer))
    customer, closed = tickets.customer[by_time], tickets.closed[by_time]
    summed = np.concatenate([[0.0], np.cumsum(tickets.experience[by_time])])
    begin = history.order_at.min()
    span = np.int64(max(history.end, int(closed.max(initial=0))) + NPS_AFTER + DAY - begin)
    key = customer * span + (closed - begin)
    whose = history.order_customer[order]
    first = np.searchsorted(key, whose * span)
    last = np.searchsorted(key, whose * span + (asked - begin), side="right")
    mean: Floats = (summed[last] - summed[first]) / np.maximum(last - first, 1)
    return mean


def _returns(history: History, order: Ints) -> Floats:
    """1 where the customer orders again soon after being asked."""
    asked = history.order_at[order] + NPS_AFTER
    place = history.last_order_before(history.order_customer[order], asked + RETURNS_WITHIN)
    return (history.order_at[place] > asked).astype(float)


def _rested(customer: Ints, sent: Ints) -> Flags:
    """Whether nobody asked the same customer anything shortly before."""
    order = np.lexsort((sent, customer))
    same = customer[order][1:] == customer[order][:-1]
    soon = same & (np.diff(sent[order]) < COOLDOWN)
    rested = np.ones(len(sent), bool)
    rested[order[1:]] = ~soon
    return rested
