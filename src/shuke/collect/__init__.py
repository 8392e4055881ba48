"""Facts in: order files of any make are read, understood and cleaned into canonical tables.

Knows ``platform`` (the engine that runs the analysis), ``insight`` (the canonical tables) and ``base``. A file is
opened by what its bytes say, its columns are recognised by their names, each column is read by one rule for all of
it, and every row becomes a sale, a refund, or one of the counted exceptions of `TREATMENTS`.
"""

from shuke.collect.model import (
    FIELDS,
    TREATMENTS,
    Collected,
    FieldMatch,
    FileRead,
    Note,
    Order,
    OrderLine,
    OrderStatus,
    Quality,
    QualityCount,
    Recognised,
    Refund,
    Stated,
    Treatment,
)
from shuke.collect.service import (
    Imported,
    ensure_source,
    import_orders,
    lake_of,
    read_costs,
    read_orders,
    save_orders,
    save_refunds,
    update_lake,
    write_rejects,
)

__all__ = [
    "FIELDS",
    "TREATMENTS",
    "Collected",
    "FieldMatch",
    "FileRead",
    "Imported",
    "Note",
    "Order",
    "OrderLine",
    "OrderStatus",
    "Quality",
    "QualityCount",
    "Recognised",
    "Refund",
    "Stated",
    "Treatment",
    "ensure_source",
    "import_orders",
    "lake_of",
    "read_costs",
    "read_orders",
    "save_orders",
    "save_refunds",
    "update_lake",
    "write_rejects",
]
