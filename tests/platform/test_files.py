"""Files go in and come out whole, are nobody's to change, and leave nothing when they are not sent to the end."""

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from shuke.base.errors import BadInput, Conflict, NotAvailable, NotFound
from shuke.platform import (
    Asker,
    StoredFile,
    Workplace,
    copy_file,
    delete_file,
    files,
    get_file,
    new_file,
    read_file,
    rewrap_files,
    store_path,
)
from shuke.platform.files import file_pieces
from shuke.platform.files import files as file_rows

LIN = Asker("user", uuid4(), "Lin")
HAN = Asker("user", uuid4(), "Han")
NAMES = "姓名,手机\n王小明,13812345678\n".encode()


def keep(place: Workplace, *parts: bytes, name: str = "orders.csv", days: int = 7) -> StoredFile:
    with new_file(place, kind="upload", name=name, media_type="text/csv", asker=LIN, days=days) as out:
        for part in parts:
            out.write(part)
        with place.database.begin() as tx:
            return out.finish(tx)


def rows(place: Workplace) -> tuple[int, int]:
    with place.database.read() as tx:
        found = [tx.scalar(sa.select(sa.func.count()).select_from(one)) for one in (file_rows, file_pieces)]
    return found[0] or 0, found[1] or 0


@pytest.mark.parametrize("table", [files.files, files.file_pieces], ids=lambda table: table.name)
def test_a_table_is_as_it_was_migrated(table: sa.Table, workplace: Workplace) -> None:
    with workplace.database.read() as tx:
        found = [
            (column["name"], column["type"].compile(tx.dialect), column["nullable"])
            for column in sa.inspect(tx).get_columns(table.name)
        ]
        declared = [(column.name, column.type.compile(tx.dialect), column.nullable) for column in table.columns]
    assert found == declared


