"""The collector, which takes Segment's protocol at the root of the host.

It is the one hot path: a plain ASGI endpoint. Requests that come in while others are being committed are committed
together, so that the disk is waited for once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from shuke.base.errors import BadInput, NotAvailable, ShukeError
from shuke.base.language import explain
from shuke.collect.model import BATCH_BYTES_MAX
from shuke.collect.rules import requests
from shuke.collect.service import inbox, write_keys
from shuke.platform import Metrics, Transaction, Workplace, log
from shuke.platform.http import language_of

__all__ = ["Collector", "collector_routes"]

#: What waits in this process to be stored, and in the inbox to be processed; beyond it, senders are asked to wait.
WAITING_BYTES_MAX = 64 * 1024**2
INBOX_EVENTS_MAX = 2_000_000
RETRY_SECONDS = 5
#: One commit takes at most so much; the next goes on while it waits for the disk.
GROUP_BYTES_MAX = 4 * 1024**2
COMMITS_AT_ONCE = 2
#: A key that was made or disabled is known after this.
KEYS_SECONDS = 5.0
#: A key that is not known is looked for again, but not by every request with a wrong one.
UNKNOWN_KEY_SECONDS = 0.05
#: How long after a commit the processing is woken, so that many commits wake it once.
WAKE_SECONDS = 0.1

_ALWAYS = [
    (b"access-control-allow-origin", b"*"),
    # Without it, a page may not see how long it is asked to wait.
    (b"access-control-expose-headers", b"retry-after"),
    (b"content-type", b"application/json"),
    (b"x-content-type-options", b"nosniff"),
]
_PREFLIGHT = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"POST, GET, OPTIONS"),
    (b"access-control-allow-headers", b"authorization, content-type, content-encoding, x-retry-count"),
    (b"access-control-max-age", b"86400"),
]
_TAKEN = b'{"success":true}'


class _Refused(Exception):  # noqa: N818 - an answer
    """An answer other than 200, fixed by the protocol: clients drop or repeat by it."""

    def __init__(self, status: int, code: str, **values: Any) -> None:
        self.status = status
        self.error = ShukeError(code, **values)
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A request as it came in."""

    kind: str | None
    body: bytes
    encoding: str
    authorization: str
    received_at: datetime


def _refusal(error: BadInput) -> _Refused:
    """What cannot be stored will not be the next time either: 400, or 413 for a body that is too large."""
    large = error.code in ("collect.body_too_large", "collect.batch_too_large")
    return _Refused(413 if large else 400, error.code, **error.values)


