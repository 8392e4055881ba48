"""Whom messages are about: create, attach, or merge, within limits.

A message names somebody by one or more ids. None of them known: a new customer. All of one customer: that one, who gets
the ids that were not known. Of several: these become one, if no limit stands against it and nobody has taken them apart
before; else the id of the lowest priority is dropped and the rest decides anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from uuid import UUID

from shuke.profiles.rules.identifiers import limit_of

# An id as it is looked up: its kind and its blind index.
Key = tuple[str, bytes]
# An identity that is there has a number; one that is still to be stored has only its key.
Reference = int | Key


@dataclass(frozen=True)
class Known:
    """What is stored about the ids of some messages.

    ``owners``: the identity and the customer of each id that is known. ``held``: kind and number of all identities of
    each customer that may change. ``apart``: pairs of customers that somebody has taken apart.
    """

    owners: Mapping[Key, tuple[int, UUID]]
    held: Mapping[UUID, Sequence[tuple[str, int]]]
    apart: frozenset[frozenset[UUID]] = frozenset()


@dataclass(frozen=True)
class Decision:
    """About one message: the ids that count, best first, and the customers who own some of them, oldest first.

    No customer means a new one, more than one that they are merged.
    """

    ids: tuple[Key, ...]
    customers: tuple[UUID, ...]


@dataclass(frozen=True)
class PlannedMerge:
    """The loser becomes part of the winner, with these identities, because a message had ids of these kinds."""

    winner: UUID
    loser: UUID
    moved: tuple[Reference, ...]
    kinds: tuple[str, ...]


@dataclass
class Plan:
    """What messages change, in order, and what each is about.

    ``attached`` gives for each new identity the customer that it is attached to; ``into`` for each customer that is
    merged the one who stands for it in the end; ``results`` for each message its customer and best id.
    """

    created: list[UUID] = field(default_factory=list)
    attached: dict[Key, UUID] = field(default_factory=dict)
    merges: list[PlannedMerge] = field(default_factory=list)
    into: dict[UUID, UUID] = field(default_factory=dict)
    results: list[tuple[UUID, Key] | None] = field(default_factory=list)

    @property
    def touched(self) -> set[UUID]:
        """The customers, new ones aside, whose identities change: nobody else may change them meanwhile."""
        changed = set(self.attached.values())
        for merge in self.merges:
            changed |= {merge.winner, merge.loser}
        return changed - set(self.created)


def decide(
    ids: tuple[Key, ...],
    owners: Mapping[Key, UUID],
    held: Mapping[UUID, Counter[str]],
    apart: frozenset[frozenset[UUID]],
) -> Decision:
    """Whom ids mean, best first; ``held`` counts each owner's identities by kind."""
    while True:
        customers = tuple(sorted({owners[key] for key in ids if key in owners}))
        new = [kind for kind, lookup in ids if (kind, lookup) not in owners]
        # The best id alone can always stay: its customer gets nothing new. So can one of each kind for a new customer.
        if (
            len(ids) == 1
            or len(set(new)) == len(ids)
            or (
                _within_limits([held[customer] for customer in customers], Counter(new))
                and not any(frozenset(pair) in apart for pair in combinations(customers, 2))
            )
        ):
            return Decision(ids, customers)
        ids = ids[:-1]


def may_merge(first: Counter[str], second: Counter[str]) -> bool:
    """Whether two customers with so many identities of each kind may be one."""
    return _within_limits([first, second], Counter())


def plan(messages: Sequence[tuple[Key, ...]], known: Known, new_customers: Iterator[UUID]) -> Plan:
    """Decide about messages one after the other, each seeing what those before it changed.

    ``new_customers`` gives the ids of customers to create; they have to sort after those that are there, since the
    older customer wins a merge.
    """
    state = _State(known, new_customers)
    made = state.plan
    for ids in messages:
        made.results.append(state.take(ids) if ids else None)
    made.results = [result and (state.stands_for(result[0]), result[1]) for result in made.results]
    made.into = {loser: state.stands_for(loser) for loser in made.into}
    return made


class _State:
    """Customers and their identities while messages are decided."""

    def __init__(self, known: Known, new_customers: Iterator[UUID]) -> None:
        self.plan = Plan()
        self._new_customers = new_customers
        self._owner = {key: customer for key, (_, customer) in known.owners.items()}
        self._held: dict[UUID, list[tuple[str, Reference]]] = {
            customer: list(references) for customer, references in known.held.items()
        }
        self._apart = known.apart

    def take(self, ids: tuple[Key, ...]) -> tuple[UUID, Key]:
        """Decide about one message, and do so; returns its customer and its best id."""
        owners = {key: self.stands_for(self._owner[key]) for key in ids if key in self._owner}
        if len(owners) == len(ids) and (len(ids) == 1 or len(set(owners.values())) == 1):
            return owners[ids[0]], ids[0]
        held = {customer: Counter(kind for kind, _ in self._held[customer]) for customer in owners.values()}
        decision = decide(ids, owners, held, self._apart)
        if not decision.customers:
            customer = next(self._new_customers)
            self.plan.created.append(customer)
            self._held[customer] = []
        else:
            customer = decision.customers[0]
            for loser in decision.customers[1:]:
                self._merge(customer, loser, tuple(kind for kind, _ in decision.ids))
        for key in decision.ids:
            if key not in owners:
                self._owner[key] = self.plan.attached[key] = customer
                self._held[customer].append((key[0], key))
        return customer, decision.ids[0]

    def stands_for(self, customer: UUID) -> UUID:
        """Who this customer has become."""
        while self.plan.into and customer in self.plan.into:
            customer = self.plan.into[customer]
        return customer

    def _merge(self, winner: UUID, loser: UUID, kinds: tuple[str, ...]) -> None:
        moved = self._held.pop(loser)
        self._held[winner] += moved
        self.plan.into[loser] = winner
        self.plan.merges.append(PlannedMerge(winner, loser, tuple(one for _, one in moved), kinds))
        # Who was apart from the loser is apart from the winner now.
        self._apart = frozenset(
            frozenset(winner if one == loser else one for one in pair) if loser in pair else pair
            for pair in self._apart
        )


def _within_limits(holders: Sequence[Counter[str]], new: Counter[str]) -> bool:
    """Whether no kind grows beyond its limit; one that was above already and does not grow is no hindrance."""
    total = sum(holders, Counter(new))
    return all(
        count <= max(limit_of(kind), max((holder[kind] for holder in holders), default=0))
        for kind, count in total.items()
    )
