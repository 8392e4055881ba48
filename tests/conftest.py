"""What every test may ask for."""

import os
from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the repository, which may be absent at a newcomer's but never in CI."""
    if not SHARED_DATA.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have the real data at {SHARED_DATA}")
        pytest.skip(f"needs the real data at {SHARED_DATA}, which may not be shipped for its licence")
    return SHARED_DATA
