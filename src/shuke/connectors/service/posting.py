"""Sending one message over the network, and nowhere that it must not go.

The name of a host is resolved once; every address that it has must be of the public internet; and the connection is
made to one of those addresses, not to the name, which could lead elsewhere a moment later. The name is still what the
certificate has to be for. Redirects are not followed, and no proxy of the environment is asked.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection

import httpx2

from shuke.base.errors import BadInput
from shuke.connectors.model import Post, Reply, Target, Trouble
from shuke.connectors.rules import checked_url, is_public

__all__ = ["ANSWER_KEPT", "ANSWER_MAX", "TIMEOUT_SECONDS", "HttpPoster", "resolved"]

#: For everything: resolving, connecting, sending, and the answer.
TIMEOUT_SECONDS = 15.0
#: Bytes of an answer that are read, and characters that are kept.
ANSWER_MAX = 65_536
ANSWER_KEPT = 1_024
_CONNECT_SECONDS = 5.0
# Of a name that has many; a machine without IPv6 cannot reach the first.
_ADDRESSES_TRIED = 4

Resolve = Callable[[str, int], Awaitable[list[str]]]


class _Unsafe(Exception):  # noqa: N818 - never leaves this module
    """An address is none of the public internet."""


async def resolved(host: str, port: int) -> list[str]:
    """The addresses of a host, as this machine resolves it; OSError where it has none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class HttpPoster:
    """Sends messages by HTTP.

    Args:
        own_hosts: hosts of the brand's own network, whose addresses may be private.
        resolve: the addresses of a host.
        tls: whom to trust; what the machine trusts, if not given.
        timeout_seconds: how long one message may take in all.
    """

    def __init__(
        self,
        own_hosts: Collection[str] = (),
        *,
        resolve: Resolve = resolved,
        tls: ssl.SSLContext | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._own_hosts = own_hosts
        self._resolve = resolve
        self._tls = tls or httpx2.create_ssl_context()
        self._timeout_seconds = timeout_seconds

    async def post(self, post: Post) -> Reply:
        """Send it, and say what came back; whatever goes wrong is a reply, too."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._post(post)
        except (TimeoutError, httpx2.TimeoutException):
            return Reply(trouble=Trouble.TIMEOUT)
        except (_Unsafe, BadInput):
            return Reply(trouble=Trouble.ADDRESS)
        except (socket.gaierror, UnicodeError):
            return Reply(trouble=Trouble.NAME)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            return Reply(trouble=Trouble.TLS if _is_of_tls(error) else Trouble.CONNECTION)

    async def _post(self, post: Post) -> Reply:
        # Once more: what the settings allow may have become less since the endpoint was made.
        target = checked_url(post.url, self._own_hosts)
        addresses = await self._addresses(target)
        last: httpx2.HTTPError | None = None
        for address in addresses[:_ADDRESSES_TRIED]:
            try:
                return await self._post_to(address, target, post)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                # Nothing was sent: the next address may be within reach.
                last = error
        raise last or socket.gaierror

    async def _addresses(self, target: Target) -> list[str]:
        addresses = await self._resolve(target.host, target.port)
        if not target.own and not all(is_public(one) for one in addresses):
            raise _Unsafe
        return addresses

    async def _post_to(self, address: str, target: Target, post: Post) -> Reply:
        """Send it to this address. The name is in ``Host`` and in the handshake, and the certificate must be for it."""
        at = f"[{address}]" if ":" in address else address
        host = f"[{target.host}]" if ":" in target.host else target.host
        url = f"{target.scheme}://{at}:{target.port}{target.path if target.path[0] == '/' else '/' + target.path}"
        default = {"https": 443, "http": 80}[target.scheme] == target.port
        headers = {"host": host if default else f"{host}:{target.port}", "accept-encoding": "identity", **post.headers}
        # A connection belongs to one request: another name at this address has another certificate.
        async with (
            httpx2.AsyncClient(
                verify=self._tls,
                timeout=httpx2.Timeout(self._timeout_seconds, connect=_CONNECT_SECONDS),
                follow_redirects=False,
                trust_env=False,
            ) as client,
            client.stream(
                "POST", url, headers=headers, content=post.body, extensions={"sni_hostname": target.host}
            ) as answer,
        ):
            told = await _beginning(answer)
            return Reply(status=answer.status_code, answer=told, retry_after=answer.headers.get("retry-after"))


async def _beginning(answer: httpx2.Response) -> str:
    """The beginning of the body, as text that PostgreSQL can hold."""
    read = bytearray()
    # As it comes: what is unpacked could be a thousand times as long.
    async for part in answer.aiter_raw():
        read += part
        if len(read) >= ANSWER_MAX:
            break
    return (
        bytes(read[: 4 * ANSWER_KEPT])
        .decode("utf-8", "replace")
        .replace("\0", "\N{REPLACEMENT CHARACTER}")[:ANSWER_KEPT]
    )


def _is_of_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
