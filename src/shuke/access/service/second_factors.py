"""The second factor: codes of an authenticator app (RFC 6238), and codes on paper for when it is lost."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime
from hashlib import sha256
from uuid import UUID

import pyotp
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from shuke.access.people_model import TotpSecret
from shuke.access.people_tables import passkeys, recovery_codes, totp
from shuke.base.errors import BadInput, Conflict, NotFound
from shuke.platform import Keyring, Transaction, Wrapped

__all__ = [
    "RECOVERY_CODES",
    "begin_totp",
    "confirm_totp",
    "drop_recovery_codes_if_last",
    "ensure_recovery_codes",
    "new_recovery_codes",
    "remove_all",
    "remove_totp",
    "rewrap_secrets",
    "uses_recovery_code",
    "uses_totp",
]

RECOVERY_CODES = 10
_STEP_SECONDS = 30
# Clocks may differ by one step each way (RFC 6238, 5.2).
_STEPS_AROUND = 1
_ISSUER = "Shuke"
# Of 120 bits, which no hash needs to be slow for (ASVS 5.0, 6.5.2), in letters that are not taken for each other.
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP = 6, 4


def begin_totp(tx: Transaction, keyring: Keyring, user_id: UUID, email: str, now: datetime) -> TotpSecret:
    """A new secret for an authenticator app; it counts once :func:`confirm_totp` has seen a code of it.

    Raises Conflict ``access.totp_exists`` when one counts already.
    """
    secret = pyotp.random_base32(length=32)
    wrapped = keyring.wrap(secret.encode(), about=_about(user_id))
    values = {"key_version": wrapped.version, "cipher": wrapped.cipher, "created_at": now, "last_step": 0}
    statement = insert(totp).values(user_id=user_id, **values)
    unconfirmed = statement.on_conflict_do_update(
        index_elements=["user_id"], set_=values, where=totp.c.confirmed_at.is_(None)
    )
    if tx.execute(unconfirmed.returning(totp.c.user_id)).first() is None:
        raise Conflict("access.totp_exists")
    return TotpSecret(secret, pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=_ISSUER))


def confirm_totp(tx: Transaction, keyring: Keyring, user_id: UUID, code: str, now: datetime) -> tuple[str, ...]:
    """Have the secret count from now on; the recovery codes that come with the first second factor, else none.

    Raises:
        BadInput: ``access.wrong_code``.
        NotFound: ``access.no_totp`` when none was begun.
        Conflict: ``access.totp_exists``.
    """
    confirmed = tx.execute(sa.select(totp.c.confirmed_at).where(totp.c.user_id == user_id).with_for_update()).first()
    if confirmed is None:
        raise NotFound("access.no_totp")
    if confirmed[0] is not None:
        raise Conflict("access.totp_exists")
    if not _uses_step(tx, keyring, user_id, code, now):
        raise BadInput("access.wrong_code")
    tx.execute(sa.update(totp).where(totp.c.user_id == user_id).values(confirmed_at=now))
    return ensure_recovery_codes(tx, user_id)


def uses_totp(tx: Transaction, keyring: Keyring, user_id: UUID, code: str, now: datetime) -> bool:
    """Whether this is a code of the app, of about now, that was not used before; it is used by that."""
    confirmed = sa.select(totp.c.user_id).where(totp.c.user_id == user_id, totp.c.confirmed_at.is_not(None))
    return tx.execute(confirmed).first() is not None and _uses_step(tx, keyring, user_id, code, now)


def uses_recovery_code(tx: Transaction, user_id: UUID, code: str, now: datetime) -> bool:
    """Whether this is a recovery code that was not used before; it is used by that."""
    used = sa.update(recovery_codes).where(
        recovery_codes.c.user_id == user_id,
        recovery_codes.c.code_hash == _hash_of(code),
        recovery_codes.c.used_at.is_(None),
    )
    return tx.execute(used.values(used_at=now)).rowcount == 1


def remove_totp(tx: Transaction, user_id: UUID) -> None:
    """Have no app any more; NotFound ``access.no_totp``. The recovery codes go with the last second factor."""
    if tx.execute(sa.delete(totp).where(totp.c.user_id == user_id)).rowcount == 0:
        raise NotFound("access.no_totp")
    drop_recovery_codes_if_last(tx, user_id)


def remove_all(tx: Transaction, user_id: UUID) -> None:
    """Have no second factor and no passkey any more."""
    for table in (totp, passkeys, recovery_codes):
        tx.execute(sa.delete(table).where(table.c.user_id == user_id))


def ensure_recovery_codes(tx: Transaction, user_id: UUID) -> tuple[str, ...]:
    """New codes for who has none that is good; else nothing."""
    good = sa.select(recovery_codes.c.code_hash).where(
        recovery_codes.c.user_id == user_id, recovery_codes.c.used_at.is_(None)
    )
    return () if tx.execute(good.limit(1)).first() is not None else new_recovery_codes(tx, user_id)


def new_recovery_codes(tx: Transaction, user_id: UUID) -> tuple[str, ...]:
    """New codes in place of the old ones; they are shown once."""
    codes = tuple(_new_code() for _ in range(RECOVERY_CODES))
    tx.execute(sa.delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
    tx.execute(sa.insert(recovery_codes), [{"user_id": user_id, "code_hash": _hash_of(code)} for code in codes])
    return codes


def drop_recovery_codes_if_last(tx: Transaction, user_id: UUID) -> None:
    """Recovery codes stand in for another factor; where there is none any more, they go."""
    others = sa.union_all(
        sa.select(totp.c.user_id).where(totp.c.user_id == user_id, totp.c.confirmed_at.is_not(None)),
        sa.select(passkeys.c.user_id).where(passkeys.c.user_id == user_id),
    )
    if tx.execute(others).first() is None:
        tx.execute(sa.delete(recovery_codes).where(recovery_codes.c.user_id == user_id))


def rewrap_secrets(tx: Transaction, keyring: Keyring) -> int:
    """Encrypt every secret of an app under the newest master key; returns how many were under an older one."""
    rows = tx.execute(sa.select(totp).where(totp.c.key_version < keyring.version).with_for_update()).all()
    for row in rows:
        secret = keyring.unwrap(Wrapped(row.key_version, row.cipher), about=_about(row.user_id))
        wrapped = keyring.wrap(secret, about=_about(row.user_id))
        anew = {"key_version": wrapped.version, "cipher": wrapped.cipher}
        tx.execute(sa.update(totp).where(totp.c.user_id == row.user_id).values(anew))
    return len(rows)


def _uses_step(tx: Transaction, keyring: Keyring, user_id: UUID, code: str, now: datetime) -> bool:
    row = tx.execute(sa.select(totp.c.key_version, totp.c.cipher).where(totp.c.user_id == user_id)).one()
    secret = keyring.unwrap(Wrapped(row.key_version, row.cipher), about=_about(user_id)).decode()
    given = "".join(code.split()).encode()
    clock = pyotp.TOTP(secret, interval=_STEP_SECONDS)
    current = int(now.timestamp()) // _STEP_SECONDS
    steps = range(current - _STEPS_AROUND, current + _STEPS_AROUND + 1)
    # Each is compared, so that the time taken does not tell which.
    fitting = [step for step in steps if hmac.compare_digest(clock.generate_otp(step).encode(), given)]
    if not fitting:
        return False
    # The step only ever grows: of two who have seen the same code, one gets in.
    used = sa.update(totp).where(totp.c.user_id == user_id, totp.c.last_step < fitting[-1])
    return tx.execute(used.values(last_step=fitting[-1])).rowcount == 1


def _new_code() -> str:
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def _hash_of(code: str) -> bytes:
    """What is kept of a recovery code, however it is written."""
    return sha256("".join(code.split()).replace("-", "").lower().encode()).digest()


def _about(user_id: UUID) -> bytes:
    return b"totp|" + user_id.bytes
