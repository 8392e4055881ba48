from dataclasses import fields
from pathlib import Path

import pytest

from shuke.base.errors import BadInput
from shuke.base.language import Language, explain
from shuke.platform import Settings, documented_settings

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("language", Language)
def test_every_setting_is_documented(language: Language) -> None:
    rows = documented_settings(language)
    assert [row.variable for row in rows] == [declared.metadata["variable"] for declared in fields(Settings)]
    assert all(row.variable.startswith(("SHUKE_", "DATABASE_")) and row.meaning and row.default for row in rows)


def test_no_setting_is_read_that_is_not_declared() -> None:
    declared = {row.variable for row in documented_settings(Language.ENGLISH)}
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")]
    read = {word.strip("\"'") for text in sources for word in text.replace("(", " ").split() if "SHUKE_" in word}
    assert {word.rstrip("\"',)") for word in read if word.startswith("SHUKE_")} <= declared


def test_what_the_environment_says_counts() -> None:
    settings = Settings.of_environment(
        {
            "SHUKE_WORK_FOLDER": "/tmp/w",  # noqa: S108 - never opened
            "SHUKE_MEMORY_LIMIT": "1.5 GiB",
            "SHUKE_THREADS": "3",
            "SHUKE_SPARK_MASTER": "spark://host:7077",
        }
    )
    assert settings == Settings(Path("/tmp/w"), 1_610_612_736, 3, "spark://host:7077")  # noqa: S108


def test_another_process_can_be_given_the_same_settings() -> None:
    given = Settings(memory_limit_bytes=10**9, data_folder=Path("data"), port=0, nightly_refresh=False)
    told = given.as_environment()
    assert told["SHUKE_NIGHTLY_REFRESH"] == "off"
    assert Settings.of_environment(told) == given
    # What is not set here is not to be taken from elsewhere.
    assert told["DATABASE_URL"] == ""


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.of_environment({"SHUKE_THREADS": ""}) == Settings()


@pytest.mark.parametrize(
    ("text", "size"), [("1024", 1024), ("4GB", 4_000_000_000), ("512 mib", 536_870_912), ("10B", 10)]
)
def test_sizes(text: str, size: int) -> None:
    assert Settings.of_environment({"SHUKE_MEMORY_LIMIT": text}).memory_limit_bytes == size


@pytest.mark.parametrize(
    ("variable", "given"),
    [
        ("SHUKE_MEMORY_LIMIT", "much"),
        ("SHUKE_MEMORY_LIMIT", "0GB"),
        ("SHUKE_MEMORY_LIMIT", "-1GB"),
        ("SHUKE_THREADS", "0"),
        ("SHUKE_THREADS", "two"),
        ("SHUKE_NIGHTLY_REFRESH", "perhaps"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(variable: str, given: str) -> None:
    with pytest.raises(BadInput) as caught:
        Settings.of_environment({variable: given})
    assert caught.value.code == "platform.bad_setting"
    for language in Language:
        assert variable in explain(caught.value, language)
