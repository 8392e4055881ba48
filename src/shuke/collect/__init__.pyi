from .model import (
    FIELDS,
    TREATMENTS,
    Bought,
    BoughtLine,
    BoughtOrder,
    Collected,
    DataQuality,
    EventField,
    EventVolume,
    FieldMatch,
    FileRead,
    Note,
    Order,
    OrderLine,
    OrderPage,
    OrderStatus,
    Quality,
    QualityCount,
    Recognised,
    Refund,
    SalesWeek,
    SourceHour,
    Stated,
    SuddenChange,
    TimelineFact,
    TimelinePage,
    Trait,
    Treatment,
)
from .rules.file_kinds import FileKind
from .service.bought import orders_of
from .service.buyers import buyers, first_buyers, ordered_again
from .service.costs import read_costs
from .service.facts import make_months, record_fact_table, record_found_facts
from .service.imports import (
    Imported,
    ImportOptions,
    import_costs,
    import_customers,
    import_events,
    import_files,
    import_orders,
    import_products,
)
from .service.lake import lake_of, update_lake
from .service.orders import save_orders, save_refunds
from .service.origins import ensure_source
from .service.quality import quality
from .service.read import read_orders
from .service.rejected import RejectedEvent, rejected_events
from .service.rejects import write_rejects
from .service.sales import sales_by_week
from .service.stored import read_stored
from .service.timeline import timeline
from .service.traits import read_traits
from .service.write_keys import EventSource, add_source, disable_source, list_sources

__all__ = [
    "FIELDS",
    "TREATMENTS",
    "Bought",
    "BoughtLine",
    "BoughtOrder",
    "Collected",
    "DataQuality",
    "EventField",
    "EventSource",
    "EventVolume",
    "FieldMatch",
    "FileKind",
    "FileRead",
    "ImportOptions",
    "Imported",
    "Note",
    "Order",
    "OrderLine",
    "OrderPage",
    "OrderStatus",
    "Quality",
    "QualityCount",
    "Recognised",
    "Refund",
    "RejectedEvent",
    "SalesWeek",
    "SourceHour",
    "Stated",
    "SuddenChange",
    "TimelineFact",
    "TimelinePage",
    "Trait",
    "Treatment",
    "add_source",
    "buyers",
    "disable_source",
    "ensure_source",
    "first_buyers",
    "import_costs",
    "import_customers",
    "import_events",
    "import_files",
    "import_orders",
    "import_products",
    "lake_of",
    "list_sources",
    "make_months",
    "ordered_again",
    "orders_of",
    "quality",
    "read_costs",
    "read_orders",
    "read_stored",
    "read_traits",
    "record_fact_table",
    "record_found_facts",
    "rejected_events",
    "sales_by_week",
    "save_orders",
    "save_refunds",
    "timeline",
    "update_lake",
    "write_rejects",
]
