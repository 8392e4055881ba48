"""Which customers a transaction sees: all of them, or by PostgreSQL's own policies those of its reader.

For a reader who may see everybody nothing is done, and nothing costs anything. Any other transaction becomes a role of
PostgreSQL that owns nothing, and for which a policy on each table with something of a customer lets through what is the
reader's. A query that forgets to ask finds no more than one that does not.
"""

from __future__ import annotations

import sqlalchemy as sa

from shuke.access.model import Reader, Where
from shuke.platform import Transaction, array

__all__ = ["enter", "leave", "stores_of"]

_ROLES = {Where.REGION: "shuke_by_store", Where.STORE: "shuke_by_store", Where.OWN: "shuke_by_owner"}


def enter(tx: Transaction, reader: Reader) -> None:
    """From here to the end of the transaction, see what the reader may see."""
    if reader.where is Where.ALL:
        return
    own = [] if reader.acts_for is None else [reader.acts_for]
    tx.execute(
        sa.text("SELECT set_config('shuke.stores', :stores, true), set_config('shuke.reader', :reader, true)"),
        {"stores": array(stores_of(tx, reader)), "reader": array(own)},
    )
    tx.execute(sa.text(f"SET LOCAL ROLE {_ROLES[reader.where]}"))


def leave(tx: Transaction) -> None:
    """See everything again, to write what is not the reader's: the audit log."""
    tx.execute(sa.text("RESET ROLE"))


def stores_of(tx: Transaction, reader: Reader) -> list[str]:
    """The stores whose customers the reader may see; of a region, those that are in it now."""
    if reader.where is not Where.REGION:
        return list(reader.places) if reader.where is Where.STORE else []
    found = tx.scalars(
        sa.text("SELECT store_id FROM stores WHERE region = ANY(CAST(:regions AS text[])) ORDER BY store_id"),
        {"regions": list(reader.places)},
    )
    return list(found)
