"""Products, stores and channels, and what saving them came to. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

#: Rows of one call of a service; the HTTP edge takes fewer.
BATCH_MAX = 10_000
PAGE_MAX = 1_000
ID_CHARACTERS_MAX = 200
NAME_CHARACTERS_MAX = 500
ATTRIBUTES_MAX = 100

Attribute = str | int | float | bool | None


class ChannelKind(StrEnum):
    """What sort of place a channel is."""

    SHOP = "shop"  # the brand's own, on the web
    APP = "app"
    MINI_PROGRAM = "mini_program"
    MARKETPLACE = "marketplace"
    LIVE = "live"  # selling in a live stream
    SOCIAL = "social"
    STORE = "store"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Product:
    """Something that is sold. Prices are in minor units of ``currency``, which has to be there with them."""

    product_id: str
    name: str | None = None
    category: str | None = None
    brand: str | None = None
    price_minor: int | None = None
    cost_minor: int | None = None
    currency: str | None = None
    active: bool = True
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Store:
    """A place that customers go to; ``time_zone`` is an IANA name."""

    store_id: str
    name: str | None = None
    region: str | None = None
    city: str | None = None
    district: str | None = None
    time_zone: str | None = None
    active: bool = True
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A way that orders come by."""

    channel: str
    name: str | None = None
    kind: ChannelKind = ChannelKind.OTHER
    active: bool = True
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Brand:
    """Who the brand is, and by which clock, money and margin it reckons; None is what it has not said.

    ``time_zone`` is an IANA name, ``currency`` ISO 4217; ``margin`` is the share of money that is profit, up to 1.
    """

    name: str | None = None
    time_zone: str | None = None
    currency: str | None = None
    margin: float | None = None


@dataclass(frozen=True)
class Saved:
    """How many rows were new, were changed, and were already as stated."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0


Item = TypeVar("Item")


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Some rows in the order of their identifiers; ``next`` is what to ask ``after`` for more, None at the end."""

    items: tuple[Item, ...]
    next: str | None
