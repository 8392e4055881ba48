"""Who the customers are: their identities, which of them are one, and what is known of each.

Knows ``privacy``, ``platform`` and below. Facts belong to identities and identities to customers, so that a merge moves
identities and an undo moves exactly those back; the facts follow without being touched.
"""

from shuke.profiles.model import (
    AttributeDefinition,
    AttributeType,
    ExternalId,
    Identity,
    Merge,
    NewTag,
    Profile,
    Refusal,
    Resolved,
    Tag,
)
from shuke.profiles.rules.identifiers import normalised, priority_of
from shuke.profiles.service.merging import merge, merges_of, standing_for, unmerge
from shuke.profiles.service.reading import customers_of, find, identities_of, owners
from shuke.profiles.service.resolving import resolve

__all__ = [
    "AttributeDefinition",
    "AttributeType",
    "ExternalId",
    "Identity",
    "Merge",
    "NewTag",
    "Profile",
    "Refusal",
    "Resolved",
    "Tag",
    "customers_of",
    "find",
    "identities_of",
    "merge",
    "merges_of",
    "normalised",
    "owners",
    "priority_of",
    "resolve",
    "standing_for",
    "unmerge",
]
