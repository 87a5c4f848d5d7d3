"""Requests as bytes, which no client would send, and their answers."""

import asyncio
from contextlib import suppress

import anyio
import attrs

from kognic_aio.emulator import Emulator
from tests.waiting import GENEROUS


@attrs.frozen
class Raw:
    """A request. In its host and its headers `{port}` stands for that of the emulator; without a host there is none."""

    method: str = "GET"
    target: str = "/emulator/report"
    host: str | None = attrs.field(default="127.0.0.1:{port}", kw_only=True)
    headers: list[str] = attrs.field(factory=list, kw_only=True)
    body: bytes = attrs.field(default=b"", kw_only=True)

    def encode(self, port: str) -> bytes:
        """The request on the wire; of its body the length is told unless the headers tell one."""
        lines = [] if self.host is None else [f"Host: {self.host}"]
        lines += self.headers
        if not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in lines):
            lines.append(f"Content-Length: {len(self.body)}")
        head = "\r\n".join([f"{self.method} {self.target} HTTP/1.1", *lines, "Connection: close", "", ""])
        return head.replace("{port}", port).encode("utf-8", "surrogateescape") + self.body


@attrs.frozen
class RawAnswer:
    """An answer: its head as it came, its status and its body."""

    head: bytes
    body: bytes

    @property
    def status(self) -> int:
        return int(self.head.split()[1])


async def ask(emulator: Emulator, request: Raw, *, at: str = "127.0.0.1") -> RawAnswer:
    """Send a request, and read the answer until it is whole."""
    port = emulator.url.rpartition(":")[2]
    with anyio.fail_after(GENEROUS):
        reader, writer = await asyncio.open_connection(at, int(port))
        try:
            writer.write(request.encode(port))
            head = await reader.readuntil(b"\r\n\r\n")
            return RawAnswer(head, await reader.readexactly(0 if request.method == "HEAD" else _length(head)))
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


def _length(head: bytes) -> int:
    return next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
