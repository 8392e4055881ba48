"""Decisions of the room: whether a tree can be asked, when its windows begin, and how it reads. Pure."""
