"""Facts of all customers worked out, compared with what was known, and kept: one transaction for the whole refresh.

The working out happens on the lake, outside of any transaction, and may be killed at any moment: nothing is kept of it.
The keeping is a COPY into a temporary table and a handful of statements over sets, which happen whole or not at all.
"""

# ruff: noqa: S608 - SQL has no parameters for columns; every name in it is ours

from __future__ import annotations

import io
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from shuke import catalog, collect, profiles
from shuke.base.clock import known_timezone
from shuke.base.errors import Conflict
from shuke.base.ids import new_id
from shuke.base.money import minor_digits
from shuke.base.progress import Progress, silent
from shuke.insight import Facts, StageRules
from shuke.insight.facts import customer_facts as work_out
from shuke.lifecycle.measures import COLUMNS, facts_to_keep
from shuke.lifecycle.model import OUTSIDE, Refresh
from shuke.lifecycle.rules import unsaid
from shuke.lifecycle.service.checks import check_model, keep_check
from shuke.lifecycle.service.stages import current_stages, facts_for_rules, keep_rules_file
from shuke.lifecycle.tables import customer_facts, customer_facts_history, refreshes
from shuke.platform import Settings, Transaction, Workplace, driver, duckdb_of

__all__ = ["refresh"]

_LOCK = 7_485_380_062
# With this much PostgreSQL compares a million customers without files.
_WORK_MEMORY = "64MB"
# A change of these is history; all else follows from them, or from the passing of time.
_WATCHED = (
    *("currency", "orders", "gross_minor", "refunds_minor", "historic_clv_minor"),
    *("r_score", "f_score", "m_score", "rfm_group", "value_group", "stage"),
)
_KEPT_WITH = ("p_alive", "predicted_clv_minor")
_LOCAL = ("first_order_at", "last_order_at")


def refresh(
    workplace: Workplace,
    *,
    as_of: datetime,
    now: datetime,
    time_zone: str = "UTC",
    horizon_days: int = 365,
    currency: str | None = None,
    stages: StageRules | None = None,
    progress: Progress = silent,
) -> Refresh:
    """Work out the facts of every customer with an order before ``as_of``, and keep what is new.

    The lake is brought up to date first. The same again, on the same orders, changes nothing. Opens its own
    transactions; only the keeping writes, in one.

    Args:
        workplace: whose database and lake.
        as_of: exclusive end of what is known; has a zone.
        now: the moment of the refresh, in UTC.
        time_zone: the brand's (IANA name), which says where a day ends.
        horizon_days: how far ahead is looked.
        currency: the one to look at; None is the brand's, or that of most orders where it has none.
        stages: the vocabulary of stages; None is the one in force.
        progress: told ``lifecycle.<step>``.

    Raises:
        BadInput: ``collect.nothing_stored``, ``collect.no_sales`` where there is nothing to say anything about, and the
            codes of :func:`shuke.collect.read_stored` and :func:`shuke.insight.customer_facts`.
        Conflict: ``lifecycle.newer_facts`` when the facts that are kept are of a later ``as_of``.
    """
    zone = known_timezone(time_zone)
    with workplace.database.read() as tx:
        _refuse_older(tx, as_of)
        brand = catalog.brand_of(tx)
        stages = stages or current_stages(tx)
    progress("lifecycle.copy", 0.0)
    collect.update_lake(workplace, wait=True)
    settings = workplace.settings
    with tempfile.TemporaryDirectory(prefix="shuke-refresh-", dir=_work_folder(settings)) as folder:
        with duckdb_of(settings, work_folder=Path(folder)) as engine:
            progress("lifecycle.work_out", 0.2)
            local = as_of.astimezone(zone).replace(tzinfo=None)
            stored = collect.read_stored(
                collect.lake_of(workplace),
                engine=engine,
                currency=currency or brand.currency,
                timezone=time_zone,
                as_of=local,
                goods=False,
            )
            facts = work_out(
                stored.tables,
                as_of=local,
                engine=engine,
                horizon_days=horizon_days,
                margin=brand.margin or 1.0,
                stages=stages,
                keep=False,
            )
            found = stored.currency or ""
            file = Path(folder) / "facts.parquet"
            engine.write_parquet(facts_to_keep(facts.table, digits=minor_digits(found)), file)
            narrow = file.with_name("rules.parquet")
            engine.write_parquet(facts_for_rules(engine.read_parquet(file)), narrow)
            progress("lifecycle.check", 0.6)
            checked = check_model(stored.tables, facts)
        progress("lifecycle.keep", 0.8)
        with workplace.database.begin() as tx:
            done = _keep(tx, file, _Asked(as_of, now, time_zone, found), facts)
            keep_check(tx, done.refresh_id, checked)
        keep_rules_file(workplace, done.refresh_id, narrow)
        return done


