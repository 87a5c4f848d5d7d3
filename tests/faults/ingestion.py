"""Two hundred mixed scenes, and what has to be on the platform when they have been ingested."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import anyio
from attrs import evolve, frozen

from kognic_aio import (
    InputCreation,
    InputCreationResult,
    InputCreationStatus,
    InputTarget,
    KognicIOClient,
    SceneWithPreAnnotation,
    create_inputs,
)
from kognic_aio.emulator import Emulator, Platform
from kognic_aio.emulator.state.input import Input
from kognic_aio.pipeline.targets import place_of
from tests.scenes import KINDS, SOURCES, build
from tests.waiting import GENEROUS

PROJECT, BATCH = "project-a", "batch-2"
TARGETS = (
    InputTarget(PROJECT, batch=BATCH, pre_annotation="boxes"),
    InputTarget("project-b", batch="batch-1", pre_annotation="lanes"),
    InputTarget(PROJECT, batch="batch-3"),
)
"""Two projects and two batches of one; two pre-annotations and none."""
UNNAMED = ""
"""Stands for a pre-annotation without a name."""
OPENLABEL: dict[str, Any] = {"openlabel": {"metadata": {"schema_version": "1.0.0"}}}
IMPATIENT: dict[str, Any] = {"max_retry_wait_time": 0.05, "timeout": 0.5}
"""Options with which either client waits so shortly that a run ends in seconds, though much goes wrong."""
SLEEP_TIME = 0.05

Fate = Literal["whole", "damaged", "doubled", "lost"]
"""Inputs with all that belongs to them, others with other bytes or pre-annotations, too much, too few inputs."""


@frozen
class Member:
    """A scene among those that are ingested."""

    external_id: str
    kind: str
    annotated: bool


def members(count: int) -> Iterator[Member]:
    """Scenes of all seven types, every third with a pre-annotation."""
    kinds = list(KINDS)
    for number in range(count):
        yield Member(f"ingested-{number}", kinds[number % len(kinds)], annotated=number % 3 == 0)


class Ingestion:
    """The scenes as ours, and a look at what has become of them.

    Args:
        count: How many.
        targets: Where inputs of each are to be created, instead of one in `PROJECT` and `BATCH`.
    """

    def __init__(self, count: int, targets: Sequence[InputTarget] = ()) -> None:
        self._destination: dict[str, Any] = {"targets": targets} if targets else {"project": PROJECT, "batch": BATCH}
        self._targets = targets
        templates = {kind: build(kind, SOURCES["bytes"], Path()) for kind in KINDS}
        self.scenes: list[SceneWithPreAnnotation] = []
        self._digests: dict[str, list[str]] = {}
        self._annotated: set[str] = set()
        for member in members(count):
            built = templates[member.kind]
            scene = evolve(built.scene, external_id=member.external_id)
            named = {target.pre_annotation: OPENLABEL for target in targets if target.pre_annotation is not None}
            single = OPENLABEL if member.annotated and not targets else None
            self.scenes.append(SceneWithPreAnnotation(scene, single, pre_annotations=named))
            self._digests[member.external_id] = sorted(_sha256(content) for content in built.contents.values())
            self._annotated |= {member.external_id} if member.annotated else set()

    async def run(self, emulator: Emulator, **options: float) -> list[InputCreationResult]:
        """Ingest all, with options of the client instead of the impatient ones."""
        with anyio.fail_after(GENEROUS):
            async with KognicIOClient(**emulator.client_options(), **IMPATIENT | options) as client:
                return [result async for result in self.created_by(client, sleep_time=SLEEP_TIME)]

    def created_by(self, client: KognicIOClient, **options: Any) -> InputCreation:
        """A run that ingests all."""
        return create_inputs(client, self.scenes, **self._destination, **options)

    def check(self, platform: Platform, results: list[InputCreationResult]) -> None:
        """Every scene has one result and is there once, whole, with its pre-annotation and its input."""
        assert sorted(str(result.external_id) for result in results) == sorted(self._digests)
        failed = [result for result in results if result.status != InputCreationStatus.CREATED]
        assert failed == []
        self.check_platform(platform)
        assert {result.scene_uuid for result in results} == {
            uuid for name in self._digests for uuid in _alive(platform, name)
        }

    def check_platform(self, platform: Platform) -> None:
        """Nothing is there twice, nothing is missing, no byte is different, and no orphan is left."""
        assert {name: fate for name, fate in self.fates(platform).items() if fate != "whole"} == {}
        assert self.orphans(platform) == 0
        assert "pending" not in platform.summary()["scenes"]

    def fates(self, platform: Platform) -> dict[str, Fate]:
        """What has become of each scene, by its external id."""
        return {external_id: self._fate(platform, external_id) for external_id in self._digests}

    def orphans(self, platform: Platform) -> int:
        """How many scenes were started, and have neither become inputs nor been invalidated."""
        alive = [uuid for external_id in self._digests for uuid in _alive(platform, external_id)]
        return sum(not platform.inputs.of_scene(uuid) for uuid in alive)

    def _fate(self, platform: Platform, external_id: str) -> Fate:
        alive = _alive(platform, external_id)
        inputs = [found for uuid in alive for found in platform.inputs.of_scene(uuid)]
        annotations = [found for uuid in alive for found in platform.pre_annotations.of_scene(uuid)]
        wanted = self._wanted(external_id)
        if not inputs or len(inputs) < len(wanted):
            return "lost"
        if len(alive) > 1 or len(inputs) > len(wanted) or len(annotations) > len({*wanted.values()} - {None}):
            return "doubled"
        has_bytes = _stored(platform, alive[0]) == self._digests[external_id]
        there = {(each.batch.project, each.batch.batch): _name(each) for each in inputs}
        return "whole" if has_bytes and there == wanted else "damaged"

    def _wanted(self, external_id: str) -> dict[tuple[str, str | None], str | None]:
        """The pre-annotation of each input that a scene is to have, by project and batch."""
        if self._targets:
            return {place_of(target): target.pre_annotation for target in self._targets}
        return {(PROJECT, BATCH): UNNAMED if external_id in self._annotated else None}


def _name(made: Input) -> str | None:
    """The name of an input's pre-annotation, None if it has none."""
    annotation = made.pre_annotation
    if annotation is None:
        return None
    return UNNAMED if annotation.external_id == annotation.id else annotation.external_id


def _alive(platform: Platform, external_id: str) -> list[str]:
    """The uuids of the scenes with an external id that are not invalidated, whether clients see them or not."""
    scenes = [scene for scene in platform.scenes.by_uuid.values() if scene.external_id == external_id]
    return [scene.uuid for scene in scenes if not scene.status.startswith("invalidated")]


def _stored(platform: Platform, uuid: str) -> list[str]:
    """The digests of a scene's files; its IMU data has none to be compared with."""
    files = platform.scene(uuid).files
    return sorted(file.sha256 for name, file in files.items() if file and not name.startswith("imu"))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
