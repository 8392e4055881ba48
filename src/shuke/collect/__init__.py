"""Facts in: events over HTTP, orders by the API, order files of any make; and the timeline that they make.

Knows ``catalog``, ``profiles``, ``privacy``, ``platform``, ``insight`` (the canonical tables) and ``base``. An event is
on the disk before its sender is told so; it becomes a fact of an identity, with what is personal in the vault. A file
is opened by what its bytes say, its columns are recognised by their names, each column is read by one rule for all of
it, and every row becomes a sale, a refund, or one of the counted exceptions of `TREATMENTS`.
"""

import lazy_loader

# As in ``platform``: reading order files does not wait for a database.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
