"""Findings and strategies from figures. Pure."""
