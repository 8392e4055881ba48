"""Who may do what: people, roles, keys, the guard in front of every route, and the audit log.

Knows ``platform`` and ``base`` only. Other rooms declare at each of their routes what permission it needs, and get a
:class:`Visit`, which opens transactions on what the reader may see.
"""

import lazy_loader

# As in ``platform``: rules that only speak of who sees what do not wait for the web framework.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
