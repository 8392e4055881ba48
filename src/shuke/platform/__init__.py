"""What the rooms above stand on: settings, the engines that run their expressions, and the lake.

Knows ``insight`` and ``base`` only; nothing here knows what a customer is.
"""

from shuke.platform.engines import BATCH_ROWS, DuckDBEngine, Engine, EngineName, Transformation, open_engine
from shuke.platform.lake import Lake
from shuke.platform.settings import DocumentedSetting, Settings, documented_settings

__all__ = [
    "BATCH_ROWS",
    "DocumentedSetting",
    "DuckDBEngine",
    "Engine",
    "EngineName",
    "Lake",
    "Settings",
    "Transformation",
    "documented_settings",
    "open_engine",
]
