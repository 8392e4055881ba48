"""What reading a file yields: fields, mappings, problems. Pure."""
