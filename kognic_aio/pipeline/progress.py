"""How far a run has come."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from enum import StrEnum

from attrs import define, field

from kognic_aio.events import (
    Event,
    FileSent,
    SceneAbandoned,
    SceneCommitted,
    SceneCreated,
    SceneEvent,
    SceneSettled,
    SceneStarted,
    SceneTaken,
)
from kognic_aio.model.target import InputCreationStatus

MEASURED_SECONDS = 10
"""Seconds of the past over which the throughput is measured."""


class SceneStage(StrEnum):
    """Where a scene is between its source and its result."""

    WAITING = "waiting"
    UPLOADING = "uploading"
    PROCESSING = "processing"
    FINISHING = "finishing"


STAGES: Mapping[type[Event], SceneStage] = {
    SceneTaken: SceneStage.WAITING,
    SceneStarted: SceneStage.UPLOADING,
    SceneAbandoned: SceneStage.WAITING,
    SceneCommitted: SceneStage.PROCESSING,
    SceneCreated: SceneStage.FINISHING,
}
"""The events after which a scene is in a stage."""


class Throughput:
    """How many bytes were sent in the last seconds."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._sent = deque[tuple[int, int]](maxlen=MEASURED_SECONDS + 1)  # by second

    def add(self, size: int) -> None:
        """Note that some bytes were sent."""
        now = int(time.monotonic())
        if self._sent and self._sent[-1][0] == now:
            size += self._sent.pop()[1]
        self._sent.append((now, size))

    def __call__(self) -> float:
        """Bytes per second. Any thread may ask."""
        now = time.monotonic()
        sent = sum(size for second, size in tuple(self._sent) if second > now - MEASURED_SECONDS)
        return sent / min(MEASURED_SECONDS, max(now - self._began, 1.0))


@define
class Progress:
    """How far a run has come: the sums of its events, as they are now.

    Attributes:
        taken: Scenes taken from the source.
        committed: Scenes that were committed, in this run or an earlier one.
        files: Uploaded files.
        bytes: Total size of the uploaded files in bytes.
        created: Scenes that became inputs.
        failed: Scenes that failed.
        processing: Scenes that were not ready in time.
        validated: Scenes that passed a dry run.
        skipped: Scenes whose result was delivered by an earlier run with the same journal, or that were there already.
        skipped_failed: How many of the skipped scenes had failed. `create_inputs(..., retry_failed=True)` retries them.
        events_dropped: Events that `on_event` was not called with, because it was too slow or the run was left.
        in_stage: Scenes in each stage between source and result; 0 when the run has ended.
    """

    taken: int = 0
    committed: int = 0
    files: int = 0
    bytes: int = 0
    created: int = 0
    failed: int = 0
    processing: int = 0
    validated: int = 0
    skipped: int = 0
    skipped_failed: int = 0
    events_dropped: int = 0
    in_stage: Mapping[SceneStage, int] = field(factory=lambda: dict.fromkeys(SceneStage, 0))
    _throughput: Callable[[], float] = field(default=lambda: 0.0, alias="throughput", repr=False, eq=False)
    _concurrency: Callable[[], Mapping[str, int]] = field(default=dict, alias="concurrency", repr=False, eq=False)

    @property
    def settled(self) -> int:
        """Scenes that have a result, of any status."""
        return self.created + self.failed + self.processing + self.validated + self.skipped

    @property
    def bytes_per_second(self) -> float:
        """Bytes of the files whose upload ended in the last ten seconds, per second."""
        return self._throughput()

    @property
    def concurrency(self) -> Mapping[str, int]:
        """The most requests that may be in flight to each host, by its URL, as far as it was found how many pay.

        It may be more than the `limits` let through, and is less while a host is measured anew. A host without such a
        bound is missing: with `adaptive=False` all are, except those that push back. Once the client is closed, it is
        what was found last. If a storage has the URL of an API, as with an emulator, its key ends in `(storage)`.
        """
        return self._concurrency()


class Tally:
    """Counts the events of a run into its progress. `concurrency` returns the limits of the hosts."""

    def __init__(self, concurrency: Callable[[], Mapping[str, int]] = dict) -> None:
        self._throughput = Throughput()
        self._in_stage = dict.fromkeys(SceneStage, 0)
        self._stages: dict[int, SceneStage] = {}
        self.progress = Progress(in_stage=self._in_stage, throughput=self._throughput, concurrency=concurrency)

    def count(self, event: Event) -> None:
        """Count an event."""
        progress = self.progress
        if isinstance(event, SceneEvent):
            self._move(event)
        match event:
            case SceneTaken():
                progress.taken += 1
            case FileSent(size=size):
                progress.files += 1
                progress.bytes += size
                self._throughput.add(size)
            case SceneCommitted():
                progress.committed += 1
            case SceneSettled(is_skipped=True, status=status):
                progress.skipped += 1
                progress.skipped_failed += status is InputCreationStatus.FAILED
            case SceneSettled(status=InputCreationStatus.CREATED):
                progress.created += 1
            case SceneSettled(status=InputCreationStatus.FAILED):
                progress.failed += 1
            case SceneSettled(status=InputCreationStatus.PROCESSING):
                progress.processing += 1
            case SceneSettled(status=InputCreationStatus.VALIDATED):
                progress.validated += 1
            case _:
                pass

    def end(self) -> None:
        """Note the end of the run. Scenes that it was cancelled in are in no stage any more."""
        self._stages.clear()
        self._in_stage.update(dict.fromkeys(SceneStage, 0))

    def _move(self, event: SceneEvent) -> None:
        """Move a scene to the stage that its event begins, or out of the last one."""
        stage = STAGES.get(type(event))
        if stage is None and not isinstance(event, SceneSettled):
            return
        if (before := self._stages.pop(event.number, None)) is not None:
            self._in_stage[before] -= 1
        if stage is not None:
            self._stages[event.number] = stage
            self._in_stage[stage] += 1
