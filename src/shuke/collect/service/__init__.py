"""Reading order files: open, understand, stage as typed Parquet, treat row by row, account for everything."""

from shuke.collect.service.costs import read_costs
from shuke.collect.service.imports import Imported, import_orders
from shuke.collect.service.lake import lake_of, update_lake
from shuke.collect.service.orders import save_orders, save_refunds
from shuke.collect.service.origins import ensure_source
from shuke.collect.service.read import read_orders
from shuke.collect.service.rejects import write_rejects

__all__ = [
    "Imported",
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
