"""One file for each step; they are run in the order of their numbers."""
