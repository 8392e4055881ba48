from datetime import UTC, datetime
from pathlib import Path

import pytest

from shuke import privacy
from shuke.app.commands import keys
from shuke.base.ids import new_id
from shuke.platform import Database, Keyring

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)


@pytest.fixture
def key_file(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "master.keys"
    Keyring.new().save(path)
    monkeypatch.setenv("DATABASE_URL", database.url)
    monkeypatch.setenv("SHUKE_DATA_FOLDER", str(tmp_path))
    monkeypatch.setattr(keys, "BATCH_KEYS", 10)
    # Logs of a command are not those of the test run.
    monkeypatch.setattr(keys, "configure_logs", lambda _: None)
    monkeypatch.setattr("shuke.app.commands.imports.configure_logs", lambda _: None)
    return path


def test_a_running_process_reads_on_after_a_rotation(
    database: Database, key_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    running, persons = Keyring.load(key_file), [new_id() for _ in range(25)]
    with database.begin() as tx:
        privacy.write_many(tx, running, [(person, "name", "王小明") for person in persons], NOW)
    keys.run(keys.KeysOptions())
    assert "25 data keys are under master key 2" in capsys.readouterr().out
    with database.begin() as tx:
        assert len(privacy.read_fields(tx, running, persons)) == 25
        assert running.version == 2


def test_an_interrupted_rotation_is_finished_before_the_next(
    database: Database, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.begin() as tx:
        values = [(new_id(), "name", "王小明") for _ in range(25)]
        privacy.write_many(tx, Keyring.load(key_file), values, NOW)
    rewrap, seen = privacy.rewrap, []

    def interrupted(*arguments: object) -> privacy.Rewrapped:
        if seen:
            raise KeyboardInterrupt
        seen.append(rewrap(*arguments))  # type: ignore[arg-type]  # passed on as they came
        return seen[0]

    monkeypatch.setattr(privacy, "rewrap", interrupted)
    with pytest.raises(KeyboardInterrupt):
        keys.run(keys.KeysOptions())
    monkeypatch.setattr(privacy, "rewrap", rewrap)
    assert Keyring.load(key_file).version == 2
    with database.begin() as tx:
        assert privacy.outdated_keys(tx, Keyring.load(key_file)) == 15
    keys.run(keys.KeysOptions())
    assert Keyring.load(key_file).version == 2
    with database.begin() as tx:
        assert privacy.outdated_keys(tx, Keyring.load(key_file)) == 0
    keys.run(keys.KeysOptions())
    assert Keyring.load(key_file).version == 3
