"""Signing in by a provider of identities: OpenID Connect's code flow with PKCE, by Authlib.

What belongs to one attempt (state, nonce, the secret of PKCE) is in an encrypted cookie of the browser that began it,
so that nobody can have somebody else's browser finish what they began.
"""

from __future__ import annotations

import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import httpx2
import sqlalchemy as sa
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from sqlalchemy.dialects.postgresql import insert

from shuke.access.model import Where
from shuke.access.people_model import NewUser
from shuke.access.people_tables import oidc_accounts, users
from shuke.access.rules.people import NAME_CHARACTERS_MAX, checked_email, email_key
from shuke.access.service.links import accept_by_email
from shuke.access.service.roles import get_role
from shuke.access.service.users import OWNER, add_user
from shuke.base.errors import BadInput, NotAllowed, NotAvailable, NotFound
from shuke.platform import Keyring, Settings, Transaction

__all__ = ["FLOW_LASTS", "Attempt", "Discovery", "Provider", "Told", "account_of", "begin", "finish", "provider_of"]

FLOW_LASTS = timedelta(minutes=10)
_TIMEOUT_SECONDS = 10
_ANSWER_BYTES_MAX = 1_000_000
_KNOWN_FOR_SECONDS = 3600
_LEEWAY_SECONDS = 60
# Those with a key that only the provider has; never "none", and none whose key we would share.
_ALGORITHMS = ["RS256", "PS256", "ES256", "Ed25519", "EdDSA"]
_PURPOSE = "oidc"

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Provider:
    """A provider as the settings name it."""

    issuer: str
    client_id: str
    secret: str | None = field(repr=False)
    name: str
    domains: tuple[str, ...]
    role: str | None


@dataclass(frozen=True)
class Attempt:
    """What one attempt to sign in has to come back with; kept by the browser, which cannot read it."""

    state: str
    nonce: str
    verifier: str
    redirect: str
    began_at: float

    def sealed(self, keyring: Keyring) -> str:
        """As it stands in a cookie."""
        sealer = keyring.sealer(_PURPOSE)
        return f"{sealer.version}.{sealer.seal(json.dumps(asdict(self)).encode(), about=_PURPOSE.encode()).hex()}"

    @classmethod
    def opened(cls, cookie: str, keyring: Keyring, now: datetime) -> Attempt | None:
        """The attempt of a cookie; None when it is none of ours, or too old."""
        version, _, cipher = cookie.partition(".")
        try:
            plain = keyring.sealer(_PURPOSE, int(version)).open(bytes.fromhex(cipher), about=_PURPOSE.encode())
            attempt = cls(**json.loads(plain))
        except (ValueError, TypeError, NotAvailable):
            return None
        return attempt if 0 <= now.timestamp() - attempt.began_at <= FLOW_LASTS.total_seconds() else None


@dataclass(frozen=True)
class Told:
    """What a provider says of somebody. ``email`` is None unless it has verified that the address is theirs."""

    subject: str
    email: str | None
    name: str


def provider_of(settings: Settings) -> Provider | None:
    """The provider of the settings, if there is one; NotAvailable ``access.no_secret_file``."""
    if not settings.oidc_issuer or not settings.oidc_client_id:
        return None
    secret = None
    if settings.oidc_client_secret_file is not None:
        try:
            secret = settings.oidc_client_secret_file.read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            raise NotAvailable("access.no_secret_file", file=str(settings.oidc_client_secret_file)) from None
    return Provider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        secret=secret,
        name=settings.oidc_name,
        domains=settings.oidc_domains,
        role=settings.oidc_role,
    )


