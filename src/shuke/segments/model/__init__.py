"""What a segment says, and what is told of it. Pure."""
