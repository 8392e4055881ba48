"""Which ids can be used, and whom they mean."""

import itertools
import random
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shuke.base.errors import BadInput
from shuke.profiles.model import ExternalId
from shuke.profiles.rules import resolution
from shuke.profiles.rules.identifiers import compared, limit_of, normalised, usable
from shuke.profiles.rules.resolution import Key, Known, decide, plan


@pytest.mark.parametrize(
    ("kind", "given_text", "kept"),
    [
        ("phone", "13812345678", "+8613812345678"),
        ("phone", " +86 138-1234-5678 ", "+8613812345678"),
        ("phone", "１３８１２３４５６７８", "+8613812345678"),
        ("phone", "0086 13812345678", "+8613812345678"),
        ("phone", "010-62501234", "+861062501234"),
        ("phone", "+44 20 7946 0018", "+442079460018"),
        ("phone", "138****5678", None),
        ("phone", "12345", None),
        ("phone", "call me", None),
        ("email", " Anna.B@Example.com", "Anna.B@Example.com"),
        ("email", "anna", None),
        ("email", "a@b@c.d", None),
        ("user_id", "0", None),
        ("user_id", "00-00", None),
        ("user_id", "-1", None),
        ("user_id", "NULL", None),
        ("user_id", "anonymous", None),
        ("user_id", " ", None),
        ("user_id", "a\x00b", None),
        ("user_id", "x" * 201, None),
        ("user_id", "０１２", "012"),
        ("member_number", "VIP 007", "VIP 007"),
    ],
)
def test_ids_in_one_form(kind: str, given_text: str, kept: str | None) -> None:
    assert normalised(kind, given_text) == kept


def test_addresses_are_one_whatever_their_case_but_dots_count() -> None:
    assert compared("email", "Anna@X.com") == compared("email", "anna@x.COM")
    assert compared("email", "an.na@x.com") != compared("email", "anna@x.com")
    assert compared("unionid", "oAb") != compared("unionid", "oab")


def test_the_best_id_comes_first_and_each_once() -> None:
    given_ids = [
        *(("anonymous_id", "a"), ("loyalty", "7x"), ("email", "A@x.com"), ("user_id", "null")),
        *(("email", "a@x.com"), ("phone", "13812345678"), ("user_id", "u")),
    ]
    assert usable(given_ids) == (
        ExternalId("user_id", "u"),
        ExternalId("email", "A@x.com"),
        ExternalId("phone", "+8613812345678"),
        ExternalId("loyalty", "7x"),
        ExternalId("anonymous_id", "a"),
    )
    with pytest.raises(BadInput):
        usable([("Phone!", "1")])


A, B, C = (UUID(int=number) for number in (1, 2, 3))


def key(text: str) -> Key:
    kind, _, value = text.partition(":")
    return kind, value.encode()


def keys(*texts: str) -> tuple[Key, ...]:
    return tuple(key(text) for text in texts)


@pytest.mark.parametrize(
    ("ids", "owners", "held", "counted", "customers"),
    [
        (["user_id:u"], {}, {}, 1, ()),
        (["user_id:u", "phone:1"], {"phone:1": A}, {A: ["phone"]}, 2, (A,)),
        (["email:e", "phone:1"], {"email:e": B, "phone:1": A}, {A: ["phone"], B: ["email"]}, 2, (A, B)),
        # Another user id: the phone, which is of the first user, is dropped and a new customer made.
        (["user_id:v", "phone:1"], {"phone:1": A}, {A: ["phone", "user_id"]}, 1, ()),
        # Two users meet by an address: the address is dropped.
        (
            ["user_id:v", "email:e"],
            {"user_id:v": B, "email:e": A},
            {A: ["user_id", "email"], B: ["user_id"]},
            1,
            (B,),
        ),
        # A sixth address is not taken.
        (["user_id:u", "email:e"], {"user_id:u": A}, {A: ["user_id", *["email"] * 5]}, 1, (A,)),
        # One id alone is taken whatever its customer has.
        (["email:e"], {"email:e": A}, {A: ["email"] * 9}, 1, (A,)),
    ],
)
def test_create_attach_merge_or_drop(
    ids: list[str],
    owners: dict[str, UUID],
    held: dict[UUID, list[str]],
    counted: int,
    customers: tuple[UUID, ...],
) -> None:
    decision = decide(
        keys(*ids),
        {key(text): customer for text, customer in owners.items()},
        {customer: Counter(kinds) for customer, kinds in held.items()},
        frozenset(),
    )
    assert decision.ids == keys(*ids)[:counted]
    assert decision.customers == customers


