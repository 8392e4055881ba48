"""Settings: each is declared here once, with its default, and read from the environment.

The meaning of each is in the catalogue under ``settings.<field>``, in both languages; :func:`documented_settings`
makes the table that the documentation shows, and a test fails when one is missing there.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Self
from zoneinfo import available_timezones

from shuke.base.errors import BadInput
from shuke.base.language import Language, catalogue

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}


def _bytes(text: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?I?B)?", text.strip().upper())
    if match is None or (size := round(float(match[1]) * _UNITS[match[2] or ""])) <= 0:
        raise ValueError(text)
    return size


def _count(text: str) -> int:
    if (count := int(text)) <= 0:
        raise ValueError(text)
    return count


def _port(text: str) -> int:
    if not 0 <= (port := int(text)) <= 65535:
        raise ValueError(text)
    return port


def _log_format(text: str) -> str:
    if text not in ("text", "json"):
        raise ValueError(text)
    return text


def _switch(text: str) -> bool:
    return {"on": True, "off": False}[text]


def _time_zone(text: str) -> str:
    if text not in available_timezones():
        raise ValueError(text)
    return text


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip().lower() for name in text.split(",") if name.strip())
    if not all(re.fullmatch(r"[a-z0-9.:_-]{1,255}", name) for name in names):
        raise ValueError(text)
    return names


def _origin(text: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]_-]{1,255}", text.rstrip("/")):
        raise ValueError(text)
    return text.rstrip("/").lower()


def _issuer(text: str) -> str:
    # What is not encrypted on its way proves nothing, unless it never leaves this machine.
    if not re.fullmatch(r"https://\S+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/\S*)?", text):
        raise ValueError(text)
    return text


def _data_folder() -> Path:
    """Where services of root's keep their data, and where those of a person do."""
    if os.geteuid() == 0:
        return Path("/var/lib/shuke")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "shuke"


@dataclass(frozen=True)
class Settings:
    """What this machine lets Shuke use. None means: what the engine thinks right, which is most of the machine."""

    work_folder: Path = field(
        default=Path(tempfile.gettempdir()), metadata={"variable": "SHUKE_WORK_FOLDER", "parse": Path}
    )
    memory_limit_bytes: int | None = field(default=None, metadata={"variable": "SHUKE_MEMORY_LIMIT", "parse": _bytes})
    threads: int | None = field(default=None, metadata={"variable": "SHUKE_THREADS", "parse": _count})
    spark_master: str | None = field(default=None, metadata={"variable": "SHUKE_SPARK_MASTER", "parse": str})

    database_url: str | None = field(default=None, metadata={"variable": "DATABASE_URL", "parse": str})
    data_folder: Path = field(default_factory=_data_folder, metadata={"variable": "SHUKE_DATA_FOLDER", "parse": Path})
    host: str = field(default="127.0.0.1", metadata={"variable": "SHUKE_HOST", "parse": str})
    port: int = field(default=8600, metadata={"variable": "SHUKE_PORT", "parse": _port})
    allowed_hosts: tuple[str, ...] = field(default=(), metadata={"variable": "SHUKE_ALLOWED_HOSTS", "parse": _names})
    workers: int = field(default=2, metadata={"variable": "SHUKE_WORKERS", "parse": _count})
    master_key_file: Path | None = field(default=None, metadata={"variable": "SHUKE_MASTER_KEY_FILE", "parse": Path})
    log_format: str = field(default="text", metadata={"variable": "SHUKE_LOG_FORMAT", "parse": _log_format})
    time_zone: str = field(default="UTC", metadata={"variable": "SHUKE_TIME_ZONE", "parse": _time_zone})
    public_url: str | None = field(default=None, metadata={"variable": "SHUKE_PUBLIC_URL", "parse": _origin})
    session_idle_hours: int = field(default=12, metadata={"variable": "SHUKE_SESSION_IDLE_HOURS", "parse": _count})
    session_days: int = field(default=7, metadata={"variable": "SHUKE_SESSION_DAYS", "parse": _count})
    oidc_issuer: str | None = field(default=None, metadata={"variable": "SHUKE_OIDC_ISSUER", "parse": _issuer})
    oidc_client_id: str | None = field(default=None, metadata={"variable": "SHUKE_OIDC_CLIENT_ID", "parse": str})
    oidc_client_secret_file: Path | None = field(
        default=None, metadata={"variable": "SHUKE_OIDC_CLIENT_SECRET_FILE", "parse": Path}
    )
    oidc_name: str = field(default="SSO", metadata={"variable": "SHUKE_OIDC_NAME", "parse": str})
    oidc_domains: tuple[str, ...] = field(default=(), metadata={"variable": "SHUKE_OIDC_DOMAINS", "parse": _names})
    oidc_role: str | None = field(default=None, metadata={"variable": "SHUKE_OIDC_ROLE", "parse": str})
    webhook_hosts: tuple[str, ...] = field(default=(), metadata={"variable": "SHUKE_WEBHOOK_HOSTS", "parse": _names})
    nightly_refresh: bool = field(default=True, metadata={"variable": "SHUKE_NIGHTLY_REFRESH", "parse": _switch})

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """The settings as the environment has them; an empty variable counts as absent.

        Raises:
            BadInput: ``platform.bad_setting`` when a value cannot be read.
        """
        given = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        for declared in fields(cls):
            variable = declared.metadata["variable"]
            if not given.get(variable):
                continue
            try:
                values[declared.name] = declared.metadata["parse"](given[variable])
            except (ValueError, KeyError):
                raise BadInput("platform.bad_setting", variable=variable, given=given[variable]) from None
        return cls(**values)

    def as_environment(self) -> dict[str, str]:
        """What another process has to find in its environment to have these settings."""
        values = {declared.metadata["variable"]: getattr(self, declared.name) for declared in fields(self)}
        return {variable: _written(value) for variable, value in values.items()}


def _written(value: object) -> str:
    """A value as it stands in an environment."""
    if value is None or isinstance(value, bool):
        return {None: "", True: "on", False: "off"}[value]
    return ",".join(value) if isinstance(value, tuple) else str(value)


@dataclass(frozen=True)
class DocumentedSetting:
    """One row of the table of settings: the environment variable, its default in words, and what it means."""

    variable: str
    default: str
    meaning: str


def documented_settings(language: Language) -> tuple[DocumentedSetting, ...]:
    """Every setting, in the order of declaration, in the reader's language; KeyError when one has no text."""
    text = catalogue("shuke.platform", language)
    rows = []
    for declared in fields(Settings):
        described = f"settings.{declared.name}"
        default = text(f"{described}_default")
        if declared.default is MISSING and declared.default_factory is MISSING:
            raise KeyError(declared.name)
        rows.append(DocumentedSetting(declared.metadata["variable"], default, text(described)))
    return tuple(rows)
