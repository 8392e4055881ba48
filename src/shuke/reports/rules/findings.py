"""All rules, and the order in which their findings are said. Pure."""

from __future__ import annotations

from shuke.reports.rules.figures import Figures
from shuke.reports.rules.finding import Finding, Rule
from shuke.reports.rules.findings_base import (
    anonymous_sales,
    cannot_predict,
    cohort_quality_falling,
    cohort_quality_rising,
    model_not_trustworthy,
    new_customers_falling,
    region_concentration,
    revenue_concentration,
    season_peak,
)
from shuke.reports.rules.findings_customers import (
    at_risk_valuable,
    discount_acquired,
    due_soon,
    lost_valuable,
    loyal_core,
    one_time_promising,
    return_prone_customers,
    second_order_window,
)
from shuke.reports.rules.findings_products import (
    basket_pair,
    channel_value,
    cost_above_value,
    lasting_first_product,
    return_prone_products,
)

__all__ = ["RULES", "findings"]

RULES: tuple[Rule, ...] = (
    cannot_predict,
    model_not_trustworthy,
    revenue_concentration,
    at_risk_valuable,
    lost_valuable,
    loyal_core,
    second_order_window,
    one_time_promising,
    due_soon,
    new_customers_falling,
    cohort_quality_falling,
    cohort_quality_rising,
    anonymous_sales,
    season_peak,
    region_concentration,
    channel_value,
    cost_above_value,
    discount_acquired,
    return_prone_customers,
    return_prone_products,
    lasting_first_product,
    basket_pair,
)


def findings(figures: Figures) -> tuple[Finding, ...]:
    """What the rules find: remarks on trust first, then by money, the largest first; those without a size last."""
    found = [finding for rule in RULES if (finding := rule(figures)) is not None]
    return tuple(sorted(found, key=lambda one: (not one.said_first, one.money is None, -(one.money or 0.0))))
