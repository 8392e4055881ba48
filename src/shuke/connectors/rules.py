"""Where webhooks may go, how they are signed, and what follows from an answer."""

from __future__ import annotations

import base64
import hmac
import ipaddress
import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256

from shuke.base.errors import BadInput
from shuke.connectors.model import Claimed, DeliveryState, Outcome, Post, Reply, Target, Trouble, WhyDisabled

__all__ = [
    "FAILING_MAX",
    "NAME_MAX",
    "RETRY_SECONDS",
    "SECRET_BYTES",
    "URL_MAX",
    "checked_name",
    "checked_url",
    "is_public",
    "outcome",
    "post_of",
    "secret_text",
    "signatures",
]

NAME_MAX = 100
URL_MAX = 500
SECRET_BYTES = 32
#: Between one attempt and the next; after the last of them a message has failed. Standard Webhooks advises them.
RETRY_SECONDS = (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600)
#: How much longer it may be at most, so that what failed together does not come back together.
JITTER = 0.2
#: How long an endpoint can have itself left alone.
PAUSE_SECONDS_MAX = 10 * 3600
#: After so long without anything arriving an endpoint is disabled.
FAILING_MAX = timedelta(days=5)

_PORTS = frozenset({443, 8443})
# Only what every reader of addresses reads alike: no user, no fragment, no blanks, no letters beyond ASCII.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>[/?][!-\"$-\[\]-~]*)?",
    re.IGNORECASE,
)
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# An IPv4 address within these may be any.
_SIX_TO_FOUR = ipaddress.ip_network("2002::/16")


def checked_name(name: str) -> str:
    """The name itself; BadInput ``connectors.bad_name`` for what is none."""
    if not (0 < len(name) <= NAME_MAX and name.isprintable() and name == name.strip()):
        raise BadInput("connectors.bad_name", limit=NAME_MAX)
    return name


def checked_url(url: str, own_hosts: Collection[str]) -> Target:
    """Where an address leads, if webhooks may go there: by ``https`` to port 443 or 8443.

    To ``own_hosts`` they may go by ``http``, too, and to any port.

    Raises:
        BadInput: ``connectors.bad_url``.
    """
    found = _URL.fullmatch(url) if len(url) <= URL_MAX else None
    if found is None:
        raise BadInput("connectors.bad_url", limit=URL_MAX)
    scheme, host = found["scheme"].lower(), found["host"].strip("[]").lower()
    port = int(found["port"]) if found["port"] else {"https": 443, "http": 80}[scheme]
    own = host in own_hosts
    if not 0 < port < 65_536 or not (own or (scheme == "https" and port in _PORTS)):
        raise BadInput("connectors.bad_url", limit=URL_MAX)
    return Target(scheme, host, port, found["path"] or "/", own)


def is_public(address: str) -> bool:
    """Whether an IP address, as a resolver writes it, is one of the public internet, where nothing of ours listens.

    Those are not which are private, of this machine or link (as a cloud's metadata), shared by a provider, for several
    receivers or reserved; nor IPv6 addresses which hold another of IPv4 (mapped, NAT64, 6to4).
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if not found.is_global or found.is_multicast:
        return False
    return found.version == 4 or (found in _GLOBAL_UNICAST and found not in _SIX_TO_FOUR)


def secret_text(secret: bytes) -> str:
    """A secret as it is shown, once."""
    return "whsec_" + base64.b64encode(secret).decode()


def signatures(secrets: Iterable[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """The header ``webhook-signature``: one signature by each secret, the newest first.

    Standard Webhooks 1.0: HMAC-SHA-256 of ``id.timestamp.body``, base64, after its version.
    """
    told = f"{message_id}.{timestamp}.".encode() + body
    return " ".join("v1," + base64.b64encode(hmac.digest(one, told, sha256)).decode() for one in secrets)


def post_of(claimed: Claimed, now: datetime) -> Post:
    """What is sent for a message at this moment."""
    timestamp, body = int(now.timestamp()), claimed.body.encode()
    headers = {
        "content-type": "application/json",
        "user-agent": "Shuke-Webhooks/1",
        "webhook-id": claimed.message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signatures(claimed.secrets, claimed.message_id, timestamp, body),
    }
    return Post(claimed.url, headers, body)


def outcome(reply: Reply, *, tries: int, failing_since: datetime | None, now: datetime, jitter: float) -> Outcome:
    """What follows from a reply.

    Args:
        reply: to the attempt that was just made.
        tries: which attempt it was since the message was queued, from 1.
        failing_since: when the first of the attempts failed since which none has arrived at this endpoint.
        now: the end of the attempt.
        jitter: a random number from 0 to 1.
    """
    if reply.status is not None and 200 <= reply.status < 300:
        return Outcome(DeliveryState.DELIVERED)
    trouble = reply.trouble or (Trouble.REDIRECT if 300 <= (reply.status or 0) < 400 else Trouble.STATUS)
    if reply.status == 410:
        return Outcome(DeliveryState.FAILED, trouble, disable=WhyDisabled.GONE)
    pause = _asked_to_wait(reply, now)
    failing = failing_since is not None and now - failing_since >= FAILING_MAX
    disable = WhyDisabled.FAILING if failing else None
    if tries > len(RETRY_SECONDS):
        return Outcome(DeliveryState.FAILED, trouble, pause_seconds=pause, disable=disable)
    again = max(pause, RETRY_SECONDS[tries - 1] * (1 + JITTER * jitter))
    return Outcome(DeliveryState.WAITING, trouble, again, pause, disable)


def _asked_to_wait(reply: Reply, now: datetime) -> float:
    """How many seconds the answer asks to be left alone (RFC 9110, 10.2.3), within limits."""
    given = (reply.retry_after or "").strip()
    if reply.status not in (429, 503) or not given:
        return 0.0
    if given.isascii() and given.isdigit():
        # Longer numbers are more than the limit, too.
        return float(min(int(given[:9]), PAUSE_SECONDS_MAX))
    try:
        until = parsedate_to_datetime(given)
    except ValueError:
        return 0.0
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0.0), float(PAUSE_SECONDS_MAX))
