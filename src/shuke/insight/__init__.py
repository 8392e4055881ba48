"""The analytical core: pure Ibis expressions and statistical models over canonical tables.

Usable from a notebook without the rest of Shuke. Knows only ``base``.
"""
