"""The facts of each customer: where they stand, what they are worth, what is to be expected; kept up to date.

Knows ``collect`` (the lake and the timeline), ``insight`` (which works the facts out), ``profiles`` and what lies
below; so it is here that a customer can be seen whole. A refresh looks at all customers at once, every night or when
asked; it keeps what changed, and tells the timeline of every new stage. What cannot be said stays empty, with the
reason.
"""

from shuke.lifecycle.model import OUTSIDE, Customer360, CustomerFacts, FormerFacts, Refresh, Unsaid
from shuke.lifecycle.rules import last_midnight
from shuke.lifecycle.service import (
    CUSTOMERS_MAX,
    LATEST_MAX,
    customer_360,
    facts_of,
    former_facts_of,
    last_refresh,
    most_valuable,
    refresh,
)

__all__ = [
    "CUSTOMERS_MAX",
    "LATEST_MAX",
    "OUTSIDE",
    "Customer360",
    "CustomerFacts",
    "FormerFacts",
    "Refresh",
    "Unsaid",
    "customer_360",
    "facts_of",
    "former_facts_of",
    "last_midnight",
    "last_refresh",
    "most_valuable",
    "refresh",
]
