"""`Journal`: what has become of each scene, written as it happens."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import anyio
from attrs import define, field

from kognic_aio._http.wire import encode
from kognic_aio._threads import in_thread
from kognic_aio.errors import InvalidError, JournalError
from kognic_aio.pipeline.journal.entry import Destination, Entry, Failure, Step
from kognic_aio.pipeline.journal.rows import FINAL, STEPS, read_count, read_entry, read_failure, read_text
from kognic_aio.pipeline.journal.rules import ABANDONED, COUNTS, FAILURES, MAX_ROW_SIZE, UNFINISHED, Change, escaped
from kognic_aio.pipeline.result import InputCreationError, InputCreationResult, InputCreationStatus

if TYPE_CHECKING:
    from kognic_aio.pipeline.journal.file import File


MAX_KEY_LENGTH = 10_000
"""Characters of a key."""

MAX_CHANGE_SIZE = MAX_ROW_SIZE // 4
"""Characters of all texts of a change. A row takes three: the start, the pre-annotation and the result."""


@define(eq=False)
class _Batch:
    """Changes that are written together, keys that are then looked up together, and those who wait for it."""

    changes: list[Change] = field(factory=list)
    keys: list[str] = field(factory=list)
    found: Mapping[str, Sequence[Any]] | None = None
    ended: anyio.Event = field(factory=anyio.Event)


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

    def __init__(self, path: str | os.PathLike[str], destination: Destination | None = None) -> None:
        self.path = os.fspath(path)
        self._destination = destination
        self._file: File | None = None
        self._failure: BaseException | None = None
        self._batch = _Batch()
        self._working: asyncio.Task[None] | None = None

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
        # What nobody without a journal should wait for. The second serves results.
        await in_thread(import_module, "kognic_aio.pipeline.journal.file")
        await in_thread(import_module, "kognic_aio._http.converter")
        from kognic_aio.pipeline.journal.file import File  # noqa: PLC0415

        self._file = await File.open(self.path, self._destination)

    async def aclose(self) -> None:
        """Write what is still to be written, and close the file. Closing twice is harmless."""
        file = self._file
        with anyio.CancelScope(shield=True):
            try:
                while self._working is not None:
                    await asyncio.wait([self._working])
            finally:
                self._file = None
                if file is not None:
                    await file.close()

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
        found = await self._next_batch(keys=[escaped(key)])
        row = found.get(escaped(key))
        return None if row is None else read_entry(self.path, key, row)

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

        STARTING is to start afresh: it forgets all that was known of the scene. What the platform has of it under
        another uuid becomes abandoned, in the same transaction, unless it has become an input. With every other step,
        what is not given stays as it is. No other step goes back: it changes nothing if the scene is further already.

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
        verb = "start" if step is Step.STARTING else "advance"
        change = Change(
            verb,
            escaped(key),
            STEPS.index(step),
            fingerprint and escaped(fingerprint),
            scene_uuid and escaped(scene_uuid),
            preannotation_uuid and escaped(preannotation_uuid),
            outline=outline,
        )
        await self._write(change)

    async def settle(
        self, key: str, result: InputCreationResult, *, fingerprint: str | None = None, outline: str | None = None
    ) -> None:
        """Record how a scene ended, if it was CREATED or FAILED. The first result stays.

        Others are no ends: a scene that is PROCESSING stays where it is, so that the next run takes it up from there.
        """
        if result.status in FINAL:
            content = json.dumps(encode(result), separators=(",", ":"))
            settled = STEPS.index(Step.SETTLED)
            own = fingerprint and escaped(fingerprint)
            await self._write(Change("advance", escaped(key), settled, own, result=content, outline=outline))

    async def delivered(self, key: str) -> None:
        """Record that the consumer has taken a result; if the scene has not settled, nothing happens."""
        await self._write(Change("deliver", escaped(key)))

    async def abandon(self, key: str) -> None:
        """Remember that what the platform has of a scene must be invalidated; its entry knows no `scene_uuid` then."""
        await self._write(Change("abandon", escaped(key)))

    async def refuse(self, key: str, fingerprint: str, error: InputCreationError) -> None:
        """Record that a content was refused, as another goes by its key. It is a failure until it is retried."""
        content = json.dumps(encode(error), separators=(",", ":"))
        await self._write(Change("refuse", escaped(key), fingerprint=escaped(fingerprint), result=content))

    async def uphold(self, key: str) -> None:
        """Forget the contents that were refused under a key, as the recorded one has come again."""
        await self._write(Change("uphold", escaped(key)))

    async def make_way(self, key: str) -> None:
        """Forget what is known of a scene, so that its key starts afresh.

        What the platform has of it becomes abandoned. If it has become an input, it is set aside instead: it is known
        by the key `aside`, should its content come again.
        """
        await self._write(Change("make_way", escaped(key)))

    async def abandoned(self) -> list[str]:
        """The uuids of the scenes that must be invalidated."""
        return [read_text(self.path, uuid) for (uuid,) in await self._opened().read(ABANDONED)]

    async def unfinished(self) -> list[Entry]:
        """The scenes that were started and are not known to be committed, in the order of their keys."""
        rows = await self._opened().read(UNFINISHED, str(STEPS.index(Step.COMMITTED)))
        keys = {key: read_text(self.path, key) for (key,) in rows}
        found = await self._next_batch(keys=list(keys)) if keys else {}
        return [read_entry(self.path, keys[key], row) for key, row in sorted(found.items())]

    async def invalidated(self, scene_uuids: Iterable[str]) -> None:
        """Forget abandoned scenes, as they have been invalidated."""
        await self._write(*[Change("invalidated", scene_uuid=escaped(uuid)) for uuid in scene_uuids])

    async def counts(self) -> Mapping[Step | InputCreationStatus, int]:
        """How many scenes there are at each step; of those that have settled, with each status."""
        counts: Counter[Step | InputCreationStatus] = Counter()
        for row in await self._opened().read(COUNTS):
            kind, count = read_count(self.path, row)
            counts[kind] += count
        return counts

    async def failures(self) -> list[Failure]:
        """The scenes that failed and why, in the order of their keys. One whose content was refused is among them."""
        return [read_failure(self.path, row) for row in await self._opened().read(FAILURES)]

    async def retry_failed(self) -> int:
        """Forget the scenes that failed, so that the next run starts them afresh, and tell how many there were.

        What the platform has of them becomes abandoned: the next run invalidates it. A content that was refused, as
        another went by its key, is started in the place of that one, or beside it if it has become an input.
        """
        failed = (await self.counts()).get(InputCreationStatus.FAILED, 0)
        await self._write(Change("retry_failed"))
        return failed

    async def _write(self, *changes: Change) -> None:
        """Write what can be read again.

        Raises:
            JournalError: If it cannot be written, or the platform's texts in it are too large.
        """
        for change in changes:
            if sum(len(text) for text in change if isinstance(text, str)) > MAX_CHANGE_SIZE:
                problem = "the platform's answers about it are too large to be kept; create it without a journal"
                raise JournalError(f"journal {self.path}: scene {change.key!r:.100}: {problem}", path=self.path)
        if changes:
            await self._next_batch(changes=changes)

    async def _next_batch(
        self, *, changes: Sequence[Change] = (), keys: Sequence[str] = ()
    ) -> Mapping[str, Sequence[Any]]:
        """Have the next batch make changes and look up keys, and wait until it has; tell what it found."""
        file = self._opened()
        batch = self._batch
        batch.changes += changes
        batch.keys += keys
        if self._working is None:
            self._working = asyncio.create_task(self._work(file), name="journal")
        await batch.ended.wait()
        if batch.found is None:
            raise self._failed()
        return batch.found

    async def _work(self, file: "File") -> None:
        """See to batches until there is nothing more to do. No caller that is cancelled takes this task with it."""
        batch = self._batch
        try:
            while self._batch.changes or self._batch.keys:
                batch, self._batch = self._batch, _Batch()
                if batch.changes:
                    await file.apply(batch.changes)
                batch.found = await file.recall(batch.keys) if batch.keys else {}
                batch.ended.set()
        except BaseException as error:
            self._failure = error
            batch.ended.set()
            self._batch.ended.set()
            if not isinstance(error, JournalError):
                raise
        finally:
            self._working = None

    def _opened(self) -> "File":
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
