"""Decisions about files, columns and rows: values in, values out. Pure."""
