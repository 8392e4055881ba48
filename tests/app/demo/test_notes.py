"""A demo knows what it has done, and touches nothing that is not its own."""

import os
from pathlib import Path

import pytest

from shuke.app.commands import demo
from shuke.app.demo.notes import Notes
from shuke.base.errors import BadInput
from shuke.base.language import Language, explain
from shuke.platform import EmbeddedPostgres


def test_notes_are_found_again_and_are_for_nobody_else(tmp_path: Path) -> None:
    folder = tmp_path / "demo" / "data"
    notes = Notes.of(folder)
    assert notes.weeks is None
    notes.write_key, notes.customers, notes.weeks = "key", [("id", "12748")], 780
    notes.finish("orders")
    again = Notes.of(folder)
    assert (again.done, again.write_key, again.counts, again.weeks) == (["orders"], "key", {}, 780)
    assert [tuple(one) for one in again.customers] == notes.customers
    assert (folder / "demo.json").stat().st_mode & 0o077 == 0


def test_a_folder_with_other_data_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "master.keys").write_text("a brand's", encoding="utf-8")
    options = demo.DemoOptions(language=Language.ENGLISH, out=tmp_path)
    with pytest.raises(BadInput) as refused:
        demo.run(options)
    assert str(tmp_path / "data") in explain(refused.value, Language.CHINESE)
    assert [path.name for path in tmp_path.rglob("*")] == ["data", "master.keys"]


def test_what_could_lead_to_a_brands_data_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://brand.example/live")
    monkeypatch.setenv("SHUKE_DATA_FOLDER", str(tmp_path / "brand"))
    monkeypatch.setenv("SHUKE_MASTER_KEY_FILE", str(tmp_path / "brand" / "keys"))
    monkeypatch.setenv("SHUKE_HOST", "0.0.0.0")  # noqa: S104 - refused below
    options = demo.DemoOptions(language=Language.ENGLISH, out=tmp_path)
    settings = demo._settings(options, tmp_path / "data")
    assert (settings.database_url, settings.master_key_file) == (None, None)
    assert (settings.data_folder, settings.host) == (tmp_path / "data", "127.0.0.1")
    # The orders are of the present, and so the facts may stay so.
    assert settings.nightly_refresh
    # The web process and the worker are told so too.
    told = settings.as_environment()
    assert (told["DATABASE_URL"], told["SHUKE_MASTER_KEY_FILE"]) == ("", "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as somebody else")
def test_below_a_folder_of_roots_own_the_data_are_where_the_server_can_be(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    elsewhere = demo._data_folder(closed / "demo")
    assert closed not in elsewhere.parents
    assert EmbeddedPostgres.fits(elsewhere)
    # The same demo is found again, and another one is not taken for it.
    assert demo._data_folder(closed / "demo") == elsewhere != demo._data_folder(closed / "other")


def test_where_the_server_can_be_the_data_are_beside_the_pages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(EmbeddedPostgres, "fits", lambda _: True)
    assert demo._data_folder(tmp_path) == tmp_path / "data"
