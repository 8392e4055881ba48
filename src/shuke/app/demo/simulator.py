"""What else might have happened around real orders: visits, messages, service and surveys. Pure, and drawn by a seed.

The relations and all parameters are described in the guide (``docs/guide/demo.md``); the numbers are the constants of
``browsing``, ``messages``, ``care`` and ``people``.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shuke.app.demo.browsing import browse
from shuke.app.demo.care import ask, draw_tickets, serve
from shuke.app.demo.columns import fact_ids
from shuke.app.demo.history import History
from shuke.app.demo.messages import mail
from shuke.app.demo.people import draw_people

__all__ = ["simulate"]


def simulate(history: History, *, seed: int) -> pa.Table:
    """Facts that are plausible for these orders, oldest first; the same history and seed give the same table.

    None is after the history's end, or earlier than :data:`history.CONTACT_BEFORE` before its customer's first order.
    No fact is an order or a refund, or carries an amount. Columns: ``fact_id``, those of ``columns.SCHEMA``, and
    ``simulated``, which is true.
    """
    # Each part draws from a stream of its own, so that a change of one leaves the others as they are.
    people, mailing, browsing, tickets, service, surveys, ids = (
        np.random.default_rng(stream) for stream in np.random.SeedSequence(seed).spawn(7)
    )
    who = draw_people(history, people)
    mails = mail(history, who, mailing)
    asked_for = draw_tickets(history, tickets)
    found = pa.concat_tables(
        [
            browse(history, who, mails.clicks, browsing),
            mails.facts,
            serve(history, asked_for, service),
            ask(history, who, asked_for, surveys),
        ]
    )
    found = found.take(pc.sort_indices(found, [(name, "ascending") for name in ("occurred_at", "identity_id", "name")]))
    found = found.append_column("simulated", pa.repeat(pa.scalar(value=True), len(found)))
    return found.add_column(0, "fact_id", fact_ids(ids, len(found)))
