"""The brand's stages: what is in force, what was, and whom other rules would put where."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import sqlalchemy as sa

from shuke.base.errors import BadInput, NotFound
from shuke.base.money import minor_digits
from shuke.insight import CUSTOMER_STAGES, StageRules, assign_stage
from shuke.insight.stages.rules import typical_gap, with_silence
from shuke.lifecycle.model import Refresh, StageCount, StageDefinition
from shuke.lifecycle.service.reading import last_refresh
from shuke.lifecycle.tables import customer_facts, stage_definitions
from shuke.platform import Transaction, Workplace, duckdb_of, log

__all__ = [
    "VERSIONS_MAX",
    "checked_stages",
    "current_definition",
    "current_stages",
    "definition_of",
    "definitions",
    "facts_for_rules",
    "keep_rules_file",
    "preview",
    "rules_file",
    "save_stages",
]

#: Versions that are kept; before another is made, the oldest goes.
VERSIONS_MAX = 500

_LOCK = 7_485_380_063
_WORK_MEMORY = "32MB"
_MEMORY_BYTES_MAX = 500_000_000
_NAME = "facts_as_kept"
# The facts as insight calls them, and from what they are kept; money is in major units there.
_MONEY = {
    "average_order_value": "average_order_minor",
    "gross_amount": "gross_minor",
    "refunds": "refunds_minor",
    "historic_clv": "historic_clv_minor",
    "predicted_clv": "predicted_clv_minor",
    "total_clv": "total_clv_minor",
}
_DAYS = ("first_order_at", "last_order_at")
_FOR_SILENCE = (*_DAYS, "order_days", "recency_days")
_WHOLE = ("orders", "order_days", "recency_days", "r_score", "f_score", "m_score")
_PARTS = ("average_days_between_orders", "p_alive", "churn_probability", "predicted_number_of_orders")


def checked_stages(tree: dict[str, Any]) -> StageRules:
    """The vocabulary that is meant.

    Raises:
        BadInput: those of :meth:`shuke.insight.StageRules.from_tree`; ``lifecycle.stage_codes`` for other codes than
            the shipped ones, of which pages and reports speak; ``lifecycle.stage_past`` for a rule that cannot be told
            at past dates, which have no predictions.
    """
    rules = StageRules.from_tree(tree)
    needed = CUSTOMER_STAGES.codes
    if set(rules.codes) != set(needed):
        raise BadInput("lifecycle.stage_codes", needed=needed, found=rules.codes)
    for rule, fields in rules.blind_in_the_past().items():
        raise BadInput("lifecycle.stage_past", rule=rule, fields=fields)
    return rules


def current_stages(tx: Transaction) -> StageRules:
    """The stages that are in force: the brand's own, else the shipped ones."""
    found = current_definition(tx)
    return CUSTOMER_STAGES if found is None else StageRules.from_tree(found.tree)


def current_definition(tx: Transaction) -> StageDefinition | None:
    """The last that the brand made; None while the shipped stages are in force."""
    found = definitions(tx, limit=1)
    return found[0] if found else None


def definitions(tx: Transaction, *, limit: int = VERSIONS_MAX) -> tuple[StageDefinition, ...]:
    """What the brand made, the latest first."""
    rows = tx.execute(sa.select(stage_definitions).order_by(stage_definitions.c.version.desc()).limit(limit))
    return tuple(StageDefinition(row.version, row.definition, row.made_by, row.made_at) for row in rows)


def definition_of(tx: Transaction, version: int) -> StageDefinition:
    """One version; NotFound ``lifecycle.no_stages``."""
    row = tx.execute(sa.select(stage_definitions).where(stage_definitions.c.version == version)).one_or_none()
    if row is None:
        raise NotFound("lifecycle.no_stages", version=version)
    return StageDefinition(row.version, row.definition, row.made_by, row.made_at)


def save_stages(tx: Transaction, tree: dict[str, Any], *, made_by: str, now: datetime) -> StageDefinition:
    """Put a vocabulary in force from the next refresh on; the same again makes no other version.

    Raises:
        BadInput: as :func:`checked_stages`.
    """
    kept = checked_stages(tree).as_tree()
    tx.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    last = current_definition(tx)
    if last is not None and last.tree == kept:
        return last
    made = StageDefinition(1 if last is None else last.version + 1, kept, made_by, now)
    tx.execute(sa.insert(stage_definitions).values(version=made.version, definition=kept, made_by=made_by, made_at=now))
    tx.execute(sa.delete(stage_definitions).where(stage_definitions.c.version <= made.version - VERSIONS_MAX))
    return made


def facts_for_rules(facts: ir.Table) -> ir.Table:
    """What rules may ask of the facts that a refresh keeps: narrow columns, which are read in a moment.

    They go into :func:`rules_file` of the refresh.
    """
    names = ("stage", *_WHOLE, *_PARTS, *_DAYS, *_MONEY.values())
    return facts.select(*(name for name in names if name in facts.columns))


def rules_file(place: Workplace, refresh_id: UUID) -> Path:
    """Where the facts of a refresh are for the sake of rules."""
    return place.settings.data_folder / "stages" / f"{refresh_id.hex}.parquet"


