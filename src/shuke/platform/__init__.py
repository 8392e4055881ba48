"""What the rooms above stand on: settings, database, jobs, keys, telemetry, the engines, and the lake.

Knows ``insight`` and ``base`` only; nothing here knows what a customer is.
"""

import lazy_loader

# What there is at the door is declared in ``__init__.pyi``. Each part is loaded when it is first used, so that a report
# does not wait for a database.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
