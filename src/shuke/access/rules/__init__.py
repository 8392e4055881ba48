"""Decisions about people, roles and keys."""
