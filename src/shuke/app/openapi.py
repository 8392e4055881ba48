"""``python -m shuke.app.openapi``: the description of the API as the server gives it, for the console's types.

No database is touched: routes are described without being called.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from shuke.app.web import build_web
from shuke.platform import Database, Keyring, Settings, Workplace

__all__ = ["description"]


def description() -> dict[str, Any]:
    """The OpenAPI document of all routes."""
    with Database("postgresql://nobody@127.0.0.1/none", connections=1) as unopened:
        return build_web(Workplace(Settings(), unopened, Keyring.new())).openapi()


if __name__ == "__main__":
    json.dump(description(), sys.stdout, ensure_ascii=False, indent=1, sort_keys=True)
