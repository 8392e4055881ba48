"""Stage vocabularies as data: read, checked, and compiled to one case expression."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from importlib import resources
from typing import Any, Literal

import ibis
import ibis.expr.types as ir

from shuke.base.errors import BadInput
from shuke.base.language import Language
from shuke.insight.tables import Tables

__all__ = [
    "EVENT_PREFIX",
    "FIELDS",
    "Condition",
    "Rule",
    "Stage",
    "StageCoverage",
    "StageRules",
    "assign_stage",
    "shipped",
    "shipped_text",
    "stage_coverage",
]

Kind = Literal["orders", "events", "prediction"]

# What a rule may name, and where it comes from. "event:Product Viewed" counts events of that name.
FIELDS: Mapping[str, Kind] = {
    "orders": "orders",
    "order_days": "orders",
    "recency_days": "orders",
    "tenure_days": "orders",  # days since the first order
    "silence": "orders",  # days since the last order over the usual gap, see the package
    "average_days_between_orders": "orders",
    "average_order_value": "orders",
    "gross_amount": "orders",
    "refunds": "orders",
    "historic_clv": "orders",
    "events": "events",
    "interest_events": "events",
    "p_alive": "prediction",
    "churn_probability": "prediction",
    "predicted_number_of_orders": "prediction",
    "predicted_clv": "prediction",
    "total_clv": "prediction",
    "r_score": "prediction",
    "f_score": "prediction",
    "m_score": "prediction",
}
EVENT_PREFIX = "event:"
RESERVED = "outside"
_NEEDS = ("", "people", "events")
_LIMITS = ("at_least", "above", "at_most", "below")
_LARGEST = 1e15
_SHARES = ("p_alive", "churn_probability")
_LANGUAGES = tuple(language.value for language in Language)
# Fields of a person without an order are zero rather than unknown.
_COUNTS = ("orders", "order_days", "gross_amount", "refunds", "historic_clv")
_FALSE = ibis.literal(value=False)


@dataclass(frozen=True)
class Condition:
    """One field within limits; a limit that is None does not bind."""

    field: str
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None

    def limits(self) -> dict[str, float]:
        """The limits that bind, by name."""
        return {name: limit for name in _LIMITS if (limit := getattr(self, name)) is not None}

    def low(self) -> tuple[float, bool]:
        """The lower limit, and whether it is itself left out; the pair compares like the limits do."""
        bounds = [(self.at_least, False), (self.above, True)]
        return max((value, left_out) for value, left_out in [*bounds, (-math.inf, False)] if value is not None)

    def high(self) -> tuple[float, bool]:
        """The upper limit, and whether it is itself allowed; the pair compares like the limits do."""
        bounds = [(self.at_most, True), (self.below, False)]
        return min((value, allowed) for value, allowed in [*bounds, (math.inf, True)] if value is not None)

    def empty(self) -> bool:
        """Whether no number can meet it."""
        (low, left_out), (high, allowed) = self.low(), self.high()
        return low > high or (low == high and (left_out or not allowed))

    def holds(self, value: ir.Value) -> ir.Value:
        """The condition as an expression on a numeric column."""
        tests = []
        if self.at_least is not None:
            tests.append(value >= self.at_least)
        if self.above is not None:
            tests.append(value > self.above)
        if self.at_most is not None:
            tests.append(value <= self.at_most)
        if self.below is not None:
            tests.append(value < self.below)
        return _all(tests)


@dataclass(frozen=True)
class Rule:
    """``stage`` is given when every condition of ``when`` holds (none: always).

    ``otherwise`` decides in place of ``when`` for customers of whom a field in ``when`` is not known.
    """

    stage: str
    when: tuple[Condition, ...] = ()
    otherwise: tuple[Condition, ...] | None = None

    def fields(self) -> set[str]:
        """Every field that it may look at."""
        return {condition.field for condition in (*self.when, *(self.otherwise or ()))}


@dataclass(frozen=True)
class Stage:
    """A stage's code, its name by language, and what data it needs beyond orders: "", "people" or "events"."""

    code: str
    names: Mapping[str, str]
    needs: str = ""


