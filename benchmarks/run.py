"""Measure Shuke against its peers, in one run, and print ratios. ``make bench`` calls this.

    python benchmarks/run.py [--customers 1000000] [--repeats 3] [--peer-repeats 1] [--large] [--without-peers]

Data, virtual environments of the peers and results are made under ``benchmarks/.data`` and ``benchmarks/.peers``.
Nothing here fails for being slow: targets are printed beside what was measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from generate import FIRST_DAY, SEED, WEEKS, generate
from measure import Measured, measure
from ours import PARETO
from shuke.insight.clv.simulate import simulate_pareto_nbd, summarise

HERE = Path(__file__).parent
DATA, PEERS = HERE / ".data", HERE / ".peers"
OURS = (sys.executable, HERE / "ours.py")
SHUKE = Path(sys.executable).with_name("shuke")
ONLINE_RETAIL = HERE.parent / "src" / "shuke" / "app" / "data" / "online_retail.parquet"
AS_OF = str((FIRST_DAY.astype("datetime64[D]") + WEEKS * 7 - 1).astype("datetime64[D]"))
PARETO_CUSTOMERS = 100_000
WARM_UP_CUSTOMERS = 2_000
LARGE_CUSTOMERS = 10_000_000
LARGE_MEMORY_LIMIT = "7GB"


@dataclass
class Results:
    """The lines of the table, as they come: what, measured, target, whether it is met."""

    rows: list[tuple[str, str, str, bool | None]] = field(default_factory=list)

    def add(self, what: str, measured: str, target: str = "", *, met: bool | None = None) -> None:
        """Print one line at once, since the next may take minutes."""
        self.rows.append((what, measured, target, met))
        mark = {True: "met", False: "MISSED", None: ""}[met]
        print(f"{what:<58} {measured:>22}  {target:<28} {mark}", flush=True)

    def at_least(self, what: str, ratio: float, target: float) -> None:
        """A ratio that should be large."""
        self.add(what, f"{ratio:.1f} ×", f"at least {target:g} ×", met=ratio >= target)

    def at_most(self, what: str, value: float, target: float, unit: str) -> None:
        """A figure that should be small."""
        self.add(what, f"{value:.2f} {unit}", f"at most {target:g} {unit}", met=value <= target)


def orders_of(customers: int) -> Path:
    """The Parquet file of the orders of so many simulated customers, generated once."""
    path = DATA / f"orders-{customers}-{SEED}.parquet"
    if not path.exists():
        generate(customers, path)
    return path


def histories() -> Path:
    """Histories of Pareto/NBD customers, for the fit that pymc-marketing is slow at."""
    path = DATA / f"pareto-{PARETO_CUSTOMERS}-{SEED}.parquet"
    if not path.exists():
        generator = np.random.default_rng(SEED)
        watched = generator.uniform(26, 104, PARETO_CUSTOMERS)
        x, t_x, T, _ = summarise(simulate_pareto_nbd(generator, watched, **PARETO), watched)
        columns = {"customer_id": np.arange(x.size), "frequency": x, "recency": t_x, "T": T}
        DATA.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), path)
    return path


def peer(name: str) -> Path:
    """The Python of a peer's own virtual environment, made from its exact versions."""
    python = PEERS / name / "bin" / "python"
    wanted = HERE / "peers" / f"{name}.txt"
    ready = PEERS / name / ".ready"
    if not ready.exists() or ready.read_text() != wanted.read_text():
        uv = Path(sys.executable).with_name("uv")
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", "3.11", PEERS / name], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", python, "-r", wanted], check=True)
        ready.write_text(wanted.read_text())
    return python


def about_this_machine(results: Results) -> None:
    """What the figures depend on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    results.add("machine", f"{os.cpu_count()} cores, {memory:.0f} GB", f"load {os.getloadavg()[0]:.1f} at the start")
    results.add("python", platform.python_version(), platform.system())
    for name in ("duckdb", "ibis-framework", "numpy", "scipy", "pyarrow"):
        results.add(name, version(name))


def facts_and_peers(results: Results, customers: int, repeats: int, peer_repeats: int, *, peers: bool) -> Measured:
    """From Parquet to the facts Parquet, beside the bare aggregate and the peers' pipelines."""
    orders = orders_of(customers)
    results.add("customers, orders", f"{customers:,}, {pq.read_metadata(orders).num_rows:,}")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.parquet"
        bare, ours = Measured(), Measured()
        for _ in range(repeats):
            # In turn, so that both meet the same machine.
            for measured, command in ((bare, ["bare", orders, out]), (ours, ["facts", orders, out, AS_OF])):
                once = measure([*OURS, *command])
                for name in ("wall", "peak_bytes", "said"):
                    getattr(measured, name).extend(getattr(once, name))
        results.add("bare DuckDB aggregate", f"{bare.seconds:.2f} s, {bare.peak:.2f} GB")
        results.add(
            "Shuke, Parquet to facts", f"{ours.seconds:.2f} s, {ours.peak:.2f} GB", f"{ours.whole:.2f} s in all"
        )
        results.at_most("Shuke / bare aggregate", ours.seconds / bare.seconds, 2.5, "×")
        results.at_most("Shuke, peak memory", ours.peak, 1.5, "GB")
        fitted = measure([*OURS, "fit", orders, AS_OF], repeats)
        results.add("Shuke, BG/NBD fit", f"{fitted.seconds:.2f} s", f"{fitted.said[0]['cells']:,} distinct histories")
        if peers:
            python = peer("lifetimes")
            other = measure([python, HERE / "peers" / "lifetimes_pipeline.py", orders, out, AS_OF], peer_repeats)
            _peer(results, "lifetimes 0.11.3", other)
            results.at_least("Shuke faster than lifetimes", other.seconds / ours.seconds, 10)
            results.at_least("BG/NBD fit faster than lifetimes", other.step("fit") / fitted.seconds, 20)
            python = peer("pymc_marketing")
            script = HERE / "peers" / "pymc_marketing_pipeline.py"
            # It compiles its models when it first meets them, for most of a minute; that is not counted against it.
            measure([python, script, "facts", orders_of(WARM_UP_CUSTOMERS), out, AS_OF])
            other = measure([python, script, "facts", orders, out, AS_OF], peer_repeats)
            _peer(results, "pymc-marketing 0.19.2", other)
            results.at_least("Shuke faster than pymc-marketing", other.seconds / ours.seconds, 8)
    return ours


