"""A text is typed while it is read once; what its first rows did not show must not change what comes out."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest

from shuke.collect import Collected
from shuke.collect.service import sources, staging

from .conftest import counts_of, rows_of

Read = Callable[..., Collected]
at = datetime.fromisoformat
HEAD = "customer_id,order_id,order_date,amount,channel\n" + "".join(
    f"{number},{number},2024-01-05 08:00:00,{number}.50,web\n" for number in range(1, 6)
)


@pytest.mark.parametrize(
    ("line", "row"),
    [
        (' 00042 ,="0007",2024-01-06,7, web ', ("00042", "0007", at("2024-01-06"), 7.0, "web")),
        ('6,6,2024-01-06,"1,234.50",NULL', ("6", "6", at("2024-01-06"), 1234.5, None)),
        ("6,6,2024年1月6日 8时3分,7,", ("6", "6", at("2024-01-06 08:03"), 7.0, None)),
        ("17850.0,6,2024-01-06,¥7,web", ("17850.0", "6", at("2024-01-06"), 7.0, "web")),
    ],
)
def test_an_odd_row_behind_a_plain_head_is_read_as_if_it_stood_there(
    read: Read, monkeypatch: pytest.MonkeyPatch, line: str, row: tuple[object, ...]
) -> None:
    monkeypatch.setattr(staging, "_HEAD_ROWS", 3)
    collected = read(HEAD + line + "\n")
    found = rows_of(collected.tables.orders, "customer_id", "order_id", "ordered_at", "amount", "channel")
    assert len(found) == 6
    assert row in found


def test_ids_that_look_like_floats_only_at_the_head_stay(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "_HEAD_ROWS", 2)
    collected = read("customer_id,order_date,amount\n1.0,2024-01-05,1\n2.0,2024-01-05,1\n3,2024-01-05,1\n")
    assert rows_of(collected.tables.orders, "customer_id") == [("1.0",), ("2.0",), ("3",)]


def test_a_broken_id_behind_the_head_is_found(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "_HEAD_ROWS", 3)
    collected = read(HEAD + "1.38E+10,6,2024-01-06,7,web\n")
    assert counts_of(collected) == {"sale": (5, Decimal("17.5")), "ambiguous_id": (1, Decimal(7))}


def test_all_lines_that_cannot_be_split_are_counted_and_the_first_are_kept(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "UNREADABLE_KEPT_MAX", 2)
    collected = read(HEAD + "6,6,2024-01-06,7,web,surplus\n" * 5)
    assert collected.quality.rows == 10
    assert counts_of(collected)["unreadable_line"] == (5, Decimal())
    assert [line for line, _ in collected.sources[0].unreadable] == [7, 8]
    (note,) = [note for note in collected.quality.notes if note.code == "unreadable_kept"]
    assert dict(note.values) == {"file": "file0.csv", "found": "5", "kept": "2"}


def test_a_choice_among_equals_is_shown(read: Read) -> None:
    collected = read("customer_id,order_date,amount,province,state\n1,2024-01-05,1,Zhejiang,ZJ\n")
    (match,) = [match for match in collected.recognised.matches if match.field == "region"]
    assert (match.column, match.why, match.others) == ("province", "one_of_several", ("state",))
    assert "one_of_several" in {note.code for note in collected.quality.notes}
