from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from shuke import privacy
from shuke.base.errors import BadInput, Conflict
from shuke.base.ids import new_id
from shuke.platform import Database, Keyring, Transaction

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
GRANTED, WITHDRAWN = privacy.ConsentState.GRANTED, privacy.ConsentState.WITHDRAWN


def said(customer: UUID, state: privacy.ConsentState, days_ago: float, *, channel: str = "sms") -> privacy.Consent:
    return privacy.Consent(
        customer_id=customer,
        purpose="marketing",
        channel=channel,
        state=state,
        notice_version="notice-2026.1",
        proof=privacy.Proof(privacy.ProofMethod.FORM, "form/signup"),
        at=NOW - timedelta(days=days_ago),
        by="customer",
    )


def state(tx: Transaction, customer: UUID) -> dict[str, str]:
    return {one.channel: one.state.value for one in privacy.consents(tx, [customer]).get(customer, ())}


@pytest.mark.parametrize(
    ("history", "counts"),
    [
        ([(GRANTED, 3)], "granted"),
        ([(GRANTED, 3), (WITHDRAWN, 2)], "withdrawn"),
        # What was said earlier and recorded later changes nothing.
        ([(WITHDRAWN, 2), (GRANTED, 3)], "withdrawn"),
        ([(WITHDRAWN, 2), (GRANTED, 1)], "granted"),
        # Said at one moment: what was recorded last.
        ([(WITHDRAWN, 2), (GRANTED, 2)], "granted"),
        ([(GRANTED, 2), (WITHDRAWN, 2)], "withdrawn"),
    ],
)
def test_the_latest_word_counts(
    database: Database, keyring: Keyring, history: list[tuple[privacy.ConsentState, int]], counts: str
) -> None:
    anna, ben = new_id(), new_id()
    with database.begin() as tx:
        for what, days_ago in history:
            privacy.record_consent(tx, keyring, [said(anna, what, days_ago)], NOW)
        privacy.record_consent(tx, keyring, [said(anna, GRANTED, 9, channel="email")], NOW)
        assert state(tx, anna) == {"sms": counts, "email": "granted"}
        assert state(tx, ben) == {}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent_events SET state = 'granted'",
        "DELETE FROM consent_events",
        "DELETE FROM consent_events WHERE false",
        "TRUNCATE consent_events",
        """
        INSERT INTO consent_events (customer_id, purpose, channel, state, notice_version, proof, at, recorded_at, by)
        VALUES (gen_random_uuid(), 'a', 'b', 'perhaps', 'v', '{}', now(), now(), 'x')
        """,
    ],
)
def test_the_ledger_refuses_to_be_changed(database: Database, keyring: Keyring, statement: str) -> None:
    anna = new_id()
    with database.begin() as tx:
        privacy.record_consent(tx, keyring, [said(anna, WITHDRAWN, 1)], NOW)
    with pytest.raises(DBAPIError, match=r"append-only|ck_consent_events_state"), database.begin() as tx:
        tx.execute(sa.text(statement))
    with database.read() as tx:
        assert state(tx, anna) == {"sms": "withdrawn"}


def test_without_the_trigger_the_ledger_could_be_changed(database: Database, keyring: Keyring) -> None:
    """Planted: the check above would notice."""
    anna = new_id()
    with database.begin() as tx:
        privacy.record_consent(tx, keyring, [said(anna, WITHDRAWN, 1)], NOW)
        tx.execute(sa.text("DROP TRIGGER append_only ON consent_events"))
        tx.execute(sa.text("UPDATE consent_events SET state = 'granted'"))
        assert state(tx, anna) == {"sms": "granted"}


def test_the_ledger_takes_codes_only(database: Database, keyring: Keyring) -> None:
    good = said(new_id(), GRANTED, 1)
    wrong = (
        replace(good, purpose="Marketing to Anna"),
        replace(good, by="anna@x.com"),
        replace(good, notice_version="13812345678"),
        replace(good, proof=privacy.Proof(privacy.ProofMethod.SPOKEN, "said on the phone 138")),
    )
    with database.begin() as tx:
        for consent in wrong:
            with pytest.raises(BadInput, match="bad_consent"):
                privacy.record_consent(tx, keyring, [good, consent], NOW)
        for at in (NOW + timedelta(hours=1), datetime(1, 1, 1, tzinfo=UTC), NOW.replace(tzinfo=None)):
            with pytest.raises(BadInput, match="consent_time"):
                privacy.record_consent(tx, keyring, [replace(good, at=at)], NOW)
        assert tx.scalar(sa.text("SELECT count(*) FROM consent_events")) == 0


def test_a_guardian_consents_for_a_child(database: Database, keyring: Keyring) -> None:
    child, other = new_id(), new_id()
    granted = said(child, GRANTED, 1)
    with database.begin() as tx:
        privacy.write_many(
            tx, keyring, [(child, privacy.BIRTH_DATE, "2013-01-01"), (other, privacy.BIRTH_DATE, "2012-11-22")], NOW
        )
        privacy.record_consent(tx, keyring, [said(other, GRANTED, 1)], NOW)
        with pytest.raises(Conflict, match="needs_guardian"):
            privacy.record_consent(tx, keyring, [granted], NOW)
        with pytest.raises(Conflict, match="needs_guardian"):
            privacy.record_consent(tx, keyring, [replace(granted, guardian=other)], NOW)
        mother = privacy.appoint_guardian(tx, keyring, child, "mother", {"name": "王芳"}, NOW)
        privacy.record_consent(tx, keyring, [replace(granted, guardian=mother)], NOW)
        assert state(tx, child) == {"sms": "granted"}
        assert privacy.read_fields(tx, keyring, [mother]) == {mother: {"name": "王芳"}}
        # Nobody has to be asked to stop.
        privacy.record_consent(tx, keyring, [said(child, WITHDRAWN, 0)], NOW)
        assert state(tx, child) == {"sms": "withdrawn"}
        privacy.dismiss_guardian(tx, child, mother, NOW)
        with pytest.raises(Conflict, match="needs_guardian"):
            privacy.record_consent(tx, keyring, [replace(granted, guardian=mother)], NOW)
