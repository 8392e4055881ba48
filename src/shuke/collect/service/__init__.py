"""Reading order files: open, understand, stage as typed Parquet, treat row by row, account for everything."""

from shuke.collect.service.costs import read_costs
from shuke.collect.service.read import read_orders
from shuke.collect.service.rejects import write_rejects

__all__ = ["read_costs", "read_orders", "write_rejects"]
