"""Order files (open, understand, stage as typed Parquet, treat row by row, account for everything), orders as stated,
events from inbox to timeline, and the copy in the lake.
"""
