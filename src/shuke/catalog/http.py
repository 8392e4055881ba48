"""``/api/products``, ``/api/stores`` and ``/api/channels``: state what there is, one or many, and read it page by page;
``/api/settings/brand``: what the brand says of itself.

Every write says what is, so that it may be repeated: the same body again changes nothing.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import BaseRoute

from shuke import access
from shuke.base.money import AMOUNT_MAX
from shuke.catalog import service
from shuke.catalog.model import (
    ATTRIBUTES_MAX,
    ID_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX,
    PAGE_MAX,
    Brand,
    Channel,
    ChannelKind,
    Product,
    Store,
)
from shuke.catalog.rules import BRAND_CHARACTERS_MAX
from shuke.platform import Metrics, Workplace
from shuke.platform.http import ABSENT, Flag, api

__all__ = ["routes"]

#: Rows of one request.
ROWS_MAX = 1_000

Id = Annotated[str, Field(min_length=1, max_length=ID_CHARACTERS_MAX)]
Text = Annotated[str, Field(max_length=NAME_CHARACTERS_MAX)]
Amount = Annotated[int, Field(ge=0, le=AMOUNT_MAX, strict=True)]
Number = Annotated[float, Field(ge=-AMOUNT_MAX, le=AMOUNT_MAX, allow_inf_nan=False, strict=True)]
Whole = Annotated[int, Field(ge=-AMOUNT_MAX, le=AMOUNT_MAX, strict=True)]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX)]
After = Annotated[str | None, Query(max_length=ID_CHARACTERS_MAX, description="`next` of the page before")]
Wanted = Annotated[str | None, Query(max_length=NAME_CHARACTERS_MAX)]
InPath = Annotated[str, Path(min_length=1, max_length=ID_CHARACTERS_MAX)]


Reading = Annotated[access.Visit, access.needs("catalog.read")]
Writing = Annotated[access.Visit, access.needs("catalog.write")]
SettingsReading = Annotated[access.Visit, access.needs("settings.read")]
SettingsWriting = Annotated[access.Visit, access.needs("settings.write")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Described(_Body):
    name: Text | None = None
    active: Flag = True
    attributes: dict[Id, Flag | Whole | Number | Text | None] = Field(default={}, max_length=ATTRIBUTES_MAX)


class ProductBody(_Described):
    """A product; prices are in minor units of the currency, such as cents or fen."""

    category: Text | None = None
    brand: Text | None = None
    price_minor: Amount | None = None
    cost_minor: Amount | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217")] | None = None


class ProductRow(ProductBody):
    """A product with its identifier."""

    product_id: Id


class StoreBody(_Described):
    """A store; the time zone is an IANA name."""

    region: Text | None = None
    city: Text | None = None
    district: Text | None = None
    time_zone: Text | None = None


class StoreRow(StoreBody):
    """A store with its identifier."""

    store_id: Id


class ChannelBody(_Described):
    """A channel."""

    kind: ChannelKind = ChannelKind.OTHER


class ChannelRow(ChannelBody):
    """A channel with its identifier."""

    channel: Id


class ProductsBody(_Body):
    """Products, each once."""

    products: list[ProductRow] = Field(max_length=ROWS_MAX)


class StoresBody(_Body):
    """Stores, each once."""

    stores: list[StoreRow] = Field(max_length=ROWS_MAX)


class ChannelsBody(_Body):
    """Channels, each once."""

    channels: list[ChannelRow] = Field(max_length=ROWS_MAX)


class ProductPage(BaseModel):
    """Some products; `next` is what to ask `after` for more."""

    items: list[ProductRow]
    next: str | None


class StorePage(BaseModel):
    """Some stores; `next` is what to ask `after` for more."""

    items: list[StoreRow]
    next: str | None


class ChannelPage(BaseModel):
    """Some channels; `next` is what to ask `after` for more."""

    items: list[ChannelRow]
    next: str | None


class SavedBody(BaseModel):
    """How many rows were new, were changed, and were already as stated."""

    created: int
    updated: int
    unchanged: int


class BrandBody(_Body):
    """Who the brand is, and by which clock, money and margin it reckons; what is null is not said.

    Without a zone that of the server counts, without a currency that of most orders; without a margin, value is what
    customers spend.
    """

    name: Annotated[str, Field(min_length=1, max_length=BRAND_CHARACTERS_MAX)] | None = None
    time_zone: Annotated[str, Field(max_length=100, description="IANA name")] | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217")] | None = None
    margin: Annotated[float, Field(gt=0, le=1, strict=True, description="0.35 is 35 %")] | None = None


class BrandAnswer(BrandBody):
    """What the brand has said, and the zone that counts where it has said none."""

    time_zone_default: str


def routes(_: Workplace, __: Metrics) -> list[BaseRoute]:
    """The routes of the room."""
    router = api("catalog")
    _brand(router)
    _products(router)
    _stores(router)
    _channels(router)
    return list(router.routes)


def _brand(router: APIRouter) -> None:
    @router.get("/settings/brand")
    def get_brand(visit: SettingsReading) -> BrandAnswer:
        with visit.read() as tx:
            return _said(visit, visit.tagged(service.brand_of(tx)))

    @router.put("/settings/brand", responses=access.CHANGED)
    def put_brand(visit: SettingsWriting, body: BrandBody) -> BrandAnswer:
        with visit.begin() as tx:
            visit.meant(tx, lambda: service.brand_of(tx))
            before, after = service.save_brand(tx, Brand(**body.model_dump()), now=datetime.now(UTC))
            visit.note("brand.change", before=asdict(before), after=asdict(after))
        return _said(visit, visit.tagged(after))


def _said(visit: access.Visit, brand: Brand) -> BrandAnswer:
    return BrandAnswer(**asdict(brand), time_zone_default=visit.place.settings.time_zone)


def _products(router: APIRouter) -> None:
    @router.put("/products/{product_id}", responses=access.CHANGED)
    def put_product(visit: Writing, product_id: InPath, body: ProductBody) -> SavedBody:
        with visit.begin() as tx:
            visit.meant(tx, lambda: service.get_product(tx, product_id))
            given = Product(product_id=product_id, **body.model_dump())
            saved = service.save_products(tx, [given], now=datetime.now(UTC))
            visit.tagged(service.get_product(tx, product_id))
            return SavedBody(**asdict(saved))

    @router.post("/products")
    def post_products(visit: Writing, body: ProductsBody) -> SavedBody:
        with visit.begin() as tx:
            given = [Product(**row.model_dump()) for row in body.products]
            return SavedBody(**asdict(service.save_products(tx, given, now=datetime.now(UTC))))

    @router.get("/products")
    def get_products(
        visit: Reading, after: After = None, limit: Limit = 100, category: Wanted = None, brand: Wanted = None
    ) -> ProductPage:
        with visit.read() as tx:
            page = service.list_products(tx, after=after, limit=limit, category=category, brand=brand)
        return ProductPage(items=[ProductRow(**asdict(item)) for item in page.items], next=page.next)

    @router.get("/products/{product_id}", responses=ABSENT)
    def get_product(visit: Reading, product_id: InPath) -> ProductRow:
        with visit.read() as tx:
            return ProductRow(**asdict(visit.tagged(service.get_product(tx, product_id))))


def _stores(router: APIRouter) -> None:
    @router.put("/stores/{store_id}", responses=access.CHANGED)
    def put_store(visit: Writing, store_id: InPath, body: StoreBody) -> SavedBody:
        with visit.begin() as tx:
            visit.meant(tx, lambda: service.get_store(tx, store_id))
            given = Store(store_id=store_id, **body.model_dump())
            saved = service.save_stores(tx, [given], now=datetime.now(UTC))
            visit.tagged(service.get_store(tx, store_id))
            return SavedBody(**asdict(saved))

    @router.post("/stores")
    def post_stores(visit: Writing, body: StoresBody) -> SavedBody:
        with visit.begin() as tx:
            given = [Store(**row.model_dump()) for row in body.stores]
            return SavedBody(**asdict(service.save_stores(tx, given, now=datetime.now(UTC))))

    @router.get("/stores")
    def get_stores(visit: Reading, after: After = None, limit: Limit = 100, region: Wanted = None) -> StorePage:
        with visit.read() as tx:
            page = service.list_stores(tx, after=after, limit=limit, region=region)
        return StorePage(items=[StoreRow(**asdict(item)) for item in page.items], next=page.next)

    @router.get("/stores/{store_id}", responses=ABSENT)
    def get_store(visit: Reading, store_id: InPath) -> StoreRow:
        with visit.read() as tx:
            return StoreRow(**asdict(visit.tagged(service.get_store(tx, store_id))))


def _channels(router: APIRouter) -> None:
    @router.put("/channels/{channel}", responses=access.CHANGED)
    def put_channel(visit: Writing, channel: InPath, body: ChannelBody) -> SavedBody:
        with visit.begin() as tx:
            visit.meant(tx, lambda: service.get_channel(tx, channel))
            given = Channel(channel=channel, **body.model_dump())
            saved = service.save_channels(tx, [given], now=datetime.now(UTC))
            visit.tagged(service.get_channel(tx, channel))
            return SavedBody(**asdict(saved))

    @router.post("/channels")
    def post_channels(visit: Writing, body: ChannelsBody) -> SavedBody:
        with visit.begin() as tx:
            given = [Channel(**row.model_dump()) for row in body.channels]
            return SavedBody(**asdict(service.save_channels(tx, given, now=datetime.now(UTC))))

    @router.get("/channels")
    def get_channels(visit: Reading, after: After = None, limit: Limit = 100) -> ChannelPage:
        with visit.read() as tx:
            page = service.list_channels(tx, after=after, limit=limit)
        return ChannelPage(items=[ChannelRow(**asdict(item)) for item in page.items], next=page.next)

    @router.get("/channels/{channel}", responses=ABSENT)
    def get_channel(visit: Reading, channel: InPath) -> ChannelRow:
        with visit.read() as tx:
            return ChannelRow(**asdict(visit.tagged(service.get_channel(tx, channel))))
