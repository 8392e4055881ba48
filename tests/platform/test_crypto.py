import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.base.errors import BadInput, NotAvailable
from shuke.platform import Keyring, Wrapped, new_key, sealer_of


@given(plain=st.binary(), about=st.binary())
def test_what_was_encrypted_comes_back(plain: bytes, about: bytes) -> None:
    key = new_key()
    cipher = sealer_of(key).seal(plain, about=about)
    assert sealer_of(key).open(cipher, about=about) == plain
    assert len(plain) < 4 or plain not in cipher


def test_another_key_place_or_a_changed_bit_does_not_open() -> None:
    key = new_key()
    cipher = sealer_of(key).seal(b"13800138000", about=b"person 1, phone")
    changed = bytes([*cipher[:-1], cipher[-1] ^ 1])
    for other_key, closed_up, about in (
        (new_key(), cipher, b"person 1, phone"),
        (key, cipher, b"person 2, phone"),
        (key, changed, b"person 1, phone"),
        (key, b"", b"person 1, phone"),
    ):
        with pytest.raises(NotAvailable) as closed:
            sealer_of(other_key).open(closed_up, about=about)
        assert closed.value.code == "platform.does_not_open"


def test_a_new_master_key_wraps_and_the_old_one_still_opens() -> None:
    keyring, key = Keyring.new(), new_key()
    before = keyring.wrap(key, about=b"person 1")
    rotated = keyring.rotated()
    after = rotated.wrap(key, about=b"person 1")
    assert (before.version, after.version) == (1, 2)
    assert rotated.unwrap(before, about=b"person 1") == rotated.unwrap(after, about=b"person 1") == key
    assert rotated.index("phone", "138") == keyring.index("phone", "138")
    with pytest.raises(NotAvailable) as gone:
        keyring.unwrap(after, about=b"person 1")
    assert gone.value.code == "platform.no_master_key_version"
    with pytest.raises(NotAvailable):
        rotated.unwrap(Wrapped(1, after.cipher), about=b"person 1")


def test_blind_indexes_differ_by_kind_value_and_keyring() -> None:
    one, other = Keyring.new(), Keyring.new()
    seen = {one.index("phone", "1"), one.index("phone", "2"), one.index("email", "1"), other.index("phone", "1")}
    assert len(seen) == 4
    assert all(len(index) == 16 for index in seen)
    assert one.index("phone", "1") == one.index("phone", "1")


def test_the_key_file_is_for_its_owner_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "master.keys"
    keyring = Keyring.new().rotated()
    keyring.save(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert Keyring.load(path) == keyring
    assert os.listdir(tmp_path) == ["master.keys"]  # noqa: PTH208 - names are what is asked
    assert repr(keyring.masters[1]) not in repr(keyring)
    path.chmod(0o640)
    with pytest.raises(BadInput, match=r"open_master_key"):
        Keyring.load(path)
    path.chmod(0o600)
    for spoilt in ("", "1 short\n", "1 !!!\nindex !!!\n", "no space\n"):
        path.write_text(spoilt)
        with pytest.raises(BadInput, match=r"bad_master_key"):
            Keyring.load(path)
    path.unlink()
    with pytest.raises(NotAvailable, match=r"no_master_key"):
        Keyring.load(path)
