from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from .engines import Asked, OnDuckDB, OnPostgres


@pytest.fixture(scope="module")
def engines(postgres: Any) -> Iterator[dict[str, Asked]]:
    """The two engines that the program itself asks."""
    with psycopg.connect(postgres.url) as connection:
        yield {"DuckDB": OnDuckDB(), "PostgreSQL": OnPostgres(connection)}
        connection.rollback()
