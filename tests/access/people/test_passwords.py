"""What is a password, how it is kept, and that nobody learns from the time it takes."""

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY

from shuke.access.rules import passwords as rules
from shuke.access.service import passwords
from shuke.base.errors import BadInput

ABOUT = ["anna.wang@brandhouse.cn", "王安娜", "Anna Wang"]


@pytest.mark.parametrize(
    "password",
    [
        "upward tea lantern",
        "jK8#vqLx2mZp",
        "我爱运营平台很好用呀呀",
        "kitchen-window-blue",
        "x" * 3 + "correct horse battery staple" * 4,
        "日照香炉生紫烟遥看瀑布",
    ],
)
def test_what_nobody_guesses_is_taken_whatever_it_is_made_of(password: str) -> None:
    assert rules.checked_password(password + "~" * max(12 - len(password), 0), about=ABOUT)


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "passwordpassword",
        "qwertyuiop123",
        "123456789012",
        "aaaaaaaaaaaaaaaaaaaaaaaa",
        "abcdefghijkl",
        "1qaz2wsx3edc4rfv",
        "iloveyou2026",
        "woaini1314520",
        "P@ssw0rd2026!",
        "shukeshuke2026",
        "熟客熟客熟客熟客1234",
        "anna.wang2026!",
        "Anna-Wang-1990-01",
        "brandhouse2026",
        "王安娜王安娜王安娜2026",
        "anna.wang@brandhouse.cn",
    ],
)
def test_what_is_tried_first_is_refused(password: str) -> None:
    with pytest.raises(BadInput) as refused:
        rules.checked_password(password, about=ABOUT)
    assert refused.value.code == "access.password_guessable"


@pytest.mark.parametrize("length", [0, 1, 11, 129, 500])
def test_length_has_limits(length: int) -> None:
    with pytest.raises(BadInput) as refused:
        rules.checked_password(("gK7$wq" * 100)[:length], about=[])
    assert refused.value.code == "access.password_length"


def test_all_of_a_long_password_counts() -> None:
    """Whatever is after the 72nd byte, where some hashes stop."""
    long = "correct horse battery staple " * 4
    kept = passwords.hashed(long[:128])
    assert passwords.matches(kept, long[:128])
    assert not passwords.matches(kept, long[:127] + "!")
    assert not passwords.matches(kept, long[:128] + "!")


def test_a_password_is_the_same_from_every_keyboard() -> None:
    """A full-width or decomposed spelling is the same password."""
    kept = passwords.hashed("ｕｐward téa lantern")
    assert passwords.matches(kept, "upward te\u0301a lantern")
    assert not passwords.matches(kept, "upward tea lantern")


def test_what_is_kept_is_argon2id_of_the_stated_strength(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY))
    kept = passwords.hashed("upward tea lantern")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert extract_parameters(kept) == RFC_9106_LOW_MEMORY
    assert not passwords.is_outdated(kept)
    assert passwords.is_outdated(PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1).hash("x"))
    assert passwords.hashed("upward tea lantern") != kept


def work_for(stored: str | None, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What argon2 is given to do for a wrong password: the parameters of each time, which say how long it takes."""
    done = []
    verify = PasswordHasher.verify

    def noted(self: PasswordHasher, kept: str, given: str) -> bool:
        done.append(extract_parameters(kept))
        return verify(self, kept, given)

    monkeypatch.setattr(PasswordHasher, "verify", noted)
    passwords.matches(None, "so that the hash of nobody is made")
    done.clear()
    assert not passwords.matches(stored, "wrong password here")
    monkeypatch.setattr(PasswordHasher, "verify", verify)
    return done


def test_nobody_takes_as_long_as_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    known = work_for(passwords.hashed("upward tea lantern"), monkeypatch)
    assert len(known) == 1
    assert work_for(None, monkeypatch) == known


def test_a_short_cut_for_nobody_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: where there is no password there is nothing to compare."""
    whole = passwords.matches
    monkeypatch.setattr(passwords, "matches", lambda stored, given: stored is not None and whole(stored, given))
    assert work_for(None, monkeypatch) == []
