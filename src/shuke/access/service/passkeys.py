"""Passkeys (WebAuthn): made and used by the browser, checked here. What they have to sign is used once."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import options_to_json_dict, parse_client_data_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from shuke.access.people_model import PASSKEYS_MAX, Passkey, User
from shuke.access.people_tables import challenges, passkeys
from shuke.access.rules.people import checked_name
from shuke.access.service.second_factors import drop_recovery_codes_if_last
from shuke.base.errors import BadInput, NotAllowed, NotFound
from shuke.base.ids import new_id
from shuke.platform import Transaction

__all__ = [
    "Site",
    "add_passkey",
    "forget_challenges",
    "list_passkeys",
    "options_to_add",
    "options_to_sign_in",
    "remove_passkey",
    "whose",
]

_CHALLENGE_BYTES = 32
_CHALLENGE_LASTS = timedelta(minutes=5)

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Site:
    """What passkeys belong to: a name, and the address that pages of ours come from."""

    name: str
    origin: str


def options_to_add(tx: Transaction, site: Site, user: User, now: datetime) -> dict[str, Any]:
    """What the browser needs to make a passkey; BadInput ``access.too_many_passkeys``."""
    rows = tx.execute(sa.select(passkeys.c.credential_id).where(passkeys.c.user_id == user.user_id)).scalars().all()
    if len(rows) >= PASSKEYS_MAX:
        raise BadInput("access.too_many_passkeys", limit=PASSKEYS_MAX)
    options = generate_registration_options(
        rp_id=site.name,
        rp_name="Shuke",
        user_id=user.user_id.bytes,
        user_name=user.email,
        user_display_name=user.name,
        challenge=_new_challenge(tx, user.user_id, now),
        # One that is found without a name being typed, and that asks its owner for a finger, a face or a PIN.
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=bytes(found)) for found in rows],
    )
    return options_to_json_dict(options)


def add_passkey(
    tx: Transaction, site: Site, user_id: UUID, credential: Mapping[str, Any], name: str, now: datetime
) -> Passkey:
    """Keep a passkey that the browser has just made.

    Raises:
        BadInput: ``access.bad_name``; ``access.passkey_refused`` for what is none, is not of this site, or does not
            answer a question of ours.
    """
    plain = checked_name(name)
    challenge = _asked(tx, credential, now, user_id)
    verified = _checked(
        lambda: verify_registration_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=site.name,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    )
    made = Passkey(new_id(at_ms=int(now.timestamp() * 1000)), plain, now, None)
    try:
        with tx.begin_nested():
            tx.execute(
                sa.insert(passkeys).values(
                    passkey_id=made.passkey_id,
                    credential_id=verified.credential_id,
                    user_id=user_id,
                    public_key=verified.credential_public_key,
                    sign_count=verified.sign_count,
                    name=plain,
                    created_at=now,
                )
            )
    except IntegrityError:
        raise BadInput("access.passkey_refused") from None
    return made


def options_to_sign_in(tx: Transaction, site: Site, now: datetime) -> dict[str, Any]:
    """What the browser needs to sign in with a passkey, whosever it is."""
    options = generate_authentication_options(
        rp_id=site.name,
        challenge=_new_challenge(tx, None, now),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def whose(tx: Transaction, site: Site, credential: Mapping[str, Any], now: datetime) -> UUID:
    """Whose passkey has signed; NotAllowed ``access.passkey_refused``, which says no more, when it is nobody's."""
    try:
        challenge = _asked(tx, credential, now, None)
        row = _known(tx, credential)
        verified = _checked(
            lambda: verify_authentication_response(
                credential=dict(credential),
                expected_challenge=challenge,
                expected_rp_id=site.name,
                expected_origin=site.origin,
                credential_public_key=bytes(row.public_key),
                credential_current_sign_count=row.sign_count,
                require_user_verification=True,
            )
        )
    except BadInput as error:
        raise NotAllowed(error.code) from None
    used = {"sign_count": verified.new_sign_count, "used_at": now}
    tx.execute(sa.update(passkeys).where(passkeys.c.passkey_id == row.passkey_id).values(used))
    user_id: UUID = row.user_id
    return user_id


def list_passkeys(tx: Transaction, user_id: UUID) -> tuple[Passkey, ...]:
    """The passkeys of a person, the oldest first."""
    columns = (passkeys.c.passkey_id, passkeys.c.name, passkeys.c.created_at, passkeys.c.used_at)
    chosen = sa.select(*columns).where(passkeys.c.user_id == user_id).order_by(passkeys.c.passkey_id)
    return tuple(Passkey(*row) for row in tx.execute(chosen))


def remove_passkey(tx: Transaction, user_id: UUID, passkey_id: UUID) -> None:
    """Forget a passkey; NotFound ``access.no_passkey``. The recovery codes go with the last second factor."""
    mine = (passkeys.c.user_id == user_id) & (passkeys.c.passkey_id == passkey_id)
    if tx.execute(sa.delete(passkeys).where(mine)).rowcount == 0:
        raise NotFound("access.no_passkey")
    drop_recovery_codes_if_last(tx, user_id)


def forget_challenges(tx: Transaction, now: datetime) -> int:
    """Delete what was asked and never answered; returns how many."""
    return tx.execute(sa.delete(challenges).where(challenges.c.expires_at <= now)).rowcount


def _new_challenge(tx: Transaction, user_id: UUID | None, now: datetime) -> bytes:
    challenge = secrets.token_bytes(_CHALLENGE_BYTES)
    row = {"challenge_hash": sha256(challenge).digest(), "user_id": user_id, "expires_at": now + _CHALLENGE_LASTS}
    tx.execute(sa.insert(challenges).values(row))
    return challenge


def _asked(tx: Transaction, credential: Mapping[str, Any], now: datetime, user_id: UUID | None) -> bytes:
    """The challenge that was answered, which nobody can answer again."""
    said = _checked(lambda: parse_client_data_json(base64url_to_bytes(credential["response"]["clientDataJSON"])))
    asked = sa.delete(challenges).where(
        challenges.c.challenge_hash == sha256(said.challenge).digest(),
        challenges.c.user_id.is_not_distinct_from(user_id),
        challenges.c.expires_at > now,
    )
    if tx.execute(asked).rowcount == 0:
        raise BadInput("access.passkey_refused")
    return said.challenge


def _known(tx: Transaction, credential: Mapping[str, Any]) -> sa.Row[Any]:
    """The passkey that this says it is, locked; the browser may also say whose it is, and must be right then."""
    credential_id = _checked(lambda: base64url_to_bytes(credential["id"]))
    handle = credential["response"].get("userHandle")
    row = tx.execute(sa.select(passkeys).where(passkeys.c.credential_id == credential_id).with_for_update()).first()
    if row is None or (handle and _checked(lambda: base64url_to_bytes(handle)) != row.user_id.bytes):
        raise BadInput("access.passkey_refused")
    return row


def _checked(check: Callable[[], _Result]) -> _Result:
    """What a check of the library gives; whatever it dislikes about bytes of strangers is one refusal."""
    try:
        return check()
    except Exception:
        raise BadInput("access.passkey_refused") from None
