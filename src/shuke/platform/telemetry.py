"""Logs and metrics. Both carry codes, counts and identifiers, and never what a person is called, wrote or bought."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

__all__ = ["Metrics", "configure_logs", "log"]

log = structlog.get_logger("shuke")

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


def configure_logs(form: Literal["text", "json"], *, level: int = logging.INFO) -> None:
    """Everything that is logged, by us and by libraries, to standard error, one line each."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        _without_values,
    ]
    last: Any = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processor=last))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for loud in ("uvicorn.access", "alembic.runtime.migration"):
        logging.getLogger(loud).setLevel(logging.WARNING)


def _without_values(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Name an error and where it arose, without its message: that may hold what a person sent us."""
    failure = event.pop("exc_info", None)
    if failure is True:
        failure = sys.exc_info()
    error = failure[1] if isinstance(failure, tuple) else failure
    if isinstance(error, BaseException):
        event["error"] = type(error).__qualname__
        event["code"] = getattr(error, "code", None)
        event["at"] = _places(error)
    return event


def _places(error: BaseException, deepest: int = 6) -> list[str]:
    """Files and lines that the error came through, the last ones."""
    places = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rsplit('/site-packages/')[-1].rsplit('/src/')[-1]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return places[-deepest:]


class Metrics:
    """What this process counts, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "shuke_http_requests", "HTTP requests", ("method", "route", "status"), registry=self.registry
        )
        self.request_seconds = Histogram(
            "shuke_http_request_seconds", "Time to answer", ("route",), buckets=_SECONDS, registry=self.registry
        )
        self.connections_in_use = Gauge(
            "shuke_database_connections_in_use", "Connections lent out", registry=self.registry
        )

    def counter(self, name: str, meaning: str, labels: tuple[str, ...] = ()) -> Counter:
        """A counter of a room's."""
        return Counter(name, meaning, labels, registry=self.registry)

    def render(self) -> tuple[bytes, str]:
        """The text that Prometheus reads, and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
