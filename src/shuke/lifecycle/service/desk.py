"""Questions to the lake, answered while somebody waits.

Every figure is an expression of ``insight`` over the lake's tables, as in the report; only what is looked at differs. A
computation takes seconds of all cores, so few run at once, others wait their turn for a while, and an answer is kept
until something changes in the tables that it came from.

**Readers of some customers.** The lake knows no policies. Who those customers are is asked of PostgreSQL, which holds
the policies; before anything is computed, the tables are cut down to theirs, and an answer is kept for exactly these
customers.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, TypeVar, cast
from zoneinfo import ZoneInfo

import ibis.expr.types as ir
import pyarrow as pa
import sqlalchemy as sa

from shuke import collect, insight, profiles
from shuke.base.errors import BadInput, CannotSay, NotAvailable
from shuke.base.money import minor_digits
from shuke.lifecycle.analysis_model import Basis, Narrowing
from shuke.lifecycle.measures import of_customers
from shuke.lifecycle.model import Refresh
from shuke.lifecycle.service.reading import last_refresh
from shuke.platform import Engine, Lake, Transaction, Workplace, open_engine

__all__ = ["Desk", "Laid", "Whose", "whose"]

#: Answers that are kept in this process, those that were asked for longest ago going first.
ANSWERS_MAX = 200
#: Computations at once, and requests that wait for one, beyond which the server says that it is busy.
AT_ONCE_MAX = 2
WAITING_MAX = 12
WAIT_SECONDS_MAX = 25.0
#: Of one computation, unless the settings say less; beyond it goes to the work folder.
MEMORY_BYTES_MAX = 1_500_000_000

# What an answer changes with. Facts are not among them: what is read of those is told with the refunds, and after them.
_READ = ("orders", "refunds", "identities", "costs")
_READ_OF_GOODS = (*_READ, "order_lines")
# Of these nothing can be said, which is an answer, too.
_NOTHING = ("collect.nothing_stored", "collect.no_sales")


class _Answer(Protocol):
    @property
    def basis(self) -> Basis:
        """What it rests on."""
        ...


Answer = TypeVar("Answer", bound=_Answer)


@dataclass(frozen=True, eq=False)
class Whose:
    """For whom figures are: as of which refresh (None before the first), of which customers (None is of all).

    ``mark`` is another for other customers.
    """

    refresh: Refresh | None
    customers: pa.Array | None = None
    mark: bytes = b""


def whose(tx: Transaction, *, everybody: bool) -> Whose:
    """For the reader whose transaction this is, who sees ``everybody`` or those whom it sees."""
    refresh = last_refresh(tx)
    if everybody or refresh is None:
        return Whose(refresh)
    present = profiles.present().subquery("present")
    ids = sorted(tx.scalars(sa.select(sa.cast(present.c.customer_id, sa.Text))))
    return Whose(refresh, pa.array(ids, pa.string()), hashlib.sha256("".join(ids).encode()).digest())


@dataclass(frozen=True)
class Laid:
    """What lies on the desk for one question: the tables, cut down to the reader's, as of a local moment."""

    tables: insight.Tables
    engine: Engine
    as_of: datetime
    basis: Basis

    def minor(self, amount: float | None) -> int:
        """Money as whole minor units; nothing is 0."""
        return round((amount or 0.0) * float(10 ** minor_digits(self.basis.currency or "")))

    def maybe_minor(self, amount: float | None) -> int | None:
        """Money as whole minor units, where there is any to tell of."""
        return None if amount is None or amount != amount else self.minor(amount)  # noqa: PLR0124 - not a number

    def rows(self, table: ir.Table) -> list[dict[str, Any]]:
        """Run an expression."""
        return cast("list[dict[str, Any]]", table.to_pyarrow().to_pylist())


@dataclass(frozen=True, eq=False)
class _Asked:
    """What of the lake is laid on the desk."""

    refresh: Refresh
    customers: pa.Array | None
    currency: str | None
    goods: bool

    @property
    def basis(self) -> Basis:
        """As far as it is known before anything was read."""
        return Basis(as_of=self.refresh.as_of, time_zone=self.refresh.time_zone, currency=self.refresh.currency)

    def laid(self, lake: Lake, engine: Engine) -> Laid:
        """What was sold by the moment of the refresh, to the customers whom the reader sees."""
        local = self.refresh.as_of.astimezone(ZoneInfo(self.refresh.time_zone)).replace(tzinfo=None)
        collected = collect.read_stored(
            lake,
            engine=engine,
            currency=self.currency or self.refresh.currency,
            timezone=self.refresh.time_zone,
            as_of=local,
            goods=self.goods,
        )
        tables, lines = collected.tables, collected.lines
        if self.customers is not None:
            seen = engine.upload(pa.table({"customer_id": self.customers}), "seen")
            tables, lines = of_customers(tables, seen), lines.semi_join(seen, "customer_id")
        found = lines.select("currency").distinct().to_pyarrow()["currency"].to_pylist()
        basis = replace(self.basis, currency=collected.currency, currencies=tuple(sorted(map(str, found))))
        return Laid(_kept(tables, engine), engine, local, basis)