def test_who_was_taken_apart_stays_apart_also_through_others() -> None:
    owners = {key("email:a"): A, key("phone:b"): B, key("phone:c"): C}
    decision = decide(keys("email:a", "phone:b"), owners, {A: Counter(), B: Counter()}, frozenset([frozenset((A, B))]))
    assert decision.customers == (A,)
    known = Known(
        {one: (number, customer) for number, (one, customer) in enumerate(owners.items())},
        {A: [("email", 0)], B: [("phone", 1)], C: [("phone", 2)]},
        frozenset([frozenset((A, B))]),
    )
    made = plan([keys("phone:b", "phone:c"), keys("email:a", "phone:c")], known, iter(()))
    assert [(merge.winner, merge.loser) for merge in made.merges] == [(B, C)]
    assert made.results == [(B, key("phone:b")), (A, key("email:a"))]


Message = tuple[Key, ...]


def partition(batches: Sequence[Sequence[Message]]) -> tuple[set[frozenset[Key]], dict[UUID, Counter[str]]]:
    """Plan batch after batch, keeping in between what a database would; the sets of ids that are one customer."""
    owner: dict[Key, UUID] = {}
    numbers: dict[Key, int] = {}
    fresh = (UUID(int=number) for number in itertools.count(1))
    for batch in batches:
        known = Known(
            {one: (numbers[one], owner[one]) for message in batch for one in message if one in owner},
            {c: [(k[0], numbers[k]) for k, o in owner.items() if o == c] for c in set(owner.values())},
        )
        made = plan(batch, known, fresh)
        for one, customer in made.attached.items():
            owner[one] = customer
            numbers[one] = len(numbers)
        owner = {one: made.into.get(customer, customer) for one, customer in owner.items()}
        for message, result in zip(batch, made.results, strict=True):
            assert result is not None
            assert result[1] == message[0]
            assert owner[result[1]] == made.into.get(result[0], result[0]) == result[0]
    held: dict[UUID, Counter[str]] = {}
    for one, customer in owner.items():
        held.setdefault(customer, Counter())[one[0]] += 1
    return {frozenset(k for k, o in owner.items() if o == c) for c in held}, held


KINDS = ["user_id", "email", "phone", "unionid", "anonymous_id"]
ids = st.builds(lambda kind, number: (kind, b"%d" % number), st.sampled_from(KINDS), st.integers(0, 7))
messages = st.lists(ids, min_size=1, max_size=4, unique=True).map(
    lambda found: tuple(sorted(found, key=lambda one: (KINDS.index(one[0]), one[1])))
)


def connected(given_messages: Sequence[Message]) -> set[frozenset[Key]]:
    """The partition by another way: components of the graph in which the ids of a message are neighbours."""
    groups: list[set[Key]] = []
    for message in given_messages:
        touching = [group for group in groups if group & set(message)]
        groups = [group for group in groups if group not in touching] + [set(message).union(*touching)]
    return {frozenset(group) for group in groups}


@settings(max_examples=300, deadline=None)
@given(given_messages=st.lists(messages, max_size=25), chance=st.randoms(), size=st.integers(1, 9))
def test_the_order_of_messages_and_batches_does_not_matter_where_no_limit_bites(
    given_messages: list[Message], chance: random.Random, size: int
) -> None:
    # One kind for each id, so that nobody has two of a kind.
    given_messages = [tuple((f"{kind}_{value!r}", value) for kind, value in one) for one in given_messages]
    shuffled = given_messages.copy()
    chance.shuffle(shuffled)
    batches = [shuffled[start : start + size] for start in range(0, len(shuffled), size)]
    assert partition([given_messages])[0] == partition(batches)[0] == connected(given_messages)


def within_limits(given_messages: list[Message]) -> bool:
    _, held = partition([[one] for one in given_messages])
    return all(count <= limit_of(kind) for counts in held.values() for kind, count in counts.items())


@settings(max_examples=300, deadline=None)
@given(given_messages=st.lists(messages, max_size=40))
def test_no_customer_has_more_than_the_limits(given_messages: list[Message]) -> None:
    assert within_limits(given_messages)


def test_limits_that_are_ignored_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [keys("user_id:u", "email:e"), keys("user_id:v", "email:e")]
    assert within_limits(both)
    monkeypatch.setattr(resolution, "limit_of", lambda _: 10**9)
    assert not within_limits(both)