def _peer(results: Results, name: str, measured: Measured) -> None:
    results.add(name, f"{measured.seconds:.1f} s, {measured.peak:.2f} GB", f"{measured.whole:.1f} s in all")
    steps = ", ".join(f"{step} {measured.step(step):.1f}" for step in measured.said[0]["steps"])
    results.add(f"  {steps}", "")


def pareto(results: Results, repeats: int, peer_repeats: int, *, peers: bool) -> None:
    """The fit of Pareto/NBD to 100,000 customers."""
    ours = measure([*OURS, "pareto", histories()], repeats)
    results.add(f"Shuke, Pareto/NBD fit of {PARETO_CUSTOMERS:,}", f"{ours.seconds:.2f} s")
    if peers:
        script = HERE / "peers" / "pymc_marketing_pipeline.py"
        other = measure([peer("pymc_marketing"), script, "pareto", histories()], peer_repeats)
        results.add("pymc-marketing, Pareto/NBD fit", f"{other.step('fit'):.1f} s")
        results.at_least("Pareto/NBD fit faster than pymc-marketing", other.step("fit") / ours.seconds, 10)


def recovery(results: Results) -> None:
    """Known parameters found again."""
    errors = measure([*OURS, "recovery"]).said[0]["standard_errors"]
    for name, error in errors.items():
        results.add(f"  {name}", f"{error:+.2f} standard errors")
    results.at_most("furthest parameter from the truth", max(map(abs, errors.values())), 2, "standard errors")


def report_and_help(results: Results, repeats: int) -> None:
    """The whole program, as a person meets it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [SHUKE, "report", ONLINE_RETAIL, "--out", folder, "--currency", "GBP"]
        report = measure(command, says_json=False)
        results.add("shuke report of Online Retail, all formats", f"{report.whole:.1f} s, {report.peak:.2f} GB")
        command = [SHUKE, "facts", ONLINE_RETAIL, "--out", Path(folder) / "facts.parquet", "--currency", "GBP"]
        facts = measure(command, says_json=False)
        results.add("shuke facts of Online Retail, model auto", f"{facts.whole:.1f} s, {facts.peak:.2f} GB")
    helped = measure([SHUKE, "--help"], max(repeats, 5), says_json=False)
    results.at_most("shuke --help", helped.whole, 0.3, "s")


def large(results: Results, tenth: Measured) -> None:
    """Ten times as many customers and orders."""
    orders = orders_of(LARGE_CUSTOMERS)
    results.add("customers, orders", f"{LARGE_CUSTOMERS:,}, {pq.read_metadata(orders).num_rows:,}")
    os.environ["SHUKE_MEMORY_LIMIT"] = LARGE_MEMORY_LIMIT
    with tempfile.TemporaryDirectory() as folder:
        ours = measure([*OURS, "facts", orders, Path(folder) / "out.parquet", AS_OF])
    results.add("Shuke, Parquet to facts", f"{ours.seconds:.1f} s, {ours.peak:.2f} GB", f"{ours.whole:.1f} s in all")
    results.at_most("ten times the data / a tenth of it", ours.seconds / tenth.seconds, 12, "×")
    results.at_most("peak memory", ours.peak, 12, "GB")


def main() -> None:
    """All of it, and the results as JSON."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--customers", type=int, default=1_000_000)
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--peer-repeats", type=int, default=1)
    options.add_argument("--without-peers", action="store_true")
    options.add_argument("--large", action="store_true", help="also 10 million customers with 100 million orders")
    given = options.parse_args()
    results = Results()
    about_this_machine(results)
    peers = not given.without_peers
    tenth = facts_and_peers(results, given.customers, given.repeats, given.peer_repeats, peers=peers)
    pareto(results, given.repeats, given.peer_repeats, peers=peers)
    recovery(results)
    report_and_help(results, given.repeats)
    if given.large:
        large(results, tenth)
    DATA.mkdir(parents=True, exist_ok=True)
    (DATA / "results.json").write_text(json.dumps(results.rows, indent=1, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
