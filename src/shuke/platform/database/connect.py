"""Connections and transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self, TypeVar, cast

import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError

from shuke.base.errors import BadInput, NotAvailable
from shuke.platform.database.embedded import embedded_url
from shuke.platform.settings import Settings

Transaction = sa.Connection
_Result = TypeVar("_Result")

POOL_CONNECTIONS = 20
POOL_WAIT_SECONDS = 10
CONNECT_SECONDS_MAX = 10
# A statement that takes longer at the edge is a mistake; jobs say how long they may take.
STATEMENT_SECONDS_MAX = 30
# Each attempt that fails means that somebody else got something done.
_ATTEMPTS_MAX = 10

# What may go well the next time, as it is: the connection, a deadlock, what has run out (the disk, say), a lock, an
# operator who intervened, a fault of the machine.
_PASSING = ("08", "40", "53", "55", "57", "58")

# Constraints get names that migrations can speak of.
metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Database:
    """A pool of connections to one PostgreSQL; a context manager, which closes them."""

    def __init__(
        self, url: str, *, connections: int = POOL_CONNECTIONS, statement_seconds: int = STATEMENT_SECONDS_MAX
    ):
        self.url = url
        self._engine = sa.create_engine(
            _address(url),
            pool_size=connections,
            max_overflow=0,
            pool_timeout=POOL_WAIT_SECONDS,
            # A connection that the server dropped while it lay in the pool is replaced, not handed out.
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": CONNECT_SECONDS_MAX,
                "application_name": "shuke",
                "options": f"-c timezone=UTC -c statement_timeout={statement_seconds}s"
                " -c idle_in_transaction_session_timeout=300s",
            },
        )

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        with self._engine.begin() as transaction:
            yield transaction

    def run(self, work: Callable[[Transaction], _Result]) -> _Result:
        """What ``work`` returns, in one transaction; a transaction that lost against another is begun anew.

        Of two that wait for each other PostgreSQL ends one, which can do all of it again once the other is through.
        ``work`` may therefore be called several times, and must leave nothing outside of its transaction.
        """
        for left in reversed(range(_ATTEMPTS_MAX)):
            try:
                with self.begin() as transaction:
                    return work(transaction)
            except (DBAPIError, psycopg.Error) as error:
                if not left or not (_sql_state(error) or "").startswith("40"):
                    raise
        raise AssertionError

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """One transaction that sees one state of the database, and refuses to write."""
        engine = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with engine.begin() as transaction:
            yield transaction

    def ping(self) -> None:
        """Ask whether the server answers; NotAvailable ``platform.no_database`` when it does not."""
        try:
            with self._engine.connect() as connection:
                connection.execute(sa.text("SELECT 1"))
        except (OperationalError, sa.exc.TimeoutError) as reason:
            raise NotAvailable("platform.no_database", reason=str(reason.__cause__ or reason).strip()) from None

    @property
    def connections_in_use(self) -> int:
        """Connections that are lent out at this moment."""
        return cast(sa.pool.QueuePool, self._engine.pool).checkedout()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        """The database itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it, whatever happened."""
        self.close()


def _sql_state(error: DBAPIError | psycopg.Error) -> str | None:
    """PostgreSQL's code of an error, five characters; None when the connection is gone."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return cause.sqlstate if isinstance(cause, psycopg.Error) else None


def may_pass(error: BaseException) -> bool:
    """Whether an error says nothing of what was asked of the database: the same may go well later."""
    if isinstance(error, DBAPIError | psycopg.Error):
        return (_sql_state(error) or "08")[:2] in _PASSING
    return isinstance(error, sa.exc.TimeoutError)


def open_database(settings: Settings) -> Database:
    """The database that the settings name.

    Raises:
        BadInput: ``platform.bad_database_url`` when the address is none of PostgreSQL's.
    """
    return Database(database_url(settings))


def database_url(settings: Settings) -> str:
    """The address: ``DATABASE_URL``, or that of the data folder's own server."""
    return settings.database_url or embedded_url(settings.data_folder)


def driver(transaction: Transaction) -> psycopg.Connection[Any]:
    """psycopg's own connection of a transaction, for COPY; it is not for committing."""
    return cast("psycopg.Connection[Any]", transaction.connection.driver_connection)


def _address(url: str) -> sa.URL:
    try:
        address = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise BadInput("platform.bad_database_url") from None
    if address.get_backend_name() not in ("postgresql", "postgres"):
        raise BadInput("platform.bad_database_url")
    return address.set(drivername="postgresql+psycopg")
