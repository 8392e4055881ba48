"""What of a demo is there already, kept in its data folder so that the next start goes on from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from shuke.base.errors import BadInput

__all__ = ["OWNER", "Notes"]

#: Who signs in to a demo.
OWNER = "demo@example.com"

_FILE = "demo.json"


@dataclass
class Notes:
    """The notes of one data folder; whatever is changed is written down by :meth:`save`.

    ``done`` are the steps that came to their end; ``weeks`` by how many the orders are moved, None before that is
    decided; ``customers`` those to look at, as (id, number).
    """

    folder: Path
    done: list[str] = field(default_factory=list)
    weeks: int | None = None
    write_key: str = ""
    api_key: str = ""
    password: str = ""
    customers: list[tuple[str, str]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path) -> Self:
        """The notes of this data folder; of one that is not there yet, new ones.

        Raises:
            BadInput: ``app.not_a_demo`` for a folder with anything in it that no demo has put there.
        """
        file = folder / _FILE
        if file.exists():
            kept: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            return cls(folder, **kept)
        if folder.exists() and any(folder.iterdir()):
            raise BadInput("app.not_a_demo", folder=str(folder))
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        notes = cls(folder)
        notes.save()
        return notes

    def finish(self, step: str) -> None:
        """Note that a step came to its end."""
        self.done.append(step)
        self.save()

    def save(self) -> None:
        """Write them down, whole or not at all; nobody else may read the keys and the password."""
        kept = {name: value for name, value in asdict(self).items() if name != "folder"}
        new = self.folder / f"{_FILE}.new"
        new.touch(mode=0o600)
        new.write_text(json.dumps(kept, indent=1), encoding="utf-8")
        new.replace(self.folder / _FILE)
