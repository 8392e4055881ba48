from datetime import UTC, date, datetime

import pytest

from shuke import privacy

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [
        ("phone", "13812345678", "138****5678"),
        ("phone", "+8613812345678", "138****5678"),
        ("phone", "+44 20 7946 0018", "442****0018"),
        ("phone", "625012", "***12"),
        ("phone", "110", "***"),
        ("email", "anna@x.com", "a***@x.com"),
        ("email", "@x.com", "***"),
        ("email", "anna", "***"),
        ("name", "王明", "王*"),
        ("name", "王小明", "王**"),
        ("name", "Anna-Maria", "A***"),
        ("name", "王", "王*"),
        ("name", " ", ""),
        ("address", "文三路 1 号", "***"),
    ],
)
def test_masks(kind: str, text: str, shown: str) -> None:
    assert privacy.mask(kind, text) == shown


@pytest.mark.parametrize(
    ("born", "day", "years"),
    [
        (date(2012, 11, 22), date(2026, 11, 22), 14),
        (date(2012, 11, 23), date(2026, 11, 22), 13),
        (date(2012, 2, 29), date(2026, 2, 28), 13),
        (date(2012, 2, 29), date(2026, 3, 1), 14),
    ],
)
def test_age(born: date, day: date, years: int) -> None:
    assert privacy.age_years(born, day) == years


def test_under_fourteen_somebody_else_consents() -> None:
    assert privacy.needs_guardian(date(2012, 11, 23), NOW)
    assert not privacy.needs_guardian(date(2012, 11, 22), NOW)
    assert not privacy.needs_guardian(None, NOW)
