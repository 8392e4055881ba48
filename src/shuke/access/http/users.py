"""``/api/users``, ``/api/teams`` and ``/api/invitations``: who may come in, and as what."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from shuke.access.http import doorway
from shuke.access.http.doorway import COUNTED, REFUSED, Body, Email, Name, Password, SignedInAnswer, Token
from shuke.access.http.guard import CHANGED, Visit, needs, public
from shuke.access.http.keys import KeyBody, key_body
from shuke.access.people_model import PAGE_MAX, Invitation, LinkKind, Team, User, Way, Welcome
from shuke.access.rules.passwords import checked_password
from shuke.access.rules.people import NAME_CHARACTERS_MAX
from shuke.access.rules.permissions import PLACE_CHARACTERS_MAX, PLACES_MAX
from shuke.access.service import keys, links, passwords, users
from shuke.base.errors import BadInput
from shuke.base.language import Language
from shuke.platform import Metrics, Workplace
from shuke.platform.http import ABSENT, Flag, api, language_of

__all__ = ["user_routes"]

Reading = Annotated[Visit, needs("people.read")]
Writing = Annotated[Visit, needs("people.write")]
Open = Annotated[Visit, public()]

_Role = Annotated[str, Field(min_length=1, max_length=40)]
_Places = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=PLACE_CHARACTERS_MAX)]],
    Field(max_length=PLACES_MAX, description="regions or stores, as the scope of the role says"),
]


class UsersAnswer(BaseModel):
    """Some accounts; `next` is what to ask `after` for more."""

    items: list[User]
    next: UUID | None


class ChangeUserBody(Body):
    """What to change; what is absent stays, and a team of null is none."""

    role: _Role | None = None
    places: _Places | None = None
    disabled: Flag | None = None
    team_id: UUID | None = None
    keep_keys: Annotated[
        Flag, Field(description="let the API keys go on that they made and could not make any more")
    ] = False


class UserKeysAnswer(BaseModel):
    """The good API keys that somebody made, oldest first."""

    items: list[KeyBody]


class LinkAnswer(BaseModel):
    """A link to hand on. Nobody can be told it again; whoever has it can use it, once."""

    link: str
    expires_at: datetime


class NewInvitationBody(Body):
    """Whom to invite, and as what."""

    email: Email
    role: _Role
    places: _Places = Field(default=[])
    team_id: UUID | None = None


class InvitedAnswer(LinkAnswer):
    """An invitation that was just made, with its link."""

    invitation: Invitation


class InvitationsAnswer(BaseModel):
    """The invitations that may still be accepted, the latest first."""

    items: list[Invitation]


class TokenBody(Body):
    """The token of a link."""

    token: Token


class AcceptBody(Body):
    """How somebody with a link comes in: as whom, and with which password. Who gets back in keeps their name."""

    token: Token
    name: Name | None = None
    password: Password
    language: Language | None = None


class TeamBody(Body):
    """A team."""

    name: Name


class TeamsAnswer(BaseModel):
    """Every team, by name."""

    items: list[Team]


def user_routes(_: Workplace, __: Metrics) -> list[BaseRoute]:
    """The routes of accounts, teams and invitations."""
    router = api("access")
    _users(router)
    _invitations(router)
    _accepting(router)
    _teams(router)
    return list(router.routes)


def _users(router: APIRouter) -> None:
    @router.get("/users")
    def get_users(
        visit: Reading, after: UUID | None = None, limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 100
    ) -> UsersAnswer:
        with visit.read() as tx:
            page = users.list_users(tx, after=after, limit=limit)
        return UsersAnswer(items=list(page.users), next=page.next)

    @router.get("/users/{user_id}", responses=ABSENT)
    def get_user(visit: Reading, user_id: UUID) -> User:
        with visit.read() as tx:
            found = users.get_user(tx, user_id)
        visit.tagged(_noted(found))
        return found

    # Its tag stands for what can be changed: when somebody was here last does not matter.
    @router.patch("/users/{user_id}", responses=REFUSED | CHANGED)
    def patch_user(visit: Writing, user_id: UUID, body: ChangeUserBody) -> User:
        change = users.Change(
            role=body.role,
            places=None if body.places is None else tuple(body.places),
            disabled=body.disabled,
            team=(body.team_id,) if "team_id" in body.model_fields_set else None,
            keep_keys=body.keep_keys,
        )
        with visit.begin() as tx:
            doorway.sure(visit, tx)
            visit.meant(tx, lambda: _noted(users.get_user(tx, user_id)))
            changed = users.change_user(tx, visit.reader, user_id, change, doorway.now_utc())
            after = visit.tagged(_noted(changed.after))
            visit.note("user.change", before=_noted(changed.before), after=after)
            if changed.ended_keys:
                visit.note(ended_keys=[str(key) for key in changed.ended_keys])
        return changed.after

    @router.get("/users/{user_id}/keys", responses=ABSENT)
    def get_user_keys(visit: Reading, user_id: UUID) -> UserKeysAnswer:
        with visit.read() as tx:
            users.get_user(tx, user_id)
            found = keys.keys_made_by(tx, user_id, doorway.now_utc())
        return UserKeysAnswer(items=[key_body(key) for key in found])

    @router.post("/users/{user_id}/reset", responses=REFUSED)
    def post_reset(visit: Writing, user_id: UUID) -> LinkAnswer:
        now = doorway.now_utc()
        with visit.begin() as tx:
            doorway.sure(visit, tx)
            token = links.reset_link(tx, visit.reader, user_id, now)
            visit.note("user.reset")
            visit.tells_secret()
        return LinkAnswer(link=_link(visit.request, token), expires_at=now + links.RESET_LASTS)


def _invitations(router: APIRouter) -> None:
    @router.get("/invitations")
    def get_invitations(visit: Reading) -> InvitationsAnswer:
        with visit.read() as tx:
            return InvitationsAnswer(items=list(links.list_invitations(tx, doorway.now_utc())))

    @router.post("/invitations", responses=REFUSED)
    def post_invitation(visit: Writing, body: NewInvitationBody) -> InvitedAnswer:
        with visit.begin() as tx:
            doorway.sure(visit, tx)
            made, token = links.invite(tx, visit.reader, **body.model_dump(), now=doorway.now_utc())
            said = {"role": made.role, "places": list(made.places)}
            visit.note("invitation.make", invitation_id=made.invitation_id, after=said)
            visit.tells_secret()
        return InvitedAnswer(invitation=made, link=_link(visit.request, token), expires_at=made.expires_at)

    @router.delete("/invitations/{invitation_id:uuid}", responses=ABSENT, status_code=204)
    def delete_invitation(visit: Writing, invitation_id: UUID) -> None:
        with visit.begin() as tx:
            links.revoke_invitation(tx, invitation_id)
            visit.note("invitation.revoke")


def _accepting(router: APIRouter) -> None:
    # The token goes into the body, since addresses are logged on the way.
    @router.post("/invitations/find", responses=ABSENT | COUNTED)
    def find_invitation(visit: Open, body: TokenBody) -> Welcome:
        tries = doorway.tries_of(visit)
        doorway.count(visit, tries)
        with visit.aside() as tx:
            found = links.welcome(tx, body.token, doorway.now_utc())
            doorway.forgive(tx, tries)
        return found

    @router.post("/invitations/accept", responses=REFUSED | COUNTED)
    def accept_invitation(visit: Open, body: AcceptBody, response: Response) -> SignedInAnswer:
        doorway.refuse_plain_http(visit.request)
        tries = doorway.tries_of(visit)
        doorway.count(visit, tries)
        with visit.read() as tx:
            found = links.welcome(tx, body.token, doorway.now_utc())
        if found.kind is LinkKind.INVITATION and body.name is None:
            raise BadInput("access.bad_name", limit=NAME_CHARACTERS_MAX)
        chosen = checked_password(body.password, about=[found.email, found.name, body.name or ""])
        hashed = passwords.hashed(chosen)
        with visit.begin() as tx:
            user_id = links.accept(
                tx,
                body.token,
                name=body.name or found.name,
                password_hash=hashed,
                language=(body.language or language_of(visit.request)).value,
                now=doorway.now_utc(),
            )
            made = doorway.let_in(visit, tx, response, user_id, [Way.LINK], tries)
            visit.note(f"{found.kind.value}.accept", user_id=user_id)
        return doorway.answer_of(made)


def _teams(router: APIRouter) -> None:
    @router.get("/teams")
    def get_teams(visit: Reading) -> TeamsAnswer:
        with visit.read() as tx:
            return TeamsAnswer(items=list(users.list_teams(tx)))

    @router.post("/teams", responses=REFUSED)
    def post_team(visit: Writing, body: TeamBody) -> Team:
        with visit.begin() as tx:
            made = users.add_team(tx, body.name, doorway.now_utc())
            visit.note("team.make", team_id=made.team_id, after={"name": made.name})
        return made

    # Its tag stands for its name: who is in it is changed at the accounts.
    @router.get("/teams/{team_id}", responses=ABSENT)
    def get_team(visit: Reading, team_id: UUID) -> Team:
        with visit.read() as tx:
            found = users.get_team(tx, team_id)
        visit.tagged(found.name)
        return found

    @router.patch("/teams/{team_id}", responses=REFUSED | CHANGED)
    def patch_team(visit: Writing, team_id: UUID, body: TeamBody) -> Team:
        with visit.begin() as tx:
            visit.meant(tx, lambda: users.get_team(tx, team_id).name)
            made = users.rename_team(tx, team_id, body.name)
            visit.note("team.rename", after={"name": visit.tagged(made.name)})
        return made

    @router.delete("/teams/{team_id}", responses=ABSENT | CHANGED, status_code=204)
    def delete_team(visit: Writing, team_id: UUID) -> None:
        with visit.begin() as tx:
            visit.meant(tx, lambda: users.get_team(tx, team_id).name)
            users.delete_team(tx, team_id)
            visit.note("team.delete")


def _link(request: Request, token: str) -> str:
    """Where somebody comes in who was invited, or has to get back in."""
    return doorway.link_to(doorway.base_of(request), "invite", token)


def _noted(user: User) -> dict[str, object]:
    """What the audit log says of an account: nothing of the person."""
    said = asdict(user)
    return {name: said[name] for name in ("role", "places", "team_id")} | {"disabled": user.disabled_at is not None}
