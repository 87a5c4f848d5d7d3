"""`Journal`: the state of each scene, recorded as it changes."""

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping
from concurrent.futures import Future
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self

import anyio
from attrs import evolve

from kognic_aio._threads import Worker, leased_worker
from kognic_aio.errors import InvalidError, JournalError
from kognic_aio.model.target import InputCreationStatus
from kognic_aio.pipeline.journal.facts import Destination, Entry, Fact, Failure, Known, Step
from kognic_aio.pipeline.result import InputCreationResult

if TYPE_CHECKING:
    from kognic_aio.pipeline.journal.file import JournalFile

MAX_KEY_LENGTH = 10_000
"""Characters of a key."""


class Journal:
    """The state of each scene of a destination, in one file that survives the process.

    A run of `create_inputs` writes it. When no run does, you can read it. It is an async context manager:

        async with Journal("ingest.journal") as journal:
            print(await journal.counts())
            for failure in await journal.failures():
                print(failure.key, failure.message)
            await journal.retry_failed()

    While it is open, nobody else can open it, in this process or another, not even to read. If the process is killed,
    its records stay, and its lock is gone. Tasks may record concurrently: what comes during a transaction is written in
    the next one. A call that is cancelled may still have its effect. After a failed write, such as on a full disk,
    nothing more is written, so that no later step is recorded without an earlier one.

    Args:
        path: The file.
        destination: Where the scenes go. Creates the file if missing; an existing one must belong to this destination.
            Without it, the file must exist, and may belong to any destination.
    """

    _worker: Worker
    _transaction: asyncio.Lock

    def __init__(self, path: str | os.PathLike[str], destination: Destination | None = None) -> None:
        self.path = os.fspath(path)
        self._destination = destination
        self._resources = AsyncExitStack()
        self._file: JournalFile | None = None
        self._failure: JournalError | None = None
        self._batch: list[tuple[str, Fact | None]] = []
        self._writing: asyncio.Task[list[Known | JournalError]] | None = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()

    async def open(self) -> None:
        """Open the file, or create it. `async with` does so too. A refused file is left as it was.

        Raises:
            JournalLockedError: If it is open elsewhere.
            JournalMismatchError: If it belongs to another destination.
            JournalError: If it cannot be opened, is not a journal, is damaged, or is of an unknown version.
        """
        self._transaction = asyncio.Lock()  # of the loop that opens it
        try:
            self._worker = await self._resources.enter_async_context(leased_worker())
            opening = self._worker.submit(self._open_file)
            # Closed in the same thread after it was opened, even if this task is cancelled meanwhile.
            self._resources.push_async_callback(self._worker.run, _close_file, opening)
            self._file = await asyncio.wrap_future(opening)
        except BaseException:
            await self.aclose()
            raise

    def _open_file(self) -> "JournalFile":
        # In the thread, as it imports SQLite, and the converter that reads facts.
        from kognic_aio.pipeline.journal.file import JournalFile  # noqa: PLC0415  # only runs with a journal pay for it

        return JournalFile.open(self.path, self._destination)

    async def aclose(self) -> None:
        """Write what is queued, and close the file. Closing twice is harmless."""
        with anyio.CancelScope(shield=True):
            while self._writing is not None and not self._writing.done():
                await asyncio.wait([self._writing])
            self._file = None
            await self._resources.aclose()

    @property
    def destination(self) -> Destination:
        """Where the scenes of this journal go."""
        return self._opened().destination

    async def recall(self, key: str) -> Entry | None:
        """The entry of a scene, None if there is none. Raises InvalidError if the key is too long for a journal."""
        if len(key) > MAX_KEY_LENGTH:
            length = f"{len(key):,} characters; at most {MAX_KEY_LENGTH:,} are allowed"
            raise InvalidError(f"the key {key[:50]!r}... has {length}")
        known = await self.add(key, None)
        refused = {kin: error is None for kin, error in known.refused.items()}
        return None if known.entry is None else evolve(known.entry, refused=refused)

    async def abandoned(self) -> list[str]:
        """The uuids of the scenes that have to be invalidated."""
        return await self._worker.run(self._opened().orphans)

    async def unfinished(self) -> list[Entry]:
        """The scenes that were started and are not known to be committed, in the order of their keys."""
        return await self._worker.run(self._opened().unfinished)

    async def counts(self) -> Mapping[Step | InputCreationStatus, int]:
        """The number of scenes at each step, and of settled scenes by status."""
        return await self._worker.run(self._opened().counts)

    async def failures(self) -> list[Failure]:
        """The scenes that failed and why, in the order of their keys. Refused contents are among them."""
        return await self._worker.run(self._opened().failures)

    async def results(self) -> AsyncGenerator[InputCreationResult, None]:
        """Yield the results of all scenes that have settled, also those that were delivered."""
        last = ""
        while found := await self._worker.run(self._opened().results, last):
            last, _ = found[-1]
            for _, result in found:
                yield result

    async def retry_failed(self) -> int:
        """Discard the failures, so that the next run starts these scenes afresh. Return their number.

        The next run invalidates what the platform has of them. A refused content replaces the recorded one, unless that
        has become an input: then it is created next to it.
        """
        return await self._worker.run(self._opened().retry_failed)

    async def add(self, key: str, fact: Fact | None) -> Known:
        """Record a fact about a scene, if there is one, and return what is then known of the scene.

        When this returns, a killed process does not lose the fact.

        Raises:
            JournalError: If it cannot be written, now or for an earlier error, or is too large.
        """
        self._opened()
        if self._writing is None or not self._batch:
            self._writing = asyncio.create_task(self._write(), name="journal")
        self._batch.append((key, fact))
        number = len(self._batch) - 1
        written = await asyncio.shield(self._writing)  # if this caller is cancelled, its fact is still written
        if not written:
            self._opened()  # raises the failure
        known = written[number]
        if isinstance(known, JournalError):
            raise known
        return known

    async def _write(self) -> "list[Known | JournalError]":
        """Write a batch in one transaction. What is recorded meanwhile is written in the next one."""
        try:
            async with self._transaction:
                batch, self._batch = self._batch, []
                return await self._worker.run(self._opened().write, batch)
        except (Exception, asyncio.CancelledError) as error:
            message = str(error) or f"journal {self.path}: its writing was cancelled"
            self._failure = JournalError(message, path=self.path)
            self._failure.__cause__ = error
            return []  # not raised: perhaps nobody waits any more, and asyncio would complain when the loop ends

    def _opened(self) -> "JournalFile":
        if self._failure is not None:
            raise JournalError(str(self._failure), path=self.path) from self._failure
        if self._file is None:
            raise JournalError(f"journal {self.path} is not open: use it inside `async with`", path=self.path)
        return self._file


def _close_file(opening: "Future[JournalFile]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
