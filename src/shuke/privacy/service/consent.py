"""The consent ledger, and who answers for minors."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shuke.base.errors import BadInput, Conflict
from shuke.base.ids import new_id
from shuke.platform import Keyring, Transaction, among
from shuke.privacy import rules
from shuke.privacy.model import BIRTH_DATE, Consent, ConsentState, CurrentConsent
from shuke.privacy.service import vault
from shuke.privacy.tables import consent_events, consent_states, guardians

CONSENTS_MAX = 10_000


def record_consent(
    tx: Transaction,
    keyring: Keyring,
    consents: Sequence[Consent],
    now: datetime,
    *,
    parts: Mapping[UUID, Collection[UUID]] | None = None,
) -> None:
    """Add what customers said to the ledger, which never forgets and never changes.

    Args:
        tx: the caller's.
        keyring: opens the dates of birth, which say who is a minor.
        consents: what was said, at most :data:`CONSENTS_MAX`.
        now: when it is recorded.
        parts: the persons that each customer consists of, where there are others than itself: their dates of birth and
            their guardians count too.

    Raises:
        BadInput: ``privacy.bad_consent``, ``privacy.consent_time``, ``privacy.too_many``.
        Conflict: ``privacy.needs_guardian`` when somebody under fourteen grants without a guardian of theirs. To
            withdraw, nobody needs one.
    """
    if len(consents) > CONSENTS_MAX:
        raise BadInput("privacy.too_many", limit=CONSENTS_MAX)
    checked = [rules.checked_consent(consent, now) for consent in consents]
    granted = [one for one in checked if one.state is ConsentState.GRANTED]
    _refuse_unguarded(tx, keyring, granted, now, parts or {})
    if not checked:
        return
    tx.execute(
        sa.insert(consent_events),
        [
            {
                "customer_id": one.customer_id,
                "purpose": one.purpose,
                "channel": one.channel,
                "state": one.state,
                "notice_version": one.notice_version,
                "proof": {"method": one.proof.method, "reference": one.proof.reference},
                "at": one.at,
                "recorded_at": now,
                "by": one.by,
                "guardian": one.guardian,
            }
            for one in checked
        ],
    )


def consents(tx: Transaction, customer_ids: Collection[UUID]) -> dict[UUID, tuple[CurrentConsent, ...]]:
    """What counts now for each of these customers, by purpose and channel; who never said anything is not in it.

    Of what one customer said about one purpose and channel, the latest by ``at`` counts, and of one moment what was
    recorded last. For customers who are one (after a merge), put theirs together with :func:`shuke.privacy.current`.

    Raises BadInput ``privacy.too_many`` above :data:`CONSENTS_MAX` customers.
    """
    if len(customer_ids) > CONSENTS_MAX:
        raise BadInput("privacy.too_many", limit=CONSENTS_MAX)
    wanted = among("uuid", customer_ids)
    found: dict[UUID, list[CurrentConsent]] = {}
    for row in tx.execute(sa.select(consent_states).where(consent_states.c.customer_id == wanted)):
        one = CurrentConsent(
            row.purpose, row.channel, ConsentState(row.state), row.notice_version, row.at, row.event_id
        )
        found.setdefault(row.customer_id, []).append(one)
    return {customer_id: rules.current(said) for customer_id, said in found.items()}


def every_consent() -> sa.Select[Any]:
    """What counts of everybody, to be joined by rooms above; of customers who are one the latest of theirs counts."""
    return sa.select(consent_states)


def appoint_guardian(
    tx: Transaction, keyring: Keyring, child_id: UUID, relation: str, fields: Mapping[str, str], now: datetime
) -> UUID:
    """Note who answers for a child (``relation`` is a code such as ``mother``); returns the guardian's person id.

    What the guardian is called and how to reach them (``fields``) goes to the vault under a key of the guardian's own.
    """
    rules.checked_code("relation", relation)
    guardian_id = new_id(at_ms=int(now.timestamp() * 1000))
    vault.write_fields(tx, keyring, guardian_id, fields, now)
    tx.execute(sa.insert(guardians).values(child_id=child_id, guardian_id=guardian_id, relation=relation, since=now))
    return guardian_id


def dismiss_guardian(tx: Transaction, child_id: UUID, guardian_id: UUID, now: datetime) -> None:
    """End it; what the guardian said before stays said."""
    tx.execute(
        sa.update(guardians)
        .where(guardians.c.child_id == child_id, guardians.c.guardian_id == guardian_id)
        .where(guardians.c.ended_at.is_(None))
        .values(ended_at=now)
    )


def _refuse_unguarded(
    tx: Transaction, keyring: Keyring, granted: list[Consent], now: datetime, parts: Mapping[UUID, Collection[UUID]]
) -> None:
    """Refuse what a minor grants and no guardian of theirs: Conflict ``privacy.needs_guardian``."""
    persons = {one.customer_id: {one.customer_id, *parts.get(one.customer_id, ())} for one in granted}
    everyone = sorted(set().union(*persons.values()))
    minors = {
        person_id
        for person_id, fields in vault.read_fields(tx, keyring, everyone, [BIRTH_DATE]).items()
        if rules.needs_guardian(date.fromisoformat(fields[BIRTH_DATE]), now)
    }
    if not minors:
        return
    children = among("uuid", everyone)
    rows = tx.execute(
        sa.select(guardians.c.child_id, guardians.c.guardian_id).where(
            guardians.c.child_id == children, guardians.c.ended_at.is_(None)
        )
    )
    appointed = {(row.child_id, row.guardian_id) for row in rows}
    for one in granted:
        its = persons[one.customer_id]
        if its & minors and not any((child, one.guardian) in appointed for child in its):
            raise Conflict("privacy.needs_guardian", years=rules.ADULT_YEARS)
