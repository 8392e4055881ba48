"""What names and addresses may be, and who may give whom which role."""

from __future__ import annotations

import re
import unicodedata

from shuke.base.errors import BadInput

__all__ = ["EMAIL_CHARACTERS_MAX", "NAME_CHARACTERS_MAX", "checked_email", "checked_name", "email_key", "short_agent"]

NAME_CHARACTERS_MAX = 100
#: RFC 5321, 4.5.3.1.3, without the angle brackets.
EMAIL_CHARACTERS_MAX = 254
_AGENT_CHARACTERS_MAX = 60
_EMAIL = re.compile(r"[^\s@\"<>(),:;\\\x00-\x1f]{1,64}@(?:[^\s@.\"<>(),:;\\\x00-\x1f]+\.)*[^\s@.\"<>(),:;\\\x00-\x1f]+")
_BROWSERS = {"Edg": "Edge", "MicroMessenger": "WeChat", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
_SYSTEMS = {"Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "Mac OS": "macOS"}
_SYSTEMS |= {"Linux": "Linux"}


def checked_name(name: str) -> str:
    """The name without blanks around it; BadInput ``access.bad_name`` for what is none."""
    plain = unicodedata.normalize("NFC", name).strip()
    if not 0 < len(plain) <= NAME_CHARACTERS_MAX or not plain.isprintable():
        raise BadInput("access.bad_name", limit=NAME_CHARACTERS_MAX)
    return plain


def checked_email(email: str) -> str:
    """The address without blanks around it; BadInput ``access.bad_email`` for what is none."""
    plain = unicodedata.normalize("NFKC", email).strip()
    if len(plain) > EMAIL_CHARACTERS_MAX or not _EMAIL.fullmatch(plain) or not plain.isprintable():
        raise BadInput("access.bad_email")
    return plain


def email_key(email: str) -> str:
    """What two spellings of one address have in common."""
    return unicodedata.normalize("NFKC", email).strip().casefold()


def short_agent(agent: str) -> str:
    """What a browser says of itself, in a few words that its owner knows it by: ``Chrome, Windows``."""
    browser = next((name for sign, name in _BROWSERS.items() if sign in agent), "")
    system = next((name for sign, name in _SYSTEMS.items() if sign in agent), "")
    return ", ".join(part for part in (browser, system) if part)[:_AGENT_CHARACTERS_MAX]