@dataclass(frozen=True)
class StageRules:
    """A vocabulary of stages, in the order of a life, with its rules in the order of trial.

    ``usual_gap_days`` fixes the brand's typical gap (m in the package's text); None takes it from the orders.
    Raises BadInput with a code ``insight.stage_…`` for what is wrong: an unknown field or stage, two stages with one
    name, a condition that nothing can meet, no rule for everyone at the end, a rule (or its alternative) that an
    earlier one always pre-empts.
    """

    name: str
    stages: tuple[Stage, ...]
    rules: tuple[Rule, ...]
    usual_gap_days: float | None = None

    def __post_init__(self) -> None:
        """Refuse a vocabulary that does not decide for everyone, or holds dead rules."""
        codes = [stage.code for stage in self.stages]
        self._check_stages(codes)
        for number, rule in enumerate(self.rules, start=1):
            self._check(number, rule, codes)
        for code in codes:
            if all(rule.stage != code for rule in self.rules):
                raise BadInput("insight.stage_without_rule", name=self.name, stage=code)
        if not self.rules or self.rules[-1].when:
            raise BadInput("insight.stage_no_catch_all", name=self.name)
        for number, rule in enumerate(self.rules, start=1):
            for earlier_number, earlier in enumerate(self.rules[: number - 1], start=1):
                if _pre_empts(earlier, rule):
                    raise BadInput("insight.stage_unreachable", name=self.name, rule=number, earlier=earlier_number)

    def _check_stages(self, codes: list[str]) -> None:
        if len(set(codes)) != len(codes) or RESERVED in codes:
            raise BadInput("insight.stage_codes", name=self.name, codes=codes, reserved=RESERVED)
        for stage in self.stages:
            if stage.needs not in _NEEDS:
                raise BadInput("insight.stage_needs", name=self.name, stage=stage.code, found=stage.needs)
        for language in _LANGUAGES:
            names = [stage.names[language] for stage in self.stages if language in stage.names]
            if len(set(names)) != len(names):
                raise BadInput("insight.stage_names", name=self.name, language=language, names=names)

    def _check(self, number: int, rule: Rule, codes: list[str]) -> None:
        if not rule.stage:
            raise BadInput("insight.stage_of_rule", name=self.name, rule=number, known=codes)
        if rule.stage not in codes:
            raise BadInput("insight.stage_unknown", name=self.name, rule=number, stage=rule.stage, known=codes)
        for conditions in (rule.when, rule.otherwise or ()):
            for condition in conditions:
                if condition.field not in FIELDS and not condition.field.startswith(EVENT_PREFIX):
                    raise BadInput(
                        "insight.stage_field", name=self.name, rule=number, field=condition.field, known=list(FIELDS)
                    )
                if condition.field in _SHARES and not all(0 <= limit <= 1 for limit in condition.limits().values()):
                    raise BadInput("insight.stage_share", name=self.name, rule=number, field=condition.field)
                if condition.empty():
                    raise BadInput("insight.stage_impossible", name=self.name, rule=number, field=condition.field)

    @property
    def codes(self) -> tuple[str, ...]:
        """The stage codes in the order of a life."""
        return tuple(stage.code for stage in self.stages)

    def fields(self) -> set[str]:
        """Every field that any rule may look at."""
        return set().union(*(rule.fields() for rule in self.rules))

    def event_fields(self) -> tuple[str, ...]:
        """The fields that count events, which orders alone do not have."""
        return tuple(sorted(field for field in self.fields() if _is_event(field)))

    def blind_in_the_past(self) -> dict[int, tuple[str, ...]]:
        """The rules by number that cannot decide at past dates: they need these predictions and name no alternative."""
        found = {}
        for number, rule in enumerate(self.rules, start=1):
            deciding = rule.when if rule.otherwise is None else rule.otherwise
            predicted = tuple(one.field for one in deciding if FIELDS.get(one.field) == "prediction")
            if predicted:
                found[number] = predicted
        return found

    def as_tree(self) -> dict[str, Any]:
        """What :meth:`from_tree` reads this vocabulary from."""
        tree: dict[str, Any] = {
            "name": self.name,
            "stages": [
                {"code": one.code, "name": dict(one.names)} | ({"needs": one.needs} if one.needs else {})
                for one in self.stages
            ],
            "rules": [
                {"stage": one.stage}
                | ({"when": _limits(one.when)} if one.when else {})
                | ({"otherwise": _limits(one.otherwise)} if one.otherwise else {})
                for one in self.rules
            ],
        }
        return tree if self.usual_gap_days is None else {**tree, "usual_gap_days": self.usual_gap_days}

    @classmethod
    def from_toml(cls, text: str) -> StageRules:
        """Read a vocabulary from TOML; the shipped ``customer.toml`` explains every part.

        Raises BadInput ``insight.stage_not_toml`` with the line and column, ``insight.stage_key`` for a key that is not
        known where it stands, and other codes ``insight.stage_…`` for a part of the wrong form and for what cannot be.
        """
        # An editor on Windows may put a mark before the text.
        text = text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
        try:
            tree = tomllib.loads(text)
        except ValueError as error:  # TOMLDecodeError, or a number with thousands of digits
            line, column = _place(error, text)
            raise BadInput("insight.stage_not_toml", name="", line=line, column=column) from error
        return cls.from_tree(tree)

    @classmethod
    def from_tree(cls, tree: dict[str, Any]) -> StageRules:
        """Read a vocabulary from what its TOML comes to; errors as for :meth:`from_toml`."""
        name = str(tree.get("name", ""))
        _known_keys(name, "TOML", tree, ("name", "stages", "rules", "usual_gap_days"))
        stages = tuple(_stage(name, f"[[stages]] {at}", entry) for at, entry in _tables(name, tree, "stages"))
        rules = tuple(_rule(name, at, entry) for at, entry in _tables(name, tree, "rules"))
        gap = tree.get("usual_gap_days")
        if gap is not None and not (_is_number(gap) and gap > 0):
            raise BadInput("insight.stage_gap", name=name, found=_as_written(gap))
        return cls(name=name, stages=stages, rules=rules, usual_gap_days=None if gap is None else float(gap))


