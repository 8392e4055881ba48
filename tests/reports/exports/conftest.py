"""The sample report in both languages, laid out and drawn once."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from shuke.base.language import Language
from shuke.reports.model import Report


@pytest.fixture(scope="session")
def sample_module() -> ModuleType:
    specification = importlib.util.spec_from_file_location("sample_report", Path(__file__).parent / "sample_report.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def sample(sample_module: ModuleType) -> Callable[[Language], Report]:
    return sample_module.sample


@pytest.fixture(scope="session", params=list(Language), ids=lambda language: language.value)
def report(request: pytest.FixtureRequest, sample: Callable[[Language], Report]) -> Report:
    return sample(request.param)
