"""The facts of each customer: where they stand, what they are worth, what is to be expected; kept up to date.

Knows ``collect`` (the lake and the timeline), ``insight`` (which works the facts out), ``profiles`` and what lies
below; so it is here that a customer can be seen whole. A refresh looks at all customers at once, every night or when
asked; it keeps what changed, and tells the timeline of every new stage. What cannot be said stays empty, with the
reason.
"""

import lazy_loader

# As in ``platform``: a command that needs no database does not wait for its libraries.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
