"""Over what customers are spread: every one in exactly one flow, cell and band, and the money adds up."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke import collect, lifecycle
from shuke.base.errors import BadInput
from shuke.lifecycle.rules import bands
from shuke.platform import Workplace

AS_OF = datetime(2026, 7, 1, tzinfo=UTC)
LATER = AS_OF + timedelta(days=100)
YEARS = timedelta(days=3000)


def order(place: Workplace, *stated: tuple[str, int, int], now: datetime) -> None:
    """Orders of members, so many days before ``now``, for so much."""
    with place.database.begin() as tx:
        source = collect.ensure_source(tx, "shop", now=now)
        orders = [
            collect.Order(
                source_id=source,
                order_id=f"{member}-{now:%j}-{days}",
                ordered_at=now - timedelta(days=days),
                amount_minor=amount,
                currency="CNY",
                ids=(("member_number", member),),
            )
            for member, days, amount in stated
        ]
        collect.save_orders(tx, place.keyring, orders, now)


@pytest.mark.oldest
def test_customers_are_spread(workplace: Workplace) -> None:
    order(workplace, ("m1", 3, 1_000), ("m1", 40, 1_500), ("m2", 5, 400), ("m3", 900, 70_000), now=AS_OF)
    lifecycle.refresh(workplace, as_of=AS_OF, now=AS_OF)
    order(workplace, ("m2", 1, 600), ("m4", 2, 9_000), now=LATER)
    lifecycle.refresh(workplace, as_of=LATER, now=LATER)
    with workplace.database.read() as tx:
        moved = lifecycle.flows(tx, since=AS_OF, until=LATER)
        cells, spread = lifecycle.rfm_cells(tx).cells, lifecycle.values(tx)
        early = lifecycle.flows(tx, since=AS_OF - YEARS, until=AS_OF - timedelta(days=1))
        first = lifecycle.flows(tx, since=AS_OF - YEARS, until=AS_OF)
        computed = {one.customer_id: one for one in lifecycle.most_valuable(tx).values()}
    assert (moved.since, moved.until, moved.currency) == (AS_OF, LATER, "CNY")
    assert sum(flow.customers for flow in moved.flows) == 4
    assert sum(flow.value_minor for flow in moved.flows) == 82_500
    # The one who came in between.
    assert [(flow.customers, flow.value_minor) for flow in moved.flows if flow.before is None] == [(1, 9_000)]
    assert {flow.after for flow in moved.flows} >= {one.stage for one in computed.values()}
    assert (early.until, early.flows) == (None, ())
    assert {flow.before for flow in first.flows} == {None}
    assert sum(flow.customers for flow in first.flows) == 3

    assert sum(cell.customers for cell in cells) == 4
    assert sum(cell.historic_minor for cell in cells) == 82_500

    assert (spread.customers, spread.mean_minor) == (4, 20_625)
    assert sum(band.customers for band in spread.bands) == 4
    assert sum(band.value_minor for band in spread.bands) == 82_500
    # One of four is the best fifth, rounded up.
    assert spread.top_share == pytest.approx(70_000 / 82_500)
    assert spread.quantiles[2] == 2_500


def test_before_the_first_refresh_nobody_is_spread(workplace: Workplace) -> None:
    with workplace.database.read() as tx:
        assert lifecycle.values(tx) == lifecycle.Values(lifecycle.AsKnown(), 0, None, (), None, ())
        assert lifecycle.rfm_cells(tx).cells == ()
        assert lifecycle.flows(tx, since=AS_OF, until=LATER).flows == ()
        with pytest.raises(BadInput) as refused:
            lifecycle.flows(tx, since=AS_OF, until=AS_OF)
    assert refused.value.code == "lifecycle.bad_span"


@given(st.lists(st.integers(-(10**12), 10**15), min_size=1))
def test_every_value_is_in_one_band(minor: list[int]) -> None:
    ordered = sorted(minor)
    edges = bands(lowest=ordered[0], low=ordered[len(ordered) // 10], highest=ordered[-1])
    assert list(edges) == sorted(set(edges))
    assert all(edges[0] <= value < edges[-1] for value in minor)
