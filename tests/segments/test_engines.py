"""One tree means the same customers on every engine, and in plain Python."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from shuke.platform import open_engine
from shuke.segments.model import tree

from .engines import Asked, OnSpark, checked, written
from .histories import document, history_of
from .trees import trees_of

#: Of each history, since it takes a while to load one.
TREES = 10


@pytest.mark.parametrize("seed", range(8))
def test_every_engine_means_the_same_customers(engines: dict[str, Asked], seed: int) -> None:
    history = history_of(seed)
    checked(trees_of(seed, history, TREES), history, engines)


def test_what_is_no_day_of_the_year_is_not_known(engines: dict[str, Asked]) -> None:
    history = history_of(0)
    born = ("20240301", 366, -1, 0.5, "x", None, 0, 59, 365)
    assert len(history.people) > len(born)
    people = [
        row | {"attributes": document({"born": born[number % len(born)]})} for number, row in enumerate(history.people)
    ]
    known = tree.Attribute(name="born", test=tree.Test(op=tree.Op.KNOWN))
    comes = tree.Attribute(name="born", test=tree.Test(op=tree.Op.ANNIVERSARY, values=(365,)))
    checked([known, comes], replace(history, people=tuple(people), everybody=tuple(people)), engines)


@pytest.mark.faults
def test_every_engine_means_the_same_customers_thousands_of_times(engines: dict[str, Asked]) -> None:
    began = secrets.randbelow(2**32)
    for seed in range(began, began + 300):
        history = history_of(seed)
        checked(trees_of(seed, history, TREES), history, engines)


@pytest.mark.spark
@pytest.mark.faults
def test_spark_means_the_same_customers(tmp_path: Path) -> None:
    if importlib.util.find_spec("pyspark") is None or shutil.which("java") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have Java and the spark extra")
        pytest.skip("needs a Java runtime and the spark extra")
    with open_engine("spark", work_folder=tmp_path, memory_limit_bytes=2**30, threads=1) as engine:
        spark: dict[str, Asked] = {"Spark": OnSpark(engine.session)}  # type: ignore[attr-defined] # Spark's own
        for number in range(2):
            history = history_of(number)
            # Spark's paths cannot name a property that is called "*": there it stands for every one.
            trees = [tree for tree in trees_of(number, history, TREES) if '"*"' not in written(tree)]
            checked(trees, history, spark)
