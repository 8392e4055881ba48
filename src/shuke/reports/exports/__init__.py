"""The report as files. Each export renders the same frozen report."""
