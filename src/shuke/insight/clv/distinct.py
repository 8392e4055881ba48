"""Which customers have the same numbers, and a canonical order of them, without the slow general sort of many keys."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["canonical_order", "distinct", "repeatable_order"]

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


def repeatable_order(*columns: Floats) -> NDArray[np.intp]:
    """An order of the rows that is the same however they come: by a hash, for columns of very many values.

    Equal rows are neighbours. Different rows that share a hash (among a million, with probability 3 · 10⁻⁸) would stand
    as they came.
    """
    mixed = np.zeros(columns[0].size, dtype=np.uint64)
    for column in columns:
        # 2^64 over the golden ratio, as in Fibonacci hashing.
        mixed = (mixed ^ np.ascontiguousarray(column).view(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return np.argsort(mixed)


def _dense(code: NDArray[np.intp], size: int) -> tuple[NDArray[np.intp], int]:
    """Number the codes that occur 0, 1, … without gaps."""
    if size > _SPARSE * code.size:
        values, numbered = np.unique(code, return_inverse=True)
        return numbered, values.size
    occurs = np.zeros(size, dtype=bool)
    occurs[code] = True
    return (np.cumsum(occurs) - 1)[code], int(np.count_nonzero(occurs))
