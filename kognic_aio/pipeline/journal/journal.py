"""`Journal`: the state of each scene, recorded as it changes."""

import asyncio
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias

import anyio
from attrs import evolve

from kognic_aio._text import printable
from kognic_aio._threads import Worker, leased_worker
from kognic_aio.errors import InvalidError, JournalError
from kognic_aio.pipeline.journal import facts
from kognic_aio.pipeline.journal.facts import Change, Destination, Entry, Fact, Failure, Known, Step
from kognic_aio.pipeline.result import InputCreationError, InputCreationResult, InputCreationStatus

if TYPE_CHECKING:
    from kognic_aio.pipeline.journal.file import JournalFile, Written

Queued: TypeAlias = "tuple[Written, asyncio.Future[Known]]"

MAX_KEY_LENGTH = 10_000
"""Characters of a key."""

MAX_REFUSAL_LENGTH = 1_000
"""Characters of the message of a refusal. A scene may have many refusals."""


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

    def __init__(self, path: str | os.PathLike[str], destination: Destination | None = None) -> None:
        self.path = os.fspath(path)
        self._destination = destination
        self._resources = AsyncExitStack()
        self._file: JournalFile | None = None
        self._failure: BaseException | None = None
        self._queue: list[Queued] = []
        self._writer: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def open(self) -> None:
        """Open the file, or create it. `async with` does so too. A refused file is left as it was.

        Raises:
            JournalLockedError: If it is open elsewhere.
            JournalMismatchError: If it belongs to another destination.
            JournalError: If it cannot be opened, is not a journal, is damaged, or is of an unknown version.
        """
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
            while self._writer is not None and not self._writer.done():
                await asyncio.wait([self._writer])
            self._file = None
            await self._resources.aclose()

    @property
    def destination(self) -> Destination:
        """Where the scenes of this journal go."""
        return self._opened().destination

    async def recall(self, key: str) -> Entry | None:
        """The entry of a scene, None if there is none. Raises InvalidError if the key is too long for a journal."""
        if len(key) > MAX_KEY_LENGTH:
            raise InvalidError(f"the key {key[:50]!r}... has {len(key)} characters; a journal takes {MAX_KEY_LENGTH}")
        known = await self._next(key)
        refused = {kin: error is None for kin, error in known.refused.items()}
        return None if known.entry is None else evolve(known.entry, refused=refused)

    async def record(
        self,
        key: str,
        step: Step,
        *,
        fingerprint: str | None = None,
        outline: str | None = None,
        scene_uuid: str | None = None,
        preannotation_uuid: str | None = None,
    ) -> None:
        """Record a step, with fields of its `Entry`. When this returns, a killed process does not lose it.

        STARTING starts a scene afresh, and discards its entry. If the platform has an earlier scene under another uuid,
        that one is abandoned, unless it became an input. Any other step leaves the fields that are not given as they
        are, and changes nothing if the scene has come further.

        Raises:
            JournalError: If it cannot be written, now or for an earlier error, or is too large.
        """
        if step is Step.SETTLED:
            raise InvalidError("Journal.record: a scene settles with a result, call settle()")
        await self.add(key, facts.Reached(step, fingerprint, outline, scene_uuid, preannotation_uuid))

    async def settle(
        self, key: str, result: InputCreationResult, *, fingerprint: str | None = None, outline: str | None = None
    ) -> None:
        """Record how a scene ended. The first result stays. If it is PROCESSING, the next run resumes it."""
        if result.status in (InputCreationStatus.CREATED, InputCreationStatus.FAILED):
            await self.add(key, facts.Settled(result=result, fingerprint=fingerprint, outline=outline))

    async def delivered(self, key: str) -> None:
        """Record that the consumer has taken the result of a settled scene."""
        await self.add(key, facts.Delivered())

    async def abandon(self, key: str) -> None:
        """Record that a scene has to be invalidated, and clear its `scene_uuid`."""
        await self.add(key, Change.ABANDONED)

    async def refuse(self, key: str, fingerprint: str, error: InputCreationError) -> None:
        """Record that a content was refused, because its key has another. It is a failure until it is retried."""
        error = evolve(error, message=printable(error.message, MAX_REFUSAL_LENGTH))
        await self.add(key, facts.Refused(facts.uncalibrated(fingerprint), error))

    async def uphold(self, key: str) -> None:
        """Discard the contents that were refused under a key, because the recorded one has come again."""
        await self.add(key, Change.UPHELD)

    async def make_way(self, key: str) -> None:
        """Discard the entry of a key, and abandon its scene. That of an input moves to its `set_aside_key` instead."""
        await self.add(key, Change.MADE_WAY)

    async def abandoned(self) -> list[str]:
        """The uuids of the scenes that have to be invalidated."""
        return await self._worker.run(self._opened().orphans)

    async def unfinished(self) -> list[Entry]:
        """The scenes that were started and are not known to be committed, in the order of their keys."""
        return await self._worker.run(self._opened().unfinished)

    async def invalidated(self, scene_uuids: Iterable[str]) -> None:
        """Discard abandoned scenes that have been invalidated."""
        for scene_uuid in scene_uuids:
            await self.add("", facts.Invalidated(scene_uuid))

    async def counts(self) -> Mapping[Step | InputCreationStatus, int]:
        """The number of scenes at each step, and of settled scenes by status."""
        return await self._worker.run(self._opened().counts)

    async def failures(self) -> list[Failure]:
        """The scenes that failed and why, in the order of their keys. Refused contents are among them."""
        return await self._worker.run(self._opened().failures)

    async def retry_failed(self) -> int:
        """Discard the failures, so that the next run starts these scenes afresh. Return their number.

        The next run invalidates what the platform has of them. A refused content replaces the recorded one, unless that
        has become an input: then it is created next to it.
        """
        return await self._worker.run(self._opened().retry_failed)

    async def add(self, key: str, fact: Fact) -> None:
        """Record a fact about a scene. Raises JournalError as `record` does."""
        await self._next(key, fact)

    async def _next(self, key: str, fact: Fact | None = None) -> Known:
        """Queue a fact or a look-up for the next transaction, and return what is then known of the scene."""
        file = self._opened()
        known: asyncio.Future[Known] = asyncio.get_running_loop().create_future()
        self._queue.append((file.written(key, fact), known))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(file), name="journal")
        return await known  # if this caller is cancelled, its fact is written nonetheless

    async def _write(self, file: "JournalFile") -> None:
        """Write what is queued, one batch per transaction, until nothing is left. Then the task ends."""
        batch: list[Queued] = []
        try:
            while self._queue:
                await asyncio.sleep(0)  # so that all who are about to record something join the batch
                batch, self._queue = self._queue, []
                known = await self._worker.run(file.write, [written for written, _ in batch])
                for (_, waiting), result in zip(batch, known, strict=True):
                    if not waiting.done():  # its caller may have been cancelled
                        waiting.set_result(result)
        except (Exception, asyncio.CancelledError) as error:
            self._failure = error
            for _, waiting in batch + self._queue:
                if not waiting.done():
                    waiting.set_exception(self._failed())

    def _opened(self) -> "JournalFile":
        if self._failure is not None:
            raise self._failed()
        if self._file is None:
            raise JournalError(f"journal {self.path} is not open: use it inside `async with`", path=self.path)
        return self._file

    def _failed(self) -> JournalError:
        """The error for everyone who uses a journal after a failed write."""
        error = JournalError(str(self._failure) or f"journal {self.path}: its writing was cancelled", path=self.path)
        error.__cause__ = self._failure
        return error


def _close_file(opening: "Future[JournalFile]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
