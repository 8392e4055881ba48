"""The facts of each customer: where they stand, what they are worth, what is to be expected; kept up to date.

Knows ``collect`` (the lake and the timeline), ``insight`` (which works the facts out), ``profiles`` and what lies
below; so it is here that a customer can be seen whole. A refresh looks at all customers at once, every night or when
asked; it keeps what changed, and tells the timeline of every new stage. What cannot be said stays empty, with the
reason.
"""

from shuke.lifecycle.model import (
    OUTSIDE,
    Count,
    Customer360,
    CustomerFacts,
    CustomerPage,
    CustomerQuery,
    CustomerRow,
    Flow,
    Flows,
    FormerFacts,
    Overview,
    Refresh,
    RfmCell,
    Sort,
    StageTotal,
    StoodIn,
    Unsaid,
    ValueBand,
    Values,
    Week,
)
from shuke.lifecycle.rules import last_midnight
from shuke.lifecycle.service.listing import PAGE_MAX, list_customers
from shuke.lifecycle.service.overview import overview
from shuke.lifecycle.service.reading import (
    CUSTOMERS_MAX,
    LATEST_MAX,
    customer_360,
    facts_of,
    former_facts_of,
    last_refresh,
    most_valuable,
)
from shuke.lifecycle.service.refreshing import refresh
from shuke.lifecycle.service.spread import QUANTILES, flows, rfm_cells, stage_values, values
from shuke.lifecycle.service.stages import current_stages

__all__ = [
    "CUSTOMERS_MAX",
    "LATEST_MAX",
    "OUTSIDE",
    "PAGE_MAX",
    "QUANTILES",
    "Count",
    "Customer360",
    "CustomerFacts",
    "CustomerPage",
    "CustomerQuery",
    "CustomerRow",
    "Flow",
    "Flows",
    "FormerFacts",
    "Overview",
    "Refresh",
    "RfmCell",
    "Sort",
    "StageTotal",
    "StoodIn",
    "Unsaid",
    "ValueBand",
    "Values",
    "Week",
    "current_stages",
    "customer_360",
    "facts_of",
    "flows",
    "former_facts_of",
    "last_midnight",
    "last_refresh",
    "list_customers",
    "most_valuable",
    "overview",
    "refresh",
    "rfm_cells",
    "stage_values",
    "values",
]
