"""Rules on products, channels and costs. Pure."""

from __future__ import annotations

from shuke.reports.model import Confidence
from shuke.reports.rules.compare import Z95
from shuke.reports.rules.figures import BasketPair, Figures, FirstProduct
from shuke.reports.rules.finding import Finding
from shuke.reports.rules.said import Evidence, count, money, named, number, share
from shuke.reports.rules.trust import confidence_of

__all__ = [
    "basket_pair",
    "best_pair",
    "channel_value",
    "cost_above_value",
    "first_product_rank",
    "lasting_first_product",
    "return_prone_products",
]

MIN_FIRST_CUSTOMERS = 30
MIN_PAIR_ORDERS = 30
PAIR_LIFT = 2.0
RETURNED_TIMES = 3
MIN_RETURNED_ORDERS = 30  # a single order that came back is no trait of its product
RETURNED_OF_ALL = 0.05
MIN_CHANNEL_CUSTOMERS = 100


def first_product_rank(one: FirstProduct) -> float:
    """What its buyers are surely worth more than everybody, all together."""
    return (one.value_low - one.value_everyone) * one.customers


def best_first_product(figures: Figures) -> FirstProduct | None:
    """The product of a first order whose buyers are worth most more, surely more than the others."""
    surely = [
        one
        for one in figures.first_products
        if one.customers >= MIN_FIRST_CUSTOMERS and one.value_low > one.value_everyone > 0
    ]
    return max(surely, key=first_product_rank, default=None)


def lasting_first_product(figures: Figures) -> Finding | None:
    """Who begins with this product is worth more later."""
    best = best_first_product(figures)
    if best is None:
        return None
    evidence = [
        Evidence(
            "finding.lasting_first_product.value",
            "first_products",
            {
                "customers": count(best.customers),
                "value": money(best.value),
                "low": money(best.value_low),
                "high": money(best.value_high),
                "everyone": money(best.value_everyone),
                "days": count(figures.first_days),
            },
        )
    ]
    evidence.append(
        Evidence("finding.lasting_first_product.repeat", "first_products", {"share": share(best.repeat_share)})
    )
    evidence.append(Evidence("finding.lasting_first_product.caution", "first_products"))
    confidence, reason = confidence_of(figures, sample=best.customers, predicted=False)
    return Finding(
        code="lasting_first_product",
        values={"product": named(best.name), "times": number(best.value / best.value_everyone, 1)},
        evidence=tuple(evidence),
        # An association, not an effect: never high.
        confidence=min(confidence, Confidence.MEDIUM, key=(Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH).index),
        confidence_reason="association" if confidence is Confidence.HIGH else reason,
        sample=best.customers,
        money=(best.value - best.value_everyone) * best.customers,
    )


def best_pair(figures: Figures) -> BasketPair | None:
    """The pair in most orders among those that surely go together."""
    surely = [
        one
        for one in figures.pairs
        if one.orders >= MIN_PAIR_ORDERS and one.lift_low is not None and one.lift_low >= PAIR_LIFT
    ]
    return max(surely, key=lambda one: one.orders, default=None)


def basket_pair(figures: Figures) -> Finding | None:
    """Two products that go together far more often than chance."""
    best = best_pair(figures)
    size = figures.list_size("pair_missing")
    if best is None or best.lift_low is None:
        return None
    confidence, reason = confidence_of(figures, sample=best.orders, predicted=False)
    return Finding(
        code="basket_pair",
        values={"first": named(best.first), "second": named(best.second), "lift": number(best.lift, 1)},
        evidence=(
            Evidence(
                "finding.basket_pair.orders",
                "pairs",
                {
                    "orders": count(best.orders),
                    "confidence": share(best.confidence, 0),
                    "low": number(best.lift_low, 1),
                    "first": named(best.first),
                    "second": named(best.second),
                },
            ),
        ),
        confidence=confidence,
        confidence_reason=reason,
        sample=best.orders,
        list_code="pair_missing" if size else None,
        customers=size.customers if size else None,
    )


def return_prone_products(figures: Figures) -> Finding | None:
    """A few products make a good part of the returns, each coming back several times as often as the rest."""
    whole = figures.returned_share
    if not whole:
        return None
    prone = [
        one
        for one in figures.returned_products
        if one.orders >= MIN_RETURNED_ORDERS and one.rate >= RETURNED_TIMES * whole
    ]
    returned = sum(one.returned for one in prone)
    if not prone or returned < RETURNED_OF_ALL * figures.base.refunds:
        return None
    worst = max(prone, key=lambda one: one.returned)
    return Finding(
        code="return_prone_products",
        values={"products": count(len(prone)), "amount": money(returned)},
        evidence=(
            Evidence(
                "finding.return_prone_products.worst",
                "returned_products",
                {
                    "product": named(worst.name),
                    "returned": money(worst.returned),
                    "sold": money(worst.sold),
                    "whole": share(whole),
                },
            ),
        ),
        confidence=Confidence.MEDIUM,
        confidence_reason="few_events",
        sample=len(prone),
        money=returned,
    )


def channel_value(figures: Figures) -> Finding | None:
    """A channel's customers are worth more than another's, beyond chance."""
    ranked = sorted(
        (one for one in figures.by_channel if one.customers >= MIN_CHANNEL_CUSTOMERS),
        key=lambda one: one.historic_mean,
        reverse=True,
    )
    if len(ranked) < 2:
        return None
    best, worst = ranked[0], ranked[-1]
    gap = best.historic_mean - worst.historic_mean
    half = Z95 * (best.historic_se**2 + worst.historic_se**2) ** 0.5
    if gap - half <= 0:
        return None
    confidence, reason = confidence_of(figures, sample=min(best.customers, worst.customers), predicted=False)
    return Finding(
        code="channel_value",
        values={"best": named(best.key), "worst": named(worst.key)},
        evidence=(
            Evidence(
                "finding.channel_value.means",
                "by_channel",
                {
                    "best": named(best.key),
                    "best_mean": money(best.historic_mean),
                    "worst": named(worst.key),
                    "worst_mean": money(worst.historic_mean),
                    "low": money(gap - half),
                    "high": money(gap + half),
                },
            ),
        ),
        confidence=confidence,
        confidence_reason=reason,
        sample=min(best.customers, worst.customers),
        money=gap * worst.customers,
    )


def cost_above_value(figures: Figures) -> Finding | None:
    """Channels whose new customers cost more than they are worth."""
    losing = [one for one in figures.economics.channels if one.loss is not None and one.loss > 0]
    worst = max(losing, key=lambda one: one.spend, default=None)
    if worst is None or worst.cac is None or worst.value is None:
        return None
    lost = sum(one.loss or 0.0 for one in losing)
    customers = sum(one.new_customers for one in losing)
    confidence, reason = confidence_of(figures, sample=customers, predicted=figures.gate.ok)
    return Finding(
        code="cost_above_value",
        values={"channels": count(len(losing)), "amount": money(lost)},
        evidence=(
            Evidence(
                "finding.cost_above_value.worst",
                "channel_costs",
                {
                    "channel": named(worst.channel),
                    "cac": money(worst.cac),
                    "value": money(worst.value),
                    "spend": money(worst.spend),
                },
            ),
        ),
        confidence=confidence,
        confidence_reason=reason,
        sample=customers,
        money=lost,
    )
