"""Lifetime-value models: maximum likelihood on compressed sufficient statistics."""
