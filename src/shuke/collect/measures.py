"""Ibis expressions over what was read. Pure: built and never executed."""