@dataclass(frozen=True)
class StageCoverage:
    """Which stages the data can show: ``shown``, and for each that it cannot, what is ``missing`` (events, people)."""

    shown: tuple[str, ...]
    missing: Mapping[str, str]

    @property
    def complete(self) -> bool:
        """Whether every stage of the vocabulary can be seen in the data."""
        return not self.missing


def stage_coverage(tables: Tables, rules: StageRules) -> StageCoverage:
    """Which stages can be seen with the tables at hand: orders alone know nobody before the first order."""
    people = tables.events is not None or tables.customers is not None
    has = {"": True, "people": people, "events": tables.events is not None}
    return StageCoverage(
        shown=tuple(stage.code for stage in rules.stages if has[stage.needs]),
        missing={stage.code: stage.needs for stage in rules.stages if not has[stage.needs]},
    )


def assign_stage(facts: ir.Table, rules: StageRules) -> ir.Table:
    """``facts`` with ``stage``: the stage of the first rule that holds, as one case expression.

    One row per customer (and date). Rules look at the columns of their names; ``silence`` and ``tenure_days`` are
    worked out from first_order_at, last_order_at, order_days and recency_days where they are not there already. Event
    counts that are absent count nobody (see :func:`stage_coverage`). A person without orders (nulls) counts zero.

    Raises BadInput ``insight.stage_field_missing`` when a rule needs a column that is absent and has no ``otherwise``.
    """
    table = with_silence(facts, rules) if "silence" in rules.fields() and "silence" not in facts.columns else facts
    columns = {field: _column(table, field) for field in rules.fields()}
    branches = []
    for number, rule in enumerate(rules.rules, start=1):
        branches.append((_holds(rules.name, number, rule, columns), ibis.literal(rule.stage)))
        if not rule.when:
            break
    staged = table.mutate(stage=ibis.cases(*branches, else_=None))
    return staged.drop(*(set(table.columns) - set(facts.columns)))


