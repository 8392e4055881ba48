"""The console as it was built, and a browser to see it with."""

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from shuke.app.console import BUILT

CONSOLE = Path(__file__).parents[2] / "console"


def missing(what: str) -> None:
    """Newcomers may be without it, CI may not."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must have {what}")
    pytest.skip(f"needs {what}")


def load(path: Path) -> ModuleType:
    """A module of the tests, which are no package."""
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder of the files that `make console` made."""
    if not (BUILT / "index.html").is_file():
        missing("the console, built with `make console`")
    return BUILT


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """What the console is built with."""
    installed = CONSOLE / "node_modules"
    if not installed.is_dir():
        missing("the console's packages, installed with `make console`")
    return installed


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    module = load(Path(__file__).parents[1] / "e2e" / "browser.py")
    program = module.find_chromium()
    if program is None:
        missing("Chromium, to see the console as a person does")
    opened = module.Browser(program)
    yield opened
    opened.close()
