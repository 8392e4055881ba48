"""The one tree of errors.

    ShukeError
    ├── BadInput       what the user gave cannot be used; the text says what, where and how to mend it
    ├── CannotSay      the data do not support an answer, which is itself an answer
    ├── Conflict       what is asked for contradicts the state that things are in
    │   └── Outdated       what was to be changed is not any more what it was when it was looked at
    ├── NotAllowed     who asks may not have this
    │   └── NotSignedIn    nobody knows who asks
    ├── NotFound       there is nothing of this name
    ├── TooOften       asked again too soon; ``seconds`` among the values says when to come back
    └── NotAvailable   an optional part (an extra, a runtime) is missing on this machine

Every error has a stable ``code``, which is its room and what went wrong, and plain ``values``. The text that a person
reads is the entry ``errors.<what>`` in that room's catalogue (:func:`shuke.base.language.explain`); ``str(error)`` is
for logs and engineers.
"""

from __future__ import annotations

from typing import Any


class ShukeError(Exception):
    """The root: a stable code (``room.what_went_wrong``) and the values that its message names."""

    def __init__(self, code: str, **values: Any) -> None:
        self.code = code
        self.values = values
        shown = ", ".join(f"{name}={value!r}" for name, value in values.items())
        super().__init__(f"{code}({shown})")


class BadInput(ShukeError):  # noqa: N818 - the tree reads as sentences: "raise BadInput"
    """What the user gave cannot be used."""


class CannotSay(ShukeError):  # noqa: N818 - likewise
    """The data do not support an answer. Callers show this as a result, never as a made-up number."""


class Conflict(ShukeError):  # noqa: N818 - likewise
    """What is asked for contradicts the state that things are in; asking again later, or otherwise, may do."""


class Outdated(Conflict):
    """What was to be changed is not any more what it was when it was looked at."""


class NotAllowed(ShukeError):  # noqa: N818 - likewise
    """Who asks may not have this."""


class NotSignedIn(NotAllowed):
    """Who asks has not said who they are, or not so that it counts any more."""


class NotFound(ShukeError):  # noqa: N818 - likewise
    """There is nothing of this name."""


class TooOften(ShukeError):  # noqa: N818 - likewise
    """Asked again too soon. The value ``seconds`` says after how many to ask again."""


class NotAvailable(ShukeError):  # noqa: N818 - likewise
    """An optional part is missing on this machine; the message says how to install it."""
