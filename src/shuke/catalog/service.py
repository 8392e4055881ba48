"""Save and list products, stores and channels, each list in one statement.

``save_…`` states what is: it replaces the fields that it is given. ``add_…`` only adds what is not there and fills in
what is not known, for those who saw a product in passing, such as on an order.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert

from shuke.base.errors import BadInput, NotFound
from shuke.catalog import rules, tables
from shuke.catalog.model import (
    ID_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX,
    PAGE_MAX,
    Brand,
    Channel,
    ChannelKind,
    Page,
    Product,
    Saved,
    Store,
)
from shuke.platform import Settings, Transaction

__all__ = [
    "add_channels",
    "add_products",
    "add_stores",
    "brand_of",
    "check_product",
    "every_product",
    "every_store",
    "get_channel",
    "get_product",
    "get_store",
    "list_channels",
    "list_products",
    "list_stores",
    "save_brand",
    "save_channels",
    "save_products",
    "save_stores",
    "zone_of",
]

Item = TypeVar("Item", Product, Store, Channel)


@dataclass(frozen=True)
class _Shelf(Generic[Item]):
    """One of the tables, and the type of its rows."""

    table: sa.Table
    kind: type[Item]
    key: str

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(declared.name for declared in fields(self.kind))

    def item(self, row: sa.RowMapping) -> Item:
        values = {name: row[name] for name in self.names}
        if self.kind is Channel:
            values["kind"] = ChannelKind(values["kind"])
        return self.kind(**values)


_PRODUCTS = _Shelf(tables.products, Product, "product_id")
_STORES = _Shelf(tables.stores, Store, "store_id")
_CHANNELS = _Shelf(tables.channels, Channel, "channel")


def brand_of(tx: Transaction) -> Brand:
    """What the brand has said of itself."""
    table = tables.brand
    row = tx.execute(sa.select(*(table.c[one.name] for one in fields(Brand)))).mappings().one_or_none()
    return Brand() if row is None else Brand(**row)


def zone_of(tx: Transaction, settings: Settings) -> str:
    """The time zone of the brand; that of the environment until it has said one."""
    return brand_of(tx).time_zone or settings.time_zone


def save_brand(tx: Transaction, brand: Brand, *, now: datetime) -> tuple[Brand, Brand]:
    """Replace what the brand says of itself; what it said before, and says now.

    Raises:
        BadInput: as :func:`~shuke.catalog.rules.check_brand`.
    """
    rules.check_brand(brand)
    before = brand_of(tx)
    said = {**asdict(brand), "updated_at": now}
    keeping = insert(tables.brand).values(only_one=True, **said)
    tx.execute(keeping.on_conflict_do_update(index_elements=["only_one"], set_=said))
    return before, brand


def every_product() -> sa.Select[Any]:
    """Every product with the fields of :class:`Product`, to be read or joined as a set by rooms above."""
    return sa.select(*(tables.products.c[name] for name in _PRODUCTS.names))


def every_store() -> sa.Select[Any]:
    """Likewise every store, with the fields of :class:`Store`."""
    return sa.select(*(tables.stores.c[name] for name in _STORES.names))


def save_products(
    tx: Transaction, products: Sequence[Product], *, now: datetime, only: Collection[str] | None = None
) -> Saved:
    """Create or replace products; of those that are there, only the fields in ``only`` where it is given.

    Raises:
        BadInput: ``catalog.too_many``, ``catalog.given_twice``, ``catalog.bad_id``, ``catalog.bad_value``,
            ``catalog.no_currency``, ``base.unknown_currency``; nothing is saved then.
    """
    return _save(tx, _PRODUCTS, products, now, only)


def check_product(product: Product) -> None:
    """Refuse a product that :func:`save_products` would refuse, which refuses all with it; same errors."""
    rules.check_row(asdict(product), _PRODUCTS.key)


def save_stores(tx: Transaction, stores: Sequence[Store], *, now: datetime) -> Saved:
    """Create or replace stores; errors as for :func:`save_products`."""
    return _save(tx, _STORES, stores, now, None)


def save_channels(tx: Transaction, channels: Sequence[Channel], *, now: datetime) -> Saved:
    """Create or replace channels; errors as for :func:`save_products`."""
    return _save(tx, _CHANNELS, channels, now, None)


def add_products(tx: Transaction, products: Sequence[Product], *, now: datetime) -> Saved:
    """Add products that are not there, and to those that are only what is not known of them."""
    return _add(tx, _PRODUCTS, products, now, ("name", "category", "brand"))


def add_stores(tx: Transaction, stores: Sequence[Store], *, now: datetime) -> Saved:
    """Add stores that are not there, and to those that are only what is not known of them."""
    return _add(tx, _STORES, stores, now, ("name", "region", "city", "district"))


def add_channels(tx: Transaction, channels: Sequence[Channel], *, now: datetime) -> Saved:
    """Add channels that are not there."""
    return _add(tx, _CHANNELS, channels, now, ("name",))


def get_product(tx: Transaction, product_id: str) -> Product:
    """One product; NotFound ``catalog.no_product``."""
    return _get(tx, _PRODUCTS, product_id, "catalog.no_product")


def get_store(tx: Transaction, store_id: str) -> Store:
    """One store; NotFound ``catalog.no_store``."""
    return _get(tx, _STORES, store_id, "catalog.no_store")


def get_channel(tx: Transaction, channel: str) -> Channel:
    """One channel; NotFound ``catalog.no_channel``."""
    return _get(tx, _CHANNELS, channel, "catalog.no_channel")


def list_products(
    tx: Transaction,
    *,
    after: str | None = None,
    limit: int = 100,
    category: str | None = None,
    brand: str | None = None,
) -> Page[Product]:
    """Products in the order of their identifiers, of one category or brand where that is asked for.

    Raises BadInput ``catalog.bad_limit`` for a limit that is not within 1 and :data:`PAGE_MAX`.
    """
    return _list(tx, _PRODUCTS, after, limit, {"category": category, "brand": brand})


def list_stores(
    tx: Transaction, *, after: str | None = None, limit: int = 100, region: str | None = None
) -> Page[Store]:
    """Stores in the order of their identifiers, of one region where that is asked for."""
    return _list(tx, _STORES, after, limit, {"region": region})


def list_channels(tx: Transaction, *, after: str | None = None, limit: int = 100) -> Page[Channel]:
    """Channels in the order of their identifiers."""
    return _list(tx, _CHANNELS, after, limit, {})


def _save(
    tx: Transaction, shelf: _Shelf[Item], items: Sequence[Item], now: datetime, only: Collection[str] | None
) -> Saved:
    statement = _insert(shelf, items, now)
    stated = [name for name in shelf.names if name != shelf.key and (only is None or name in only)]
    new = {name: statement.excluded[name] for name in stated}
    return _run(tx, shelf, statement, items, new)


def _add(tx: Transaction, shelf: _Shelf[Item], items: Sequence[Item], now: datetime, gaps: Sequence[str]) -> Saved:
    statement = _insert(shelf, items, now)
    new = {name: sa.func.coalesce(shelf.table.c[name], statement.excluded[name]) for name in gaps}
    return _run(tx, shelf, statement, items, new)


def _insert(shelf: _Shelf[Item], items: Sequence[Item], now: datetime) -> Any:
    rows = [asdict(item) for item in items]
    rules.check_batch([row[shelf.key] for row in rows])
    for row in rows:
        rules.check_row(row, shelf.key)
    columns = [sa.column(name, shelf.table.c[name].type) for name in shelf.names]
    given = sa.func.jsonb_to_recordset(sa.bindparam("rows", rows, JSONB)).table_valued(*columns)
    # In one order for everybody, so that batches which overlap wait for each other and never in a ring.
    chosen = sa.select(given.render_derived(with_types=True), sa.literal(now), sa.literal(now)).order_by(shelf.key)
    return insert(shelf.table).from_select([*shelf.names, "created_at", "updated_at"], chosen)


def _run(tx: Transaction, shelf: _Shelf[Item], statement: Any, items: Sequence[Item], new: dict[str, Any]) -> Saved:
    if not items:
        return Saved()
    differs = sa.or_(*(shelf.table.c[name].is_distinct_from(value) for name, value in new.items()))
    upsert = statement.on_conflict_do_update(
        index_elements=[shelf.key],
        set_={**new, "updated_at": statement.excluded.updated_at},
        where=differs if new else sa.false(),
        # A row that no transaction has yet touched was inserted by this one.
    ).returning(sa.literal_column("xmax = 0"))
    created = tx.execute(upsert).scalars().all()
    return Saved(sum(created), len(created) - sum(created), len(items) - len(created))


def _get(tx: Transaction, shelf: _Shelf[Item], key: str, missing: str) -> Item:
    table = shelf.table
    if not rules.is_plain(key, ID_CHARACTERS_MAX):
        raise NotFound(missing, id="?")
    row = tx.execute(sa.select(table).where(table.c[shelf.key] == key)).mappings().one_or_none()
    if row is None:
        raise NotFound(missing, id=key)
    return shelf.item(row)


def _list(
    tx: Transaction, shelf: _Shelf[Item], after: str | None, limit: int, equal: dict[str, str | None]
) -> Page[Item]:
    if not 1 <= limit <= PAGE_MAX:
        raise BadInput("catalog.bad_limit", given=limit, limit=PAGE_MAX)
    for name, given in {"after": after, **equal}.items():
        if given is not None and not rules.is_plain(given, NAME_CHARACTERS_MAX):
            raise BadInput("catalog.bad_value", field=name)
    key = shelf.table.c[shelf.key]
    chosen = sa.select(shelf.table).order_by(key).limit(limit + 1)
    if after is not None:
        chosen = chosen.where(key > after)
    for name, value in equal.items():
        if value is not None:
            chosen = chosen.where(shelf.table.c[name] == value)
    found = [shelf.item(row) for row in tx.execute(chosen).mappings()]
    more = len(found) > limit
    return Page(tuple(found[:limit]), getattr(found[limit - 1], shelf.key) if more else None)
