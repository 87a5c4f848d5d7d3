"""Bytes that are in memory."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from io import BytesIO

from kognic_aio.files.body import Body
from kognic_aio.files.source import Source


class Memory(Source):
    """Bytes, in one of the forms that are no stream.

    Args:
        name: The filename.
        data: The bytes.
    """

    def __init__(self, name: str, data: bytes | bytearray | memoryview) -> None:
        super().__init__(name)
        self._data = data

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Body, None]:
        """All of them."""
        yield self.whole(bytes(self._data))


class MemoryStream(Source):
    """A BytesIO, which needs no thread to be read.

    Args:
        name: The filename.
        stream: The stream, which is closed in the end.
    """

    def __init__(self, name: str, stream: BytesIO) -> None:
        super().__init__(name)
        self._stream = stream

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Body, None]:
        """The bytes, from the first on."""
        with self.sole_use(self._stream):
            with self.blamed():
                body = self.whole(self._stream.getvalue())
            yield body

    async def close(self) -> None:
        """Close the stream, as the official client does after an upload."""
        with suppress(BufferError):  # somebody else still looks at its memory
            self._stream.close()
