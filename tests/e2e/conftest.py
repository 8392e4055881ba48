"""A browser to see the pages with."""

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def load(path: Path) -> ModuleType:
    """A module of the tests, which are no package."""
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium; newcomers may be without one, CI may not."""
    module = load(Path(__file__).parent / "browser.py")
    program = module.find_chromium()
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have Chromium")
        pytest.skip("needs Chromium to see the page as a reader does")
    opened = module.Browser(program)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def sample_module() -> ModuleType:
    return load(Path(__file__).parents[1] / "reports" / "exports" / "sample_report.py")
