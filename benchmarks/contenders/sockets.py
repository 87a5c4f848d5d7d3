"""Requests over bare sockets: as little work for each as Python can do.

A script is a generator. It yields requests, which are sent at once, and gets their responses when all have come; or it
yields seconds to wait. Scripts share a fixed number of connections, each of which has one request at a time. Requests
of scripts that began earlier go first. All of it is one thread with one selector. Threads were measured too: they took
a third more CPU, and no less time.
"""

import os
import re
import selectors
import socket
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from heapq import heappop, heappush
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from attrs import define, field, frozen

IN_ONE_PIECE = 1 << 20
"""Bytes of a file that is sent along with its head. The kernel copies larger ones itself."""

CHUNK = 1 << 18
"""Bytes to receive at once."""

HEAD = re.compile(rb"HTTP/1\.1 2\d\d .*?\r\nContent-Length: (\d+)\r\n.*?\r\n\r\n", re.DOTALL)


@frozen
class Request:
    """A request.

    Args:
        head: Its bytes, except those of a file.
        file: The file at its end.
        size: The size of that file in bytes.
    """

    head: bytes
    file: str = ""
    size: int = 0


Step: TypeAlias = Sequence[Request] | float
Script: TypeAlias = Generator[Step, list[bytes], None]


@frozen
class Http:
    """Makes requests for a server.

    Args:
        host: Its base URL.
        headers: Of requests to its APIs.
    """

    host: str
    headers: dict[str, str] = field(factory=dict)

    @property
    def address(self) -> tuple[str, int]:
        """Its address."""
        parts = urlsplit(self.host)
        return str(parts.hostname), int(parts.port or 80)

    def post(self, path: str, body: bytes = b"") -> Request:
        """A request to an API."""
        headers = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        head = f"POST /{path} HTTP/1.1\r\nHost: {urlsplit(self.host).netloc}\r\n{headers}Content-Length: {len(body)}"
        return Request(f"{head}\r\n\r\n".encode() + body)

    def put(self, url: str, file: str) -> Request:
        """The upload of a file."""
        size = Path(file).stat().st_size
        _, _, host, path = url.split("/", 3)
        head = f"PUT /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: image/jpeg\r\nContent-Length: {size}\r\n\r\n"
        return Request(head.encode(), file, size)


class Connection:
    """A connection, which has one request at a time."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self._unsent = memoryview(b"")
        self._file: int | None = None
        self._sent = self._size = 0
        self._received = bytearray()
        self._body_at = self._end = 0

    def start(self, request: Request) -> None:
        """Start a request. It is sent by `send`."""
        self._unsent = memoryview(request.head)
        if request.size > IN_ONE_PIECE:
            self._file, self._sent, self._size = os.open(request.file, os.O_RDONLY), 0, request.size
        elif request.size:
            self._unsent = memoryview(request.head + Path(request.file).read_bytes())
        self._received = bytearray()
        self._end = 0

    def send(self) -> bool:
        """Send as much as the socket takes. Return whether that was all."""
        try:
            while self._unsent:
                self._unsent = self._unsent[self.socket.send(self._unsent) :]
            while self._file is not None:
                self._send_file(self._file)
        except BlockingIOError:
            return False
        return True

    def _send_file(self, file: int) -> None:
        self._sent += os.sendfile(self.socket.fileno(), file, self._sent, self._size - self._sent)
        if self._sent == self._size:
            os.close(file)
            self._file = None

    def receive(self) -> bytes | None:
        """Receive what has come. Return the body of the response once it is whole.

        Raises:
            ConnectionError: If the request was refused, or the connection is lost.
        """
        chunk = self.socket.recv(CHUNK)
        if not chunk:
            raise ConnectionError("the server has closed the connection")
        self._received += chunk
        if not self._end:
            if b"\r\n\r\n" not in self._received:
                return None
            head = HEAD.match(self._received)
            if head is None:
                raise ConnectionError(f"the server refused a request: {bytes(self._received)!r}")
            self._body_at, self._end = head.end(), head.end() + int(head[1])
        return bytes(self._received[self._body_at :]) if len(self._received) == self._end else None


@define(eq=False)
class _Running:
    """A script that has begun, and the responses that it waits for."""

    number: int
    script: Script
    has_place: bool = True
    responses: list[bytes] = field(factory=list)
    missing: int = 0


class Sockets:
    """Runs scripts over connections to one server.

    Args:
        address: The address of the server.
        connections: How many connections to open.
    """

    def __init__(self, address: tuple[str, int], connections: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._free = [Connection(address) for _ in range(connections)]
        for connection in self._free:
            self._selector.register(connection.socket, selectors.EVENT_READ)
        self._requests: list[tuple[int, int, Request, _Running]] = []
        self._pauses: list[tuple[float, int, _Running]] = []
        self._source: Iterator[tuple[int, Script]] = iter(())
        self._unfinished = 0

    def run(self, scripts: Iterable[Script], at_once: int) -> None:
        """Run all scripts.

        Args:
            scripts: The scripts. The next one is taken when one has ended, or pauses for the first time.
            at_once: How many to begin with.
        """
        self._source = enumerate(scripts)
        for _ in range(at_once):
            self._begin_next()
        while self._unfinished:
            self._resume_paused()
            timeout = max(0.0, self._pauses[0][0] - time.monotonic()) if self._pauses else None
            for key, events in self._selector.select(timeout):
                connection, running, index = key.data
                if events & selectors.EVENT_WRITE:
                    self._send(connection, running, index)
                elif (body := connection.receive()) is not None:
                    self._answered(connection, running, index, body)

    def _begin_next(self) -> None:
        for number, script in self._source:
            self._unfinished += 1
            self._advance(_Running(number, script))
            return

    def _advance(self, running: _Running) -> None:
        """Give a script its responses, and do what it yields."""
        try:
            step = running.script.send(running.responses) if running.responses else next(running.script)
        except StopIteration:
            self._unfinished -= 1
            self._leave_place(running)
            return
        if isinstance(step, float):
            heappush(self._pauses, (time.monotonic() + step, running.number, running))
            self._leave_place(running)
            return
        running.responses, running.missing = [b""] * len(step), len(step)
        for index, request in enumerate(step):
            heappush(self._requests, (running.number, index, request, running))
        self._start_requests()

    def _leave_place(self, running: _Running) -> None:
        if running.has_place:
            running.has_place = False
            self._begin_next()

    def _resume_paused(self) -> None:
        while self._pauses and self._pauses[0][0] <= time.monotonic():
            _, _, running = heappop(self._pauses)
            self._advance(running)

    def _start_requests(self) -> None:
        while self._requests and self._free:
            _, index, request, running = heappop(self._requests)
            connection = self._free.pop()
            connection.start(request)
            self._send(connection, running, index)

    def _send(self, connection: Connection, running: _Running, index: int) -> None:
        wanted = selectors.EVENT_READ if connection.send() else selectors.EVENT_WRITE
        self._selector.modify(connection.socket, wanted, (connection, running, index))

    def _answered(self, connection: Connection, running: _Running, index: int, body: bytes) -> None:
        self._free.append(connection)
        running.responses[index] = body
        running.missing -= 1
        if running.missing:
            self._start_requests()
        else:
            self._advance(running)
            self._start_requests()
