"""Shuke (熟客, "the regular customer"): customer operations for retail brands.

This package is empty on purpose. Enter by a room: ``from shuke import insight`` for the analytical
core, or by the command ``shuke``.
"""
