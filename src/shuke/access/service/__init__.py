"""What is done with people, roles, keys and the audit log, inside the caller's transaction."""
