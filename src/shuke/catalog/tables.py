"""What the room keeps in PostgreSQL."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from shuke.platform import metadata

__all__ = ["brand", "channels", "products", "stores"]

_moment = sa.DateTime(timezone=True)
_id = sa.Text(collation="C")


def _common() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("attributes", JSONB, nullable=False, server_default="{}"),
        sa.Column("created_at", _moment, nullable=False),
        sa.Column("updated_at", _moment, nullable=False),
    )


products = sa.Table(
    "products",
    metadata,
    sa.Column("product_id", _id, primary_key=True),
    sa.Column("name", sa.Text),
    sa.Column("category", sa.Text),
    sa.Column("brand", sa.Text),
    sa.Column("price_minor", sa.BigInteger),
    sa.Column("cost_minor", sa.BigInteger),
    sa.Column("currency", sa.Text),
    *_common(),
)

stores = sa.Table(
    "stores",
    metadata,
    sa.Column("store_id", _id, primary_key=True),
    sa.Column("name", sa.Text),
    sa.Column("region", sa.Text),
    sa.Column("city", sa.Text),
    sa.Column("time_zone", sa.Text),
    *_common(),
    sa.Column("district", sa.Text),
)

channels = sa.Table(
    "channels",
    metadata,
    sa.Column("channel", _id, primary_key=True),
    sa.Column("name", sa.Text),
    sa.Column("kind", sa.Text, nullable=False),
    *_common(),
)

# What the brand says of itself: one row at most.
brand = sa.Table(
    "brand",
    metadata,
    sa.Column("only_one", sa.Boolean, primary_key=True, server_default=sa.true()),
    sa.Column("name", sa.Text),
    sa.Column("time_zone", sa.Text),
    sa.Column("currency", sa.Text),
    sa.Column("margin", sa.Double),
    sa.Column("updated_at", _moment, nullable=False),
)
