"""Order files (open, understand, stage as typed Parquet, treat row by row, account for everything), orders as stated,
events from inbox to timeline, and the copy in the lake.
"""

from shuke.collect.service.costs import read_costs
from shuke.collect.service.facts import NewFact, make_months, record_facts, record_found_facts
from shuke.collect.service.imports import (
    Imported,
    import_costs,
    import_customers,
    import_events,
    import_orders,
    import_products,
)
from shuke.collect.service.lake import lake_of, update_lake
from shuke.collect.service.orders import save_orders, save_refunds
from shuke.collect.service.origins import ensure_source
from shuke.collect.service.quality import quality
from shuke.collect.service.read import read_orders
from shuke.collect.service.rejected import RejectedEvent, rejected_events
from shuke.collect.service.rejects import write_rejects
from shuke.collect.service.stored import read_stored
from shuke.collect.service.timeline import timeline
from shuke.collect.service.traits import read_traits
from shuke.collect.service.write_keys import EventSource, add_source, disable_source, list_sources

__all__ = [
    "EventSource",
    "Imported",
    "NewFact",
    "RejectedEvent",
    "add_source",
    "disable_source",
    "ensure_source",
    "import_costs",
    "import_customers",
    "import_events",
    "import_orders",
    "import_products",
    "lake_of",
    "list_sources",
    "make_months",
    "quality",
    "read_costs",
    "read_orders",
    "read_stored",
    "read_traits",
    "record_facts",
    "record_found_facts",
    "rejected_events",
    "save_orders",
    "save_refunds",
    "timeline",
    "update_lake",
    "write_rejects",
]
