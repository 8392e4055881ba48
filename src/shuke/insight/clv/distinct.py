"""Which customers have the same numbers, and a canonical order of them, without the slow general sort of many keys."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["canonical_order", "distinct"]

Floats = NDArray[np.float64]

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


def canonical_order(*columns: Floats) -> NDArray[np.intp]:
    """The order of the rows by their columns, first column first; equal rows in any order."""
    code = np.zeros(columns[0].size, dtype=np.intp)
    size = 1
    for column in columns:
        encoded = pa.array(np.ascontiguousarray(column)).dictionary_encode()
        values = encoded.dictionary.to_numpy()
        rank = np.empty(values.size, dtype=np.intp)
        rank[np.argsort(values)] = np.arange(values.size)
        if size * values.size > np.iinfo(np.intp).max:
            code, size = _dense(code, size)
        code = code * values.size + rank[encoded.indices.to_numpy()]
        size *= values.size
    return np.argsort(code)


def _dense(code: NDArray[np.intp], size: int) -> tuple[NDArray[np.intp], int]:
    """Number the codes that occur 0, 1, … without gaps."""
    if size > _SPARSE * code.size:
        values, numbered = np.unique(code, return_inverse=True)
        return numbered, values.size
    occurs = np.zeros(size, dtype=bool)
    occurs[code] = True
    return (np.cumsum(occurs) - 1)[code], int(np.count_nonzero(occurs))
