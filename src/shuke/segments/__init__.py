"""Who exactly, right now: what a segment says, and whom it means.

Knows ``lifecycle``, ``collect``, ``catalog``, ``profiles`` and what lies below. A segment is a tree of statements about
a customer (:mod:`shuke.segments.model.tree`), and one Ibis expression on every engine (:mod:`shuke.segments.measures`).
"""

from shuke.segments.model.segment import Using
from shuke.segments.service.building import build_all
from shuke.segments.service.definitions import list_segments
from shuke.segments.service.reading import changes_after, in_segment, last_change, names_among

__all__ = ["Using", "build_all", "changes_after", "in_segment", "last_change", "list_segments", "names_among"]
