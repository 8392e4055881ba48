"""Loading, deciding and saving, inside the caller's transaction."""