def keep_rules_file(place: Workplace, refresh_id: UUID, file: Path) -> None:
    """Put the facts of a refresh that was committed in the place of those of the one before.

    Where there is no room for them, PostgreSQL is asked instead.
    """
    kept = rules_file(place, refresh_id)
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        former = list(kept.parent.glob("*"))
        partial = kept.with_suffix(".partial")
        shutil.move(file, partial)
        partial.rename(kept)
        for one in former:
            one.unlink(missing_ok=True)
    except OSError as reason:
        kept.unlink(missing_ok=True)
        log.warning("facts for rules not kept", reason=str(reason))


def preview(place: Workplace, tx: Transaction, rules: StageRules, *, everybody: bool) -> tuple[StageCount, ...]:
    """How many of those who have ordered are in each stage, and would be by these rules, as of the last refresh.

    The rules are the same expression as in a refresh, on the facts that are kept: of ``everybody`` those that lie in a
    file beside the lake, else those that PostgreSQL shows the reader. The facts are rounded, so that a customer on the
    very edge of a limit may be counted on its other side.
    """
    latest = last_refresh(tx)
    if latest is None:
        return tuple(StageCount(code, 0, 0) for code in rules.codes)
    file = rules_file(place, latest.refresh_id)
    found = _in_file(place, file, rules, latest) if everybody and file.exists() else _in_database(tx, rules, latest)
    now: dict[str, int] = {}
    then: dict[str, int] = {}
    for stage_now, stage, customers in found:
        now[stage_now] = now.get(stage_now, 0) + customers
        then[stage] = then.get(stage, 0) + customers
    return tuple(StageCount(code, now.get(code, 0), then.get(code, 0)) for code in rules.codes)


def _in_file(place: Workplace, file: Path, rules: StageRules, latest: Refresh) -> Sequence[Any]:
    unit = 10.0 ** minor_digits(latest.currency or "")
    with duckdb_of(place.settings, memory_bytes_max=_MEMORY_BYTES_MAX) as engine:
        kept = engine.read_parquet(file).rename(stage_now="stage")
        money = {name: kept[minor].cast("float64") / unit for name, minor in _MONEY.items()}
        return [tuple(row.values()) for row in _counted(kept.mutate(**money), rules).to_pyarrow().to_pylist()]


def _counted(facts: ir.Table, rules: StageRules) -> ir.Table:
    """stage_now, stage, customers."""
    staged = assign_stage(facts, rules)
    return staged.group_by(["stage_now", "stage"]).aggregate(customers=staged.count())


def _in_database(tx: Transaction, rules: StageRules, latest: Refresh) -> Sequence[Any]:
    # To sort the gaps of many customers without files.
    tx.execute(sa.text(f"SET LOCAL work_mem = '{_WORK_MEMORY}'"))
    facts, given = _kept_facts(tx, latest)
    facts = facts.rename(stage_now="stage")
    if "silence" in rules.fields():
        if rules.usual_gap_days is None:
            # Worked out once, not beside each customer.
            gap = _ask(tx, typical_gap(facts.filter(facts["order_days"] > 1)), given)[0][0]
            rules = replace(rules, usual_gap_days=gap)
        wanted = (rules.fields() | {"stage_now", *_FOR_SILENCE}) & set(facts.columns)
        quiet = with_silence(facts, rules).select(*sorted(wanted), "silence")
        # Worked out once for each customer, and not wherever a rule asks for it.
        given = f"{_sql(quiet, given)} OFFSET 0"
        facts = ibis.table(quiet.schema(), name=_NAME)
    return _ask(tx, _counted(facts, rules), given)


def _ask(tx: Transaction, expression: ir.Table, given: str) -> Sequence[Any]:
    """What an expression over the facts comes to; ``given`` selects them."""
    return [tuple(row) for row in tx.exec_driver_sql(_sql(expression, given))]


def _sql(expression: ir.Table, given: str) -> str:
    return str(ibis.to_sql(expression, dialect="postgres")).replace(f'"{_NAME}"', f"({given})")


def _kept_facts(tx: Transaction, latest: Refresh) -> tuple[ir.Table, str]:
    """The facts as insight calls them, and the statement that selects them.

    Days are reckoned back from the refresh by what is kept of them: to ask the clock of a zone twice for each customer
    takes longer than all else.
    """
    facts = customer_facts.c
    unit = 10.0 ** minor_digits(latest.currency or "")
    day = latest.as_of.astimezone(ZoneInfo(latest.time_zone)).date() - timedelta(days=1)
    last = sa.cast(sa.literal(day, sa.Date), sa.Date) - facts.recency_days
    between = sa.func.coalesce(facts.average_days_between_orders * (facts.order_days - 1), 0)
    kept = sa.select(
        facts.stage,
        *(facts[name] for name in (*_WHOLE, *_PARTS)),
        (last - sa.cast(sa.func.round(between), sa.Integer)).label("first_order_at"),
        last.label("last_order_at"),
        *((sa.cast(facts[name], sa.Double) / unit).label(called) for called, name in _MONEY.items()),
    )
    table = ibis.table({column.name: _type(column.name) for column in kept.selected_columns}, name=_NAME)
    return table, str(kept.compile(tx, compile_kwargs={"literal_binds": True}))


def _type(name: str) -> str:
    if name == "stage":
        return "string"
    if name in _DAYS:
        return "date"
    return "int64" if name in _WHOLE else "float64"
