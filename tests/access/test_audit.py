"""The audit log: with what it tells of or not at all, and every way to tamper with it is found."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from shuke import access
from shuke.access.model import Deed
from shuke.access.rules.audit import NOTE_CHARACTERS_MAX, kept
from shuke.access.service import audit
from shuke.base.spreadsheets import neutral
from shuke.platform import Database, Keyring, Workplace

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
LINES = 2_500

pytestmark = pytest.mark.slow


def write(database: Database, keyring: Keyring, count: int, *, now: datetime = NOW) -> None:
    with database.begin() as tx:
        for number in range(count):
            deed = Deed("test.done", {"id": str(number)}, {"phone": "138****5678"}, {"share": 0.1, "big": 1e22, "n": 1})
            access.record(tx, keyring, access.COMMAND, deed, now)


@pytest.fixture(scope="module")
def written(new_database: Callable[[], str], keyring: Keyring) -> str:
    """The address of a database whose log has some thousand lines, of three days."""
    address = new_database()
    with Database(address) as database:
        for day in range(3):
            write(database, keyring, (LINES + 2 - day) // 3, now=NOW + timedelta(days=day))
    return address


def checked(database: Database, keyring: Keyring, known: tuple[int, bytes] | None = None) -> Any:
    with database.read() as tx:
        return access.verify(tx, keyring, known=known)


def test_a_log_that_nobody_touched_holds(written: str, keyring: Keyring) -> None:
    with Database(written) as database:
        found = checked(database, keyring)
        assert (found.entries, found.head_seq, found.broken) == (LINES, LINES, None)
        assert checked(database, keyring, (LINES, found.head_hash)).broken is None
        assert checked(database, keyring, (LINES, bytes(32))).broken.what == "head_differs"
        assert checked(database, keyring, (LINES + 1, bytes(32))).broken.what == "cut_off"
        # Another's keys did not sign this.
        assert checked(database, Keyring.new()).broken.what == "head_forged"


# A statement that tampers, where it is found, and as what.
TAMPERED = {
    "flip a value": ("UPDATE audit_log SET after = '{\"share\":0.2}' WHERE seq = 1250", 1250, "changed"),
    "flip who": ("UPDATE audit_log SET who = 'somebody else' WHERE seq = 1", 1, "changed"),
    "flip a moment": ("UPDATE audit_log SET at = at + interval '1 microsecond' WHERE seq = 2499", 2499, "changed"),
    "flip a hash": ("UPDATE audit_log SET hash = sha256(hash) WHERE seq = 77", 77, "changed"),
    "delete": ("DELETE FROM audit_log WHERE seq = 1080", 1080, "missing"),
    "delete the first": ("DELETE FROM audit_log WHERE seq = 1", 1, "missing"),
    "reorder": (
        "UPDATE audit_log SET seq = 21 - seq WHERE seq IN (10, 11)",
        10,
        "changed",
    ),
    "truncate": ("DELETE FROM audit_log WHERE seq > 2490", 2491, "cut_off"),
    "truncate with the day's head": (
        """DELETE FROM audit_log WHERE seq > 2490;
        UPDATE audit_heads SET seq = 2490, hash = (SELECT hash FROM audit_log WHERE seq = 2490)
        WHERE day = (SELECT max(day) FROM audit_heads)""",
        2490,
        "head_forged",
    ),
    "empty it": ("DELETE FROM audit_log", 1, "cut_off"),
    "drop the heads": ("DELETE FROM audit_heads", LINES, "head_differs"),
    "drop the last head": (
        "DELETE FROM audit_heads WHERE day = (SELECT max(day) FROM audit_heads)",
        1_668,
        "head_differs",
    ),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_tampering_is_found(case: str, written: str, keyring: Keyring) -> None:
    statements, seq, what = TAMPERED[case]
    with Database(written) as database, database.begin() as tx:
        tx.execute(sa.text("ALTER TABLE audit_log DISABLE TRIGGER append_only"))
        # In turn, since each number may be there only once.
        tx.execute(sa.text("ALTER TABLE audit_log DROP CONSTRAINT pk_audit_log"))
        for statement in statements.split(";"):
            tx.execute(sa.text(statement.replace(":", r"\:")))
        broken = access.verify(tx, keyring).broken
        assert broken is not None
        assert (broken.seq, broken.what) == (seq, what)
        tx.rollback()


def test_who_makes_the_chain_anew_lacks_the_key(written: str, keyring: Keyring) -> None:
    """A line is changed, and all that follow are hashed anew: the chain holds, the signed heads do not."""
    with Database(written) as database, database.begin() as tx:
        tx.execute(sa.text("ALTER TABLE audit_log DISABLE TRIGGER append_only"))
        tx.execute(sa.text("UPDATE audit_log SET who = 'somebody else' WHERE seq = 2250"))
        previous = tx.scalar(sa.text("SELECT hash FROM audit_log WHERE seq = 2249"))
        for entry in list(audit._all(tx))[2249:]:
            made = audit.chained(previous, {name: getattr(entry, name) for name in audit._HASHED})
            tx.execute(
                sa.text("UPDATE audit_log SET previous = :previous, hash = :made WHERE seq = :seq"),
                {"previous": previous, "made": made, "seq": entry.seq},
            )
            previous = made
        broken = access.verify(tx, keyring).broken
        assert broken is not None
        assert broken.what == "head_differs"
        tx.rollback()


def test_what_was_cut_off_stays_missing_whoever_writes_next(database: Database, keyring: Keyring) -> None:
    write(database, keyring, 10)
    with database.begin() as tx:
        tx.execute(sa.text("ALTER TABLE audit_log DISABLE TRIGGER append_only"))
        tx.execute(sa.text("DELETE FROM audit_log WHERE seq > 8"))
        tx.execute(sa.text("ALTER TABLE audit_log ENABLE TRIGGER append_only"))
    write(database, keyring, 1)
    broken = checked(database, keyring).broken
    assert (broken.seq, broken.what) == (9, "missing")


def test_nobody_changes_a_line_by_mistake(database: Database, keyring: Keyring) -> None:
    write(database, keyring, 1)
    for statement in ("UPDATE audit_log SET who = ''", "DELETE FROM audit_log", "TRUNCATE audit_log"):
        with database.begin() as tx, pytest.raises(sa.exc.IntegrityError):
            tx.execute(sa.text(statement))


def test_a_clock_that_is_set_back_breaks_nothing(database: Database, keyring: Keyring) -> None:
    write(database, keyring, 2)
    write(database, keyring, 2, now=NOW - timedelta(days=400))
    write(database, keyring, 2, now=NOW + timedelta(days=1))
    found = checked(database, keyring)
    assert (found.entries, found.broken) == (6, None)


def test_a_write_and_its_line_are_one(ask: Any, workplace: Workplace, key_for: Callable[..., str]) -> None:
    owner = key_for(workplace, "owner")

    def lines() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = ask("GET", "/api/audit", key=owner).json()["items"]
        return found

    assert lines() == []
    answer = ask("PUT", "/api/stores/s1", key=owner, json={"name": "West Lake"})
    assert answer.status_code == 200
    (line,) = lines()
    assert (line["who_kind"], line["who"], line["action"]) == ("key", "owner", "PUT /api/stores/{store_id}")
    assert line["object"] == {"store_id": "s1"}
    assert line["request_id"] == answer.headers["x-request-id"]
    # What was refused, or only read, is not there.
    assert ask("PUT", "/api/stores/s1", key=owner, json={"time_zone": "Nowhere"}).status_code == 422
    assert ask("PUT", "/api/stores/s1", json={}).status_code == 401
    assert ask("GET", "/api/stores", key=owner).status_code == 200
    assert ask("POST", "/api/customers/find", key=owner, json={"kind": "phone", "value": "1"}).status_code == 404
    assert len(lines()) == 1
    assert checked(workplace.database, workplace.keyring).broken is None


def test_a_log_that_cannot_be_written_lets_nothing_be_done(
    ask: Any, workplace: Workplace, key_for: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = key_for(workplace, "owner")

    def fails(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(audit, "record", fails)
    assert ask("PUT", "/api/stores/s1", key=owner, json={}).status_code == 500
    monkeypatch.undo()
    assert ask("GET", "/api/stores/s1", key=owner).status_code == 404


def test_the_log_is_read_by_page_and_filter(ask: Any, workplace: Workplace, key_for: Callable[..., str]) -> None:
    owner, auditor = key_for(workplace, "owner"), key_for(workplace, "auditor")
    for number in range(5):
        ask("PUT", f"/api/stores/s{number}", key=owner, json={})
    ask("PUT", "/api/channels/web", key=owner, json={})
    first = ask("GET", "/api/audit", key=auditor, params={"limit": 4}).json()
    second = ask("GET", "/api/audit", key=auditor, params={"limit": 4, "before": first["next"]}).json()
    assert [one["seq"] for one in first["items"] + second["items"]] == [6, 5, 4, 3, 2, 1]
    assert second["next"] is None
    who = first["items"][0]["who_id"]
    for params, count in (
        ({"about": "s3"}, 1),
        ({"action": "PUT /api/channels/{channel}"}, 1),
        ({"who": who}, 6),
        ({"who": "01a20336-07fd-7b0c-b0f9-768c7fbccdd6"}, 0),
        ({"since": "2000-01-01T00:00:00Z", "until": "2000-01-02T00:00:00Z"}, 0),
        ({"since": "2000-01-01T00:00:00Z"}, 6),
    ):
        assert len(ask("GET", "/api/audit", key=auditor, params=params).json()["items"]) == count, params
    assert ask("GET", "/api/audit", key=key_for(workplace, "analyst")).status_code == 403


def test_the_file_holds_no_formulas_and_leaves_a_line(
    ask: Any, workplace: Workplace, key_for: Callable[..., str]
) -> None:
    owner = key_for(workplace, "owner")
    ask("POST", "/api/keys", key=owner, json={"name": "=HYPERLINK(1)", "role": "owner"})
    named = ask("POST", "/api/keys", key=owner, json={"name": "@SUM(1)"}).json()["secret"]
    ask("PUT", "/api/stores/-1+2", key=named, json={})
    file = ask("GET", "/api/audit.csv", key=owner)
    assert file.headers["content-type"].startswith("text/csv")
    assert "'@SUM(1)" in file.text
    assert ",@SUM(1)" not in file.text
    assert file.text.count("\r\n") == 4
    (line,) = ask("GET", "/api/audit", key=owner, params={"action": "audit.export"}).json()["items"]
    assert line["object"] == {"lines": 3}


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\r=1"])
def test_formulas_are_neutralised(text: str) -> None:
    assert neutral(text) == f"'{text}"
    assert neutral("a=1") == "a=1"


def test_a_note_is_what_the_database_can_hold() -> None:
    assert kept({"a\x00": ["b\x00", {"c": "\\u0000"}], "d": "\ud800"}) == {"a": ["b", {"c": "\\u0000"}], "d": "?"}
    assert kept({"at": NOW, "none": None}) == {"at": str(NOW), "none": None}
    assert kept({"text": "x" * NOTE_CHARACTERS_MAX}) == {"characters": NOTE_CHARACTERS_MAX + 11}
    assert kept(None) is None
