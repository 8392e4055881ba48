import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from shuke.platform import Engine, open_engine


@pytest.fixture(scope="session")
def spark_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One Spark inside this machine for all tests of this folder, for it takes seconds to start."""
    if shutil.which("java") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have a Java runtime")
        pytest.skip("needs a Java runtime")
    folder: Path = tmp_path_factory.mktemp("spark")
    with open_engine("spark", work_folder=folder, memory_limit_bytes=2**30, threads=1) as engine:
        yield engine
