"""Who the brand is, what it sells, and where: its own settings, products, stores and channels.

Knows ``platform`` and ``base`` (and may know ``profiles``, which it does not need). Everything here is an upsert that
may be sent again: the same rows a second time change nothing, not even ``updated_at``.
"""

import lazy_loader

# As in ``platform``: a command that needs no database does not wait for its libraries.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
