"""Sending over the network: the real sender and its twin alike, and nowhere that it must not go."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shuke.connectors.model import Post, Poster, Reply, Target, Trouble
from shuke.connectors.service import posting
from shuke.connectors.service.posting import HttpPoster

from .receivers import InMemory, Receiver, listening

Made = tuple[Poster, str, Receiver]


@pytest.fixture(params=["real", "twin"])
def made(request: pytest.FixtureRequest) -> Iterator[Made]:
    """A sender, the address of a receiver, and that receiver."""
    receiver = Receiver()
    if request.param == "twin":
        yield InMemory({"http://127.0.0.1:1": receiver}, timeout_seconds=0.5), "http://127.0.0.1:1", receiver
        return
    with listening(receiver) as port:
        yield HttpPoster({"127.0.0.1"}, timeout_seconds=0.5), f"http://127.0.0.1:{port}", receiver


def sent(poster: Poster, url: str, body: bytes = b"{}") -> Reply:
    return asyncio.run(poster.post(Post(url, {"webhook-id": "msg_1", "content-type": "application/json"}, body)))


def test_both_send_what_is_said(made: Made) -> None:
    poster, at, receiver = made
    body = '{"text": "茶"}'.encode()
    assert sent(poster, f"{at}/in?a=b", body) == Reply(status=200, answer="thanks")
    (seen,) = receiver.seen
    assert (seen.url, seen.body, seen.headers["webhook-id"]) == ("/in?a=b", body, "msg_1")
    assert seen.headers["content-type"] == "application/json"


@pytest.mark.parametrize("status", [204, 400, 404, 410, 500])
def test_both_say_what_was_answered(made: Made, status: int) -> None:
    poster, at, receiver = made
    receiver.answers["/in"] = (status, {}, b"")
    assert sent(poster, f"{at}/in") == Reply(status=status)


def test_both_pass_on_when_to_come_back(made: Made) -> None:
    poster, at, receiver = made
    receiver.answers["/in"] = (429, {"retry-after": "7"}, b"slowly")
    assert sent(poster, f"{at}/in") == Reply(status=429, answer="slowly", retry_after="7")


def test_both_keep_the_beginning_of_an_answer(made: Made) -> None:
    poster, at, receiver = made
    receiver.answers["/in"] = (500, {}, b"a\0\xff" + b"x" * 300_000)
    assert sent(poster, f"{at}/in") == Reply(status=500, answer="a\ufffd\ufffd" + "x" * 1_021)


def test_both_follow_no_redirect(made: Made) -> None:
    poster, at, receiver = made
    receiver.answers["/in"] = (307, {"location": "/inside"}, b"")
    assert sent(poster, f"{at}/in").status == 307
    assert [one.url for one in receiver.seen] == ["/in"]


def test_both_give_up_on_who_is_slow(made: Made) -> None:
    poster, at, receiver = made
    receiver.slow["/in"] = 0.8
    assert sent(poster, f"{at}/in") == Reply(trouble=Trouble.TIMEOUT)


def test_both_say_that_nobody_listens(made: Made) -> None:
    poster, _, _ = made
    # Nobody may listen at port 9 of this machine.
    assert sent(poster, "http://127.0.0.1:9/in") == Reply(trouble=Trouble.CONNECTION)


def test_who_drips_is_given_up_on() -> None:
    """Bytes that come one by one, each in time, do not hold a place for longer than a message may take."""

    async def drips(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for byte in b"HTTP/1.1 200 OK\r\nx: " + b"a" * 1_000:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.05)
        except OSError:
            pass
        finally:
            writer.close()

    async def asked() -> Reply:
        server = await asyncio.start_server(drips, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            poster = HttpPoster({"127.0.0.1"}, timeout_seconds=0.5)
            return await asyncio.wait_for(poster.post(Post(f"http://127.0.0.1:{port}/", {}, b"")), 5)

    assert asyncio.run(asked()) == Reply(trouble=Trouble.TIMEOUT)


PUBLIC = ("93.184.216.34", "2606:4700::1111")
#: By what a resolver answers the first, the second … time that it is asked for the name.
RESOLVED: dict[str, list[list[str]]] = {
    "rebinding": [[PUBLIC[0]], ["127.0.0.1"], ["127.0.0.1"]],
    "one of several": [[PUBLIC[0], "10.0.0.5"]],
    "loopback": [["127.0.0.1"]],
    "metadata": [["169.254.169.254"]],
    "shared": [["100.64.0.1"]],
    "mapped": [["::ffff:127.0.0.1"]],
    "nat64": [["64:ff9b::7f00:1"]],
    "this host": [["0.0.0.0"]],  # noqa: S104 - where it must not lead
    "multicast": [["224.0.0.1"]],
    "local": [["fd00::1"]],
}


def leaks(make: Callable[..., HttpPoster], monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The answers of the resolver by which a sender is led to anything but a public address that it was told of."""
    found = set()
    for name, answers in RESOLVED.items():
        asked = iter(answers)
        last = answers[-1]
        reached: list[str] = []

        async def resolve(_host: str, _port: int, asked: Iterator[list[str]] = asked, last: Any = last) -> list[str]:
            return next(asked, last)

        async def connect(remote_host: str, reached: list[str] = reached, **_: Any) -> Any:
            # Who connects to a name has it resolved once more.
            is_name = remote_host == "hooks.example.com"
            reached.extend(await resolve(remote_host, 443) if is_name else [remote_host])
            raise OSError

        monkeypatch.setattr(anyio, "connect_tcp", connect)
        reply = sent(make(resolve=resolve), "https://hooks.example.com/in")
        if not set(reached) <= set(PUBLIC):
            found.add(name)
        elif name != "rebinding":
            assert (reply, reached) == (Reply(trouble=Trouble.ADDRESS), [])
        else:
            assert (reply, reached) == (Reply(trouble=Trouble.CONNECTION), [PUBLIC[0]])
    return found


