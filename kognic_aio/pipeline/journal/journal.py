"""`Journal`: what has become of each scene, recorded as it happens."""

import asyncio
import os
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias

import anyio
from attrs import evolve

from kognic_aio._text import printable
from kognic_aio._threads import Worker, in_thread, leased_worker
from kognic_aio.errors import InvalidError, JournalError
from kognic_aio.pipeline.journal import facts
from kognic_aio.pipeline.journal.facts import Change, Destination, Entry, Fact, Failure, Known, Step
from kognic_aio.pipeline.result import InputCreationError, InputCreationResult, InputCreationStatus

if TYPE_CHECKING:
    from kognic_aio.pipeline.journal.file import JournalFile, Written

Writing: TypeAlias = asyncio.Task[list[Known]]

MAX_KEY_LENGTH = 10_000
"""Characters of a key."""

MAX_REFUSAL_LENGTH = 1_000
"""Characters of the message of a refusal, of which a scene may have many."""


class Journal:
    """What has become of each scene of a destination, in one file that survives the process.

    A run of `create_inputs` writes it; anybody may read it when no run does. It is an async context manager:

        async with Journal("ingest.journal") as journal:
            print(await journal.counts())
            for failure in await journal.failures():
                print(failure.key, failure.message)
            await journal.retry_failed()

    While it is open, nobody else can open it, in this process or another, not even to read. When a process is killed,
    what it has recorded is there, and its lock is gone. Many may record at once: what comes while a transaction is
    under way is written in the next one. A call that is cancelled may still have its effect. After an error in writing,
    such as a full disk, nothing more is written, so that no later step stands where an earlier one is missing.

    Args:
        path: The file.
        destination: Where the scenes go. The file is created if there is none, and has to belong to this destination
            otherwise. By default the journal has to exist, and may belong to any.
    """

    _worker: Worker

    def __init__(self, path: str | os.PathLike[str], destination: Destination | None = None) -> None:
        self.path = os.fspath(path)
        self._destination = destination
        self._resources = AsyncExitStack()
        self._file: JournalFile | None = None
        self._failure: BaseException | None = None
        self._batch: list[Written] = []
        self._writing: Writing | None = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def open(self) -> None:
        """Open the file, or create it; `async with` does it too.

        Raises:
            JournalLockedError: If it is open elsewhere.
            JournalMismatchError: If it belongs to another destination.
            JournalError: If it cannot be opened, is no journal, is damaged, or of an unknown version; it is left as it
                was.
        """
        opening = asyncio.create_task(self._open(), name="open journal")
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            with anyio.CancelScope(shield=True):
                await asyncio.wait([opening])
                await self.aclose()
            raise

    async def _open(self) -> None:
        # What nobody without a journal should wait for. The first serves facts.
        await in_thread(import_module, "kognic_aio._http.converter")
        module = await in_thread(import_module, "kognic_aio.pipeline.journal.file")
        async with AsyncExitStack() as resources:
            self._worker = await resources.enter_async_context(leased_worker())
            self._file = await self._worker.run(module.JournalFile.open, self.path, self._destination)
            self._resources = resources.pop_all()

    async def aclose(self) -> None:
        """Write what is still to be written, and close the file. Closing twice is harmless."""
        with anyio.CancelScope(shield=True):
            while self._writing is not None and not self._writing.done():
                await asyncio.wait([self._writing])
            file, self._file, self._writing = self._file, None, None
            async with self._resources:
                if file is not None:
                    await self._worker.run(file.close)

    @property
    def destination(self) -> Destination:
        """Where the scenes of this journal go."""
        return self._opened().destination

    async def recall(self, key: str) -> Entry | None:
        """What is known of a scene, None if it was never heard of.

        Raises:
            InvalidError: If the key is too long for a journal.
            JournalError: If what is known cannot be read.
        """
        if len(key) > MAX_KEY_LENGTH:
            raise InvalidError(f"the key {key[:50]!r}... has {len(key)} characters; a journal takes {MAX_KEY_LENGTH}")
        scene = await self._next((key, None, ""))
        refused = {kin: error is None for kin, error in scene.refused.items()}
        return None if scene.entry is None else evolve(scene.entry, refused=refused)

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
        """Record a step. When this returns, the step is known even if the process is killed.

        STARTING starts a scene afresh, and forgets all that was known of it. What the platform has of it under another
        uuid is abandoned with it, unless it has become an input. With every other step, what is not given stays as it
        is. No step goes back: it changes nothing if the scene is further already.

        Args:
            key: Tells the scene from others.
            step: The step.
            fingerprint: Tells its content from another.
            outline: What is kept of its content, to tell how another one differs.
            scene_uuid: The scene's uuid.
            preannotation_uuid: The uuid of its pre-annotation.

        Raises:
            JournalError: If it cannot be written, now or for an earlier error, or is too large.
        """
        if step is Step.SETTLED:
            raise InvalidError("Journal.record: a scene settles with a result, call settle()")
        fact = facts.Reached(
            step=step,
            fingerprint=fingerprint,
            outline=outline,
            scene_uuid=scene_uuid,
            preannotation_uuid=preannotation_uuid,
        )
        await self.add(key, fact)

    async def settle(
        self, key: str, result: InputCreationResult, *, fingerprint: str | None = None, outline: str | None = None
    ) -> None:
        """Record how a scene ended, if it was CREATED or FAILED. The first result stays.

        Others are no ends: a scene that is PROCESSING stays where it is, so that the next run takes it up from there.
        """
        if result.status in (InputCreationStatus.CREATED, InputCreationStatus.FAILED):
            await self.add(key, facts.Settled(result=result, fingerprint=fingerprint, outline=outline))

    async def delivered(self, key: str) -> None:
        """Record that the consumer has taken a result; if the scene has not settled, nothing happens."""
        await self.add(key, facts.Delivered())

    async def abandon(self, key: str) -> None:
        """Remember that what the platform has of a scene must be invalidated; its entry knows no `scene_uuid` then."""
        await self.add(key, Change.ABANDONED)

    async def refuse(self, key: str, fingerprint: str, error: InputCreationError) -> None:
        """Record that a content was refused, as another goes by its key. It is a failure until it is retried.

        Of very many contents under one key, only some are kept, and of a long message the beginning.
        """
        error = evolve(error, message=printable(error.message, MAX_REFUSAL_LENGTH))
        await self.add(key, facts.Refused(kin=facts.kin_of(fingerprint), error=error))

    async def uphold(self, key: str) -> None:
        """Forget the contents that were refused under a key, as the recorded one has come again."""
        await self.add(key, Change.UPHELD)

    async def make_way(self, key: str) -> None:
        """Forget what is known of a scene, so that its key starts afresh.

        What the platform has of it is abandoned. If it has become an input, it is set aside instead: it is known by the
        key `aside`, should its content come again.
        """
        await self.add(key, Change.MADE_WAY)

    async def abandoned(self) -> list[str]:
        """The uuids of the scenes that must be invalidated."""
        return await self._worker.run(self._opened().orphans)

    async def unfinished(self) -> list[Entry]:
        """The scenes that were started and are not known to be committed, in the order of their keys."""
        return await self._worker.run(self._opened().unfinished)

    async def invalidated(self, scene_uuids: Iterable[str]) -> None:
        """Forget abandoned scenes, as they have been invalidated."""
        for scene_uuid in scene_uuids:
            await self.add("", facts.Invalidated(scene_uuid=scene_uuid))

    async def counts(self) -> Mapping[Step | InputCreationStatus, int]:
        """How many scenes there are at each step; of those that have settled, with each status."""
        return await self._worker.run(self._opened().counts)

    async def failures(self) -> list[Failure]:
        """The scenes that failed and why, in the order of their keys. One whose content was refused is among them."""
        return await self._worker.run(self._opened().failures)

    async def retry_failed(self) -> int:
        """Forget the scenes that failed, so that the next run starts them afresh, and tell how many there were.

        What the platform has of them is abandoned: the next run invalidates it. A content that was refused, as another
        went by its key, is started in the place of that one, or beside it if it has become an input.
        """
        return await self._worker.run(self._opened().retry_failed)

    async def add(self, key: str, fact: Fact) -> None:
        """Record a fact about a scene.

        Raises:
            JournalError: If it cannot be written, now or for an earlier error, or is too large.
        """
        await self._next(self._opened().written(key, fact))

    async def _next(self, written: "Written") -> Known:
        """Have the next transaction write something, and tell what is then known of the scene."""
        file = self._opened()
        if self._writing is None or not self._batch:
            self._writing = asyncio.create_task(self._write(file, self._writing), name="journal")
        number, writing = len(self._batch), self._writing
        self._batch.append(written)
        known = await asyncio.shield(writing)  # which goes on if this caller is cancelled
        if not known:
            raise self._failed()
        return known[number]

    async def _write(self, file: "JournalFile", previous: "Writing | None") -> list[Known]:
        """Write what has come by the end of the previous transaction, and tell what is known of each scene then."""
        try:
            if previous is not None and not previous.done():
                await asyncio.wait([previous])
            await asyncio.sleep(0)  # so that all who are about to record something join the batch
            batch, self._batch = self._batch, []
            return [] if self._failure else await self._worker.run(file.write, batch)
        except (Exception, asyncio.CancelledError) as error:
            self._failure = error
            return []

    def _opened(self) -> "JournalFile":
        if self._failure is not None:
            raise self._failed()
        if self._file is None:
            raise JournalError(f"journal {self.path} is not open: use it inside `async with`", path=self.path)
        return self._file

    def _failed(self) -> JournalError:
        """What each one gets who wanted something of a journal that cannot be written any more."""
        error = JournalError(str(self._failure) or f"journal {self.path}: its writing was cancelled", path=self.path)
        error.__cause__ = self._failure
        return error
