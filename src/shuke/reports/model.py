"""What a report consists of. Pure."""
