import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shuke.insight.clv.distinct import canonical_order, distinct, repeatable_order

ROWS = st.lists(st.tuples(st.sampled_from([0.0, 1.0, 2.5]), st.floats(0, 3).map(abs), st.integers(0, 2)), min_size=1)


def columns_of(rows: list[tuple[float, float, int]]) -> tuple[np.ndarray, ...]:
    return tuple(np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))


@given(rows=ROWS, seed=st.integers(0, 99))
def test_orders_do_not_depend_on_how_the_rows_come(rows: list[tuple[float, float, int]], seed: int) -> None:
    columns = columns_of(rows)
    mixed = tuple(column[np.random.default_rng(seed).permutation(len(rows))] for column in columns)
    for order in (canonical_order, repeatable_order):
        once, again = order(*columns), order(*mixed)
        for column, other in zip(columns, mixed, strict=True):
            np.testing.assert_array_equal(column[once], other[again])


@given(rows=ROWS)
def test_the_canonical_order_is_that_of_the_numbers(rows: list[tuple[float, float, int]]) -> None:
    columns = columns_of(rows)
    ordered = [tuple(float(column[i]) for column in columns) for i in canonical_order(*columns)]
    assert ordered == sorted(ordered)


@given(rows=ROWS)
def test_distinct_rows_are_found_and_told_apart(rows: list[tuple[float, float, int]]) -> None:
    columns = columns_of(rows)
    first, cell = distinct(*columns)
    for column in columns:
        np.testing.assert_array_equal(column[first][cell], column)
    assert first.size == len({tuple(float(value) for value in row) for row in rows})
