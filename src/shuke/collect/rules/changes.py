"""Which events come in suddenly more, suddenly less, or not any more."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from statistics import mean, median

from shuke.collect.model import EventVolume, SuddenChange

#: Days before that have to be known; with fewer, nothing can be called sudden.
DAYS_NEEDED = 3
#: How far from the usual, in standard deviations, and by what factor, is sudden.
DEVIATIONS = 4.0
FACTOR = 2.0


def sudden_changes(history: Iterable[EventVolume], now: datetime) -> tuple[SuddenChange, ...]:
    """Compare the last full hour with the same hour of the days before, for each event of each source.

    Usual is the median of those days. Counts scatter at least as Poisson's do, with the square root of their mean; days
    differ by more than that, so their own scatter counts where it is larger. A change is sudden beyond both
    :data:`DEVIATIONS` and :data:`FACTOR`. An event that is not there in an hour is a count of none.
    """
    last = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    counted: dict[tuple[str, str, str], dict[datetime, int]] = defaultdict(dict)
    for one in history:
        counted[(one.source, one.kind, one.name)][one.hour] = one.events
    first_day = {key: min(hours) for key, hours in counted.items()}
    changes = []
    for key, hours in sorted(counted.items()):
        before = [last - timedelta(days=days) for days in range(1, 8)]
        known = [hours.get(hour, 0) for hour in before if hour >= first_day[key]]
        if len(known) < DAYS_NEEDED:
            continue
        usual, found = median(known), hours.get(last, 0)
        scatter = max(math.sqrt(max(mean(known), 1.0)), _scatter(known))
        far = abs(found - usual) > DEVIATIONS * scatter
        if far and (found > FACTOR * usual or found * FACTOR < usual):
            changes.append(SuddenChange(*key, hour=last, events=found, usual=float(usual)))
    return tuple(changes)


def _scatter(counts: list[int]) -> float:
    """The standard deviation, told from the median distance so that one odd day does not hide another."""
    middle = median(counts)
    return 1.4826 * median([abs(count - middle) for count in counts])