class Discovery:
    """Where the provider's endpoints are and which keys it signs with, asked once an hour."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, dict[str, Any]]] = {}
        self._lock = threading.Lock()

    def metadata(self, provider: Provider) -> dict[str, Any]:
        """The provider's description of itself; NotAvailable ``access.oidc_unreachable``."""
        address = provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
        found = self._asked(provider, address)
        if found.get("issuer") != provider.issuer:
            raise NotAvailable("access.oidc_unreachable", name=provider.name)
        return found

    def keys(self, provider: Provider, *, anew: bool = False) -> KeySet:
        """The keys that the provider signs with."""
        found = self._asked(provider, str(self.metadata(provider).get("jwks_uri")), anew=anew)
        return _reached(provider, lambda: KeySet.import_key_set(found))  # type: ignore[arg-type] # what it checks

    def _asked(self, provider: Provider, address: str, *, anew: bool = False) -> dict[str, Any]:
        with self._lock:
            until, found = self._known.get(address, (0.0, {}))
            if anew or time.monotonic() >= until:
                found = _reached(provider, lambda: _fetched(address))
                self._known[address] = (time.monotonic() + _KNOWN_FOR_SECONDS, found)
            return found


def begin(provider: Provider, discovery: Discovery, redirect: str, now: datetime) -> tuple[str, Attempt]:
    """The address to send a browser to, and what has to come back."""
    made = [secrets.token_urlsafe(32) for _ in range(2)]
    attempt = Attempt(made[0], made[1], secrets.token_urlsafe(48), redirect, now.timestamp())
    metadata = discovery.metadata(provider)
    with _client(provider, metadata, redirect) as client:
        address, _ = client.create_authorization_url(
            metadata["authorization_endpoint"],
            state=attempt.state,
            nonce=attempt.nonce,
            code_verifier=attempt.verifier,
        )
    return str(address), attempt


def finish(
    provider: Provider, discovery: Discovery, attempt: Attempt | None, given: Mapping[str, str], now: datetime
) -> Told:
    """Who has signed in, by what the browser came back with.

    Raises:
        NotAllowed: ``access.oidc_refused``, with what is wrong.
        NotAvailable: ``access.oidc_unreachable``.
    """
    metadata = discovery.metadata(provider)
    if attempt is None or not hmac.compare_digest(attempt.state.encode(), given.get("state", "").encode()):
        raise _refused(provider, "state")
    # RFC 9207: which of several providers has answered.
    if given.get("iss", provider.issuer) != provider.issuer:
        raise _refused(provider, "issuer")
    if "code" not in given:
        raise _refused(provider, "denied")
    with _client(provider, metadata, attempt.redirect) as client:
        token = _reached(
            provider,
            lambda: client.fetch_token(
                metadata["token_endpoint"],
                grant_type="authorization_code",
                code=given["code"],
                code_verifier=attempt.verifier,
            ),
        )
        claims = _claims(provider, discovery, token, attempt.nonce, now)
        if "email" not in claims and "userinfo_endpoint" in metadata:
            more = _reached(provider, lambda: _object(client.get(metadata["userinfo_endpoint"])))
            claims |= more if more.get("sub") == claims["sub"] else {}
    return _told(claims)


def account_of(tx: Transaction, provider: Provider, told: Told, language: str, now: datetime) -> UUID:
    """The account of whom the provider knows: the one that is bound, has the address, was invited, or is made.

    Raises:
        NotAllowed: ``access.oidc_refused`` without a verified address of an allowed domain, and
            ``access.oidc_not_invited``.
        Conflict: ``access.email_taken`` when somebody was just quicker.
        NotAvailable: ``access.oidc_bad_role``.
    """
    domain = (told.email or "").rpartition("@")[2].lower()
    if provider.domains and domain not in provider.domains:
        raise _refused(provider, "email")
    bound = sa.select(oidc_accounts.c.user_id).where(
        oidc_accounts.c.issuer == provider.issuer, oidc_accounts.c.subject == told.subject
    )
    known: UUID | None = tx.scalar(bound)
    if known is not None:
        return known
    if told.email is None:
        raise _refused(provider, "email")
    known = tx.scalar(sa.select(users.c.user_id).where(users.c.email_key == email_key(told.email)))
    known = known or accept_by_email(tx, email=told.email, name=told.name, language=language, now=now)
    known = known or _new_account(tx, provider, told.email, told.name, language, now)
    row = {"issuer": provider.issuer, "subject": told.subject, "user_id": known, "created_at": now}
    tx.execute(insert(oidc_accounts).values(row).on_conflict_do_nothing())
    return known


