"""PostgreSQL, the truth: connections, transactions, migrations, and a server of our own where there is none.

One request, one job, one batch is one transaction, opened at the edge by :meth:`Database.begin`; nobody below commits.
Services take the :data:`Transaction` and use SQLAlchemy Core; the hot paths may ask it for psycopg's own connection.
"""

from shuke.platform.database.arrays import among, array
from shuke.platform.database.connect import (
    Database,
    Transaction,
    database_url,
    driver,
    may_pass,
    metadata,
    open_database,
)
from shuke.platform.database.embedded import EmbeddedPostgres, embedded_url
from shuke.platform.database.migrate import migrate, revision_expected, revision_found
from shuke.platform.database.snapshots import Snapshot, decided, snapshot_now, written_after

__all__ = [
    "Database",
    "EmbeddedPostgres",
    "Snapshot",
    "Transaction",
    "among",
    "array",
    "database_url",
    "decided",
    "driver",
    "embedded_url",
    "may_pass",
    "metadata",
    "migrate",
    "open_database",
    "revision_expected",
    "revision_found",
    "snapshot_now",
    "written_after",
]
