"""Keys and ciphers for personal data.

Three kinds of keys, so that each can change without the others:

- A **master key** wraps data keys. It has a version; rotation adds one and wraps the data keys anew, while data stay
  as they are.
- A **data key** belongs to one person and encrypts their fields. Destroying it erases the person in every copy.
- An **index key** belongs to one kind of value and makes blind indexes: the same value gives the same sixteen bytes,
  and nobody without the key can tell or try the value. It never changes, since indexes could not be made anew without
  reading every value.

Everything is AES-256-GCM-SIV (RFC 8452), which stays safe should a nonce ever repeat, from ``cryptography``. The
associated data names the place of a ciphertext, so that one moved to another row or column does not open.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from shuke.base.errors import BadInput, NotAvailable

__all__ = ["Keyring", "Sealer", "Wrapped", "new_key", "sealer_of"]

KEY_BYTES = 32
INDEX_BYTES = 16
_NONCE_BYTES = 12


def new_key() -> bytes:
    """A data key: 32 random bytes."""
    return secrets.token_bytes(KEY_BYTES)


@dataclass(frozen=True)
class Sealer:
    """Encrypts under one key, which is set up once: that takes longer than a short value."""

    version: int
    _cipher: AESGCMSIV = field(repr=False)

    def seal(self, plain: bytes, *, about: bytes) -> bytes:
        """Nonce and ciphertext. ``about`` names the place; :meth:`open` has to name the same."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, about)

    def open(self, cipher: bytes, *, about: bytes) -> bytes:
        """The plain bytes; NotAvailable ``platform.does_not_open`` for another key, place, or a changed ciphertext."""
        try:
            return self._cipher.decrypt(cipher[:_NONCE_BYTES], cipher[_NONCE_BYTES:], about)
        except (InvalidTag, ValueError):
            raise NotAvailable("platform.does_not_open") from None


def sealer_of(key: bytes) -> Sealer:
    """A sealer under a data key, which has no version: a master key's is kept beside it."""
    return Sealer(0, AESGCMSIV(key))


@dataclass(frozen=True)
class Wrapped:
    """A data key under a master key of this version."""

    version: int
    cipher: bytes


