"""What the room keeps of people in PostgreSQL. The reasons for keys and indexes stand in the migration that makes them.

No token, code or password is here as it is: tokens and recovery codes are long and random, so that their SHA-256 cannot
be tried; passwords are argon2id; the secrets of authenticator apps are encrypted.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from shuke.platform import metadata

__all__ = [
    "attempts",
    "challenges",
    "links",
    "oidc_accounts",
    "passkeys",
    "recovery_codes",
    "sessions",
    "teams",
    "totp",
    "users",
]

_moment = sa.DateTime(timezone=True)
_texts = ARRAY(sa.Text)

teams = sa.Table(
    "teams",
    metadata,
    sa.Column("team_id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", sa.Text(collation="C"), nullable=False, unique=True),
    sa.Column("created_at", _moment, nullable=False),
)

users = sa.Table(
    "users",
    metadata,
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("email_key", sa.Text(collation="C"), nullable=False, unique=True),
    sa.Column("password_hash", sa.Text),  # None: signs in otherwise
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("places", _texts, nullable=False, server_default="{}"),
    sa.Column("team_id", sa.Uuid, sa.ForeignKey("teams.team_id", ondelete="SET NULL")),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("created_at", _moment, nullable=False),
    sa.Column("disabled_at", _moment),
    sa.Column("signed_in_at", _moment),
)

#: Sessions; one that is ``pending`` waits for the second factor and lets nobody in.
sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("session_id", sa.Uuid, primary_key=True),
    sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("user_id", sa.Uuid, sa.ForeignKey("users.user_id", ondelete="CASCADE"), nullable=False),
    sa.Column("csrf_token", sa.Text, nullable=False),
    sa.Column("pending", sa.Boolean, nullable=False),
    sa.Column("ways", _texts, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("created_at", _moment, nullable=False),
    sa.Column("signed_in_at", _moment, nullable=False),
    sa.Column("seen_at", _moment, nullable=False),
    sa.Column("idle_seconds", sa.Integer, nullable=False),
    sa.Column("ends_at", _moment, nullable=False),  # whatever happens
)

#: Links that let somebody in once: the first owner, who is invited, who has to get back in.
links = sa.Table(
    "links",
    metadata,
    sa.Column("link_id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("user_id", sa.Uuid, sa.ForeignKey("users.user_id", ondelete="CASCADE")),
    sa.Column("email", sa.Text),
    sa.Column("email_key", sa.Text(collation="C")),
    sa.Column("role", sa.Text),
    sa.Column("places", _texts, nullable=False, server_default="{}"),
    sa.Column("team_id", sa.Uuid, sa.ForeignKey("teams.team_id", ondelete="SET NULL")),
    sa.Column("created_at", _moment, nullable=False),
    sa.Column("expires_at", _moment),
    sa.Column("used_at", _moment),
)

#: The secret of an authenticator app; it counts once a code has confirmed it.
totp = sa.Table(
    "totp",
    metadata,
    sa.Column("user_id", sa.Uuid, sa.ForeignKey("users.user_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("key_version", sa.Integer, nullable=False),
    sa.Column("cipher", sa.LargeBinary, nullable=False),
    sa.Column("created_at", _moment, nullable=False),
    sa.Column("confirmed_at", _moment),
    sa.Column("last_step", sa.BigInteger, nullable=False, server_default="0"),
)

recovery_codes = sa.Table(
    "recovery_codes",
    metadata,
    sa.Column("user_id", sa.Uuid, sa.ForeignKey("users.user_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("code_hash", sa.LargeBinary, primary_key=True),
    sa.Column("used_at", _moment),
)

passkeys = sa.Table(
    "passkeys",
    metadata,
    sa.Column("passkey_id", sa.Uuid, primary_key=True),
    sa.Column("credential_id", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("user_id", sa.Uuid, sa.ForeignKey("users.user_id", ondelete="CASCADE"), nullable=False),
    sa.Column("public_key", sa.LargeBinary, nullable=False),
    sa.Column("sign_count", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at", _moment, nullable=False),
    sa.Column("used_at", _moment),
)

#: What passkeys have to sign, each once.
challenges = sa.Table(
    "challenges",
    metadata,
    sa.Column("challenge_hash", sa.LargeBinary, primary_key=True),
    sa.Column("user_id", sa.Uuid, sa.ForeignKey("users.user_id", ondelete="CASCADE")),  # None: to sign in
    sa.Column("expires_at", _moment, nullable=False),
)

#: Who somebody is at the provider of identities.
oidc_accounts = sa.Table(
    "oidc_accounts",
    metadata,
    sa.Column("issuer", sa.Text(collation="C"), primary_key=True),
    sa.Column("subject", sa.Text(collation="C"), primary_key=True),
    sa.Column("user_id", sa.Uuid, sa.ForeignKey("users.user_id", ondelete="CASCADE"), nullable=False),
    sa.Column("created_at", _moment, nullable=False),
)

#: Attempts to sign in, by the keyed hash of what was tried or of the address that they came from.
attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("bucket", sa.LargeBinary, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("last_at", _moment, nullable=False),
    sa.Column("free_at", _moment, nullable=False),
)
