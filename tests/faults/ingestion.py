"""Two hundred mixed scenes, and what has to be on the platform when they have been ingested."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import anyio
from attrs import evolve, frozen

from kognic_aio import InputCreationResult, InputCreationStatus, KognicIOClient, SceneWithPreAnnotation, create_inputs
from kognic_aio.emulator import Emulator, Platform
from tests.scenes import KINDS, SOURCES, build

PROJECT, BATCH = "project-a", "batch-2"
OPENLABEL: dict[str, Any] = {"openlabel": {"metadata": {"schema_version": "1.0.0"}}}
IMPATIENT: dict[str, Any] = {"max_retry_wait_time": 0.05, "timeout": 0.5}
"""Options with which either client waits so shortly that a run ends in seconds, though much goes wrong."""
SLEEP_TIME = 0.05

Fate = Literal["whole", "damaged", "doubled", "lost"]
"""One input with all that belongs to it, one with other bytes or without its pre-annotation, too much, no input."""


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
    """

    def __init__(self, count: int) -> None:
        templates = {kind: build(kind, SOURCES["bytes"], Path()) for kind in KINDS}
        self.scenes: list[SceneWithPreAnnotation] = []
        self._digests: dict[str, list[str]] = {}
        self._annotated: set[str] = set()
        for member in members(count):
            built = templates[member.kind]
            scene = evolve(built.scene, external_id=member.external_id)
            self.scenes.append(SceneWithPreAnnotation(scene, OPENLABEL if member.annotated else None))
            self._digests[member.external_id] = sorted(_sha256(content) for content in built.contents.values())
            self._annotated |= {member.external_id} if member.annotated else set()

    async def run(self, emulator: Emulator) -> list[InputCreationResult]:
        """Ingest all, without patience."""
        with anyio.fail_after(60):
            async with KognicIOClient(**emulator.client_options(), **IMPATIENT) as client:
                made = create_inputs(client, self.scenes, PROJECT, batch=BATCH, sleep_time=SLEEP_TIME)
                return [result async for result in made]

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
        if not inputs:
            return "lost"
        if len(alive) > 1 or len(inputs) > 1 or len(annotations) > 1:
            return "doubled"
        has_bytes = _stored(platform, alive[0]) == self._digests[external_id]
        has_annotation = bool(annotations) == (external_id in self._annotated)
        return "whole" if has_bytes and has_annotation else "damaged"


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
