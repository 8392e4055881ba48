"""When an event happened, given what the sender's clock says of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shuke.collect.model import EARLIEST_YEAR, Reject

#: A clock that is off by less is believed: how long a message travels must not reorder the events of one device.
SKEW_BELIEVED = timedelta(minutes=2)
#: What lies further ahead happened now.
FUTURE_MAX = timedelta(hours=23)


def read_moment(text: str | None) -> datetime | None:
    """An ISO 8601 moment, UTC where it names no zone; Reject ``bad_time`` for anything else."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is UTC:
            return moment
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Reject("bad_time") from None


def occurred(original: datetime | None, sent: datetime | None, received: datetime) -> datetime:
    """The moment of an event: what its sender says, corrected by how far the sender's clock is from ours.

    ``received − (sent − original)``, where the clocks differ by :data:`SKEW_BELIEVED` or more; what is ahead by more
    than :data:`FUTURE_MAX` even then happened when it was received.

    Raises:
        Reject: ``impossible_time`` before 1990.
    """
    if original is None:
        return received
    moment = original
    if sent is not None and abs(received - sent) >= SKEW_BELIEVED:
        moment = received - (sent - original)
    if moment > received + FUTURE_MAX:
        moment = received
    if moment.year < EARLIEST_YEAR:
        raise Reject("impossible_time")
    return moment