def _work_folder(settings: Settings) -> Path:
    settings.work_folder.mkdir(parents=True, exist_ok=True)
    return settings.work_folder


@dataclass(frozen=True)
class _Asked:
    as_of: datetime
    now: datetime
    time_zone: str
    currency: str


def _keep(tx: Transaction, file: Path, asked: _Asked, facts: Facts) -> Refresh:
    # A large set takes as long as it takes.
    tx.execute(sa.text("SET LOCAL statement_timeout = 0"))
    tx.execute(sa.text(f"SET LOCAL work_mem = '{_WORK_MEMORY}'"))
    # The planner takes a table that was filled a moment ago for a small one, and would compare each row with each.
    tx.execute(sa.text("SET LOCAL enable_nestloop = off"))
    tx.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    _refuse_older(tx, asked.as_of)
    refresh_id = new_id()
    values = {"refresh_id": refresh_id, "as_of": asked.as_of, "currency": asked.currency, "zone": asked.time_zone}
    customers = _copy(tx, file, asked)
    changed = tx.execute(sa.text(_KEEP_HISTORY), values).rowcount + tx.execute(sa.text(_END_HISTORY), values).rowcount
    stage_changes = _tell_stage_changes(tx, asked)
    tx.execute(sa.text(_CHANGE_FACTS), values)
    tx.execute(sa.text(_ADD_FACTS), values)
    tx.execute(sa.text(_DROP_FACTS))
    tx.execute(sa.text(_FORGET_TOTAL), values)
    tx.execute(sa.text(_TOTAL), values)
    done = Refresh(
        refresh_id=refresh_id,
        as_of=asked.as_of,
        time_zone=asked.time_zone,
        horizon_days=facts.horizon_days,
        currency=asked.currency,
        model=None if facts.model is None else facts.model.name,
        cannot_say=unsaid(facts),
        customers=customers,
        changed=changed,
        stage_changes=stage_changes,
        started_at=asked.now,
        finished_at=tx.scalars(sa.text("SELECT clock_timestamp()")).one(),
    )
    tx.execute(insert(refreshes).values(**{**vars(done), "cannot_say": [asdict(one) for one in done.cannot_say]}))
    return done


def _refuse_older(tx: Transaction, as_of: datetime) -> None:
    newest = tx.scalar(sa.select(sa.func.max(refreshes.c.as_of)))
    if newest is not None and newest > as_of:
        raise Conflict("lifecycle.newer_facts", as_of=as_of.isoformat(), newest=newest.isoformat())


def _copy(tx: Transaction, file: Path, asked: _Asked) -> int:
    """The facts of the file into ``refreshed``, which goes with the transaction. Returns how many."""
    columns = ", ".join(f"{name} {customer_facts.c[name].type.compile(tx.dialect)}" for name in COLUMNS)
    tx.execute(sa.text(f"CREATE TEMPORARY TABLE refreshed ({columns}) ON COMMIT DROP"))
    rows = 0
    options = pacsv.WriteOptions(include_header=False)
    with (
        driver(tx).cursor() as cursor,
        cursor.copy(f"COPY refreshed ({', '.join(COLUMNS)}) FROM STDIN (FORMAT csv)".encode()) as copy,
    ):
        for batch in pq.ParquetFile(file).iter_batches(batch_size=50_000, columns=list(COLUMNS)):
            text = io.BytesIO()
            pacsv.write_csv(_in_utc(batch, asked.time_zone), text, options)
            copy.write(text.getbuffer())
            rows += batch.num_rows
    tx.execute(sa.text("ANALYZE refreshed (customer_id)"))
    return rows


def _in_utc(batch: pa.RecordBatch, time_zone: str) -> pa.RecordBatch:
    """The columns to copy; clocks of the brand's zone become moments, of an hour that is repeated the first."""
    columns = {name: batch[name] for name in COLUMNS}
    for name in _LOCAL:
        local = pc.assume_timezone(batch[name], time_zone, ambiguous="earliest", nonexistent="latest")
        # Without its zone in the end: Arrow writes moments that have one several times slower, and all here are in UTC.
        columns[name] = local.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))
    return pa.record_batch(columns)


