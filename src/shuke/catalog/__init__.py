"""What the brand sells, and where: products, stores and channels.

Knows ``platform`` and ``base`` (and may know ``profiles``, which it does not need). Everything here is an upsert that
may be sent again: the same rows a second time change nothing, not even ``updated_at``.
"""

from shuke.catalog.model import (
    BATCH_MAX,
    ID_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX,
    PAGE_MAX,
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
    check_product,
    every_product,
    get_channel,
    get_product,
    get_store,
    list_channels,
    list_products,
    list_stores,
    save_channels,
    save_products,
    save_stores,
)

__all__ = [
    "BATCH_MAX",
    "ID_CHARACTERS_MAX",
    "NAME_CHARACTERS_MAX",
    "PAGE_MAX",
    "Channel",
    "ChannelKind",
    "Page",
    "Product",
    "Saved",
    "Store",
    "add_channels",
    "add_products",
    "add_stores",
    "check_product",
    "every_product",
    "get_channel",
    "get_product",
    "get_store",
    "list_channels",
    "list_products",
    "list_stores",
    "save_channels",
    "save_products",
    "save_stores",
]
