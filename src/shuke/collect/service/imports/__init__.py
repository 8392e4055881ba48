"""Files into the database: in batches that are committed whole, so that a killed import goes on where it was."""

from shuke.collect.service.imports.ledger import Imported
from shuke.collect.service.imports.orders import import_orders

__all__ = ["Imported", "import_orders"]
