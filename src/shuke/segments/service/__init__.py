"""Loads, decides, saves: what segments there are, and whom they mean."""