class Collector:
    """The ASGI endpoint of ``/v1/{call}``.

    Answers 200 after the commit; 400, 401 and 413 for what will never be taken; 429 with Retry-After when too much
    waits, and 503 when it could not be stored: then the sender repeats it, and ``messageId`` makes it count once.
    """

    def __init__(self, workplace: Workplace, metrics: Metrics, wake: Callable[[Transaction], None]) -> None:
        self._workplace = workplace
        self._wake = wake
        self._waiting: deque[tuple[_Arrival, asyncio.Future[int]]] = deque()
        self._waiting_bytes = 0
        self._commits = 0
        self._running: set[asyncio.Task[None]] = set()
        self._waking: asyncio.Task[None] | None = None
        self._senders: dict[bytes, int] = {}
        self._looked_at: float | None = None
        self._inbox_full = False
        self._events = metrics.counter("shuke_collected_events", "Events that were stored")
        self._refusals = metrics.counter("shuke_refused_requests", "Requests that were not taken", ("status",))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            status, answer = await self._answered(scope, receive)
        except _Refused as refused:
            status = refused.status
            self._refusals.labels(str(status)).inc()
            text = explain(refused.error, language_of(Request(scope)))
            answer = json.dumps({"success": False, "code": refused.error.code, "message": text}).encode()
        headers = _PREFLIGHT if status == 204 else [*_ALWAYS, (b"content-length", b"%d" % len(answer))]
        if status == 429:
            headers = [*headers, (b"retry-after", b"%d" % RETRY_SECONDS)]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _answered(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        call = scope["path_params"]["call"]
        if call not in requests.CALLS:
            raise _Refused(404, "collect.unknown_call")
        if scope["method"] == "OPTIONS":
            return 204, b""
        if scope["method"] != "POST":
            raise _Refused(405, "collect.post_only")
        received_at = datetime.now(UTC)
        if self._inbox_full or self._waiting_bytes > WAITING_BYTES_MAX:
            # The look that finds room again is part of a commit, of which there may be none.
            self._look_again_soon()
            raise _Refused(429, "collect.too_busy", seconds=RETRY_SECONDS)
        headers = Headers(scope=scope)
        arrival = _Arrival(
            requests.CALLS[call],
            await _body(headers, receive),
            headers.get("content-encoding", "").strip().lower(),
            headers.get("authorization", ""),
            received_at,
        )
        await self._taken(arrival)
        return 200, _TAKEN

    async def _taken(self, arrival: _Arrival) -> None:
        """Wait until the events of this request are on the disk."""
        taken: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, taken))
        self._waiting_bytes += len(arrival.body)
        if self._commits < COMMITS_AT_ONCE:
            self._commits += 1
            self._start(self._commit_all())
        self._events.inc(await taken)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        # The loop itself keeps only a weak hold of a task.
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _commit_all(self) -> None:
        try:
            while self._waiting:
                group = list(self._next_group())
                outcomes = await asyncio.to_thread(self._commit, [arrival for arrival, _ in group])
                for (arrival, taken), outcome in zip(group, outcomes, strict=True):
                    self._waiting_bytes -= len(arrival.body)
                    if taken.cancelled():
                        continue
                    if isinstance(outcome, Exception):
                        taken.set_exception(outcome)
                    else:
                        taken.set_result(outcome)
                if self._waking is None and any(isinstance(outcome, int) for outcome in outcomes):
                    self._waking = asyncio.create_task(self._wake_soon())
        finally:
            self._commits -= 1

    def _next_group(self) -> Iterator[tuple[_Arrival, asyncio.Future[int]]]:
        size = 0
        while self._waiting and size < GROUP_BYTES_MAX:
            arrival, taken = self._waiting.popleft()
            size += len(arrival.body)
            yield arrival, taken

    def _commit(self, arrivals: list[_Arrival]) -> list[int | Exception]:
        """Store the events of these requests in one transaction; how many of each, or why they were not taken."""
        try:
            self._look(KEYS_SECONDS)
            read = [self._read(arrival) for arrival in arrivals]
            accepted = [one for one in read if isinstance(one, inbox.Accepted)]
            if any(one.envelopes for one in accepted):
                with self._workplace.database.begin() as tx:
                    inbox.store(tx, self._workplace.keyring, accepted)
        except (SQLAlchemyError, psycopg.Error, NotAvailable, OSError) as error:
            log.error("events not stored", exc_info=error)
            return [_Refused(503, "collect.not_stored")] * len(arrivals)
        except Exception as error:
            log.error("unexpected", exc_info=error)
            return [_Refused(500, "collect.not_stored")] * len(arrivals)
        return [len(one.envelopes) if isinstance(one, inbox.Accepted) else one for one in read]

    def _read(self, arrival: _Arrival) -> inbox.Accepted | _Refused:
        """The events of a request, whose key is known."""
        try:
            body = requests.unpacked(arrival.body, arrival.encoding)
            taken_apart = requests.batch_of(body) if arrival.kind is None else requests.single_of(body, arrival.kind)
        except BadInput as error:
            return _refusal(error)
        key = requests.key_of(arrival.authorization, taken_apart[0])
        hashed = write_keys.key_hash(key or "")
        if hashed not in self._senders:
            self._look(UNKNOWN_KEY_SECONDS)
        source_id = self._senders.get(hashed)
        if source_id is None:
            return _Refused(401, "collect.bad_key")
        return inbox.Accepted(source_id, arrival.received_at, taken_apart[1])

    def _look(self, after_seconds: float) -> None:
        """Read the keys, and how much waits, when that was done so long ago."""
        now = time.monotonic()
        if self._looked_at is not None and now - self._looked_at < after_seconds:
            return
        with self._workplace.database.begin() as tx:
            self._senders = write_keys.senders(tx)
            self._inbox_full = inbox.waiting(tx) >= INBOX_EVENTS_MAX
        self._looked_at = now

    def _look_again_soon(self) -> None:
        if not self._running:
            self._start(asyncio.to_thread(self._look_quietly))

    def _look_quietly(self) -> None:
        with contextlib.suppress(SQLAlchemyError, psycopg.Error):
            self._look(KEYS_SECONDS)

    async def _wake_soon(self) -> None:
        await asyncio.sleep(WAKE_SECONDS)
        # From here on a commit asks for a wake-up of its own: this one may not see it.
        self._waking = None
        with contextlib.suppress(SQLAlchemyError, psycopg.Error):
            await asyncio.to_thread(self._wake_now)

    def _wake_now(self) -> None:
        with self._workplace.database.begin() as tx:
            self._wake(tx)


async def _body(headers: Headers, receive: Receive) -> bytes:
    """The body, which is read no further than the limit."""
    declared = headers.get("content-length", "")
    too_large = _Refused(413, "collect.body_too_large", limit_bytes=BATCH_BYTES_MAX)
    if declared.isdecimal() and int(declared) > BATCH_BYTES_MAX:
        raise too_large
    parts = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Refused(400, "collect.malformed", place=0)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BATCH_BYTES_MAX:
            raise too_large
        if not message.get("more_body", False):
            return b"".join(parts)


def collector_routes(workplace: Workplace, metrics: Metrics, *, wake: Callable[[Transaction], None]) -> list[BaseRoute]:
    """The collector at the root of the host; ``wake`` has the inbox processed, in a transaction of its own."""
    return [Route("/v1/{call}", Collector(workplace, metrics, wake)), Route("/v1/projects/{key}/settings", _settings)]


async def _settings(request: Request) -> JSONResponse:
    """What a page's client asks for first where it is only told this host: to send everything here, and nowhere else.

    The same for every key, known or not: whether a key may send is told when it does.
    """
    here = {"apiHost": f"{request.url.netloc}/v1", "protocol": request.url.scheme}
    sends = {"apiKey": request.path_params["key"], **here}
    return JSONResponse({"integrations": {"Segment.io": sends}}, headers={"access-control-allow-origin": "*"})
