"""Who the customers are: their identities, which of them are one, and what is known of each.

Knows ``access``, ``privacy``, ``platform`` and below. Facts belong to identities and identities to customers, so that
a merge moves identities and an undo moves exactly those back; the facts follow without being touched.
"""

from shuke.profiles.model import (
    AttributeDefinition,
    AttributeType,
    Card,
    ExternalId,
    Identity,
    ManyTags,
    Merge,
    NewTag,
    Profile,
    Refusal,
    Resolved,
    Tag,
    TagBatch,
)
from shuke.profiles.rules.attributes import of_traits
from shuke.profiles.rules.identifiers import normalised, priority_of
from shuke.profiles.rules.profile import group_of_attribute, masked_attribute, shown_attribute
from shuke.profiles.service.attaching import attach_identity
from shuke.profiles.service.attributes import (
    attribute_definitions_of,
    define_attribute,
    retire_attribute,
    set_attributes,
)
from shuke.profiles.service.bulk_tagging import BATCH_CUSTOMERS_MAX, tag_many, undo_batch, untag_many
from shuke.profiles.service.consents import consents_of, record_consents, said_by
from shuke.profiles.service.days import has_day, sealed_days
from shuke.profiles.service.erasing import erase
from shuke.profiles.service.merging import merge, merges_of, parts_of, standing, standing_for, unmerge
from shuke.profiles.service.overview import profile_360
from shuke.profiles.service.reading import (
    customers_of,
    described,
    find,
    identities_of,
    kinds_of,
    labels,
    named,
    owners,
    parts_of_present,
)
from shuke.profiles.service.resolving import Hashed, hashed, resolve
from shuke.profiles.service.searching import CARDS_MAX, Candidates, Chosen, candidates, cards, present, tagged
from shuke.profiles.service.tagging import add_tags, drop_expired_tags, form_household, leave_household, remove_tag
from shuke.profiles.service.whose import give_to, note_stores, take_from

__all__ = [
    "BATCH_CUSTOMERS_MAX",
    "CARDS_MAX",
    "AttributeDefinition",
    "AttributeType",
    "Candidates",
    "Card",
    "Chosen",
    "ExternalId",
    "Hashed",
    "Identity",
    "ManyTags",
    "Merge",
    "NewTag",
    "Profile",
    "Refusal",
    "Resolved",
    "Tag",
    "TagBatch",
    "add_tags",
    "attach_identity",
    "attribute_definitions_of",
    "candidates",
    "cards",
    "consents_of",
    "customers_of",
    "define_attribute",
    "described",
    "drop_expired_tags",
    "erase",
    "find",
    "form_household",
    "give_to",
    "group_of_attribute",
    "has_day",
    "hashed",
    "identities_of",
    "kinds_of",
    "labels",
    "leave_household",
    "masked_attribute",
    "merge",
    "merges_of",
    "named",
    "normalised",
    "note_stores",
    "of_traits",
    "owners",
    "parts_of",
    "parts_of_present",
    "present",
    "priority_of",
    "profile_360",
    "record_consents",
    "remove_tag",
    "resolve",
    "retire_attribute",
    "said_by",
    "sealed_days",
    "set_attributes",
    "shown_attribute",
    "standing",
    "standing_for",
    "tag_many",
    "tagged",
    "take_from",
    "undo_batch",
    "unmerge",
    "untag_many",
]
