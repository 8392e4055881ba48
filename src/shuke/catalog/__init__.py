"""Who the brand is, what it sells, and where: its own settings, products, stores and channels.

Knows ``platform`` and ``base`` (and may know ``profiles``, which it does not need). Everything here is an upsert that
may be sent again: the same rows a second time change nothing, not even ``updated_at``.
"""

from shuke.catalog.model import (
    BATCH_MAX,
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
from shuke.catalog.service import (
    add_channels,
    add_products,
    add_stores,
    brand_of,
    check_product,
    every_product,
    get_channel,
    get_product,
    get_store,
    list_channels,
    list_products,
    list_stores,
    save_brand,
    save_channels,
    save_products,
    save_stores,
    zone_of,
)

__all__ = [
    "BATCH_MAX",
    "ID_CHARACTERS_MAX",
    "NAME_CHARACTERS_MAX",
    "PAGE_MAX",
    "Brand",
    "Channel",
    "ChannelKind",
    "Page",
    "Product",
    "Saved",
    "Store",
    "add_channels",
    "add_products",
    "add_stores",
    "brand_of",
    "check_product",
    "every_product",
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
