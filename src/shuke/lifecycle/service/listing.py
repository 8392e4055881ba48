"""Lists of customers: who is wanted, in which order, page by page.

A page costs what it shows. What customers are in the order of has an index; who has no such figure comes after all
others, in the order of their ids, which is the order in which they became customers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from shuke import access, collect, profiles
from shuke.base.cursors import cursor_of, place_of
from shuke.base.errors import BadInput
from shuke.lifecycle.model import Count, CustomerFacts, CustomerPage, CustomerQuery, CustomerRow, Refresh, Sort
from shuke.lifecycle.service.reading import facts_of, last_refresh
from shuke.lifecycle.service.standing import stood_in
from shuke.lifecycle.tables import customer_facts as facts
from shuke.platform import Keyring, Transaction, among

__all__ = [
    "MOMENTS_MAX",
    "PAGE_MAX",
    "WORDS_MAX",
    "Members",
    "all_of",
    "everybody_who",
    "list_customers",
    "these_customers",
    "walk_customers",
]

PAGE_MAX = 200
WORDS_MAX = 50
#: Moments at which it may be asked where customers stood, and products that an order may have to hold together.
MOMENTS_MAX = 2
TOGETHER_MAX = 5
#: Up to so many are counted; how many more there are is what the planner thinks.
COUNTED_MAX = 10_000
#: Up to so many who have a tag or may be meant by a search are looked at one by one.
FEW_MAX = 5_000
# Terms of a search are those of somebody else once in thousands of times; so many pages in a row are not.
_PAGES_LOOKED_THROUGH_MAX = 20
_EVERYBODY = 2**31 - 1

#: Who is in a segment, as far as a reader may know: a port, since segments are above this room. NotFound where there is
#: no such segment, NotAllowed for a reader who may not look at any.
Members = Callable[[access.Reader, Transaction, UUID], profiles.Chosen]

_VALUE = sa.func.coalesce(facts.c.total_clv_minor, facts.c.historic_clv_minor)
_SORTED_BY: dict[Sort, sa.ColumnElement[Any]] = {
    Sort.VALUE: _VALUE,
    Sort.CHURN: facts.c.churn_probability,
    Sort.ORDERS: facts.c.orders,
    Sort.LAST_ORDER: facts.c.last_order_at,
}


class _Place(NamedTuple):
    """Where a page ends: the figure of its last customer (None among those who have none), and who that is."""

    figure: Any
    customer_id: UUID


def list_customers(
    tx: Transaction,
    keyring: Keyring,
    query: CustomerQuery,
    *,
    sort: Sort = Sort.CREATED,
    descending: bool = True,
    after: str | None = None,
    limit: int = 50,
    fields: access.Fields = access.MASKED,
) -> CustomerPage:
    """A page of the customers who are wanted.

    Args:
        tx: the caller's.
        keyring: opens what is personal.
        query: who is wanted.
        sort: in which order.
        descending: the highest, or the latest, first.
        after: ``next`` of the page before; None for the first.
        limit: customers of this page, from 1 to :data:`PAGE_MAX`.
        fields: how the reader sees what is personal; what they do not see at all, they cannot look for.

    Raises:
        BadInput: ``lifecycle.bad_page`` for a limit or an ``after`` that is none, ``lifecycle.too_many_words`` above
            :data:`WORDS_MAX` words of one condition or :data:`MOMENTS_MAX` moments of stages, and the codes of a search
            that says too little.
        NotAllowed: ``profiles.search_hidden`` for a search of a reader who sees neither names nor identities.
    """
    if not 1 <= limit <= PAGE_MAX:
        raise BadInput("lifecycle.bad_page", limit=PAGE_MAX)
    wanted, meant = _understood(tx, keyring, query, sort, descending=descending, fields=fields)
    place = None if after is None else _place(after, sort)
    shown: list[tuple[_Place, datetime, profiles.Card]] = []
    for _ in range(_PAGES_LOOKED_THROUGH_MAX):
        found = wanted.page(tx, place, limit + 1)
        cards = profiles.cards(tx, keyring, [one.customer_id for one, _ in found], fields=fields, meant=meant)
        shown += [(one, at, cards[one.customer_id]) for one, at in found if one.customer_id in cards]
        place = found[-1][0] if len(found) > limit else None
        if len(shown) > limit or place is None:
            break
    more, shown = len(shown) > limit, shown[:limit]
    # A page that was not filled in all these looks goes on where the last of them ended.
    end = shown[-1][0] if more else place
    computed = facts_of(tx, [one.customer_id for one, _, _ in shown])
    count = None
    if after is None:
        count = wanted.count(tx) if end else Count(len(shown), exact=True)
    return CustomerPage(
        customers=tuple(_row(card, at, computed.get(one.customer_id)) for one, at, card in shown),
        next=_cursor(end) if end else None,
        count=count,
        currency=wanted.latest.currency if wanted.latest else None,
        as_of=wanted.latest.as_of if wanted.latest else None,
    )


def walk_customers(
    tx: Transaction,
    keyring: Keyring,
    query: CustomerQuery,
    *,
    sort: Sort,
    descending: bool,
    fields: access.Fields = access.MASKED,
) -> Iterator[list[CustomerRow]]:
    """All who are wanted, in this order, some hundreds at a time; arguments and errors as for :func:`list_customers`.

    However many they are, no more than those are in memory.
    """
    wanted, meant = _understood(tx, keyring, query, sort, descending=descending, fields=fields)
    place = None
    while True:
        found = wanted.page(tx, place, profiles.CARDS_MAX)
        yield _rows(tx, keyring, found, fields=fields, meant=meant)
        if len(found) < profiles.CARDS_MAX:
            return
        place = found[-1][0]


def these_customers(
    tx: Transaction, keyring: Keyring, customer_ids: Sequence[UUID], *, fields: access.Fields = access.MASKED
) -> Iterator[list[CustomerRow]]:
    """These customers, in the order in which they became some, some hundreds at a time; who is not seen is left out."""
    tops = sorted(set(profiles.standing(tx, set(customer_ids)).values()))
    people = profiles.present().subquery("people")
    for begin in range(0, len(tops), profiles.CARDS_MAX):
        some = tops[begin : begin + profiles.CARDS_MAX]
        rows = tx.execute(sa.select(people).where(people.c.customer_id == among("uuid", some)))
        found = sorted((_Place(None, row.customer_id), row.created_at) for row in rows)
        yield _rows(tx, keyring, found, fields=fields, meant=None)


def _rows(
    tx: Transaction,
    keyring: Keyring,
    found: Sequence[tuple[_Place, datetime]],
    *,
    fields: access.Fields,
    meant: profiles.Candidates | None,
) -> list[CustomerRow]:
    ids = [one.customer_id for one, _ in found]
    cards = profiles.cards(tx, keyring, ids, fields=fields, meant=meant)
    computed = facts_of(tx, ids)
    return [
        _row(cards[one.customer_id], at, computed.get(one.customer_id)) for one, at in found if one.customer_id in cards
    ]


def everybody_who(
    tx: Transaction, keyring: Keyring, query: CustomerQuery, *, most: int, fields: access.Fields = access.MASKED
) -> sa.Select[Any]:
    """The ids of all who are wanted, as a set for statements of others; of a search, at most so many of them.

    Errors as for :func:`list_customers`.
    """
    wanted, meant = _understood(tx, keyring, query, Sort.CREATED, descending=False, fields=fields)
    if meant is None:
        return wanted.everybody()
    found: list[UUID] = []
    place = None
    # Who is really meant is said by who they are, which only we can read.
    while len(found) < most:
        page = wanted.page(tx, place, profiles.CARDS_MAX)
        ids = [one.customer_id for one, _ in page]
        real = profiles.cards(tx, keyring, ids, fields=fields, meant=meant)
        found += [one for one in ids if one in real]
        if len(page) < profiles.CARDS_MAX:
            break
        place = page[-1][0]
    return _these(found[:most])


def all_of(tx: Transaction, customer_ids: Sequence[UUID]) -> sa.Select[Any]:
    """The ids of these customers, each once, as whoever stands for them; NotFound ``profiles.no_customer``."""
    return _these(profiles.standing_for(tx, set(customer_ids)).values())


def _these(customer_ids: Iterable[UUID]) -> sa.Select[Any]:
    people = profiles.present().subquery("people")
    return sa.select(people.c.customer_id).where(people.c.customer_id == among("uuid", sorted(set(customer_ids))))


def _understood(
    tx: Transaction, keyring: Keyring, query: CustomerQuery, sort: Sort, *, descending: bool, fields: access.Fields
) -> tuple[_Wanted, profiles.Candidates | None]:
    """A query that can be asked, and who may be meant by its search; errors as for :func:`list_customers`."""
    _check(query)
    latest = last_refresh(tx)
    meant = None if query.search is None else profiles.candidates(tx, keyring, query.search, fields=fields)
    return _Wanted(query, _chosen(tx, query, meant, latest), latest, sort, descending=descending), meant


def _check(query: CustomerQuery) -> None:
    bought = query.bought or collect.Bought()
    words = (query.stages, query.rfm_groups, query.value_groups, query.tags, query.channels, query.stores)
    more = (
        query.first_products,
        bought.products,
        bought.categories,
        bought.channels,
        bought.stores,
        *(one.stages for one in query.stood),
    )
    scores = (query.r_scores, query.f_scores, query.m_scores)
    if any(len(given) > WORDS_MAX for given in (*words, *more, *scores)):
        raise BadInput("lifecycle.too_many_words", limit=WORDS_MAX)
    if len(query.stood) > MOMENTS_MAX:
        raise BadInput("lifecycle.too_many_words", limit=MOMENTS_MAX)
    if bought.together and len(bought.products) > TOGETHER_MAX:
        raise BadInput("lifecycle.too_many_words", limit=TOGETHER_MAX)


@dataclass(frozen=True)
class _Condition:
    """A condition on what stands in other tables.

    ``few``: whether only a few meet it, and ``found`` how many may. ``all``: those who do, where all of them can be
    counted at once.
    """

    one: Callable[[sa.ColumnElement[UUID]], sa.ColumnElement[bool]]
    few: bool
    found: int = 0
    all: sa.Select[Any] | None = None


def _chosen(
    tx: Transaction, query: CustomerQuery, meant: profiles.Candidates | None, latest: Refresh | None
) -> list[_Condition]:
    """The conditions on what stands in other tables."""
    chosen = [] if meant is None else [_condition(tx, meant.chosen)]
    if query.tags:
        chosen.append(_condition(tx, profiles.tagged(query.tags)))
    # What counts is what the figures are of.
    counts: dict[str, Any] = {
        "currency": latest.currency if latest else None,
        "before": latest.as_of if latest else None,
    }
    marked = [stood_in(query.stood)] if query.stood else []
    if query.segment is not None:
        marked.append(query.segment)
    if query.bought is not None:
        marked.append(collect.buyers(query.bought, **counts))
    if query.first_products:
        marked.append(collect.first_buyers(query.first_products, **counts))
    return chosen + [_condition(tx, one, countable=True) for one in marked]


def _condition(tx: Transaction, chosen: profiles.Chosen, *, countable: bool = False) -> _Condition:
    ids = tx.scalars(chosen.some(FEW_MAX + 1)).all()
    if len(ids) > FEW_MAX or None in ids:
        return _Condition(chosen.one, few=False, all=chosen.some(_EVERYBODY) if countable else None)
    found = set(ids)
    few = among("uuid", found)
    if chosen.sure:
        return _Condition(lambda customer: customer == few, few=True, found=len(found))
    return _Condition(lambda customer: (customer == few) & chosen.one(customer), few=True, found=len(found))


@dataclass(frozen=True)
class _Wanted:
    """A query that can be asked for its pages and for how many it finds."""

    query: CustomerQuery
    chosen: list[_Condition]
    latest: Refresh | None
    sort: Sort
    descending: bool

    def page(self, tx: Transaction, place: _Place | None, rows: int) -> list[tuple[_Place, datetime]]:
        """The next so many, with when they became customers."""
        figure = _SORTED_BY.get(self.sort)
        if figure is None:
            return self._ask(tx, self._from(outer=True), sa.null(), place, rows)
        read: list[tuple[_Place, datetime]] = []
        if place is None or place.figure is not None:
            read = self._ask(tx, self._from(outer=False).where(figure.is_not(None)), figure, place, rows)
            place = None
        # Of who has ordered, all is known but what is predicted.
        if len(read) < rows and (not self._need_facts or self.sort is Sort.CHURN):
            rest = self._from(outer=not self._need_facts).where(figure.is_(None))
            read += self._ask(tx, rest, sa.null(), place, rows - len(read))
        return read

    def count(self, tx: Transaction) -> Count:
        """How many: beyond :data:`COUNTED_MAX` as the planner thinks, else counted.

        Where most have a tag or may be meant, counting would be looking at all of them. Behind a mark of a chart are
        exactly as many as it says, and they are counted.
        """
        if any(not one.few and one.all is None for one in self.chosen):
            return Count(FEW_MAX, exact=False)
        if self.query == CustomerQuery(search=self.query.search) and self.chosen:
            # Who is really meant is known of those alone who are looked at.
            return Count(self.chosen[0].found, exact=False)
        if any(one.all is not None for one in self.chosen):
            everybody = self._from(outer=not self._need_facts, at_once=True).subquery()
            counted = tx.scalar(sa.select(sa.func.count()).select_from(everybody)) or 0
            return Count(counted, exact=self.query.search is None)
        some = self._from(outer=not self._need_facts).with_only_columns(sa.literal(1))
        text = some.compile(tx, compile_kwargs={"render_postcompile": True})
        plan = tx.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {text}", text.params).scalar_one()
        thought = int(plan[0]["Plan"]["Plan Rows"])
        # To count ten thousand in vain takes longer than all the rest of a page.
        if thought > COUNTED_MAX:
            return Count(thought, exact=False)
        counted = tx.scalar(sa.select(sa.func.count()).select_from(some.limit(COUNTED_MAX + 1).subquery())) or 0
        if counted <= COUNTED_MAX:
            return Count(counted, exact=self.query.search is None)
        return Count(COUNTED_MAX, exact=False)

    def everybody(self) -> sa.Select[Any]:
        """The ids of all."""
        some = self._from(outer=not self._need_facts)
        return some.with_only_columns(some.selected_columns["customer_id"])

    @property
    def _need_facts(self) -> bool:
        """Whether only who has ordered can be meant."""
        return bool(self._of_facts())

    def _from(self, *, outer: bool, at_once: bool = False) -> sa.Select[Any]:
        """Everybody who is wanted, beside their facts; ``at_once`` for asking of all of them together."""
        people = profiles.present().subquery("people")
        chosen = sa.select(people.c.customer_id, people.c.created_at).join_from(
            people, facts, facts.c.customer_id == people.c.customer_id, isouter=outer
        )
        person = people.c.customer_id
        for one in self.chosen:
            chosen = chosen.where(person.in_(one.all) if at_once and one.all is not None else one.one(person))
        return chosen.where(*self._of_facts())

    def _of_facts(self) -> list[sa.ColumnElement[bool]]:
        query = self.query
        words: tuple[tuple[sa.ColumnElement[Any], Sequence[str]], ...] = (
            (facts.c.stage, query.stages),
            (facts.c.rfm_group, query.rfm_groups),
            (facts.c.value_group, query.value_groups),
            (facts.c.first_store, query.stores),
        )
        bounds: tuple[tuple[sa.ColumnElement[Any], Any, Any], ...] = (
            (_VALUE, query.value_min_minor, query.value_max_minor),
            (facts.c.churn_probability, query.churn_min, query.churn_max),
            (facts.c.orders, query.orders_min, query.orders_max),
            (facts.c.order_days, query.order_days_min, query.order_days_max),
            (facts.c.first_order_at, query.first_order_from, query.first_order_to),
            (facts.c.last_order_at, query.last_order_from, query.last_order_to),
        )
        scores = (
            (facts.c.r_score, query.r_scores),
            (facts.c.f_score, query.f_scores),
            (facts.c.m_score, query.m_scores),
        )
        conditions = [column == among("text", given) for column, given in words if given]
        if query.channels or query.no_channel:
            named = facts.c.first_channel == among("text", query.channels)
            conditions.append(named | facts.c.first_channel.is_(None) if query.no_channel else named)
        conditions += [column.in_(given) for column, given in scores if given]
        conditions += [column >= low for column, low, _ in bounds if low is not None]
        if query.ordered_on is not None and self.latest is not None:
            on_days = collect.ordered_on(
                facts.c.customer_id,
                query.ordered_on,
                time_zone=self.latest.time_zone,
                currency=self.latest.currency,
                before=self.latest.as_of,
            )
            conditions += [facts.c.order_days >= query.ordered_on.days_min, on_days]
        if query.came_back_within_days is not None and self.latest is not None:
            again = collect.ordered_again(
                facts.c.customer_id,
                facts.c.first_order_at,
                within_days=query.came_back_within_days,
                time_zone=self.latest.time_zone,
                currency=self.latest.currency,
                before=self.latest.as_of,
            )
            # The others need not be asked.
            conditions += [facts.c.order_days >= 2, again]
        return conditions + [column <= high for column, _, high in bounds if high is not None]

    def _ask(
        self, tx: Transaction, chosen: sa.Select[Any], figure: sa.ColumnElement[Any], place: _Place | None, rows: int
    ) -> list[tuple[_Place, datetime]]:
        customer_id = chosen.selected_columns["customer_id"]
        chosen = chosen.add_columns(figure.label("figure"))
        if place is not None:
            past: Callable[[Any, Any], Any] = sa.sql.operators.lt if self.descending else sa.sql.operators.gt
            here, there = (customer_id,), (place.customer_id,)
            if place.figure is not None:
                here, there = (figure, customer_id), (place.figure, place.customer_id)  # type: ignore[assignment] # one more
            chosen = chosen.where(past(sa.tuple_(*here), sa.tuple_(*there)))
        order = [customer_id] if isinstance(figure, sa.sql.elements.Null) else [figure, customer_id]
        chosen = chosen.order_by(*(one.desc() if self.descending else one.asc() for one in order)).limit(rows)
        return [(_Place(row.figure, row.customer_id), row.created_at) for row in tx.execute(chosen)]


def _row(card: profiles.Card, created_at: datetime, computed: CustomerFacts | None) -> CustomerRow:
    who = {**vars(card), "created_at": created_at}
    if computed is None:
        return CustomerRow(**who)
    worth, low, high = (
        None if part is None else computed.historic_clv_minor + part
        for part in (
            computed.predicted_clv_minor,
            computed.predicted_clv_low_minor,
            computed.predicted_clv_high_minor,
        )
    )
    return CustomerRow(
        **who,
        stage=computed.stage,
        orders=computed.orders,
        spent_minor=computed.gross_minor - computed.refunds_minor,
        value_minor=computed.historic_clv_minor if worth is None else worth,
        value_low_minor=low,
        value_high_minor=high,
        churn_probability=computed.churn_probability,
        first_order_at=computed.first_order_at,
        last_order_at=computed.last_order_at,
        next_order_on=computed.expected_date_of_next_order,
        rfm_group=computed.rfm_group,
    )


def _cursor(place: _Place) -> str:
    figure = place.figure.astimezone(UTC).isoformat() if isinstance(place.figure, datetime) else place.figure
    return cursor_of(figure, place.customer_id.hex)


def _place(cursor: str, sort: Sort) -> _Place:
    try:
        figure, customer_id = place_of(cursor, 2)
        return _Place(_figure(figure, sort), UUID(hex=customer_id))
    except (ValueError, TypeError, AttributeError):
        raise BadInput("lifecycle.bad_page", limit=PAGE_MAX) from None


def _figure(given: object, sort: Sort) -> object:
    """The figure as its column has it; ValueError for what none can be."""
    if given is None:
        return None
    if sort is Sort.LAST_ORDER and isinstance(given, str):
        return datetime.fromisoformat(given)
    whole = isinstance(given, int) and not isinstance(given, bool) and abs(given) < 2**63
    if (whole and sort in (Sort.VALUE, Sort.ORDERS)) or (isinstance(given, float) and sort is Sort.CHURN):
        return given
    raise ValueError(given)
