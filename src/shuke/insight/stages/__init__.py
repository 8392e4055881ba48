"""Lifecycle stages: where each customer stands in the relationship, by rules that a brand can edit.

A vocabulary (``StageRules``) is data in TOML: the stages in the order of a life, and an ordered list of rules of which
the first that holds decides. Two are shipped beside this file: ``CUSTOMER_STAGES`` (潜在 首购 复购 忠诚 流失风险
流失) and ``CONTACT_STAGES`` (接触 认知 购买 使用 维护 退出); the reasons for their limits stand in the files.

How silence is judged. ``silence`` is the number of days since the last order, in units of the customer's usual gap:
silence = recency_days / usual gap, usual gap = (sum of own gaps + m) / (number of own gaps + 1),
where m is the typical gap of the brand: the median, over customers with orders on at least two days, of their average
gap. Someone with many orders is measured by their own rhythm, a one-time buyer by the brand's, and those between by a
mix, so that two orders on neighbouring days do not make a customer "lost" within a week. If buyers order at random
times while they stay (the Poisson assumption of the NBD models, Ehrenberg 1959), one who is still there is silent for
more than 2 usual gaps with probability exp(−2) = 13.5 %, more than 4 with exp(−4) = 1.8 %.

Which facts a rule may name: ``FIELDS``. A rule on a prediction (P(alive)) can name an alternative in ``otherwise``,
which decides where the prediction is not known: below the gate, and at past dates.
"""

from shuke.insight.stages.flows import OUTSIDE, stage_dwell, stage_flows, stage_transitions, stage_values
from shuke.insight.stages.history import facts_at, stages_at
from shuke.insight.stages.rules import (
    EVENT_PREFIX,
    FIELDS,
    Condition,
    Rule,
    Stage,
    StageCoverage,
    StageRules,
    assign_stage,
    shipped,
    shipped_text,
    stage_coverage,
)

__all__ = [
    "CONTACT_STAGES",
    "CUSTOMER_STAGES",
    "EVENT_PREFIX",
    "FIELDS",
    "OUTSIDE",
    "Condition",
    "Rule",
    "Stage",
    "StageCoverage",
    "StageRules",
    "assign_stage",
    "facts_at",
    "shipped",
    "shipped_text",
    "stage_coverage",
    "stage_dwell",
    "stage_flows",
    "stage_transitions",
    "stage_values",
    "stages_at",
]

CUSTOMER_STAGES = shipped("customer")
CONTACT_STAGES = shipped("contact")
