"""How a column writes its numbers, decided for the whole column from the shapes of its cells (digits as 9)."""

from __future__ import annotations

import re
from collections.abc import Sequence

_OTHER = re.compile(r"[^9.,]")


def decimal_mark(shapes: Sequence[tuple[str, int]], *, semicolons: bool) -> str:
    """``.`` or ``,``: which of the two separates the decimals in this column.

    A cell is evidence where both marks occur (the last one is the decimal mark), where one mark occurs more than once
    (it groups thousands), or where other than three digits follow the only mark. Without evidence a comma groups
    thousands, unless the file itself is separated by semicolons, as spreadsheets do where the comma is decimal.
    """
    evidence = {".": 0, ",": 0}
    for shape, count in shapes:
        body = _OTHER.sub("", shape)
        mark = max(".,", key=body.rfind)
        other = "," if mark == "." else "."
        if body.rfind(mark) < 0:
            continue
        if body.count(mark) > 1:
            evidence[other] += count
        elif other in body or len(body) - body.rfind(mark) - 1 != 3:
            evidence[mark] += count
    if evidence["."] == evidence[","] == 0:
        return "," if semicolons and any("," in shape for shape, _ in shapes) else "."
    return "," if evidence[","] > evidence["."] else "."
