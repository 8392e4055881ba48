"""The audit log: written with what it tells of, read page by page, and checked line by line."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from shuke.access.model import Broken, Deed, Entry, Reader, Verified
from shuke.access.rules.audit import FIRST, about_head, chained, kept
from shuke.access.tables import audit_heads, audit_log
from shuke.platform import Keyring, Transaction

__all__ = ["PAGE_MAX", "Wanted", "entries", "record", "verify"]

PAGE_MAX = 500

_PURPOSE = "audit-head"
# Any number that is ours alone in this database; whoever writes a line holds it until the commit.
_LOCK = 7_485_380_031
_ROWS_AT_ONCE = 2_000
_HASHED = ("seq", "at", "who_kind", "who_id", "who", "action", "object", "before", "after", "request_id")


def record(tx: Transaction, keyring: Keyring, reader: Reader, deed: Deed, now: datetime) -> None:
    """Write one line, as the last thing that a transaction does: whoever writes next waits until it ends.

    The line is there when, and only when, what it tells of is. The keyring signs the head of the day.
    """
    tx.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    # What the head says was last, not what lies there: a line that was cut off stays missing.
    head = tx.execute(
        sa.select(audit_heads.c.day, audit_heads.c.seq, audit_heads.c.hash).order_by(audit_heads.c.day.desc()).limit(1)
    ).first()
    previous = FIRST if head is None else head.hash
    seq = 1 if head is None else head.seq + 1
    line = {
        "seq": seq,
        "at": now,
        "who_kind": reader.kind,
        "who_id": reader.id,
        "who": reader.name,
        "action": deed.action,
        "object": kept(deed.about) or {},
        "before": kept(deed.before),
        "after": kept(deed.after),
        "request_id": deed.request_id,
    }
    made = chained(previous, line)
    tx.execute(sa.insert(audit_log).values(**line, previous=previous, hash=made))
    # A clock that was set back does not open a day of the past again.
    today = now.astimezone(UTC).date()
    day = today if head is None else max(today, head.day)
    signed = keyring.sign(_PURPOSE, about_head(day, seq, made))
    row = {"seq": seq, "hash": made, "signature": signed}
    tx.execute(insert(audit_heads).values(day=day, **row).on_conflict_do_update(index_elements=["day"], set_=row))


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which lines: None stands for all. ``about`` is an id or a code that the object names."""

    who: UUID | None = None
    action: str | None = None
    about: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def entries(tx: Transaction, wanted: Wanted, *, before: int | None = None, limit: int = 100) -> tuple[Entry, ...]:
    """A page of the log, newest first; ``before`` is the number of the last line of the page before."""
    log = audit_log.c
    query = sa.select(audit_log).order_by(log.seq.desc()).limit(min(limit, PAGE_MAX))
    if before is not None:
        query = query.where(log.seq < before)
    if wanted.who is not None:
        query = query.where(log.who_id == wanted.who)
    if wanted.action is not None:
        query = query.where(log.action == wanted.action)
    if wanted.about is not None:
        named = sa.text("EXISTS (SELECT 1 FROM json_each_text(audit_log.object) AS o WHERE o.value = :about)")
        query = query.where(named.bindparams(about=wanted.about))
    if wanted.since is not None:
        query = query.where(log.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(log.at < wanted.until)
    return tuple(_entry(row) for row in tx.execute(query))


def verify(tx: Transaction, keyring: Keyring, *, known: tuple[int, bytes] | None = None) -> Verified:
    """Whether the log is what was written: every line, their order, and that none is missing at its end.

    ``known`` is a head that an earlier check printed and that was kept elsewhere: it tells of a database that was put
    back whole, heads and all, to an earlier state.
    """
    heads = {row.seq: row for row in tx.execute(sa.select(audit_heads).order_by(audit_heads.c.day))}
    broken: Broken | None = None
    seen, previous, lines = 0, FIRST, 0
    hashes: dict[int, bytes] = {}
    for entry in _all(tx):
        lines += 1
        broken = broken or _fault(entry, seen, previous)
        seen, previous = entry.seq, entry.hash
        if entry.seq in heads or (known is not None and entry.seq == known[0]):
            hashes[entry.seq] = entry.hash
    for head in heads.values():
        broken = broken or _head_fault(head, keyring, hashes, seen)
    if heads and max(heads) < seen:
        broken = broken or Broken(max(heads) + 1, "head_differs")
    if lines and not heads:
        broken = broken or Broken(seen, "head_differs")
    if known is not None and not hmac.compare_digest(hashes.get(known[0], b""), known[1]):
        broken = broken or Broken(known[0], "cut_off" if known[0] > seen else "head_differs")
    return Verified(lines, seen, previous, broken)


def _fault(entry: Entry, seen: int, previous: bytes) -> Broken | None:
    """What is wrong with a line after the one that was seen before it."""
    if entry.seq != seen + 1:
        return Broken(seen + 1, "missing")
    line = {name: getattr(entry, name) for name in _HASHED}
    if not hmac.compare_digest(chained(entry.previous, line), entry.hash):
        return Broken(entry.seq, "changed")
    if not hmac.compare_digest(entry.previous, previous):
        return Broken(entry.seq, "out_of_order")
    return None


def _head_fault(head: sa.Row[Any], keyring: Keyring, hashes: Mapping[int, bytes], last: int) -> Broken | None:
    signed = keyring.sign(_PURPOSE, about_head(head.day, head.seq, head.hash))
    if not hmac.compare_digest(signed, head.signature):
        return Broken(head.seq, "head_forged")
    if head.seq > last:
        return Broken(last + 1, "cut_off")
    if not hmac.compare_digest(hashes.get(head.seq, b""), head.hash):
        return Broken(head.seq, "head_differs")
    return None


def _all(tx: Transaction) -> Iterator[Entry]:
    """Every line in order, a batch at a time."""
    query = sa.select(audit_log).order_by(audit_log.c.seq).execution_options(yield_per=_ROWS_AT_ONCE)
    for row in tx.execute(query):
        yield _entry(row)


def _entry(row: sa.Row[Any]) -> Entry:
    return Entry(**row._mapping)  # noqa: SLF001 - the documented name of a row's columns
