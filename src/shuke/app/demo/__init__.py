"""The demo: real orders of a shop, what else might have happened around them, and the pages that lead there.

``simulator`` and all that it rests on is pure: arrays and a seed in, a table of facts out. ``filling`` reads the orders
and writes the facts; ``pages`` makes what a person sees.
"""
