import itertools
from collections import Counter
from typing import Any

import ibis
import numpy as np
import pytest
from scipy.stats import norm

from shuke.base.errors import BadInput
from shuke.insight import baskets
from shuke.insight.tables import Tables


def orders_of(*contents: str) -> Any:
    """One order per word, one product per letter."""
    rows = [(number, letter) for number, word in enumerate(contents) for letter in word]
    return ibis.memtable({"order_id": [row[0] for row in rows], "product_id": [row[1] for row in rows]})


def test_pairs_of_a_small_shop(duck: Any) -> None:
    lines = orders_of("ab", "ab", "aab", "ac", "b", "c", "c", "d")
    row = duck.to_pyarrow(baskets.basket_pairs(lines, min_orders=2)).to_pylist()
    assert len(row) == 1
    pair = row[0]
    assert (pair["product_a"], pair["product_b"]) == ("a", "b")
    assert (pair["orders_both"], pair["orders_a"], pair["orders_b"], pair["orders"]) == (3, 4, 4, 8)
    assert (pair["support"], pair["confidence_a_to_b"], pair["confidence_b_to_a"], pair["lift"]) == (
        0.375,
        0.75,
        0.75,
        1.5,
    )


def test_the_interval_is_the_delta_method(duck: Any) -> None:
    # The variance once more, from the gradient and the multinomial covariance instead of the closed form.
    both, only_a, only_b, neither = 30, 20, 45, 205
    lines = orders_of(*["ab"] * both, *["a"] * only_a, *["b"] * only_b, *["z"] * neither)
    pair = duck.to_pyarrow(baskets.basket_pairs(lines, min_orders=5, level=0.9)).to_pylist()[0]
    n = both + only_a + only_b + neither
    p = np.array([both, only_a, only_b, neither]) / n
    p_ab, p_a, p_b = p[0], p[0] + p[1], p[0] + p[2]
    gradient = np.array([1 / p_ab - 1 / p_a - 1 / p_b, -1 / p_a, -1 / p_b, 0.0])
    variance = gradient @ (np.diag(p) - np.outer(p, p)) @ gradient / n
    reach = norm.ppf(0.95) * np.sqrt(variance)
    lift = p_ab / (p_a * p_b)
    assert pair["lift"] == pytest.approx(lift, rel=1e-12)
    assert pair["lift_low"] == pytest.approx(lift * np.exp(-reach), rel=1e-12)
    assert pair["lift_high"] == pytest.approx(lift * np.exp(reach), rel=1e-12)


def test_the_interval_covers_what_it_says() -> None:
    """Repeated sampling: the 95 % interval of the formula holds the true lift in 95 % of the samples."""
    p = np.array([0.03, 0.07, 0.12, 0.78])
    truth = np.log(0.03 / (0.10 * 0.15))
    n = 2000
    counts = np.random.default_rng(7).multinomial(n, p, size=20_000).astype(float)
    both, a, b = counts[:, 0], counts[:, 0] + counts[:, 1], counts[:, 0] + counts[:, 2]
    lift = both * n / (a * b)
    error = np.sqrt(1 / both - 1 / a - 1 / b + (2 * lift - 1) / n)
    covered = np.abs(np.log(lift) - truth) <= norm.ppf(0.975) * error
    assert covered.mean() == pytest.approx(0.95, abs=0.006)


def test_a_pair_in_every_order_has_no_spread(duck: Any) -> None:
    pair = duck.to_pyarrow(baskets.basket_pairs(orders_of("ab", "ab", "ab"), min_orders=2)).to_pylist()[0]
    assert (pair["lift_low"], pair["lift"], pair["lift_high"]) == (1.0, 1.0, 1.0)


def test_limits(duck: Any) -> None:
    with pytest.raises(BadInput, match=r"insight\.too_many_products"):
        baskets.basket_pairs(orders_of("ab"), products=baskets.PRODUCTS_MAX + 1)
    lines = orders_of("abc", "abc", "ab", "d", "d", "d", "d")
    # Only the two most frequent products take part: d and a (of equals, the first).
    assert duck.to_pyarrow(baskets.basket_pairs(lines, min_orders=1, products=2)).num_rows == 0
    assert duck.to_pyarrow(baskets.basket_pairs(lines, min_orders=1, products=4, limit=1)).num_rows == 1


def test_online_retail_pairs_against_a_plain_count(online_retail: Tables) -> None:
    expression = baskets.basket_pairs(online_retail.order_lines, min_orders=100, limit=10_000, products=200)  # type: ignore[arg-type]  # the fixture fills it
    found = expression.to_pandas()

    lines = online_retail.order_lines.select("order_id", "product_id").distinct().to_pandas()  # type: ignore[union-attr]  # likewise
    singles = Counter(lines.product_id)
    frequent = {name for name, _ in sorted(singles.items(), key=lambda item: (-item[1], item[0]))[:200]}
    pairs: Counter[tuple[str, str]] = Counter()
    for content in lines[lines.product_id.isin(frequent)].groupby("order_id").product_id:
        pairs.update(itertools.combinations(sorted(content[1]), 2))
    expected = {pair: count for pair, count in pairs.items() if count >= 100}
    keys = list(zip(found.product_a, found.product_b, strict=True))
    assert dict(zip(keys, found.orders_both, strict=True)) == expected
    n = lines.order_id.nunique()
    lift = [expected[a, b] * n / (singles[a] * singles[b]) for a, b in keys]
    np.testing.assert_allclose(found.lift, lift, rtol=1e-12)
    assert found.lift_low.is_monotonic_decreasing
    assert (found.lift_low < found.lift).all()
    assert found.name_a.notna().all()
