"""``/api/totp``, ``/api/recovery-codes``, ``/api/passkeys``: second factors, and signing in with a passkey."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response
from starlette.routing import BaseRoute

from shuke.access.http import doorway
from shuke.access.http.doorway import COUNTED, REFUSED, Body, Code, Name, SignedInAnswer
from shuke.access.http.guard import Visit, needs, public
from shuke.access.people_model import Passkey, Way
from shuke.access.service import passkeys, second_factors, users
from shuke.base.errors import Conflict
from shuke.platform import Metrics, Workplace
from shuke.platform.http import ABSENT, api

__all__ = ["factor_routes"]

Own = Annotated[Visit, needs("own")]
Open = Annotated[Visit, public()]

#: As the browser gives it: PublicKeyCredential.toJSON().
Credential = Annotated[dict[str, Any], Field(max_length=20)]


class TotpAnswer(BaseModel):
    """What an authenticator app needs; `uri` is what a QR code shows."""

    secret: str
    uri: str


class CodeBody(Body):
    """A code of the authenticator app."""

    code: Code


class RecoveryAnswer(BaseModel):
    """Codes that each stand in for the second factor once. Empty where the old ones still count."""

    recovery_codes: list[str]


class NewPasskeyBody(Body):
    """What the browser made, and what its owner calls it."""

    name: Name
    credential: Credential


class PasskeyBody(Body):
    """What the browser signed."""

    credential: Credential


class PasskeysAnswer(BaseModel):
    """One's own passkeys, the oldest first."""

    items: list[Passkey]


class MadePasskeyAnswer(BaseModel):
    """A passkey that was just made; the recovery codes come with the first second factor."""

    passkey: Passkey
    recovery_codes: list[str]


def factor_routes(_: Workplace, __: Metrics) -> list[BaseRoute]:
    """The routes of second factors."""
    router = api("access")
    _totp(router)
    _passkeys(router)
    _signing_in(router)
    return list(router.routes)


def _totp(router: APIRouter) -> None:
    @router.post("/totp", responses=REFUSED)
    def post_totp(visit: Own) -> TotpAnswer:
        user_id = doorway.own(visit)
        with visit.begin() as tx:
            doorway.sure(visit, tx)
            email = users.get_user(tx, user_id).email
            made = second_factors.begin_totp(tx, visit.keyring, user_id, email, doorway.now_utc())
        return TotpAnswer(secret=made.secret, uri=made.uri)

    @router.post("/totp/confirm", responses=REFUSED | COUNTED)
    def post_confirm(visit: Own, body: CodeBody, response: Response) -> RecoveryAnswer:
        user_id = doorway.own(visit)
        with visit.begin() as tx:
            doorway.sure(visit, tx)
            codes = second_factors.confirm_totp(tx, visit.keyring, user_id, body.code, doorway.now_utc())
            doorway.renew(visit, tx, response)
            visit.note("account.totp", user_id=user_id)
        return RecoveryAnswer(recovery_codes=list(codes))

    @router.delete("/totp", responses=ABSENT, status_code=204)
    def delete_totp(visit: Own, response: Response) -> None:
        user_id = doorway.own(visit)
        with visit.begin() as tx:
            doorway.sure(visit, tx)
            second_factors.remove_totp(tx, user_id)
            doorway.renew(visit, tx, response)
            visit.note("account.totp_removed", user_id=user_id)

    @router.post("/recovery-codes", responses=REFUSED)
    def post_recovery_codes(visit: Own) -> RecoveryAnswer:
        user_id = doorway.own(visit)
        with visit.begin() as tx:
            doorway.sure(visit, tx)
            if not users.get_user(tx, user_id).second_factors:
                raise Conflict("access.no_second_factor")
            codes = second_factors.new_recovery_codes(tx, user_id)
            visit.note("account.recovery_codes", user_id=user_id)
        return RecoveryAnswer(recovery_codes=list(codes))


def _passkeys(router: APIRouter) -> None:
    @router.get("/passkeys")
    def get_passkeys(visit: Own) -> PasskeysAnswer:
        user_id = doorway.own(visit)
        with visit.read() as tx:
            return PasskeysAnswer(items=list(passkeys.list_passkeys(tx, user_id)))

    @router.post("/passkeys/options")
    def post_options(visit: Own) -> dict[str, Any]:
        user_id, site = doorway.own(visit), doorway.site_of(visit.request)
        with visit.aside() as tx:
            doorway.sure(visit, tx)
            return passkeys.options_to_add(tx, site, users.get_user(tx, user_id), doorway.now_utc())

    @router.post("/passkeys")
    def post_passkey(visit: Own, body: NewPasskeyBody, response: Response) -> MadePasskeyAnswer:
        user_id, site = doorway.own(visit), doorway.site_of(visit.request)
        with visit.begin() as tx:
            doorway.sure(visit, tx)
            made = passkeys.add_passkey(tx, site, user_id, body.credential, body.name, doorway.now_utc())
            codes = second_factors.ensure_recovery_codes(tx, user_id)
            doorway.renew(visit, tx, response)
            visit.note("account.passkey", user_id=user_id, passkey_id=made.passkey_id)
        return MadePasskeyAnswer(passkey=made, recovery_codes=list(codes))

    @router.delete("/passkeys/{passkey_id:uuid}", responses=ABSENT, status_code=204)
    def delete_passkey(visit: Own, passkey_id: UUID, response: Response) -> None:
        user_id = doorway.own(visit)
        with visit.begin() as tx:
            doorway.sure(visit, tx)
            passkeys.remove_passkey(tx, user_id, passkey_id)
            doorway.renew(visit, tx, response)
            visit.note("account.passkey_removed", user_id=user_id)


def _signing_in(router: APIRouter) -> None:
    @router.post("/session/passkey/options", responses=COUNTED)
    def post_sign_in_options(visit: Open) -> dict[str, Any]:
        site = doorway.site_of(visit.request)
        tries = doorway.tries_of(visit)
        doorway.count(visit, tries)
        with visit.aside() as tx:
            doorway.forgive(tx, tries)
            return passkeys.options_to_sign_in(tx, site, doorway.now_utc())

    @router.post("/session/passkey", responses=COUNTED)
    def post_sign_in(visit: Open, body: PasskeyBody, response: Response) -> SignedInAnswer:
        doorway.refuse_plain_http(visit.request)
        site = doorway.site_of(visit.request)
        tries = doorway.tries_of(visit)
        doorway.count(visit, tries)
        with visit.begin() as tx:
            user_id = passkeys.whose(tx, site, body.credential, doorway.now_utc())
            made = doorway.let_in(visit, tx, response, user_id, [Way.PASSKEY], tries)
        return doorway.answer_of(made)
