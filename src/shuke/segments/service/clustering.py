"""Groups of customers that are found, each as a definition that means them from then on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ibis.expr.types as ir
import lazy_loader
import numpy as np
import pyarrow as pa

from shuke.base.errors import BadInput
from shuke.platform import Engine, Workplace, duckdb_of
from shuke.segments.measures import Subjects, commonest, features, members, sides_of, traits
from shuke.segments.model.features import Feature
from shuke.segments.model.profile import Cluster, Clusters, Trait
from shuke.segments.model.tree import FigureName, Node
from shuke.segments.rules.checking import checked
from shuke.segments.rules.thresholds import Condition, definition_of
from shuke.segments.service.asking import Asking, asking
from shuke.segments.service.columns import MEMORY_BYTES_MAX, columns_now, latest_columns
from shuke.segments.service.profiling import traits_of

__all__ = ["CLUSTERS_MAX", "CLUSTERS_MIN", "cluster"]

CLUSTERS_MIN, CLUSTERS_MAX = 2, 12
#: How many are tried where nobody says how many.
TRIED_MAX = 8
#: Fewer customers with an order are not grouped.
CUSTOMERS_MIN = 200
#: On how many it is fitted, and of how many the silhouette, which compares all pairs, is taken.
FITTED_MAX, COMPARED_MAX = 20_000, 3_000
CATEGORIES_MAX, CHANNELS_MAX = 5, 3
LEAVES_MAX, DEPTH_MAX = 8, 4
SEED = 1
BATCH_ROWS = 100_000

sklearn = lazy_loader.load("sklearn")

_FIGURES = (
    FigureName.ORDERS,
    FigureName.HISTORIC_CLV,
    FigureName.AVERAGE_ORDER,
    FigureName.AVERAGE_DAYS_BETWEEN_ORDERS,
)
_Matrix = np.ndarray[Any, np.dtype[np.float64]]


def cluster(workplace: Workplace, wanted: int | None, told: Callable[[str, float], None]) -> Clusters:
    """Group the customers with an order by what they buy, by k-means (Lloyd 1982) on standardised features.

    Where nobody says how many groups, it is the number with the highest mean silhouette (Rousseeuw 1987), of equal ones
    the least. Each group is then defined by a decision tree of few leaves (Breiman and others 1984), for itself.

    Args:
        workplace: whose customers.
        wanted: how many groups; None for whatever suits.
        told: hears what is being done, and what share of everything is.

    Raises BadInput ``segments.too_few_customers``.
    """
    told("segments.columns", 0.0)
    columns = latest_columns(workplace) or columns_now(workplace)
    with workplace.database.read() as tx:
        asked = asking(tx, workplace, columns.at)
    with duckdb_of(workplace.settings, memory_bytes_max=MEMORY_BYTES_MAX) as engine:
        subjects = columns.subjects(engine)
        named = _named(subjects)
        table = engine.keep(features(subjects, asked.clock, named), "features")
        sample = _matrix(table.order_by("mix", "customer_id").limit(FITTED_MAX).to_pyarrow(), len(named))
        if len(sample) < CUSTOMERS_MIN:
            raise BadInput("segments.too_few_customers", customers=len(sample), least=CUSTOMERS_MIN)
        told("segments.clusters", 0.2)
        scale = _Scale(named, sample)
        tried, centres = _fitted(scale(sample), wanted)
        labels = engine.upload(_labels(table, scale, centres, len(named)), "labels")
        paths = [_paths(sample, _nearest(scale(sample), centres) == number, named) for number in range(len(centres))]
        found = []
        for number, path in enumerate(paths):
            told("segments.clusters", 0.4 + 0.6 * number / len(paths))
            one = labels.filter(labels.cluster == number).select("customer_id")
            found.append(_cluster(engine, subjects, asked, one, definition_of(path), number))
        customers = sum(one[0] for one in found)
        clusters = [
            Cluster(customers=n, share=n / customers, definition=tree, agreement=agreement, traits=told_of)
            for n, tree, agreement, told_of in sorted(found, key=lambda one: -one[0])
        ]
        return Clusters(
            as_of=columns.at, customers=customers, chosen=len(clusters), tried=tried, clusters=tuple(clusters)
        )


def _named(subjects: Subjects) -> list[Feature]:
    def first(table: ir.Table, name: str, at_most: int) -> list[str]:
        return list(commonest(table, name, at_most).to_pyarrow()["value"].to_pylist())

    return [
        Feature("days"),
        *(Feature("figure", one.value) for one in _FIGURES),
        Feature("discounted"),
        *(Feature("channel", one) for one in first(subjects.orders, "channel", CHANNELS_MAX)),
        *(Feature("category", one) for one in first(subjects.lines, "category", CATEGORIES_MAX)),
    ]


def _matrix(rows: pa.Table | pa.RecordBatch, many: int) -> _Matrix:
    """A row for each customer; what is not known is −1, less than anything that is."""
    each = [rows.column(f"f_{number}").to_numpy(zero_copy_only=False) for number in range(many)]
    found: _Matrix = np.nan_to_num(np.column_stack([np.asarray(one, dtype=float) for one in each]), nan=-1.0)
    return found


class _Scale:
    """Features on scales that can be compared: logarithms of what is skewed, shares of what adds up, all standardised
    with the mean and the deviation of the sample.
    """

    def __init__(self, named: Sequence[Feature], sample: _Matrix) -> None:
        self._named = named
        gaps = sample[:, self._gap]
        known = gaps[gaps >= 0]
        self._usual = float(np.median(known)) if len(known) else 0.0
        drawn = self._drawn(sample)
        self._mean, spread = drawn.mean(axis=0), drawn.std(axis=0)
        self._spread = np.where(spread > 0, spread, 1.0)

    @property
    def _gap(self) -> int:
        return self._named.index(Feature("figure", FigureName.AVERAGE_DAYS_BETWEEN_ORDERS.value))

    def __call__(self, values: _Matrix) -> _Matrix:
        return np.asarray((self._drawn(values) - self._mean) / self._spread)

    def _drawn(self, values: _Matrix) -> _Matrix:
        orders = np.maximum(values[:, self._named.index(Feature("figure", FigureName.ORDERS.value))], 1.0)
        spent = [number for number, one in enumerate(self._named) if one.of == "category"]
        whole = np.maximum(values[:, spent].sum(axis=1), 1.0)
        columns = []
        for number, one in enumerate(self._named):
            column = values[:, number]
            if number == self._gap:
                # Who ordered once is neither quick nor slow.
                column = np.log1p(np.where(column < 0, self._usual, column))
            elif one.of in ("discounted", "channel"):
                column = column / orders
            elif one.of == "category":
                column = column / whole
            else:
                column = np.log1p(np.maximum(column, 0.0))
            columns.append(column)
        return np.column_stack(columns)


def _fitted(values: _Matrix, wanted: int | None) -> tuple[tuple[tuple[int, float], ...], _Matrix]:
    """The numbers of groups that were tried with their scores, and the centres of the best."""
    many = range(CLUSTERS_MIN, TRIED_MAX + 1) if wanted is None else [wanted]
    tried = {}
    for number in many:
        fit = sklearn.cluster.KMeans(n_clusters=number, n_init=5, random_state=SEED).fit(values)
        labels = fit.labels_[:COMPARED_MAX]
        score = sklearn.metrics.silhouette_score(values[:COMPARED_MAX], labels) if len(set(labels)) > 1 else -1.0
        tried[number] = round(float(score), 3), fit.cluster_centers_
    best = max(tried, key=lambda number: (tried[number][0], -number))
    return tuple((number, score) for number, (score, _) in tried.items()), tried[best][1]


def _nearest(values: _Matrix, centres: _Matrix) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.asarray(((values[:, None, :] - centres[None]) ** 2).sum(axis=2).argmin(axis=1), dtype=np.int64)


def _labels(table: ir.Table, scale: _Scale, centres: _Matrix, many: int) -> pa.Table:
    """The group of every customer: customer_id, cluster."""
    batches = []
    for batch in table.to_pyarrow_batches(chunk_size=BATCH_ROWS):
        nearest = _nearest(scale(_matrix(batch, many)), centres)
        batches.append(pa.table({"customer_id": batch.column("customer_id"), "cluster": nearest}))
    return pa.concat_tables(batches)


def _paths(sample: _Matrix, inside: np.ndarray[Any, Any], named: Sequence[Feature]) -> list[list[Condition]]:
    """The paths to the leaves of a tree in which most are of the group; at least to the one with the most."""
    model = sklearn.tree.DecisionTreeClassifier(
        max_leaf_nodes=LEAVES_MAX, max_depth=DEPTH_MAX, min_samples_leaf=max(5, len(sample) // 500), random_state=SEED
    )
    tree = model.fit(sample, inside).tree_
    of_it = tree.value[:, 0, -1] / tree.value[:, 0].sum(axis=1)
    leaves: list[tuple[float, list[Condition]]] = []

    def walk(node: int, path: list[Condition]) -> None:
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if left < 0:
            leaves.append((float(of_it[node]), path))
            return
        at = named[int(tree.feature[node])], float(tree.threshold[node])
        walk(left, [*path, (*at, False)])
        walk(right, [*path, (*at, True)])

    walk(0, [])
    chosen = [path for share, path in leaves if share > 0.5]
    return chosen or [max(leaves, key=lambda leaf: leaf[0])[1]]


def _cluster(
    engine: Engine, subjects: Subjects, asked: Asking, one: ir.Table, tree: Node, number: int
) -> tuple[int, Node, float, tuple[Trait, ...]]:
    whole = checked(tree, asked.vocabulary)
    meant = members(whole, subjects, asked.clock, asked.kinds)
    both = engine.keep(sides_of(subjects, one, meant), f"both_{number}")
    counted = both.aggregate(n=both.one.sum(), common=(both.one & both.other).sum(), all=both.count())
    row = counted.to_pyarrow().to_pylist()[0]
    sides = engine.keep(sides_of(subjects, one, None), f"sides_{number}")
    told = traits_of(traits(subjects, sides, asked.clock, asked.kinds), asked.kinds)
    return int(row["n"] or 0), tree, (row["common"] or 0) / max(row["all"], 1), told
