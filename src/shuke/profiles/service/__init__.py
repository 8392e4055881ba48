"""Customers, read and changed inside the caller's transaction."""
