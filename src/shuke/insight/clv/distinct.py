"""Which customers have the same numbers: the distinct rows of a few columns, without sorting a million floats."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from shuke.insight.clv.model import Floats

__all__ = ["distinct"]

# A table of codes may be this much larger than the columns before sorting is the better way.
_SPARSE = 8


def distinct(*columns: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Positions (m,) of one representative of each distinct row, and for each row (n,) the index into them."""
    code = np.zeros(columns[0].size, dtype=np.intp)
    size = 1
    for column in columns:
        encoded = pa.array(np.ascontiguousarray(column)).dictionary_encode()
        code, size = _dense(code * len(encoded.dictionary) + encoded.indices.to_numpy(), size * len(encoded.dictionary))
    representative = np.empty(size, dtype=np.intp)
    representative[code] = np.arange(code.size)
    return representative, code


def _dense(code: NDArray[np.intp], size: int) -> tuple[NDArray[np.intp], int]:
    """Number the codes that occur 0, 1, … without gaps."""
    if size > _SPARSE * code.size:
        values, numbered = np.unique(code, return_inverse=True)
        return numbered, values.size
    occurs = np.zeros(size, dtype=bool)
    occurs[code] = True
    return (np.cumsum(occurs) - 1)[code], int(np.count_nonzero(occurs))
