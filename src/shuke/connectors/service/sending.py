"""Workers send what is due: claimed in one transaction, sent outside of any, and kept in another.

An attempt whose outcome could not be kept is made again by whoever finds its claim over: a message arrives at least
once, and has the same id each time. Nothing is promised about the order.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

from shuke.connectors.model import Claimed, Poster
from shuke.connectors.rules import outcome, post_of
from shuke.connectors.service.deliveries import claim, failing_since, record
from shuke.connectors.service.noting import note_changes
from shuke.platform import Workplace, log

__all__ = ["deliver", "send_due", "send_for"]

#: How often one looks whether anything is due where nothing was.
PAUSE_SECONDS = 1.0


def send_for(place: Workplace, poster: Poster, seconds: float) -> None:
    """Make messages of what happens and send what is due, for so long; what is under way then is still awaited."""
    asyncio.run(_send_for(place, poster, seconds))


def send_due(place: Workplace, poster: Poster, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> int:
    """Make messages of what has happened, send all that is due and return how many attempts that were."""

    async def sent() -> int:
        count = 0
        await asyncio.to_thread(note_changes, place.database, now())
        while claimed := await asyncio.to_thread(_claimed, place, now()):
            await asyncio.gather(*(deliver(place, poster, one, now) for one in claimed))
            count += len(claimed)
        return count

    return asyncio.run(sent())


async def _send_for(place: Workplace, poster: Poster, seconds: float) -> None:
    began, noted = time.monotonic(), float("-inf")
    under_way: set[asyncio.Task[None]] = set()
    while time.monotonic() - began < seconds and not place.stopping.is_set():
        if time.monotonic() - noted >= PAUSE_SECONDS:
            await asyncio.to_thread(note_changes, place.database, datetime.now(UTC))
            noted = time.monotonic()
        claimed = await asyncio.to_thread(_claimed, place, datetime.now(UTC))
        under_way |= {asyncio.create_task(deliver(place, poster, one)) for one in claimed}
        if under_way:
            # As soon as one is done there is a place for the next.
            _, under_way = await asyncio.wait(under_way, timeout=PAUSE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(PAUSE_SECONDS)
    if under_way:
        await asyncio.wait(under_way)


def _claimed(place: Workplace, now: datetime) -> tuple[Claimed, ...]:
    with place.database.begin() as tx:
        return claim(tx, place.keyring, now)


async def deliver(
    place: Workplace, poster: Poster, claimed: Claimed, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> None:
    """Make one attempt, and keep what became of it."""
    try:
        began = now()
        reply = await poster.post(post_of(claimed, began))
        jitter = random.random()  # noqa: S311 - spreads load, and keeps nothing secret

        def keep() -> None:
            ended = now()
            with place.database.begin() as tx:
                since = failing_since(tx, claimed.endpoint_id)
                followed = outcome(reply, tries=claimed.tries, failing_since=since, now=ended, jitter=jitter)
                kept = record(tx, claimed, reply, followed, began=began, now=ended)
            if followed.trouble is not None:
                about = {"endpoint_id": str(claimed.endpoint_id), "delivery_id": claimed.delivery_id}
                log.info("webhook not delivered", **about, trouble=followed.trouble, status=reply.status)
            if kept and followed.disable is not None:
                log.warning("webhook disabled", endpoint_id=str(claimed.endpoint_id), why=followed.disable)

        await asyncio.to_thread(keep)
    except Exception as error:
        # It stays claimed for a while, and is tried again by whoever comes then.
        log.error("webhook attempt lost", delivery_id=claimed.delivery_id, exc_info=error)
