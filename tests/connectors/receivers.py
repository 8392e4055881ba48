"""Receivers of webhooks: on a port of this machine, and in memory; both answer as a test says."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from shuke.connectors.model import Post, Reply, Trouble
from shuke.connectors.service.posting import ANSWER_KEPT


@dataclass
class Receiver:
    """What arrived, and what is answered: what was said for the path, else 200."""

    seen: list[Post] = field(default_factory=list)
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        return self.answers.get(path, (200, {}, b"thanks"))


@contextmanager
def listening(receiver: Receiver, tls: Any = None) -> Iterator[int]:
    """The receiver on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.seen.append(Post(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            time.sleep(receiver.slow.get(self.path, 0))
            status, headers, told = receiver.answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def do_GET(self) -> None:
            receiver.seen.append(Post(self.path, {}, b"GET"))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """Who has hung up is no error of a test's."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


class InMemory:
    """The twin of the real sender: receivers by the beginning of their address; any other refuses the connection."""

    def __init__(self, receivers: dict[str, Receiver], timeout_seconds: float = 15) -> None:
        self.receivers = receivers
        self.timeout_seconds = timeout_seconds

    async def post(self, post: Post) -> Reply:
        for begins, receiver in self.receivers.items():
            if post.url.startswith(begins):
                path = post.url.removeprefix(begins)
                receiver.seen.append(Post(path, post.headers, post.body))
                if receiver.slow.get(path, 0) > self.timeout_seconds:
                    return Reply(trouble=Trouble.TIMEOUT)
                status, headers, told = receiver.answer(path)
                kept = told.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")[:ANSWER_KEPT]
                return Reply(status=status, answer=kept, retry_after=headers.get("retry-after"))
        return Reply(trouble=Trouble.CONNECTION)
