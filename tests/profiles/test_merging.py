"""Merging and undoing, in any order, restores every identity and attribute."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shuke import access, profiles
from shuke.base.errors import Conflict, NotFound
from shuke.base.ids import new_id
from shuke.platform import Database, Keyring, Transaction
from shuke.profiles.service import merging

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
CUSTOMERS = 6

# Merge the first into the second, undo the n-th merge, attach something to a customer, or set an attribute.
Step = tuple[str, int, int]
steps = st.lists(
    st.tuples(st.sampled_from(["merge", "merge", "undo", "attach", "set"]), st.integers(0, 9), st.integers(0, 9)),
    max_size=25,
)


@dataclass
class World:
    """Customers in the database, and beside it what is expected of them, computed in another way."""

    tx: Transaction
    keyring: Keyring
    customers: list[UUID] = field(default_factory=list)
    home: dict[int, UUID] = field(default_factory=dict)
    city: dict[UUID, str] = field(default_factory=dict)
    merges: list[profiles.Merge] = field(default_factory=list)
    edges: dict[UUID, UUID] = field(default_factory=dict)
    names: int = 0

    def new_name(self) -> tuple[str, str]:
        """An id of a kind of its own, so that no limit bites."""
        self.names += 1
        return f"kind_{self.names}", f"value {self.names}"

    def begin(self) -> None:
        for number in range(CUSTOMERS):
            (one,) = profiles.resolve(self.tx, self.keyring, [[self.new_name()]], NOW)
            assert one is not None
            self.customers.append(one.customer_id)
            self.home[one.identity_id] = one.customer_id
            self.city[one.customer_id] = f"city {number}"
            given = {"city": f"city {number}", "name": f"name {number}"}
            assert not profiles.set_attributes(self.tx, self.keyring, [(one.customer_id, given)], NOW)

    def root(self, customer: UUID) -> UUID:
        while customer in self.edges:
            customer = self.edges[customer]
        return customer

    def take(self, step: Step) -> None:
        what, first, second = step
        one, other = self.customers[first % CUSTOMERS], self.customers[second % CUSTOMERS]
        if what == "merge" and self.root(one) != self.root(other):
            made = profiles.merge(self.tx, other, one, {"by": "test"}, NOW)
            assert (made.winner, made.loser) == (self.root(other), self.root(one))
            self.merges.append(made)
            self.edges[made.loser] = made.winner
        elif what == "undo" and self.merges:
            made = self.merges.pop(first % len(self.merges))
            profiles.unmerge(self.tx, made.merge_id, NOW)
            del self.edges[made.loser]
        elif what == "attach":
            kind, value = self.new_name()
            number = profiles.attach_identity(self.tx, self.keyring, one, kind, value, NOW)
            self.home[number] = self.root(one)
        elif what == "set":
            self.city[self.root(one)] = f"city {first} {second}"
            given = {"city": self.city[self.root(one)]}
            assert not profiles.set_attributes(self.tx, self.keyring, [(one, given)], NOW)

    def check(self) -> None:
        expected = {identity: self.root(home) for identity, home in self.home.items()}
        assert profiles.customers_of(self.tx, self.home) == expected
        for number, customer in enumerate(self.customers):
            shown = profiles.profile_360(self.tx, self.keyring, customer, NOW, fields=access.CLEAR)
            top = self.root(customer)
            assert shown.customer_id == top
            assert set(shown.customer_ids) == {one for one in self.customers if self.root(one) == top}
            assert {one.identity_id for one in shown.identities} == {i for i, c in expected.items() if c == top}
            assert all(one.value.startswith("value ") for one in shown.identities)
            assert shown.attributes["city"] == self.city[top]
            if customer == top:
                assert shown.attributes["name"] == f"name {number}"


def run(database: Database, keyring: Keyring, given_steps: list[Step]) -> None:
    with database.begin() as tx:
        world = World(tx, keyring)
        world.begin()
        for step in given_steps:
            world.take(step)
            world.check()
        while world.merges:
            world.take(("undo", given_steps[0][1], 0))
        world.check()
        # Nothing is merged any more: everybody has what was attached to them, and nothing else.
        assert profiles.customers_of(tx, world.home) == world.home
        # The next example begins anew.
        begun = tx.get_transaction()
        assert begun is not None
        begun.rollback()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_steps=steps)
def test_merges_are_undone_in_any_order(database: Database, keyring: Keyring, given_steps: list[Step]) -> None:
    run(database, keyring, given_steps)


# A chain and a fan: 0 → 1 → 2, something attached to the whole, then the lower merge undone before the upper one.
CHAIN: list[Step] = [
    ("merge", 0, 1),
    ("merge", 1, 2),
    ("merge", 3, 2),
    ("attach", 0, 0),
    ("set", 0, 0),
    ("undo", 0, 0),
    ("merge", 0, 3),
    ("undo", 0, 0),
]


def everyone(tx: Transaction, customer_id: UUID) -> list[UUID]:
    """Planted: the undo takes all that the winner has."""
    root = merging.standing_for(tx, {customer_id})[customer_id]
    return [*merging.parts_of(tx, {root})[root]]


def itself(_: Transaction, customer_id: UUID) -> list[UUID]:
    """Planted: the undo leaves behind who was merged into the loser before."""
    return [customer_id]


def test_the_chain_is_undone(database: Database, keyring: Keyring) -> None:
    run(database, keyring, CHAIN)


@pytest.mark.parametrize("fault", [everyone, itself])
def test_an_undo_that_moves_too_much_or_too_little_is_noticed(
    database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch, fault: Callable[..., list[UUID]]
) -> None:
    monkeypatch.setattr(merging, "_below", fault)
    with pytest.raises(AssertionError):
        run(database, keyring, [*CHAIN[:5], ("undo", 1, 0)] if fault is itself else CHAIN)


def test_what_was_undone_is_not_merged_by_the_next_message(database: Database, keyring: Keyring) -> None:
    both = [("user_id", "u1"), ("device", "shared")]
    with database.begin() as tx:
        first, second, _ = profiles.resolve(tx, keyring, [both[:1], both[1:], both], NOW)
        assert first is not None
        assert second is not None
        (made,) = profiles.merges_of(tx, first.customer_id)
        assert made.reason == {"by": "message", "kinds": ["user_id", "device"]}
        assert made.identity_ids == (second.identity_id,)
        profiles.unmerge(tx, made.merge_id, NOW)
        (again,) = profiles.resolve(tx, keyring, [both], NOW)
        assert again is not None
        assert again.identity_id == first.identity_id
        assert profiles.customers_of(tx, [first.identity_id, second.identity_id]) == {
            first.identity_id: again.customer_id,
            second.identity_id: made.loser,
        }
        assert profiles.merge(tx, again.customer_id, made.loser, {"by": "test"}, NOW).loser == made.loser


def test_merges_by_hand_keep_the_limits(database: Database, keyring: Keyring) -> None:
    with database.begin() as tx:
        one, other = profiles.resolve(tx, keyring, [[("user_id", "u1")], [("user_id", "u2")]], NOW)
        assert one is not None
        assert other is not None
        with pytest.raises(Conflict, match="over_limits"):
            profiles.merge(tx, one.customer_id, other.customer_id, {}, NOW)
        assert profiles.merges_of(tx, one.customer_id) == ()
        with pytest.raises(Conflict, match="already_one"):
            profiles.merge(tx, one.customer_id, one.customer_id, {}, NOW)
        with pytest.raises(NotFound):
            profiles.merge(tx, one.customer_id, new_id(), {}, NOW)
        with pytest.raises(NotFound):
            profiles.unmerge(tx, new_id(), NOW)
