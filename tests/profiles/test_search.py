"""Who is looked for is found: by part of a name, the end of a phone number, or an identity; and nobody else."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa

from shuke import access, profiles
from shuke.base.errors import BadInput, NotAllowed
from shuke.platform import Transaction, Workplace
from shuke.profiles.rules.search import means, name_terms, understood, words
from shuke.profiles.service import searching, terms
from shuke.profiles.service.searching import add_missing_terms

NOW = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("王小明", ("王小明",)),
        ("王 小明", ("王小明",)),
        ("阿卜杜·热合曼", ("阿卜杜热合曼",)),
        ("José ÁLVAREZ", ("jose", "alvarez")),
        ("ＡＮＮＡ", ("anna",)),
        ("王Anna", ("王", "anna")),
        ("O'Brien-Smith", ("o", "brien", "smith")),
        ("  ", ()),
    ],
)
def test_the_words_of_a_name(name: str, expected: tuple[str, ...]) -> None:
    assert words(name) == expected


@pytest.mark.parametrize("part", ["王", "明", "小明", "王小明"])
def test_every_part_of_a_chinese_name_has_terms_of_it(part: str) -> None:
    assert all(asked <= name_terms("王小明") for asked in understood(part).terms)


@pytest.mark.parametrize("part", ["an", "ann", "nna", "ANNA", "berg", "anna berg", "Berg, Anna"])
def test_every_part_of_a_latin_name_has_terms_of_it(part: str) -> None:
    assert understood(part).terms
    assert all(asked <= name_terms("Anna Bergström") for asked in understood(part).terms)


@pytest.mark.parametrize("text", ["", " ", "a", "-", "b c"])
def test_too_little_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        understood(text)
    assert refused.value.code == "profiles.search_too_short"


def test_pairs_of_a_name_in_another_order_are_not_the_name() -> None:
    search = understood("明小明")
    assert all(asked <= name_terms("小明小") | name_terms("明小") for asked in search.terms)
    assert not means(search, names=["小明小"], phones=())


def customer(tx: Transaction, place: Workplace, ids: list[tuple[str, str]], **attributes: str) -> UUID:
    (one,) = profiles.resolve(tx, place.keyring, [ids], NOW)
    assert one is not None
    profiles.set_attributes(tx, place.keyring, [(one.customer_id, attributes)], NOW)
    return one.customer_id


@pytest.fixture
def tx(workplace: Workplace) -> Iterator[Transaction]:
    with workplace.database.begin() as transaction:
        yield transaction


def found(tx: Transaction, place: Workplace, text: str) -> set[UUID]:
    meant = profiles.candidates(tx, place.keyring, text)
    return set(profiles.cards(tx, place.keyring, list(tx.scalars(meant.chosen.some(100))), meant=meant))


@pytest.mark.oldest
def test_customers_are_found_by_what_is_known_of_them(tx: Transaction, workplace: Workplace) -> None:
    wang = customer(tx, workplace, [("phone", "13812345678"), ("member_number", "M-77")], name="王小明")
    anna = customer(tx, workplace, [("email", "Anna.Berg@example.com")], first_name="Anna", last_name="Berg")
    for text, expected in {
        "小明": {wang},
        "王": {wang},
        "小王": set(),
        "5678": {wang},
        "5679": set(),
        "138 1234 5678": {wang},
        "+8613812345678": {wang},
        "m-77": set(),
        "M-77": {wang},
        "anna": {anna},
        "berg anna": {anna},
        "bergen": set(),
        "anna.berg@EXAMPLE.com": {anna},
        "berg@example.com": set(),
    }.items():
        assert found(tx, workplace, text) == expected, text


def test_a_merged_customer_is_found_by_each_part_and_an_erased_one_by_none(
    tx: Transaction, workplace: Workplace
) -> None:
    old = customer(tx, workplace, [("phone", "13812345678")], name="王小明")
    new = customer(tx, workplace, [("email", "a@example.com")], nickname="Dragon")
    winner = profiles.merge(tx, old, new, {"by": "test"}, NOW).winner
    assert found(tx, workplace, "dragon") == found(tx, workplace, "小明") == {winner}
    profiles.erase(tx, winner, NOW)
    assert found(tx, workplace, "dragon") == found(tx, workplace, "小明") == found(tx, workplace, "5678") == set()
    assert tx.scalar(sa.text("SELECT count(*) FROM vault WHERE terms IS NOT NULL")) == 0


def test_names_that_changed_are_found_by_the_new_one_alone(tx: Transaction, workplace: Workplace) -> None:
    one = customer(tx, workplace, [("user_id", "u1")], name="王小明")
    profiles.set_attributes(tx, workplace.keyring, [(one, {"name": "李大海"})], NOW)
    assert (found(tx, workplace, "小明"), found(tx, workplace, "大海")) == (set(), {one})
    profiles.set_attributes(tx, workplace.keyring, [(one, {"name": None})], NOW)
    assert found(tx, workplace, "大海") == set()


def test_terms_that_two_names_share_find_the_right_one(
    tx: Transaction, workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terms, "_number", lambda _: 7)
    one = customer(tx, workplace, [("user_id", "u1")], name="王小明")
    other = customer(tx, workplace, [("user_id", "u2")], name="李大海")
    meant = profiles.candidates(tx, workplace.keyring, "小明")
    assert set(tx.scalars(meant.chosen.some(100))) == {one, other}
    assert found(tx, workplace, "小明") == {one}
    # Planted: whoever has the terms is taken for who is meant.
    monkeypatch.setattr(searching, "means", lambda *_, **__: True)
    assert found(tx, workplace, "小明") == {one, other}


@pytest.mark.oldest
def test_of_more_than_were_asked_for_nobody_is_named(tx: Transaction, workplace: Workplace) -> None:
    two = {customer(tx, workplace, [("user_id", f"u{number}")], name="王小明") for number in range(2)}
    chosen = profiles.candidates(tx, workplace.keyring, "小明").chosen
    assert set(tx.scalars(chosen.some(2))) == two
    assert list(tx.scalars(chosen.some(1))) == [None]
    # Of a name that everybody has, the planner knows it without a look.
    for number in range(2, 60):
        customer(tx, workplace, [("user_id", f"u{number}")], name="王小明")
    tx.execute(sa.text("ANALYZE vault"))
    read = "SELECT pg_stat_get_xact_tuples_returned('vault'::regclass)"
    before = tx.scalar(sa.text(read))
    assert list(tx.scalars(chosen.some(10))) == [None]
    assert tx.scalar(sa.text(read)) == before


def test_what_was_kept_before_is_found_after_the_job(tx: Transaction, workplace: Workplace) -> None:
    one = customer(tx, workplace, [("phone", "13812345678")], name="王小明", address="Some Street 7")
    tx.execute(sa.text("UPDATE vault SET terms = NULL"))
    assert found(tx, workplace, "小明") == set()
    assert add_missing_terms(tx, workplace.keyring) == 2
    assert found(tx, workplace, "小明") == found(tx, workplace, "5678") == {one}
    assert add_missing_terms(tx, workplace.keyring) == 0


def test_cards_are_masked_unless_the_reader_may_see(tx: Transaction, workplace: Workplace) -> None:
    one = customer(tx, workplace, [("phone", "13812345678"), ("email", "anna@example.com")], name="王小明")
    profiles.add_tags(tx, [profiles.NewTag(one, "VIP", "wecom")], NOW)
    masked = profiles.cards(tx, workplace.keyring, [one])[one]
    assert (masked.name, masked.phone, masked.email) == ("王**", "138****5678", "a***@example.com")
    clear = profiles.cards(tx, workplace.keyring, [one], fields=access.all_fields(access.Seen.CLEAR))[one]
    assert (clear.name, clear.phone, clear.email, clear.tags) == (
        "王小明",
        "+8613812345678",
        "anna@example.com",
        ("VIP",),
    )


def test_what_is_hidden_cannot_be_looked_for(tx: Transaction, workplace: Workplace) -> None:
    one = customer(tx, workplace, [("phone", "13812345678")], name="王小明")
    fields = access.all_fields(access.Seen.MASKED) | {"name": access.Seen.HIDDEN, "other": access.Seen.HIDDEN}
    for text in ("小明", "M-77"):
        with pytest.raises(NotAllowed) as refused:
            profiles.candidates(tx, workplace.keyring, text, fields=fields)
        assert refused.value.code == "profiles.search_hidden"
    meant = profiles.candidates(tx, workplace.keyring, "5678", fields=fields)
    (card,) = profiles.cards(
        tx, workplace.keyring, list(tx.scalars(meant.chosen.some(100))), meant=meant, fields=fields
    ).values()
    assert (card.customer_id, card.name, card.phone) == (one, None, "138****5678")
