"""Tables in words."""

from shuke.base.language import Language
from shuke.reports.model import Kind
from shuke.reports.service.words import Words


def test_a_column_with_nothing_to_say_is_left_out() -> None:
    words = Words(Language.ENGLISH, "GBP")
    columns = [words.column(key, Kind.INTEGER) for key in ("customers", "churn", "historic")]
    table = words.table("files", columns, [(1, None, 0), (2, None, None)])
    assert [column.key for column in table.columns] == ["customers", "historic"]
    assert table.rows == ((1, 0), (2, None))
    # Without rows nothing is known of the columns, and all stay.
    assert [column.key for column in words.table("files", columns, []).columns] == ["customers", "churn", "historic"]
