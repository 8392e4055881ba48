"""Errors and language: what every room stands on. Knows the standard library and Babel, nothing else."""
