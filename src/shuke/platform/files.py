"""Files that people send or that are made for them, kept in PostgreSQL for a time.

Most hold names and phone numbers: order files, lists, reports. A file is therefore kept in pieces, each encrypted under
a key of the file's own, which a master key wraps; the associated data says of which file a piece is, which one, and
whether it is the last, so that none can be changed, moved, or left off.

Files go in and come out piece by piece: however large one is, a process holds about two pieces of it, and no connection
while it waits for whoever sends or receives.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA

from shuke.base.errors import BadInput, Conflict, NotAvailable, NotFound
from shuke.base.ids import new_id
from shuke.platform.crypto import Keyring, Sealer, Wrapped, new_key, sealer_of
from shuke.platform.database import Database, Transaction, metadata
from shuke.platform.jobs import Workplace

__all__ = [
    "FILE_BYTES_MAX",
    "Asker",
    "FileWriter",
    "StoredFile",
    "copy_file",
    "delete_file",
    "forget_files",
    "get_file",
    "new_file",
    "read_file",
    "rewrap_files",
    "store_path",
]

#: Of one file, of all files of a kind together, and how many of a kind there may be.
FILE_BYTES_MAX = 500_000_000
KIND_BYTES_MAX = 5_000_000_000
KIND_FILES_MAX = 10_000
PIECE_BYTES = 1_000_000
NAME_CHARACTERS_MAX = 200
#: After so long without another piece nobody is sending any more.
ABANDONED_SECONDS = 3_600
# Files that one turn of the sweep deletes, each in a transaction of its own.
_FORGET_MAX = 500

_MOMENT = sa.DateTime(timezone=True)
_UNFIT = re.compile(r'[\x00-\x1f\x7f"\\/:*?<>|]')

files = sa.Table(
    "files",
    metadata,
    sa.Column("file_id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", BYTEA),
    sa.Column("pieces", sa.Integer, nullable=False),
    sa.Column("key_version", sa.Integer, nullable=False),
    sa.Column("key_cipher", BYTEA, nullable=False),
    sa.Column("who_kind", sa.Text, nullable=False),
    sa.Column("who_id", sa.Uuid),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("created_at", _MOMENT, nullable=False),
    sa.Column("touched_at", _MOMENT, nullable=False),
    sa.Column("finished_at", _MOMENT),
    sa.Column("expires_at", _MOMENT, nullable=False),
)
file_pieces = sa.Table(
    "file_pieces",
    metadata,
    sa.Column("file_id", sa.Uuid, sa.ForeignKey("files.file_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("cipher", BYTEA, nullable=False),
)


@dataclass(frozen=True)
class Asker:
    """Who sent a file or asked for work: what they are (``user``, ``key``, ``command``), which one, and their name."""

    kind: str
    id: UUID | None
    name: str


@dataclass(frozen=True)
class StoredFile:
    """A file that is kept whole, until it expires; ``kind`` says what for, and counts it among its like."""

    file_id: UUID
    kind: str
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    asker: Asker
    created_at: datetime
    expires_at: datetime


class FileWriter:
    """A file that is being kept. It is there once :meth:`finish` is committed; without that, nothing of it stays."""

    def __init__(self, database: Database, file_id: UUID, kind: str, sealer: Sealer) -> None:
        self.file_id = file_id
        self._database = database
        self._kind = kind
        self._sealer = sealer
        self._rest = bytearray()
        self._size = 0
        self._pieces = 0
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Keep some more of it.

        Raises:
            BadInput: ``platform.file_too_large``.
            Conflict: ``platform.files_full`` when all files of the kind are too large together.
        """
        self._size += len(data)
        if self._size > FILE_BYTES_MAX:
            raise BadInput("platform.file_too_large", limit_mb=FILE_BYTES_MAX // 1_000_000)
        self._rest += data
        # Something always stays, since the last piece says that it is the last.
        while len(self._rest) > PIECE_BYTES:
            piece = bytes(self._rest[:PIECE_BYTES])
            del self._rest[:PIECE_BYTES]
            with self._database.begin() as tx:
                # The commit that finishes the file waits for the disk, and so for all before it.
                tx.execute(sa.text("SET LOCAL synchronous_commit TO off"))
                self._save(tx, piece, last=False)

    def finish(self, tx: Transaction) -> StoredFile:
        """Keep the rest; from the commit of this transaction on the file is there."""
        self._save(tx, bytes(self._rest), last=True)
        found = tx.execute(
            sa.update(files)
            .where(files.c.file_id == self.file_id)
            .values(finished_at=sa.func.now(), sha256=self._hash.digest(), pieces=self._pieces)
            .returning(*_SHOWN)
        ).one()
        return _file(found)

    def _save(self, tx: Transaction, piece: bytes, *, last: bool) -> None:
        self._hash.update(piece)
        cipher = self._sealer.seal(piece, about=_about(self.file_id, self._pieces, last=last))
        kept = tx.execute(
            sa.update(files)
            .where(files.c.file_id == self.file_id, files.c.finished_at.is_(None))
            .values(size_bytes=files.c.size_bytes + len(piece), touched_at=sa.func.now())
        )
        if not kept.rowcount:
            # The sweep took it for abandoned.
            raise NotFound("platform.no_file")
        total = tx.scalar(sa.select(sa.func.sum(files.c.size_bytes)).where(files.c.kind == self._kind))
        if total > KIND_BYTES_MAX:
            raise Conflict("platform.files_full", limit_mb=KIND_BYTES_MAX // 1_000_000)
        tx.execute(sa.insert(file_pieces).values(file_id=self.file_id, number=self._pieces, cipher=cipher))
        self._pieces += 1


@contextmanager
def new_file(
    place: Workplace, *, kind: str, name: str, media_type: str, asker: Asker, days: int
) -> Iterator[FileWriter]:
    """Keep a file: write to it, then finish it in a transaction; when the block ends otherwise, nothing stays.

    Args:
        place: whose database and keys. The pieces are written in short transactions of their own.
        kind: what it is for, a code.
        name: what it is called; of a path the last part.
        media_type: what is in it.
        asker: whose it is.
        days: after which it is deleted.

    Raises:
        BadInput: ``platform.bad_file_name``.
        Conflict: ``platform.too_many_files`` of this kind.
    """
    file_id, key, shown = new_id(), new_key(), _name_of(name)
    wrapped = place.keyring.wrap(key, about=_about_key(file_id))
    with place.database.begin() as tx:
        found = tx.scalar(sa.select(sa.func.count()).where(files.c.kind == kind))
        if found is not None and found >= KIND_FILES_MAX:
            raise Conflict("platform.too_many_files", limit=KIND_FILES_MAX)
        now = sa.func.now()
        tx.execute(
            sa.insert(files).values(
                file_id=file_id,
                kind=kind,
                name=shown,
                media_type=media_type[:100],
                size_bytes=0,
                pieces=0,
                key_version=wrapped.version,
                key_cipher=wrapped.cipher,
                who_kind=asker.kind,
                who_id=asker.id,
                who=asker.name,
                created_at=now,
                touched_at=now,
                expires_at=now + sa.func.make_interval(0, 0, 0, days),
            )
        )
    try:
        yield FileWriter(place.database, file_id, kind, sealer_of(key))
    finally:
        # Where the block ends within the transaction that finishes the file, its row is that transaction's.
        begun = sa.select(files.c.file_id).where(files.c.file_id == file_id, files.c.finished_at.is_(None))
        with place.database.begin() as tx:
            tx.execute(sa.delete(files).where(files.c.file_id.in_(begun.with_for_update(skip_locked=True))))


def get_file(tx: Transaction, file_id: UUID, *, kind: str | None = None, asker: Asker | None = None) -> StoredFile:
    """A file that is whole and has not expired; of this kind and this asker's, where they are given.

    Raises:
        NotFound: ``platform.no_file``, whether there is none or it is another's.
    """
    wanted = [files.c.file_id == file_id, files.c.finished_at.is_not(None), files.c.expires_at > sa.func.now()]
    if kind is not None:
        wanted.append(files.c.kind == kind)
    if asker is not None:
        wanted += [files.c.who_kind == asker.kind, files.c.who_id.is_not_distinct_from(asker.id)]
    found = tx.execute(sa.select(*_SHOWN).where(*wanted)).one_or_none()
    if found is None:
        raise NotFound("platform.no_file")
    return _file(found)


def read_file(place: Workplace, file: StoredFile) -> Iterator[bytes]:
    """What is in it, piece by piece, each read in a transaction of its own; the first is read before this returns.

    Raises:
        NotFound: ``platform.no_file`` when it has expired.
        NotAvailable: ``platform.does_not_open`` for pieces that are not as they were written, ``platform.file_damaged``
            where some are missing.
    """
    with place.database.read() as tx:
        row = tx.execute(
            sa.select(files.c.key_version, files.c.key_cipher, files.c.pieces).where(files.c.file_id == file.file_id)
        ).one_or_none()
    if row is None:
        raise NotFound("platform.no_file")
    key = place.keyring.unwrap(Wrapped(row.key_version, row.key_cipher), about=_about_key(file.file_id))
    sealer = sealer_of(key)

    def piece(number: int) -> bytes:
        one = sa.select(file_pieces.c.cipher).where(
            file_pieces.c.file_id == file.file_id, file_pieces.c.number == number
        )
        with place.database.read() as tx:
            cipher = tx.scalar(one)
        if cipher is None:
            raise NotAvailable("platform.file_damaged", name=file.name)
        return sealer.open(cipher, about=_about(file.file_id, number, last=number == row.pieces - 1))

    first = piece(0)

    def pieces() -> Iterator[bytes]:
        yield first
        for number in range(1, row.pieces):
            yield piece(number)

    return pieces()


def copy_file(place: Workplace, file: StoredFile, path: Path) -> None:
    """Write it, in clear, to a path that nobody else may read; raises what :func:`read_file` raises."""
    path.touch(mode=0o600)
    with path.open("wb") as out:
        for piece in read_file(place, file):
            out.write(piece)


def store_path(path: Path, writer: FileWriter) -> None:
    """Keep what is in a file on disk."""
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            writer.write(piece)


def delete_file(tx: Transaction, file_id: UUID) -> None:
    """Delete it, if it is there."""
    tx.execute(sa.delete(files).where(files.c.file_id == file_id))


def forget_files(database: Database, now: datetime) -> int:
    """Delete what has expired, and what was begun and is not sent any more. Returns how many files."""
    abandoned = sa.and_(
        files.c.finished_at.is_(None),
        files.c.touched_at < now - sa.func.make_interval(0, 0, 0, 0, 0, 0, ABANDONED_SECONDS),
    )
    with database.read() as tx:
        ended = tx.scalars(
            sa.select(files.c.file_id).where(sa.or_(files.c.expires_at <= now, abandoned)).limit(_FORGET_MAX)
        ).all()
    for file_id in ended:
        with database.begin() as tx:
            delete_file(tx, file_id)
    return len(ended)


def rewrap_files(tx: Transaction, keyring: Keyring) -> int:
    """Wrap the key of every file under the newest master key; returns how many were under an older one."""
    old = files.c.key_version < keyring.version
    rows = tx.execute(sa.select(files.c.file_id, files.c.key_version, files.c.key_cipher).where(old).with_for_update())
    done = 0
    for row in rows.all():
        key = keyring.unwrap(Wrapped(row.key_version, row.key_cipher), about=_about_key(row.file_id))
        wrapped = keyring.wrap(key, about=_about_key(row.file_id))
        anew = {"key_version": wrapped.version, "key_cipher": wrapped.cipher}
        tx.execute(sa.update(files).where(files.c.file_id == row.file_id).values(anew))
        done += 1
    return done


_SHOWN = (
    *(files.c[name] for name in ("file_id", "kind", "name", "media_type", "size_bytes", "sha256")),
    *(files.c[name] for name in ("who_kind", "who_id", "who", "created_at", "expires_at")),
)


def _file(row: Any) -> StoredFile:
    return StoredFile(
        file_id=row.file_id,
        kind=row.kind,
        name=row.name,
        media_type=row.media_type,
        size_bytes=row.size_bytes,
        sha256=row.sha256.hex(),
        asker=Asker(row.who_kind, row.who_id, row.who),
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def _about(file_id: UUID, number: int, *, last: bool) -> bytes:
    return f"file_pieces:{file_id}:{number}:{'last' if last else 'more'}".encode()


def _about_key(file_id: UUID) -> bytes:
    return f"files:{file_id}".encode()


def _name_of(given: str) -> str:
    """The last part of a path, without what no file system or header takes; BadInput for what is no name then."""
    name = _UNFIT.sub("_", re.split(r"[\\/]", given)[-1]).strip(" .")
    if not 0 < len(name) <= NAME_CHARACTERS_MAX:
        raise BadInput("platform.bad_file_name", limit=NAME_CHARACTERS_MAX)
    return name
