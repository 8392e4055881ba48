from .crypto import Keyring, Wrapped, decrypt, encrypt, new_key
from .database import (
    Database,
    EmbeddedPostgres,
    Transaction,
    among,
    array,
    driver,
    embedded_url,
    metadata,
    migrate,
    open_database,
    revision_expected,
    revision_found,
)
from .engines import BATCH_ROWS, DuckDBEngine, Engine, EngineName, Transformation, open_engine
from .jobs import Blueprint, JobContext, Workplace, defer, workplace
from .lake import Lake
from .settings import DocumentedSetting, Settings, documented_settings
from .telemetry import Metrics, configure_logs, log

__all__ = [
    "BATCH_ROWS",
    "Blueprint",
    "Database",
    "DocumentedSetting",
    "DuckDBEngine",
    "EmbeddedPostgres",
    "Engine",
    "EngineName",
    "JobContext",
    "Keyring",
    "Lake",
    "Metrics",
    "Settings",
    "Transaction",
    "Transformation",
    "Workplace",
    "Wrapped",
    "among",
    "array",
    "configure_logs",
    "decrypt",
    "defer",
    "documented_settings",
    "driver",
    "embedded_url",
    "encrypt",
    "log",
    "metadata",
    "migrate",
    "new_key",
    "open_database",
    "open_engine",
    "revision_expected",
    "revision_found",
    "workplace",
]