def with_silence(facts: ir.Table, rules: StageRules) -> ir.Table:
    """``facts`` with ``silence``, as the package defines it; null without orders, or while nobody ever came back."""
    needed = ("first_order_at", "last_order_at", "order_days", "recency_days")
    missing = [name for name in needed if name not in facts.columns]
    if missing:
        raise BadInput("insight.missing_columns", table="facts", columns=missing, found=list(facts.columns))
    if rules.usual_gap_days is not None:
        return facts.mutate(silence=silence(facts, ibis.literal(rules.usual_gap_days)))
    typical = typical_gap(facts.filter(facts.order_days > 1))
    table = facts.cross_join(typical)
    return table.mutate(silence=silence(table, table.typical_gap_days)).drop("typical_gap_days")


def typical_gap(repeaters: ir.Table) -> ir.Table:
    """One row, typical_gap_days: the median over customers of the average gap between their order days."""
    own = _gap_days(repeaters).cast("float64") / (repeaters.order_days - 1)
    return repeaters.select(_own=own).aggregate(typical_gap_days=ibis._["_own"].quantile(0.5))


def silence(table: ir.Table, typical_gap_days: ir.Value) -> ir.Value:
    """Days since the last order over the usual gap: recency · (n + 1) / (sum of own gaps + m), n = order days − 1."""
    # A float before the literal is added: whole numbers and a written fraction make decimals of 128 bits on DuckDB.
    own = _gap_days(table).cast("float64")
    return table.recency_days.cast("float64") * table.order_days / (own + typical_gap_days)


def shipped(name: str) -> StageRules:
    """A vocabulary that comes with the package."""
    return StageRules.from_toml(shipped_text(name))


def shipped_text(name: str) -> str:
    """Its file, with the comments that explain how to edit it."""
    return resources.files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")


def _gap_days(table: ir.Table) -> ir.Value:
    return table.last_order_at.cast("date").delta(table.first_order_at.cast("date"), unit="day")


def _column(table: ir.Table, field: str) -> ir.Value | None:
    """The column behind a field, or None where the data cannot have it."""
    if field in table.columns:
        column = table[field]
        return column.fill_null(0) if field in _COUNTS or _is_event(field) else column
    if field == "tenure_days" and {"first_order_at", "last_order_at", "recency_days"} <= set(table.columns):
        return table.recency_days + _gap_days(table)
    return ibis.literal(0) if _is_event(field) else None


def _is_event(field: str) -> bool:
    return field.startswith(EVENT_PREFIX) or FIELDS[field] == "events"


def _holds(name: str, number: int, rule: Rule, columns: Mapping[str, ir.Value | None]) -> ir.Value:
    """One rule as a boolean expression that is never null."""
    if not rule.when:
        return ibis.literal(value=True)
    absent = [condition.field for condition in rule.when if columns[condition.field] is None]
    if rule.otherwise is None:
        if absent:
            raise BadInput("insight.stage_field_missing", name=name, rule=number, fields=absent)
        return _met(rule.when, columns)
    lacking = [condition.field for condition in rule.otherwise if columns[condition.field] is None]
    if lacking:
        raise BadInput("insight.stage_field_missing", name=name, rule=number, fields=lacking)
    if absent:
        return _met(rule.otherwise, columns)
    known = _all([columns[condition.field].notnull() for condition in rule.when])  # type: ignore[union-attr] # absent is empty
    return ibis.ifelse(known, _met(rule.when, columns), _met(rule.otherwise, columns))


def _met(conditions: Iterable[Condition], columns: Mapping[str, ir.Value | None]) -> ir.Value:
    tests = [condition.holds(columns[condition.field]) for condition in conditions]
    return _all(tests).fill_null(_FALSE)


def _all(tests: list[ir.Value]) -> ir.Value:
    return reduce(lambda left, right: left & right, tests) if tests else ibis.literal(value=True)


