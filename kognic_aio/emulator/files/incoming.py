"""Reading a file that is still arriving, without keeping it."""

from collections.abc import Callable, Generator
from typing import TypeVar

T = TypeVar("T")

MAX_LINE = 4096
"""Bytes of a line of text. No point cloud has longer ones, and they must not fill the memory."""

Reading = Generator[None, None, T]
"""Reads a part of a file: yields where it needs more bytes, and returns what it has read."""


class BadFileError(Exception):
    """A file is not what its name says. The message continues a sentence that begins with the name."""


class Incoming:
    """The bytes of a file that have arrived and are not read yet."""

    def __init__(self) -> None:
        self.ended = False
        """Whether the last byte has arrived."""
        self._unread = bytearray()

    def add(self, chunk: bytes) -> None:
        """Add bytes that have arrived."""
        self._unread += chunk

    def take(self, size: int) -> Reading[bytes]:
        """Read so many bytes, or fewer where the file ends."""
        while len(self._unread) < size and not self.ended:
            yield
        taken = bytes(self._unread[:size])
        del self._unread[:size]
        return taken

    def skip_rest(self) -> Reading[int]:
        """Read the rest, and return how many bytes there were."""
        skipped = 0
        while True:
            skipped += len(self._unread)
            self._unread.clear()
            if self.ended:
                return skipped
            yield

    def line(self) -> Reading[bytes]:
        """Read a line without its end; at the end of the file, an empty one.

        Raises:
            BadFileError: If it is too long for a line.
        """
        while (end := self._unread.find(b"\n")) < 0 and not self.ended:
            self._check_length(len(self._unread))
            yield
        taken = bytes(self._unread if end < 0 else self._unread[:end])
        self._check_length(len(taken))
        del self._unread[: len(taken) + 1]
        return taken.removesuffix(b"\r")

    def start_of_line(self, max_length: int) -> Reading[bytes]:
        """Read a line without its end, but no more than so many bytes of it."""
        while b"\n" not in self._unread[:max_length] and len(self._unread) < max_length and not self.ended:
            yield
        taken, end, _ = bytes(self._unread[:max_length]).partition(b"\n")
        del self._unread[: len(taken + end)]
        return taken.removesuffix(b"\r")

    def lines(self) -> Reading[list[bytes]]:
        """Read the lines that have arrived, without their ends; at the end of the file, none.

        Raises:
            BadFileError: If one is too long for a line.
        """
        while (end := self._unread.rfind(b"\n")) < 0 and not self.ended:
            self._check_length(len(self._unread))
            yield
        taken = bytes(self._unread if end < 0 else self._unread[:end])
        del self._unread[: len(taken) + 1]
        # Callers take an empty list for the end of the file, so an empty line must not look like one.
        return [line.removesuffix(b"\r") for line in taken.split(b"\n")] if taken or end >= 0 else []

    def _check_length(self, length: int) -> None:
        if length > MAX_LINE:
            raise BadFileError(f"has a line of more than {MAX_LINE} bytes, which is not text")


Check = Callable[[Incoming], Reading[object]]
"""Reads a file as far as necessary.

Raises:
    BadFileError: the file is not what it should be.
"""


class Inspection:
    """A check of one file, to which its bytes are fed as they arrive.

    Args:
        check: What reads the file.
    """

    def __init__(self, check: Check) -> None:
        self.fault: str | None = None
        """What is wrong with the file so far; continues a sentence that begins with its name."""
        self._incoming = Incoming()
        self._reading = check(self._incoming)
        self._done = False

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the file."""
        if not self._done:
            self._incoming.add(chunk)
            self._go_on()

    def finish(self) -> None:
        """Take the end of the file."""
        if not self._done:
            self._incoming.ended = True
            self._go_on()

    def _go_on(self) -> None:
        try:
            next(self._reading)
        except StopIteration:
            self._done = True
        except BadFileError as error:
            self._done, self.fault = True, str(error)