def _tell_stage_changes(tx: Transaction, asked: _Asked) -> int:
    """Each change of a stage as a fact on the timeline, at the first identity of the customer."""
    # A customer that was merged into another has no identity any more, and nothing to tell.
    changes = sa.text(_STAGE_CHANGES).columns(sa.column("customer_id", sa.Uuid), *map(sa.column, ("before", "after")))
    changed, owners = changes.subquery("changed"), profiles.owners().subquery("owners")
    first = sa.func.min(owners.c.identity_id)
    return collect.record_found_facts(
        tx,
        sa.select(
            sa.literal(asked.now, sa.DateTime(timezone=True)).label("received_at"),
            first.label("identity_id"),
            sa.literal("stage").label("kind"),
            changed.c.after.label("name"),
            sa.func.jsonb_build_object("from", changed.c.before, "to", changed.c.after).label("properties"),
        )
        .join_from(changed, owners, owners.c.customer_id == changed.c.customer_id)
        .group_by(changed.c.customer_id, changed.c.before, changed.c.after)
        # As the timeline's index has them: added in another order, they would touch all of it again and again.
        .order_by(first),
        occurred_at=asked.as_of,
    )


def _list(names: Collection[str], prefix: str = "") -> str:
    return ", ".join(f"{prefix}{name}" for name in names)


# What the new facts are compared by, with whether anything is predicted at all.
def _compared(alias: str, given: Mapping[str, str]) -> str:
    values = [given.get(name, f"{alias}.{name}") for name in _WATCHED]
    return ", ".join([*values, *(f"{alias}.{name} IS NULL" for name in _KEPT_WITH)])


_HISTORY = [column.name for column in customer_facts_history.c if column.name not in ("customer_id", "as_of")]
_IN_HISTORY = ", ".join(
    {"refresh_id": ":refresh_id", "currency": ":currency"}.get(name, f"r.{name}") for name in _HISTORY
)
_ON_CONFLICT = (
    f"ON CONFLICT (customer_id, as_of) DO UPDATE SET ({_list(_HISTORY)}) = ROW({_list(_HISTORY, 'excluded.')})"
)
_KEEP_HISTORY = f"""
    INSERT INTO customer_facts_history (customer_id, as_of, {_list(_HISTORY)})
    SELECT r.customer_id, :as_of, {_IN_HISTORY}
    FROM refreshed r LEFT JOIN customer_facts f USING (customer_id)
    WHERE f.customer_id IS NULL
        OR ROW({_compared("r", {"currency": "CAST(:currency AS text)"})}) IS DISTINCT FROM ROW({_compared("f", {})})
    {_ON_CONFLICT}
"""
_END_HISTORY = f"""
    INSERT INTO customer_facts_history
        (customer_id, as_of, refresh_id, orders, gross_minor, refunds_minor, historic_clv_minor)
    SELECT customer_id, :as_of, :refresh_id, 0, 0, 0, 0
    FROM customer_facts f WHERE NOT EXISTS (SELECT FROM refreshed r WHERE r.customer_id = f.customer_id)
    {_ON_CONFLICT}
"""
_STAGE_CHANGES = f"""
    SELECT customer_id, f.stage AS before, coalesce(r.stage, '{OUTSIDE}') AS after
    FROM refreshed r FULL JOIN customer_facts f USING (customer_id)
    WHERE r.stage IS DISTINCT FROM f.stage
"""
_OTHERS = [name for name in COLUMNS if name != "customer_id"]
# Not by ON CONFLICT, which locks each row before it changes it: most rows change every night.
_CHANGE_FACTS = f"""
    UPDATE customer_facts f
    SET (refresh_id, currency, stage_since, {_list(_OTHERS)}) = ROW(
        :refresh_id, :currency, CASE WHEN f.stage = r.stage THEN f.stage_since ELSE :as_of END, {_list(_OTHERS, "r.")}
    )
    FROM refreshed r
    WHERE r.customer_id = f.customer_id
        AND ROW(f.currency, {_list(_OTHERS, "f.")}) IS DISTINCT FROM ROW(:currency, {_list(_OTHERS, "r.")})
"""
_ADD_FACTS = f"""
    INSERT INTO customer_facts (customer_id, refresh_id, currency, stage_since, {_list(_OTHERS)})
    SELECT customer_id, :refresh_id, :currency, :as_of, {_list(_OTHERS)}
    FROM refreshed r WHERE NOT EXISTS (SELECT FROM customer_facts f WHERE f.customer_id = r.customer_id)
"""
_DROP_FACTS = """
    DELETE FROM customer_facts f WHERE NOT EXISTS (SELECT FROM refreshed r WHERE r.customer_id = f.customer_id)
"""
# One row for each stage that anybody is in; the same moment again replaces them.
_FORGET_TOTAL = "DELETE FROM stage_totals WHERE as_of = :as_of"
_TOTAL = """
    INSERT INTO stage_totals (as_of, stage, currency, customers, historic_minor, predicted_minor, orders)
    SELECT :as_of, stage, currency, count(*), sum(historic_clv_minor), sum(predicted_clv_minor), sum(orders)
    FROM customer_facts GROUP BY stage, currency
"""
