"""From a tree to one Ibis expression. Pure: built and never executed."""

from shuke.segments.measures.dues import dues
from shuke.segments.measures.evidence import LOOKING, evidence
from shuke.segments.measures.features import features
from shuke.segments.measures.profile import sides_of, traits
from shuke.segments.measures.subjects import INSIDE, MIX, Subjects
from shuke.segments.measures.tree import leaves, members, parted
from shuke.segments.measures.words import LONG, alike, carried, commonest, counted, drawn, properties_of, told

__all__ = [
    "INSIDE",
    "LONG",
    "LOOKING",
    "MIX",
    "Subjects",
    "alike",
    "carried",
    "commonest",
    "counted",
    "drawn",
    "dues",
    "evidence",
    "features",
    "leaves",
    "members",
    "parted",
    "properties_of",
    "sides_of",
    "told",
    "traits",
]