def _pre_empts(earlier: Rule, later: Rule) -> bool:
    """Whether a branch of the later rule can never be reached, because the earlier rule holds wherever it would."""
    if _covers(earlier.when, later.when):
        return True
    if later.otherwise is None:
        return False
    if earlier.otherwise is None:
        return _covers(earlier.when, later.otherwise)
    alike = {condition.field for condition in earlier.when} == {condition.field for condition in later.when}
    return alike and _covers(earlier.otherwise, later.otherwise)


def _covers(wide: tuple[Condition, ...], narrow: tuple[Condition, ...]) -> bool:
    """Whether every point that meets the narrow conditions meets the wide ones."""
    limits = {condition.field: condition for condition in narrow}
    return all(
        condition.field in limits
        and condition.low() <= limits[condition.field].low()
        and condition.high() >= limits[condition.field].high()
        for condition in wide
    )


def _place(error: ValueError, text: str) -> tuple[int, int]:
    """The line and column that the reader of TOML names, or those of the end of the text."""
    named = re.search(r"line (\d+), column (\d+)", str(error))
    if named:
        return int(named[1]), int(named[2])
    lines = text.split("\n")
    return len(lines), len(lines[-1]) + 1


def _tables(name: str, tree: dict[str, Any], key: str) -> list[tuple[int, dict[str, Any]]]:
    """The entries of ``[[key]]``, counted from 1."""
    entries = tree.get(key)
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise BadInput("insight.stage_tables", name=name, key=key)
    return list(enumerate(entries, start=1))


def _known_keys(name: str, where: str, tree: dict[str, Any], known: tuple[str, ...]) -> None:
    unknown = sorted(set(tree) - set(known))
    if unknown:
        raise BadInput("insight.stage_key", name=name, where=where, found=unknown, known=known)


def _stage(name: str, where: str, entry: dict[str, Any]) -> Stage:
    _known_keys(name, where, entry, ("code", "name", "needs"))
    code = entry.get("code")
    if not isinstance(code, str) or not code:
        raise BadInput("insight.stage_code", name=name, where=where)
    names = entry.get("name", {})
    if not isinstance(names, dict) or not all(isinstance(value, str) and value.strip() for value in names.values()):
        raise BadInput("insight.stage_name", name=name, stage=code, found=_as_written(names))
    _known_keys(name, f"{where} name", names, _LANGUAGES)
    return Stage(code=code, names=names, needs=entry.get("needs", ""))


def _rule(name: str, number: int, entry: dict[str, Any]) -> Rule:
    _known_keys(name, f"[[rules]] {number}", entry, ("stage", "when", "otherwise"))
    when = _conditions(name, number, "when", entry["when"]) if "when" in entry else ()
    otherwise = _conditions(name, number, "otherwise", entry["otherwise"]) if "otherwise" in entry else None
    return Rule(stage=str(entry.get("stage", "")), when=when, otherwise=otherwise)


def _conditions(name: str, number: int, part: str, tree: Any) -> tuple[Condition, ...]:
    if not isinstance(tree, dict) or not tree:
        raise BadInput("insight.stage_limits", name=name, rule=number, field=part, found=_as_written(tree))
    conditions = []
    for field, bounds in tree.items():
        numbers = isinstance(bounds, dict) and all(_is_number(value) for value in bounds.values())
        if not numbers or not bounds or set(bounds) - set(_LIMITS):
            raise BadInput("insight.stage_limits", name=name, rule=number, field=field, found=_as_written(bounds))
        conditions.append(Condition(field=field, **bounds))
    return tuple(conditions)


def _limits(conditions: tuple[Condition, ...]) -> dict[str, dict[str, float]]:
    return {condition.field: condition.limits() for condition in conditions}


def _as_written(value: Any) -> str:
    """A value as TOML has it."""
    match value:
        case dict():
            return "{ " + ", ".join(f"{key} = {_as_written(item)}" for key, item in value.items()) + " }"
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
    return str(value)


def _is_number(value: Any) -> bool:
    """Whether TOML has a number here that can be computed with; true, nan and inf are none."""
    return type(value) in (int, float) and abs(value) <= _LARGEST
