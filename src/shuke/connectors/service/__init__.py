"""Endpoints and their secrets, messages made of changes, and the sending of them."""
