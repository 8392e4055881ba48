"""Decisions about customers: which ids can be used, whom they mean, what an attribute may be."""
