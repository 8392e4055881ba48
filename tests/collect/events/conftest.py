import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI

from shuke.collect import add_source
from shuke.collect.http import collector_routes, reading_routes
from shuke.collect.jobs import wake
from shuke.collect.rules.requests import batch_of
from shuke.collect.service import inbox, write_keys
from shuke.collect.service.process import Processed, process
from shuke.platform import Metrics, Workplace

NOW = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
Json = dict[str, Any]


@pytest.fixture
def key(workplace: Workplace) -> str:
    """The write key of a source, whose amounts are yuan where they do not say."""
    with workplace.database.begin() as tx:
        return add_source(tx, "site", now=NOW, currency="CNY")


@pytest.fixture
def arrive(workplace: Workplace, key: str) -> Callable[..., None]:
    """Put events into the inbox, as one request of this moment."""
    with workplace.database.begin() as tx:
        source_id = write_keys.senders(tx)[write_keys.key_hash(key)]

    def put(events: Sequence[Json], received_at: datetime = NOW, sent_at: str | None = None) -> None:
        _, envelopes = batch_of(json.dumps({"batch": list(events), "sentAt": sent_at}).encode())
        with workplace.database.begin() as tx:
            inbox.store(tx, workplace.keyring, [inbox.Accepted(source_id, received_at, envelopes)])

    return put


@pytest.fixture
def settle(workplace: Workplace) -> Callable[..., list[Processed]]:
    """Process until nothing waits, in passes of this size."""

    def empty(limit: int = 5_000) -> list[Processed]:
        passes = []
        while True:
            with workplace.database.begin() as tx:
                done = process(tx, workplace.keyring, now=NOW, limit=limit)
            if not done.taken:
                return passes
            passes.append(done)

    return empty


@pytest.fixture
def app(workplace: Workplace) -> FastAPI:
    """The routes of the room."""
    app = FastAPI()
    metrics = Metrics()
    app.router.routes.extend(collector_routes(workplace, metrics, wake=wake))
    app.router.routes.extend(reading_routes(workplace, metrics))
    return app


@pytest.fixture
def address(app: FastAPI, serve: Callable[[FastAPI], AbstractContextManager[str]]) -> Iterator[str]:
    """Where the routes are served."""
    with serve(app) as address:
        yield address
