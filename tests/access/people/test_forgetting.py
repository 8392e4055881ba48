"""What has ended is forgotten, and nothing else."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shuke.access import jobs
from shuke.access.http import doorway
from shuke.access.service import attempts, links, passkeys, sessions
from shuke.platform import Database, Workplace

TABLES = ("sessions", "links", "challenges", "attempts")


def counts(database: Database) -> list[int]:
    with database.read() as tx:
        return [tx.execute(sa.select(sa.func.count()).select_from(sa.table(name))).scalar_one() for name in TABLES]


def test_what_has_ended_is_forgotten_every_hour(
    workplace: Workplace, owner: Any, add_user: Callable[..., UUID]
) -> None:
    anna = add_user("anna@brand.cn")
    assert owner.post("/api/invitations", {"email": "new@brand.cn", "role": "analyst"}).status_code == 200
    assert owner.post(f"/api/users/{anna}/reset").status_code == 200
    owner.post("/api/session/passkey/options")
    assert counts(workplace.database) == [1, 2, 1, 1]
    context: Any = SimpleNamespace(additional_context={"workplace": workplace})
    jobs.forget_ended(context, timestamp=0)
    assert counts(workplace.database) == [1, 2, 1, 1]
    with workplace.database.begin() as tx:
        for hours, left in ((1, (1, 2, 0, 1)), (25, (0, 2, 0, 0)), (746, (0, 1, 0, 0)), (890, (0, 0, 0, 0))):
            now = doorway.now_utc() + timedelta(hours=hours)
            forgotten = (sessions.forget_sessions, links.forget_links, passkeys.forget_challenges)
            for forget in (*forgotten, attempts.forget_attempts):
                forget(tx, now)
            found = [tx.execute(sa.select(sa.func.count()).select_from(sa.table(name))).scalar_one() for name in TABLES]
            assert (hours, tuple(found)) == (hours, left)
