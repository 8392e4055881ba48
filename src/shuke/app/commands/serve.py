"""``shuke serve``, ``shuke web`` and ``shuke worker``: the server, whole or in parts.

``serve`` is the parent of one web process and some workers, and of a PostgreSQL of its own where none is named. It
holds the listening socket, so that the port stays when the web process is replaced, and starts anew whatever ends
without having been told to.
"""

from __future__ import annotations

import contextlib
import gc
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import FrameType
from typing import IO, Literal, Self

import click
import uvicorn

from shuke import access
from shuke.app import web, worker
from shuke.app.place import open_workplace, own_database
from shuke.base.errors import BadInput
from shuke.base.language import Catalogue, Language, catalogue
from shuke.platform import EmbeddedPostgres, Settings, Workplace, configure_logs, log, open_database

__all__ = ["ServeOptions", "Told", "address_of", "collect_garbage_rarely", "listening", "run", "stay"]

STOP_SECONDS_MAX = 40
RESTART_SECONDS_MAX = 30
# A part that ran this long before it ended is started again at once.
_STEADY_SECONDS = 60
_CHECK_SECONDS = 0.2
_OBJECTS_BETWEEN_LOOKS = 100_000


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """What was asked for; ``socket_number`` is the listening socket that ``serve`` hands to its web process."""

    part: Literal["serve", "web", "worker"]
    language: Language = Language.ENGLISH
    host: str | None = None
    port: int | None = None
    socket_number: int | None = None


def run(options: ServeOptions) -> None:
    """Serve until SIGTERM or SIGINT."""
    settings = Settings.of_environment()
    settings = replace(
        settings,
        host=options.host or settings.host,
        port=settings.port if options.port is None else options.port,
    )
    configure_logs("json" if settings.log_format == "json" else "text")
    if options.part == "serve":
        _serve(settings, options.language)
        return
    collect_garbage_rarely()
    with open_workplace(settings) as place:
        if options.part == "worker":
            worker.work(place)
        else:
            _web(place, options)


def collect_garbage_rarely() -> None:
    """Look for cycles once in a batch, not hundreds of times: a batch is a hundred thousand objects, and no cycle."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_LOOKS, 10, 10)


def _web(place: Workplace, options: ServeOptions) -> None:
    config = uvicorn.Config(
        web.build_web(place),
        host=place.settings.host,
        port=place.settings.port,
        fd=options.socket_number,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS_MAX - 10,
    )
    _Server(config, place).run()


class _Server(uvicorn.Server):
    """One that says that it is to stop before it waits for the answers under way, some of which would go on."""

    def __init__(self, config: uvicorn.Config, place: Workplace) -> None:
        super().__init__(config)
        self._place = place

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._place.stopping.set()
        super().handle_exit(sig, frame)


def _serve(settings: Settings, language: Language) -> None:
    text = catalogue("shuke.app", language)
    told = Told()

    def greet(address: str) -> bool:
        click.echo(text("serve.ready", address=address), err=True)
        if link := _first_link(settings, address):
            click.echo(text("serve.first_owner", link=link), err=True)
        return True

    with own_database(settings, text) as postgres, listening(settings) as listener:
        stay(settings, text, postgres, listener, told, greet)


def _first_link(settings: Settings, address: str) -> str | None:
    """Where the first owner is made, while there is none; only whoever sees this terminal can be that."""
    with open_database(settings) as database, database.begin() as tx:
        token = access.setup_link(tx, datetime.now(UTC))
    # At a wildcard address nobody can be visited.
    base = settings.public_url or re.sub(r"//(0\.0\.0\.0|\[::\]):", "//localhost:", address)
    return None if token is None else access.link_to(base, "setup", token)


def stay(
    settings: Settings,
    text: Catalogue,
    postgres: EmbeddedPostgres | None,
    listener: socket.socket,
    told: Told,
    greet: Callable[[str], bool],
    *,
    output: IO[bytes] | None = None,
) -> None:
    """Run the web process and the workers until told to stop, and start anew what ends without having been told to.

    Args:
        settings: of both.
        text: of the person's language.
        postgres: the database that is ours to look after.
        listener: where the web process listens.
        told: by a signal.
        greet: given the server's address again and again until it says that it has told the person.
        output: a file for what both print; None leaves it to the terminal.
    """
    with _Children(settings, listener, output) as children:
        greeted = False
        while not told.to_stop:
            if postgres is not None and not postgres.running:
                log.error("database ended", action="start anew")
                postgres.revive()
            children.look_after()
            greeted = greeted or greet(address_of(listener))
            time.sleep(_CHECK_SECONDS)
        click.echo(text("serve.stopping"), err=True)


def listening(settings: Settings) -> socket.socket:
    """A socket that listens where the settings say; BadInput ``app.cannot_listen``."""
    listener = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as reason:
        listener.close()
        raise BadInput("app.cannot_listen", host=settings.host, port=settings.port, reason=reason.strerror) from None
    listener.listen(2048)
    return listener


def address_of(listener: socket.socket) -> str:
    """The address to reach it at."""
    host, port, *_ = listener.getsockname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


class Told:
    """Whether a signal asked to stop."""

    def __init__(self) -> None:
        self.to_stop = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)

    def _stop(self, *_: object) -> None:
        self.to_stop = True


@dataclass
class _Child:
    """One process of ours, how often it has ended early, and when to start it again."""

    arguments: list[str]
    environment: Mapping[str, str]
    output: IO[bytes] | None
    pass_fds: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    early_ends: int = 0
    start_at: float = field(default_factory=time.monotonic)

    def look_after(self) -> None:
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            steady = now - self.started_at > _STEADY_SECONDS
            self.early_ends = 0 if steady else self.early_ends + 1
            self.start_at = now + (0 if steady else min(2.0 ** (self.early_ends - 1), RESTART_SECONDS_MAX))
            log.error("process ended", part=self.arguments[0], status=self.process.returncode)
            self.process = None
        if self.process is None and now >= self.start_at:
            self.process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "shuke.app", *self.arguments],
                env=self.environment,
                stdout=self.output,
                stderr=self.output,
                pass_fds=self.pass_fds,
            )
            self.started_at = now


class _Children:
    """The web process and the workers; leaving the context stops them."""

    def __init__(self, settings: Settings, listener: socket.socket, output: IO[bytes] | None) -> None:
        number = listener.fileno()
        environment = {**os.environ, **settings.as_environment()}
        web = _Child(["web", "--socket", str(number)], environment, output, pass_fds=(number,))
        workers = (_Child(["worker"], environment, output) for _ in range(settings.workers))
        self.all = [web, *workers]

    def look_after(self) -> None:
        """Start what is not there and due."""
        for child in self.all:
            child.look_after()

    def __enter__(self) -> Self:
        self.look_after()
        return self

    def __exit__(self, *_: object) -> None:
        running = [child.process for child in self.all if child.process is not None]
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        until = time.monotonic() + STOP_SECONDS_MAX
        for process in running:
            try:
                process.wait(max(until - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
