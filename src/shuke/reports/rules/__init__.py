"""Findings and strategies from figures, by written rules. Pure: figures in, sentences' codes and values out."""