@dataclass(frozen=True)
class Keyring:
    """The master keys by version, and the root of the index keys; never printed."""

    masters: Mapping[int, bytes] = field(repr=False)
    index_root: bytes = field(repr=False)
    # Set up once each; a derivation takes as long as ten indexes.
    _wrappers: dict[int, Sealer] = field(default_factory=dict, repr=False, compare=False)
    _indexers: dict[str, HMAC] = field(default_factory=dict, repr=False, compare=False)
    _signing_keys: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)
    _sealers: dict[tuple[str, int], Sealer] = field(default_factory=dict, repr=False, compare=False)
    # Where the keys were read from, to look again for those that were added since.
    _file: Path | None = field(default=None, repr=False, compare=False)

    @classmethod
    def new(cls) -> Keyring:
        """A first master key and an index root, from the system's randomness."""
        return cls({1: new_key()}, new_key())

    @classmethod
    def load(cls, path: Path) -> Keyring:
        """The keys of a file.

        Raises:
            NotAvailable: ``platform.no_master_key`` when the file is not there.
            BadInput: ``platform.bad_master_key`` when it cannot be read, ``platform.open_master_key`` when others may
                read it too.
        """
        try:
            lines = path.read_text(encoding="ascii").split("\n")
            if path.stat().st_mode & 0o077:
                raise BadInput("platform.open_master_key", file=str(path))
            entries = dict(line.split(" ", 1) for line in lines if line.strip() and not line.startswith("#"))
            keys = {name: base64.b64decode(text, validate=True) for name, text in entries.items()}
            root = keys.pop("index")
            masters = {int(version): key for version, key in keys.items()}
        except FileNotFoundError:
            raise NotAvailable("platform.no_master_key", file=str(path)) from None
        except (ValueError, KeyError):
            raise BadInput("platform.bad_master_key", file=str(path)) from None
        if not masters or any(len(key) != KEY_BYTES for key in (*masters.values(), root)):
            raise BadInput("platform.bad_master_key", file=str(path))
        return cls(masters, root, _file=path)

    def save(self, path: Path) -> None:
        """Write the file whole or not at all, for nobody else to read, and onto the disk before this returns."""
        lines = ["# Master keys of Shuke. Whoever has this file and the database can read personal data;"]
        lines.append("# without this file nobody can. Keep a copy apart from the backups of the database.")
        lines += [f"{version} {base64.b64encode(key).decode()}" for version, key in sorted(self.masters.items())]
        lines.append(f"index {base64.b64encode(self.index_root).decode()}")
        partial = path.with_name(path.name + ".partial")
        with contextlib.suppress(FileNotFoundError):
            partial.unlink()
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @property
    def version(self) -> int:
        """The version that wraps new data keys."""
        return max(self.masters)

    def rotated(self) -> Keyring:
        """The same keys and a new master key, which wraps from now on."""
        return Keyring({**self.masters, self.version + 1: new_key()}, self.index_root)

    def wrap(self, key: bytes, *, about: bytes) -> Wrapped:
        """A data key under the newest master key."""
        wrapper = self._wrapper(self.version)
        return Wrapped(wrapper.version, wrapper.seal(key, about=about))

    def unwrap(self, wrapped: Wrapped, *, about: bytes) -> bytes:
        """The data key; NotAvailable ``platform.no_master_key_version`` when its master key is gone."""
        return self._wrapper(wrapped.version).open(wrapped.cipher, about=about)

    def sealer(self, purpose: str, version: int | None = None) -> Sealer:
        """A key of a purpose's own, derived from a master key, the newest if not named; for what is soon gone.

        Raises:
            NotAvailable: ``platform.no_master_key_version`` when that master key is gone.
        """
        chosen = self.version if version is None else version
        sealer = self._sealers.get((purpose, chosen))
        if sealer is None:
            key = HKDFExpand(SHA256(), KEY_BYTES, f"seal:{purpose}".encode()).derive(self._master(chosen))
            sealer = self._sealers[(purpose, chosen)] = Sealer(chosen, AESGCMSIV(key))
        return sealer

    def index(self, kind: str, value: str) -> bytes:
        """The blind index of a value among its kind: 16 bytes of HMAC-SHA-256 (so that a million collide never)."""
        indexer = self._indexers.get(kind)
        if indexer is None:
            indexer = self._indexers[kind] = HMAC(self._derived(f"index:{kind}"), SHA256())
        # A copy has the key set up already, which takes longer than a short value.
        one = indexer.copy()
        one.update(value.encode())
        return one.finalize()[:INDEX_BYTES]

    def sign(self, purpose: str, told: bytes) -> bytes:
        """A signature of what is told, which nobody without the keys can make: HMAC-SHA-256, a key for each purpose."""
        key = self._signing_keys.get(purpose)
        if key is None:
            key = self._signing_keys[purpose] = self._derived(f"sign:{purpose}")
        return hmac.digest(key, told, sha256)

    def _wrapper(self, version: int) -> Sealer:
        wrapper = self._wrappers.get(version)
        if wrapper is None:
            wrapper = self._wrappers[version] = Sealer(version, AESGCMSIV(self._master(version)))
        return wrapper

    def _master(self, version: int) -> bytes:
        # A process that has been running since before a rotation meets the new version first in the database.
        if version not in self.masters and self._file is not None:
            object.__setattr__(self, "masters", Keyring.load(self._file).masters)
        master = self.masters.get(version)
        if master is None:
            raise NotAvailable("platform.no_master_key_version", version=version)
        return master

    def _derived(self, name: str) -> bytes:
        """A key that never changes, since what it made could not be made anew."""
        return HKDFExpand(SHA256(), KEY_BYTES, name.encode()).derive(self.index_root)
