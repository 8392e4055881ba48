"""Decisions about columns and rows. Pure."""
