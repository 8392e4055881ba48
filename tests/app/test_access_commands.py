"""``shuke access key`` and ``shuke audit verify``, as a person runs them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from shuke import access
from shuke.app.commands import access as access_command
from shuke.app.commands import audit
from shuke.base.errors import BadInput
from shuke.base.language import Language
from shuke.platform import Database, Keyring


@pytest.fixture
def keyring_file(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "master.keys"
    Keyring.new().save(path)
    monkeypatch.setenv("DATABASE_URL", database.url)
    monkeypatch.setenv("SHUKE_DATA_FOLDER", str(tmp_path))
    return path


@pytest.mark.usefixtures("keyring_file")
def test_a_key_is_alone_on_standard_output_and_leaves_a_line(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = access_command.AccessOptions(action="key", name="BI", role="store_associate", days=3, places=("s1",))
    access_command.run(asked)
    said = capsys.readouterr()
    with database.begin() as tx:
        reader = access.reader_of_key(tx, said.out.strip(), datetime.now(UTC))
        assert tx.scalars(sa.text("SELECT action FROM audit_log")).all() == ["access.key"]
    assert reader is not None
    assert (reader.role, reader.places) == ("store_associate", ("s1",))
    assert "“BI” (store_associate)" in said.err
    with pytest.raises(BadInput, match=r"access\.bad_places"):
        access_command.run(access_command.AccessOptions(action="key", name="BI", role="store_associate"))


@pytest.mark.usefixtures("keyring_file")
def test_the_log_is_checked(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        access_command.run(access_command.AccessOptions(action="key", name=name, role="owner"))
    capsys.readouterr()
    audit.run(audit.AuditOptions())
    head = capsys.readouterr().out.splitlines()[-1]
    audit.run(audit.AuditOptions(head=head, language=Language.CHINESE))
    assert "审计日志完好：共 2 行" in capsys.readouterr().out
    # The whole database is put back, heads and all.
    with database.begin() as tx:
        for statement in ("ALTER TABLE audit_log DISABLE TRIGGER append_only", "DELETE FROM audit_log"):
            tx.execute(sa.text(statement))
        tx.execute(sa.text("DELETE FROM audit_heads"))
    audit.run(audit.AuditOptions())
    with pytest.raises(SystemExit) as ended:
        audit.run(audit.AuditOptions(head=head))
    assert ended.value.code == 1
    assert "ends too early" in capsys.readouterr().err
    with pytest.raises(BadInput, match=r"app\.bad_head"):
        audit.run(audit.AuditOptions(head="1:2"))
