"""What is personal stands nowhere in plain, and after an erasure nowhere at all."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa

from shuke import privacy, profiles
from shuke.platform import Database, Keyring, Transaction
from shuke.profiles.rules.attributes import BUILT_IN
from shuke.profiles.service import attributes, resolving

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)

CANARIES = {
    "phone": "13877665544",
    "email": "canary.bird@example.com",
    "user_id": "canary-user-99",
    "wechat_name": "金丝雀账号",
    "name": "金丝雀小姐",
    "address": "文三路九百九十九号",
    "birth_date": "1987-06-05",
    "guardian": "金丝雀之母",
}


def personal_life(tx: Transaction, keyring: Keyring) -> UUID:
    """One customer with every canary, merged out of two, tagged, and with a consent."""
    one, other = profiles.resolve(
        tx,
        keyring,
        [
            [("phone", CANARIES["phone"]), ("user_id", CANARIES["user_id"])],
            [("email", CANARIES["email"]), ("wechat_name", CANARIES["wechat_name"])],
        ],
        NOW,
    )
    assert one is not None
    assert other is not None
    profiles.merge(tx, one.customer_id, other.customer_id, {"by": "staff", "why": "same"}, NOW)
    given = {name: CANARIES[name] for name in ("name", "address", "birth_date")}
    assert profiles.set_attributes(tx, keyring, [(one.customer_id, given | {"city": "杭州"})], NOW) == []
    profiles.add_tags(tx, [profiles.NewTag(one.customer_id, "VIP", "wecom")], NOW)
    guardian = {"name": CANARIES["guardian"]}
    made = privacy.appoint_guardian(tx, keyring, one.customer_id, "mother", guardian, NOW)
    consent = privacy.Consent(
        customer_id=one.customer_id,
        purpose="marketing",
        channel="sms",
        state=privacy.ConsentState.GRANTED,
        notice_version="v1",
        proof=privacy.Proof(privacy.ProofMethod.FORM),
        at=NOW,
        by="customer",
        guardian=made,
    )
    profiles.record_consents(tx, keyring, [consent], NOW)
    return one.customer_id


def places(tx: Transaction, needle: str) -> list[str]:
    """Every column of every table that holds these characters, as text or as bytes."""
    columns = tx.execute(
        sa.text(
            """
            SELECT format('%I.%I', n.nspname, c.relname), quote_ident(a.attname), a.atttypid = 'bytea'::regtype
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'm') AND a.attnum > 0 AND NOT a.attisdropped
              AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_toast%'
            """
        )
    ).all()
    assert len(columns) > 50
    found = []
    for table, column, binary in columns:
        holds = f"position(:needle in {column})" if binary else f"position(:needle in CAST({column} AS text))"
        value = needle.encode() if binary else needle
        if tx.scalar(sa.text(f"SELECT count(*) FROM {table} WHERE {holds} > 0"), {"needle": value}):  # noqa: S608
            found.append(f"{table}.{column}")
    return found


def all_places(tx: Transaction) -> dict[str, list[str]]:
    return {name: found for name, needle in CANARIES.items() if (found := places(tx, needle))}


def test_nothing_personal_stands_in_plain(database: Database, keyring: Keyring) -> None:
    with database.begin() as tx:
        personal_life(tx, keyring)
        assert places(tx, "VIP") == ["public.tags.tag"]
        assert all_places(tx) == {}


def test_a_name_in_a_plain_column_is_noticed(
    database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: somebody takes names for not personal."""
    careless = dict(BUILT_IN) | {"name": replace(BUILT_IN["name"], personal=False)}
    monkeypatch.setattr(attributes, "BUILT_IN", careless)
    with database.begin() as tx:
        personal_life(tx, keyring)
        assert all_places(tx) == {"name": ["public.customers.attributes"]}


def test_an_identity_in_a_plain_column_is_noticed(
    database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: the value itself instead of its index."""
    monkeypatch.setattr(resolving, "key_of", lambda _, one: (one.kind, one.value.encode()[:16].ljust(16, b"\x00")))
    with database.begin() as tx:
        personal_life(tx, keyring)
        assert all_places(tx) == {
            "phone": ["public.identities.lookup"],
            "user_id": ["public.identities.lookup"],
            "wechat_name": ["public.identities.lookup"],
        }


@pytest.mark.oldest
def test_of_the_erased_nothing_can_be_read_or_found(database: Database, keyring: Keyring) -> None:
    with database.begin() as tx:
        customer = personal_life(tx, keyring)
        parts = profiles.erase(tx, customer, NOW)
        assert len(parts) == 2
        assert privacy.read_fields(tx, keyring, parts) == {}
        for kind in ("phone", "email", "user_id", "wechat_name"):
            assert profiles.find(tx, keyring, kind, CANARIES[kind]) is None
            index = keyring.index(kind, profiles.normalised(kind, CANARIES[kind]) or "")
            assert tx.scalar(sa.text("SELECT count(*) FROM identities WHERE lookup = :index"), {"index": index}) == 0
        assert all_places(tx) == {}
        guardians = tx.scalars(sa.text("SELECT guardian_id FROM guardians")).all()
        assert privacy.read_fields(tx, keyring, guardians) == {}
