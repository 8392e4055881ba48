"""What everybody asks first of the lake, answered before anybody does."""

from __future__ import annotations

from shuke.base.errors import BadInput, CannotSay
from shuke.lifecycle.analysis_model import Narrowing
from shuke.lifecycle.service.channels import ChannelValues, channel_values, channels
from shuke.lifecycle.service.coming_back import cohorts, retention
from shuke.lifecycle.service.desk import Desk, whose
from shuke.lifecycle.service.goods import baskets, first_products, products
from shuke.lifecycle.service.prepared import prepare
from shuke.platform import Workplace

__all__ = ["prepare_figures"]

_EVERYTHING = Narrowing()


def prepare_figures(place: Workplace) -> None:
    """Prepare the tables of the last refresh as the lake is now, and the answers of the pages without any control.

    Nothing is worked out where the lake has not changed since.
    """
    with place.database.read() as tx:
        by = whose(tx, everybody=True)
    if by.refresh is None:
        return
    try:
        prepare(place, by.refresh)
    except (BadInput, CannotSay):
        # Nothing was sold yet: there is nothing to be asked.
        return

    def worth() -> ChannelValues:
        with place.database.read() as tx:
            return channel_values(tx, by.refresh, _EVERYTHING)

    desk = Desk(place)
    cohorts(desk, by, _EVERYTHING)
    retention(desk, by, _EVERYTHING)
    channels(desk, by, _EVERYTHING, worth)
    products(desk, by, _EVERYTHING)
    baskets(desk, by, _EVERYTHING)
    first_products(desk, by, _EVERYTHING)
