"""Questions to the lake, answered while somebody waits.

Every figure is an expression of ``insight`` over the lake's tables, as in the report; only what is looked at differs.
The tables are prepared (:mod:`~shuke.lifecycle.service.prepared`). Even so a computation takes a second or more of all
cores, so few run at once, each in so much memory, others wait their turn for a while, and an answer is kept until the
tables that it came from are prepared anew.

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

from shuke import insight, profiles
from shuke.base.errors import BadInput, CannotSay, NotAvailable
from shuke.base.money import minor_digits
from shuke.lifecycle.analysis_model import Basis, Narrowing
from shuke.lifecycle.measures import of_customers
from shuke.lifecycle.model import Refresh
from shuke.lifecycle.service.prepared import MEMORY_BYTES_MAX, Prepared, prepare, prepared_for
from shuke.lifecycle.service.reading import last_refresh
from shuke.platform import Engine, Transaction, Workplace, duckdb_of

__all__ = ["Desk", "Laid", "Whose", "whose"]

#: Answers that are kept in this process, those that were asked for longest ago going first.
ANSWERS_MAX = 200
#: Computations at once, and requests that wait for one, beyond which the server says that it is busy.
AT_ONCE_MAX = 2
WAITING_MAX = 12
WAIT_SECONDS_MAX = 25.0

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
    people: ir.Table  # by the number that they have in the tables: customer_id (as text), number
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


def _laid(prepared: Prepared, engine: Engine, by: Whose, basis: Basis) -> Laid:
    """What was sold by the moment of the refresh, to the customers whom the reader sees."""
    refresh = cast("Refresh", by.refresh)
    tables, people = prepared.tables(engine), prepared.people(engine)
    currencies = prepared.currencies
    if by.customers is not None:
        seen = people.semi_join(engine.upload(pa.table({"customer_id": by.customers}), "asked"), "customer_id")
        people = engine.keep(seen, "seen")
        tables = _kept(of_customers(tables, people.select(customer_id="number").distinct()), engine)
        found = people.select("currency").distinct().to_pyarrow()["currency"].to_pylist()
        currencies = tuple(sorted(one for one in found if one is not None))
    local = refresh.as_of.astimezone(ZoneInfo(refresh.time_zone)).replace(tzinfo=None)
    basis = replace(basis, currency=prepared.currency, currencies=currencies)
    return Laid(tables, people, engine, local, basis)


def _kept(tables: insight.Tables, engine: Engine) -> insight.Tables:
    """The tables as they lie there, once: a question looks at each several times."""
    kept: dict[str, ir.Table] = {}
    for name in ("orders", "order_lines", "refunds"):
        table: ir.Table | None = getattr(tables, name)
        if table is not None:
            kept[name] = engine.keep(table, f"desk_{name}")
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
    ) -> Answer:
        """The answer to a question, which ``work`` finds, or ``nothing`` makes of the reason why there is none.

        Args:
            by: for whom.
            narrowing: of which sales.
            question: its name and whatever else it asks: the same words have the same answer.
            work: what is to be done with the tables.
            nothing: the answer without figures.

        Raises:
            NotAvailable: ``lifecycle.busy`` when too many others wait, or for too long.
            BadInput: ``collect.currency_absent``.
        """
        refresh = by.refresh
        if refresh is None:
            return nothing(Basis(as_of=None))
        basis = Basis(as_of=refresh.as_of, time_zone=refresh.time_zone, currency=refresh.currency)
        try:
            prepared = self._prepared(refresh, narrowing.currency)
        except (BadInput, CannotSay) as reason:
            if isinstance(reason, BadInput) and reason.code not in _NOTHING:
                raise
            return nothing(replace(basis, cannot_say=reason.code))
        key = (question, narrowing, by.mark, prepared.folder)
        known = self._known(key)
        if known is None:
            with self._turn():
                # Whoever was before may have asked the same.
                known = self._known(key)
                if known is None:
                    # What everybody asks first is kept for all processes.
                    first = narrowing == Narrowing() and by.customers is None
                    name = "-".join(map(str, question))
                    known = prepared.answer(name, type(nothing(basis))) if first else None
                    if known is None:
                        known = self._answer(prepared, by, basis, work, nothing)
                        if first:
                            prepared.keep_answer(name, known)
                    self._keep(key, known)
        return cast(Answer, known)

    def _prepared(self, refresh: Refresh, currency: str | None) -> Prepared:
        """The tables; to prepare them is work like any other, for which others wait."""
        found = prepared_for(self.workplace, refresh, currency)
        if found is None:
            with self._turn():
                found = prepare(self.workplace, refresh, currency)
        return found

    def _answer(
        self,
        prepared: Prepared,
        by: Whose,
        basis: Basis,
        work: Callable[[Laid], Answer],
        nothing: Callable[[Basis], Answer],
    ) -> Answer:
        with duckdb_of(self.workplace.settings, memory_bytes_max=MEMORY_BYTES_MAX) as engine:
            laid = _laid(prepared, engine, by, basis)
            try:
                return work(laid)
            except CannotSay as reason:
                return nothing(replace(laid.basis, cannot_say=reason.code))

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
