"""What is logged is a line, whatever it holds."""

import json
import logging
from typing import Literal

import pytest
import structlog

from shuke.platform import configure_logs


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_value_becomes_a_line_of_its_own(
    form: Literal["text", "json"], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.root, "level", logging.root.level)
    configure_logs(form)
    # One of its own: what is made of the log here stays with it.
    structlog.get_logger("forged").info(
        "request", route="/a\n2026-01-01T00:00:00Z [error    ] forged", other="\r\x1b[2Jgone"
    )
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "\r" not in said
    assert "\x1b" not in said
    if form == "json":
        assert json.loads(said)["route"].startswith("/a\n")