def _kept(tables: insight.Tables, engine: Engine) -> insight.Tables:
    """The tables as they lie there, once: a question looks at each several times.

    Customers are told apart by 16 bytes instead of 36 letters, which takes half of the time.
    """
    kept: dict[str, ir.Table] = {}
    for name in ("orders", "order_lines", "refunds"):
        table: ir.Table | None = getattr(tables, name)
        if table is not None:
            kept[name] = engine.keep(table.mutate(customer_id=table.customer_id.cast("uuid")), f"desk_{name}")
    return replace(tables, **kept)


class Desk:
    """Where questions are answered, in one process."""

    def __init__(self, workplace: Workplace) -> None:
        self.workplace = workplace
        self._answers: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(AT_ONCE_MAX)
        self._waiting = 0

    def ask(
        self,
        by: Whose,
        narrowing: Narrowing,
        *,
        question: tuple[Hashable, ...],
        work: Callable[[Laid], Answer],
        nothing: Callable[[Basis], Answer],
        goods: bool = False,
    ) -> Answer:
        """The answer to a question, which ``work`` finds, or ``nothing`` makes of the reason why there is none.

        Args:
            by: for whom.
            narrowing: of which sales.
            question: its name and whatever else it asks: the same words have the same answer.
            work: what is to be done with the tables.
            nothing: the answer without figures.
            goods: whether it is about what was bought.

        Raises:
            NotAvailable: ``lifecycle.busy`` when too many others wait, or for too long.
            BadInput: ``collect.currency_absent``.
        """
        refresh = by.refresh
        if refresh is None:
            return nothing(Basis(as_of=None))
        lake = collect.lake_of(self.workplace)
        states = lake.states(*(_READ_OF_GOODS if goods else _READ))
        key = (question, narrowing, refresh.refresh_id, by.mark, states)
        known = self._known(key)
        if known is None:
            with self._turn():
                # Whoever was before may have asked the same.
                known = self._known(key)
                if known is None:
                    known = self._answer(_Asked(refresh, by.customers, narrowing.currency, goods), work, nothing)
                    self._keep(key, known)
        return cast(Answer, known)

    def _answer(self, asked: _Asked, work: Callable[[Laid], Answer], nothing: Callable[[Basis], Answer]) -> Answer:
        basis = asked.basis
        settings = self.workplace.settings
        settings.work_folder.mkdir(parents=True, exist_ok=True)
        memory = min(settings.memory_limit_bytes or MEMORY_BYTES_MAX, MEMORY_BYTES_MAX)
        with open_engine(
            "duckdb", work_folder=settings.work_folder, memory_limit_bytes=memory, threads=settings.threads
        ) as engine:
            try:
                laid = asked.laid(collect.lake_of(self.workplace), engine)
                basis = laid.basis
                return work(laid)
            except (BadInput, CannotSay) as reason:
                if isinstance(reason, BadInput) and reason.code not in _NOTHING:
                    raise
                return nothing(replace(basis, cannot_say=reason.code))

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self._lock:
            if self._waiting >= WAITING_MAX:
                raise NotAvailable("lifecycle.busy")
            self._waiting += 1
        try:
            free = self._turns.acquire(timeout=WAIT_SECONDS_MAX)
        finally:
            with self._lock:
                self._waiting -= 1
        if not free:
            raise NotAvailable("lifecycle.busy")
        try:
            yield
        finally:
            self._turns.release()

    def _known(self, key: Hashable) -> Any:
        with self._lock:
            found = self._answers.get(key)
            if found is not None:
                self._answers.move_to_end(key)
            return found

    def _keep(self, key: Hashable, answer: Any) -> None:
        with self._lock:
            self._answers[key] = answer
            while len(self._answers) > ANSWERS_MAX:
                self._answers.popitem(last=False)
