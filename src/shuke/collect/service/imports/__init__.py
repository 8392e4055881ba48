"""Files into the database: in batches that are committed whole, so that a killed import goes on where it was."""

from shuke.collect.service.imports.costs import import_costs
from shuke.collect.service.imports.customers import import_customers
from shuke.collect.service.imports.events import import_events
from shuke.collect.service.imports.files import ImportOptions, import_files
from shuke.collect.service.imports.ledger import Imported
from shuke.collect.service.imports.orders import import_orders
from shuke.collect.service.imports.products import import_products

__all__ = [
    "ImportOptions",
    "Imported",
    "import_costs",
    "import_customers",
    "import_events",
    "import_files",
    "import_orders",
    "import_products",
]
