"""Where a page of a list ends, as the text that asks for the next one: nothing that anybody should build themselves."""

from __future__ import annotations

import base64
import json
from typing import Any

__all__ = ["cursor_of", "place_of"]


def cursor_of(*place: str | float | None) -> str:
    """The text for a place, which is what the order of the list is by."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def place_of(cursor: str, parts: int) -> list[Any]:
    """The place of a text that :func:`cursor_of` made of so many parts; ValueError for any other.

    Who wrote it is not known: each part is still to be checked.
    """
    try:
        place = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
    except RecursionError:
        raise ValueError(cursor) from None
    if not isinstance(place, list) or len(place) != parts:
        raise ValueError(cursor)
    return place
