"""How far a run has come."""

import time
from collections import Counter, deque
from collections.abc import Mapping
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
from kognic_aio.pipeline.result import InputCreationStatus

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


@define
class Progress:
    """How far a run has come: the sums of its events.

    Attributes:
        taken: Scenes taken from the source.
        committed: Scenes that were committed.
        files: Uploaded files.
        bytes: Total size of the uploaded files in bytes.
        created: Scenes that became inputs.
        failed: Scenes that failed.
        processing: Scenes that were not ready in time.
        validated: Scenes that passed a dry run.
        skipped: Scenes whose result was delivered by an earlier run with the same journal, or that were there already.
        skipped_failed: How many of the skipped scenes had failed. `create_inputs(..., retry_failed=True)` retries them.
        events_dropped: Events that `on_event` was not called with, because it was too slow.
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
    _stages: dict[int, SceneStage] = field(factory=dict[int, SceneStage], init=False, repr=False, eq=False)
    _sent: deque[tuple[int, int]] = field(
        factory=lambda: deque[tuple[int, int]](maxlen=MEASURED_SECONDS + 1), init=False, repr=False, eq=False
    )

    @property
    def settled(self) -> int:
        """Scenes that have a result, of any status."""
        return self.created + self.failed + self.processing + self.validated + self.skipped

    @property
    def in_stage(self) -> Mapping[SceneStage, int]:
        """The number of scenes in each stage between source and result."""
        counts = Counter(self._stages.values())
        return {stage: counts[stage] for stage in SceneStage}

    @property
    def bytes_per_second(self) -> float:
        """Bytes of the files that were uploaded in the last ten seconds, per second."""
        now = int(time.monotonic())
        return sum(size for second, size in self._sent if second > now - MEASURED_SECONDS) / MEASURED_SECONDS

    def count(self, event: Event) -> None:
        """Count an event."""
        if isinstance(event, SceneEvent) and (stage := STAGES.get(type(event))) is not None:
            self._stages[event.number] = stage
        match event:
            case SceneTaken():
                self.taken += 1
            case FileSent(size=size):
                self._count_file(size)
            case SceneCommitted():
                self.committed += 1
            case SceneSettled(is_skipped=True, status=status):
                self.skipped += 1
                self.skipped_failed += status == InputCreationStatus.FAILED
            case SceneSettled(status=status):
                setattr(self, status, getattr(self, status) + 1)
            case _:
                pass
        if isinstance(event, SceneSettled):
            del self._stages[event.number]

    def _count_file(self, size: int) -> None:
        self.files += 1
        self.bytes += size
        now = int(time.monotonic())
        if self._sent and self._sent[-1][0] == now:
            size += self._sent.pop()[1]
        self._sent.append((now, size))