@pytest.mark.parametrize("size", [0, 1, files.PIECE_BYTES, files.PIECE_BYTES + 1, 3 * files.PIECE_BYTES + 7])
def test_what_goes_in_comes_out(size: int, workplace: Workplace, tmp_path: Path) -> None:
    given = (b"0123456789" * (size // 10 + 1))[:size]
    kept = keep(workplace, given[: size // 3], given[size // 3 :], name="C:\\Lin\\orders:2026.csv")
    assert (kept.size_bytes, kept.name, kept.asker) == (size, "orders_2026.csv", LIN)
    with workplace.database.read() as tx:
        found = get_file(tx, kept.file_id, kind="upload", asker=LIN)
    assert found == kept
    assert b"".join(read_file(workplace, found)) == given
    copy_file(workplace, found, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == given
    assert (tmp_path / "copy").stat().st_mode & 0o077 == 0
    with workplace.database.begin() as tx:
        delete_file(tx, kept.file_id)
    assert rows(workplace) == (0, 0)


def test_nobody_reads_it_in_the_database(workplace: Workplace) -> None:
    keep(workplace, NAMES)
    with workplace.database.read() as tx:
        kept = [bytes(cipher) for cipher in tx.scalars(sa.select(file_pieces.c.cipher))]
    assert kept
    assert not any(b"13812345678" in cipher for cipher in kept)


def test_a_file_is_its_askers(workplace: Workplace) -> None:
    kept = keep(workplace, NAMES)
    with workplace.database.read() as tx:
        for wrong in ({"asker": HAN}, {"asker": replace(LIN, kind="key")}, {"kind": "report"}):
            with pytest.raises(NotFound, match="no_file"):
                get_file(tx, kept.file_id, **wrong)  # type: ignore[arg-type]
        with pytest.raises(NotFound, match="no_file"):
            get_file(tx, uuid4())


TAMPERED: dict[str, str] = {
    "changed": "UPDATE file_pieces SET cipher = set_byte(cipher, 20, get_byte(cipher, 20) # 1) WHERE number = 1",
    "swapped": "UPDATE file_pieces p SET cipher = o.cipher FROM file_pieces o"
    " WHERE o.number = CASE p.number WHEN 0 THEN 1 WHEN 1 THEN 0 END",
    "of another file": "UPDATE file_pieces p SET cipher = o.cipher FROM file_pieces o"
    " WHERE o.number = p.number AND o.file_id <> p.file_id",
    "without its end": "WITH gone AS (DELETE FROM file_pieces WHERE number = 2) UPDATE files SET pieces = 2",
    "without a piece": "DELETE FROM file_pieces WHERE number = 1",
}


@pytest.mark.parametrize("fault", TAMPERED)
def test_pieces_that_were_tampered_with_are_refused(fault: str, workplace: Workplace) -> None:
    one, other = (keep(workplace, letter * (2 * files.PIECE_BYTES + 5)) for letter in (b"a", b"b"))
    assert b"".join(read_file(workplace, one)) == b"a" * one.size_bytes
    with workplace.database.begin() as tx:
        tx.execute(sa.text(TAMPERED[fault]))
    for file in (one, other):
        with pytest.raises(NotAvailable, match=r"does_not_open|file_damaged"):
            list(read_file(workplace, file))


def test_what_is_not_sent_to_the_end_leaves_nothing(workplace: Workplace) -> None:
    def send() -> None:
        with new_file(workplace, kind="upload", name="x", media_type="text/csv", asker=LIN, days=1) as out:
            out.write(bytes(3 * files.PIECE_BYTES))
            assert rows(workplace) == (1, 2)
            with pytest.raises(NotFound), workplace.database.read() as tx:
                get_file(tx, out.file_id)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        send()
    assert rows(workplace) == (0, 0)


def test_what_a_killed_process_began_and_what_expired_is_swept(workplace: Workplace) -> None:
    kept, short = keep(workplace, NAMES, days=30), keep(workplace, NAMES, days=2)
    abandoned = new_file(workplace, kind="upload", name="x", media_type="text/csv", asker=LIN, days=30)
    writer = abandoned.__enter__()
    writer.write(bytes(2 * files.PIECE_BYTES))
    now = datetime.now(UTC)
    assert files.forget_files(workplace.database, now) == 0
    assert files.forget_files(workplace.database, now + timedelta(hours=2)) == 1
    with pytest.raises(NotFound, match="no_file"):
        writer.write(bytes(2 * files.PIECE_BYTES))
    assert files.forget_files(workplace.database, now + timedelta(days=3)) == 1
    with workplace.database.read() as tx:
        assert get_file(tx, kept.file_id) == kept
        with pytest.raises(NotFound):
            get_file(tx, short.file_id)


def test_the_limits_are_kept(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "FILE_BYTES_MAX", 3_000_000)
    with pytest.raises(BadInput, match="file_too_large"):
        keep(workplace, bytes(2_000_000), bytes(1_000_001))
    monkeypatch.setattr(files, "KIND_BYTES_MAX", 4_000_000)
    keep(workplace, bytes(2_500_000))
    with pytest.raises(Conflict, match="files_full"):
        keep(workplace, bytes(2_500_000))
    monkeypatch.setattr(files, "KIND_FILES_MAX", 1)
    with pytest.raises(Conflict, match="too_many_files"):
        keep(workplace, b"")
    assert rows(workplace)[0] == 1
    for bad in ("", "/", "x" * 201, " . "):
        with pytest.raises(BadInput, match="bad_file_name"):
            keep(workplace, b"", name=bad)


def test_a_new_master_key_takes_over(workplace: Workplace) -> None:
    kept = keep(workplace, NAMES)
    rotated = workplace.keyring.rotated()
    with workplace.database.begin() as tx:
        assert rewrap_files(tx, rotated) == 1
        assert rewrap_files(tx, rotated) == 0
    only_new = replace(rotated, masters={rotated.version: rotated.masters[rotated.version]})
    assert b"".join(read_file(replace(workplace, keyring=only_new), kept)) == NAMES
    with pytest.raises(NotAvailable):
        read_file(workplace, kept)


def test_a_large_file_is_never_whole_in_memory(workplace: Workplace, tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(20_000_000))

    def through() -> None:
        with new_file(workplace, kind="upload", name="large", media_type="text/csv", asker=LIN, days=1) as out:
            store_path(path, out)
            with workplace.database.begin() as tx:
                kept = out.finish(tx)
        assert sum(map(len, read_file(workplace, kept))) == 20_000_000

    assert peak(through) < 12_000_000
    assert peak(lambda: path.read_bytes() and None) > 12_000_000


def peak(work: Callable[[], None]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
