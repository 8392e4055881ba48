"""A rule of a group means whom the paths lead to, and says it in no more statements."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import pytest

from shuke.base.language import Language
from shuke.segments.model.features import Feature
from shuke.segments.model.tree import Did, Figure, FigureName, Group, Measured, Node, Op, Orders
from shuke.segments.rules import thresholds
from shuke.segments.rules.thresholds import Condition, definition_of, rounded
from shuke.segments.rules.wording import Names, sentence

ORDERS, AVERAGE = Feature("figure", "orders"), Feature("figure", "average_order_minor")
GAP, DAYS = Feature("figure", "average_days_between_orders"), Feature("days")
WEB, TEA, CUT = Feature("channel", "web"), Feature("category", "tea"), Feature("discounted")
ORDERED = "number of orders is at least 1"
MANY_OR_CUT = "(at least one order (share of discount is more than 0.0%) or number of orders is more than 3)"
FEATURES = (ORDERS, AVERAGE, GAP, DAYS, WEB, TEA, CUT)
WHOLE = (ORDERS, DAYS, WEB, CUT)

Customer = dict[Feature, float | None]
Path = list[Condition]


def grown(dice: Random, features: tuple[Feature, ...]) -> list[Path]:
    """The paths to some leaves of a random tree of at most eight leaves, four deep."""
    leaves: list[Path] = [[]]
    while len(leaves) < dice.randint(2, 8):
        deep = [path for path in leaves if len(path) < 4]
        path = dice.choice(deep)
        leaves.remove(path)
        feature = dice.choice(features)
        # Few thresholds, some of which are the same once they are rounded.
        threshold = dice.choice((0.5, 1.5, 2.5, 2.504, 2.496))
        leaves += [[*path, (feature, threshold, False)], [*path, (feature, threshold, True)]]
    return dice.sample(leaves, dice.randint(1, len(leaves)))


def customer(dice: Random) -> Customer:
    found: Customer = {}
    for feature in FEATURES:
        unknown = feature in (AVERAGE, GAP, TEA) and dice.random() < 0.2
        whole = float(dice.randint(0, 4))
        found[feature] = None if unknown else whole if feature in WHOLE else whole + dice.choice((0.0, 0.2, 0.502))
    found[ORDERS] = float(dice.randint(0, 4))
    return found


def led(paths: list[Path], one: Customer) -> bool:
    """By the paths alone; what is not known is less than all."""

    def passes(feature: Feature, threshold: float, *, more: bool) -> bool:
        limit = math.floor(threshold) if feature in WHOLE else rounded(threshold)
        value = one[feature]
        return ((-1.0 if value is None else value) > limit) is more

    return bool(one[ORDERS]) and any(
        all(passes(feature, threshold, more=more) for feature, threshold, more in path) for path in paths
    )


def holds(node: Node, one: Customer) -> bool:
    """What the statement says of a customer."""
    if isinstance(node, Group):
        found = [holds(inner, one) for inner in node.of]
        return {"all": all(found), "any": any(found), "none": not any(found)}[node.node]
    value, test = about(node, one)
    if value is None:
        return False
    limit = float(test.values[0])
    return {
        Op.MORE: value > limit,
        Op.AT_MOST: value <= limit,
        Op.AT_LEAST: value >= limit,
        Op.DAYS_AGO: value > limit,
        Op.LAST_DAYS: value <= limit,
    }[test.op]


def about(node: Node, one: Customer) -> tuple[float | None, Any]:
    if isinstance(node, Figure):
        return one[DAYS if node.name is FigureName.LAST_ORDER else Feature("figure", node.name.value)], node.test
    if isinstance(node, Measured):
        return one[TEA], node.test
    assert isinstance(node, Did)
    assert isinstance(node.what, Orders)
    return one[WEB if node.what.channels else CUT], node.times


def statements(node: Node) -> int:
    return sum(map(statements, node.of)) if isinstance(node, Group) else 1


def plainly(paths: list[Path]) -> int:
    """How many statements the paths themselves are: of each feature of a path at most two, and of having an order."""
    return 1 + sum(len({(feature, more) for feature, _, more in path}) for path in paths)


def wrong_rules(trees: int) -> list[str]:
    """What does not mean whom its paths lead to, or is longer than they are."""
    found = []
    for seed in range(trees):
        dice = Random(seed)  # noqa: S311 - to be made again
        paths = grown(dice, FEATURES[: dice.randint(1, len(FEATURES))] if seed % 2 else (ORDERS, GAP, TEA))
        rule = definition_of(paths)
        if any(holds(rule, one) is not led(paths, one) for one in (customer(dice) for _ in range(200))):
            found.append(f"{seed}: {paths} is not {rule}")
        if statements(rule) > plainly(paths):
            found.append(f"{seed}: longer")
    return found


def test_a_rule_means_whom_the_paths_lead_to_and_is_no_longer() -> None:
    assert wrong_rules(600) == []


def test_most_rules_are_shorter() -> None:
    before = after = 0
    for seed in range(300):
        paths = grown(Random(seed), FEATURES)  # noqa: S311 - to be made again
        before, after = before + plainly(paths), after + statements(definition_of(paths))
    assert after < 0.8 * before


def test_a_limit_that_is_forgotten_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    said = thresholds._said
    monkeypatch.setattr(thresholds, "_said", lambda box: said(box)[:1])
    assert wrong_rules(20)


@pytest.mark.parametrize(
    ("paths", "text"),
    [
        # All ways have it in common.
        (
            [[(WEB, 2.5, True), (ORDERS, 3.5, True)], [(WEB, 2.5, True), (ORDERS, 3.5, False), (CUT, 0.5, True)]],
            f"{ORDERED}, and more than 2 × order (by “web”), and {MANY_OR_CUT}",
        ),
        # They differ only in a condition and its complement.
        (
            [[(WEB, 0.5, True), (ORDERS, 3.5, True)], [(WEB, 0.5, False), (ORDERS, 3.5, True)]],
            "number of orders is more than 3",
        ),
        # One condition is implied by another of the same way.
        (
            [[(GAP, 30.0, True), (GAP, 60.0, True), (ORDERS, 9.5, False)]],
            f"{ORDERED}, and days between orders is more than 60, and number of orders is at most 9",
        ),
        # Everybody with an order.
        ([[(WEB, 0.5, True)], [(WEB, 0.5, False)]], ORDERED),
    ],
)
def test_rules_are_short(paths: list[Path], text: str) -> None:
    assert sentence(definition_of(paths), Language.ENGLISH, Names()) == text