def test_nothing_leads_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    assert leaks(HttpPoster, monkeypatch) == set()


class ByName(HttpPoster):
    async def _post_to(self, _: str, target: Target, post: Post) -> Reply:
        return await super()._post_to(target.host, target, post)


class FirstOnly(HttpPoster):
    async def _addresses(self, target: Target) -> list[str]:
        addresses = await self._resolve(target.host, target.port)
        if not posting.is_public(addresses[0]):
            raise posting._Unsafe
        return addresses


class Unchecked(HttpPoster):
    async def _addresses(self, target: Target) -> list[str]:
        return await self._resolve(target.host, target.port)


PLANTED: dict[type[HttpPoster], set[str]] = {
    ByName: {"rebinding"},
    FirstOnly: {"one of several"},
    Unchecked: set(RESOLVED) - {"rebinding"},
}


@pytest.mark.parametrize("fault", PLANTED, ids=lambda fault: str(fault.__name__))
def test_a_planted_fault_leads_inside(fault: type[HttpPoster], monkeypatch: pytest.MonkeyPatch) -> None:
    assert leaks(fault, monkeypatch) == PLANTED[fault]


def test_a_narrow_idea_of_private_leads_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual check of others: all that is not private by the library's own word."""
    monkeypatch.setattr(posting, "is_public", lambda address: not ipaddress.ip_address(address).is_private)
    assert {"nat64", "shared", "multicast"} <= leaks(HttpPoster, monkeypatch)


class Eager(httpx2.AsyncClient):
    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "follow_redirects": True})


class Proxied(httpx2.AsyncClient):
    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "trust_env": True})


def test_redirects_and_proxies_are_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    receiver, inside = Receiver(), Receiver()
    with listening(receiver) as port, listening(inside) as inner:
        receiver.answers["/in"] = (302, {"location": f"http://127.0.0.1:{inner}/secrets"}, b"")
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{inner}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{inner}")
        monkeypatch.setenv("NO_PROXY", "")
        # What the mistakes ask is not answered.
        poster = HttpPoster({"127.0.0.1"}, timeout_seconds=1)
        assert sent(poster, f"http://127.0.0.1:{port}/in").status == 302
        assert (len(receiver.seen), inside.seen) == (1, [])
        # Either mistake is seen.
        for mistake in (Eager, Proxied):
            monkeypatch.setattr(posting.httpx2, "AsyncClient", mistake)
            sent(poster, f"http://127.0.0.1:{port}/in")
            assert inside.seen
            inside.seen.clear()


def test_what_is_allowed_is_looked_at_when_it_is_sent() -> None:
    receiver = Receiver()
    with listening(receiver) as port:
        for url in (f"http://127.0.0.1:{port}/", f"https://127.0.0.1:{port}/", "https://127.0.0.1/", "https://[::1]/"):
            assert sent(HttpPoster(), url) == Reply(trouble=Trouble.ADDRESS)
    assert receiver.seen == []


def test_a_name_that_nobody_knows() -> None:
    async def resolve(_host: str, _port: int) -> list[str]:
        return []

    assert sent(HttpPoster(resolve=resolve), "https://hooks.example.com/") == Reply(trouble=Trouble.NAME)
    # A label that is too long for a name.
    assert sent(HttpPoster(), f"https://{'a' * 64}.example/").trouble is Trouble.NAME


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server of this name shows, and what trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    shown = made.public_bytes(serialization.Encoding.PEM)
    file.write_bytes(secret + shown)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cadata=shown.decode())


def test_the_certificate_is_for_the_name(tmp_path: Path) -> None:
    """The connection goes to an address, and the certificate must be for the name all the same."""
    server, trusting = certificate(tmp_path, "hooks.example.com")
    receiver = Receiver()

    async def resolve(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    with listening(receiver, server) as port:
        own = {"hooks.example.com", "other.example.com"}
        poster = HttpPoster(own, resolve=resolve, tls=trusting)
        assert sent(poster, f"https://hooks.example.com:{port}/in").status == 200
        assert receiver.seen[0].headers["host"] == f"hooks.example.com:{port}"
        # Another's certificate, and one that nobody has vouched for.
        assert sent(poster, f"https://other.example.com:{port}/in") == Reply(trouble=Trouble.TLS)
        strict = HttpPoster(own, resolve=resolve)
        assert sent(strict, f"https://hooks.example.com:{port}/in") == Reply(trouble=Trouble.TLS)
    assert len(receiver.seen) == 1


def test_another_address_is_tried_where_nobody_listens() -> None:
    receiver = Receiver()
    with listening(receiver) as port:

        async def resolve(_host: str, _port: int) -> list[str]:
            return ["127.0.0.3", "127.0.0.1"]

        poster = HttpPoster({"hooks.internal"}, resolve=resolve)
        assert sent(poster, f"http://hooks.internal:{port}/in").status == 200
    assert len(receiver.seen) == 1
