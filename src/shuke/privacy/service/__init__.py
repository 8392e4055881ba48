"""The vault and the consent ledger, inside the caller's transaction."""
