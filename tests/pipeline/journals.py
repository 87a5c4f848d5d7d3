"""A journal with a verb for each fact, as the pipeline records them."""

from collections.abc import Iterable

from kognic_aio.model.target import InputCreationStatus
from kognic_aio.pipeline.journal import Journal as PlainJournal
from kognic_aio.pipeline.journal import Step
from kognic_aio.pipeline.journal.facts import Change, Delivered, Invalidated, Reached, Refused, uncalibrated
from kognic_aio.pipeline.result import InputCreationError, InputCreationResult


class Journal(PlainJournal):
    """A journal that is written by hand."""

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
        """Record that a scene has come to a step."""
        await self.add(key, Reached(step, fingerprint, outline, scene_uuid, preannotation_uuid))

    async def settle(
        self, key: str, result: InputCreationResult, *, fingerprint: str | None = None, outline: str | None = None
    ) -> None:
        """Record how a scene ended, if it has."""
        if result.status is not InputCreationStatus.PROCESSING:
            await self.add(key, Reached(Step.SETTLED, fingerprint, outline, result=result))

    async def delivered(self, key: str) -> None:
        """Record that the consumer has taken a result."""
        await self.add(key, Delivered())

    async def abandon(self, key: str) -> None:
        """Record that a scene has to be invalidated."""
        await self.add(key, Change.ABANDONED)

    async def refuse(self, key: str, fingerprint: str, error: InputCreationError) -> None:
        """Record that a content was refused."""
        await self.add(key, Refused(uncalibrated(fingerprint), error))

    async def uphold(self, key: str) -> None:
        """Record that the recorded content has come again."""
        await self.add(key, Change.UPHELD)

    async def make_way(self, key: str) -> None:
        """Record that a scene makes way for another content."""
        await self.add(key, Change.MADE_WAY)

    async def invalidated(self, scene_uuids: Iterable[str]) -> None:
        """Record that abandoned scenes have been invalidated."""
        for scene_uuid in scene_uuids:
            await self.add("", Invalidated(scene_uuid))