def _new_account(tx: Transaction, provider: Provider, email: str, name: str, language: str, now: datetime) -> UUID:
    if provider.role is None:
        raise NotAllowed("access.oidc_not_invited", name=provider.name)
    try:
        role = get_role(tx, provider.role)
    except NotFound:
        raise NotAvailable("access.oidc_bad_role") from None
    # Whoever has everything is named by a person, never by a setting.
    if role.where in (Where.REGION, Where.STORE) or role.name == OWNER:
        raise NotAvailable("access.oidc_bad_role")
    return add_user(tx, NewUser(name=name, email=email, role=role.name, language=language), now)


def _client(provider: Provider, metadata: Mapping[str, Any], redirect: str) -> OAuth2Client:
    methods = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    basic = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
    return OAuth2Client(
        provider.client_id,
        provider.secret,
        token_endpoint_auth_method="none" if provider.secret is None else basic,
        scope="openid email profile",
        redirect_uri=redirect,
        code_challenge_method="S256",
        timeout=_TIMEOUT_SECONDS,
        follow_redirects=False,
    )


def _claims(
    provider: Provider, discovery: Discovery, token: Mapping[str, Any], nonce: str, now: datetime
) -> dict[str, Any]:
    """The claims of an ID token that is the provider's, for us, of this attempt, and of now."""
    signed = token.get("id_token")
    if not isinstance(signed, str):
        raise _refused(provider, "no_id_token")
    try:
        try:
            read = jwt.decode(signed, discovery.keys(provider), algorithms=_ALGORITHMS)
        except InvalidKeyIdError:
            # It has changed its keys.
            read = jwt.decode(signed, discovery.keys(provider, anew=True), algorithms=_ALGORITHMS)
        claims = CodeIDToken(
            read.claims,
            read.header,
            {
                "iss": {"essential": True, "values": [provider.issuer]},
                "aud": {"essential": True, "values": [provider.client_id]},
            },
            {"nonce": nonce, "client_id": provider.client_id, "access_token": token.get("access_token")},
        )
        claims.validate(now=int(now.timestamp()), leeway=_LEEWAY_SECONDS)
    except (JoseError, ValueError) as error:
        raise _refused(provider, getattr(error, "error", None) or "id_token") from None
    return dict(claims)


def _told(claims: Mapping[str, Any]) -> Told:
    email: str | None = None
    if claims.get("email_verified") is True and isinstance(claims.get("email"), str):
        try:
            email = checked_email(claims["email"])
        except BadInput:
            email = None
    given = claims.get("name") or claims.get("preferred_username") or (email or "").partition("@")[0]
    name = "".join(one for one in str(given) if one.isprintable()).strip()[:NAME_CHARACTERS_MAX]
    return Told(str(claims["sub"]), email, name or "?")


def _fetched(address: str) -> dict[str, Any]:
    with httpx2.Client(timeout=_TIMEOUT_SECONDS, follow_redirects=False) as client:
        return _object(client.get(address))


def _object(answer: httpx2.Response) -> dict[str, Any]:
    """The object that was answered; ValueError for anything else."""
    answer.raise_for_status()
    if len(answer.content) > _ANSWER_BYTES_MAX:
        raise ValueError(len(answer.content))
    found = answer.json()
    if not isinstance(found, dict):
        raise TypeError(type(found))
    return found


def _reached(provider: Provider, ask: Callable[[], _Result]) -> _Result:
    """What the provider answers.

    Raises:
        NotAllowed: ``access.oidc_refused`` when it says no.
        NotAvailable: ``access.oidc_unreachable`` when it says nothing that can be understood.
    """
    try:
        return ask()
    except AuthlibBaseError as error:
        raise _refused(provider, error.error or "denied") from None
    except (httpx2.HTTPError, httpx2.InvalidURL, JoseError, ValueError, TypeError, KeyError):
        raise NotAvailable("access.oidc_unreachable", name=provider.name) from None


def _refused(provider: Provider, why: str) -> NotAllowed:
    # A code of the library or the provider; whatever else it may be is not repeated.
    code = why if why.replace("_", "").isalnum() and why.isascii() and len(why) <= 40 else "denied"
    return NotAllowed("access.oidc_refused", name=provider.name, why=code)
