from pathlib import Path

import pytest

from shuke.base.errors import BadInput, ShukeError
from shuke.base.language import Catalogue, Language, placeholders


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, Language.ENGLISH),
        ({"LANG": "zh_CN.UTF-8"}, Language.CHINESE),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, Language.ENGLISH),
        ({"LC_MESSAGES": "zh_TW", "LANG": "en_GB"}, Language.CHINESE),
    ],
)
def test_the_language_is_that_of_the_environment(environment: dict[str, str], language: Language) -> None:
    assert Language.of_environment(environment) is language


def test_a_text_without_its_value_is_an_error_and_not_a_gap() -> None:
    catalogue = Catalogue(Language.ENGLISH, {"rows": "{count} rows in {file}"})
    assert catalogue("rows", count=3, file=Path("a.csv").name) == "3 rows in a.csv"
    with pytest.raises(KeyError):
        catalogue("rows", count=3)
    assert placeholders("{count:,} of {file.name}") == {"count", "file"}


def test_an_error_keeps_its_code_and_values() -> None:
    error = BadInput("collect.no_customer_column", found=["a", "b"])
    assert isinstance(error, ShukeError)
    assert (error.code, error.values) == ("collect.no_customer_column", {"found": ["a", "b"]})
    assert str(error) == "collect.no_customer_column(found=['a', 'b'])"
