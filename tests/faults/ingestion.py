"""Two hundred mixed scenes, and what has to be on the platform when they have been ingested."""

import hashlib
from pathlib import Path
from typing import Any

from attrs import evolve

from kognic_aio import InputCreationResult, InputCreationStatus, SceneWithPreAnnotation
from kognic_aio.emulator import Platform
from tests.scenes import KINDS, SOURCES, build

PROJECT, BATCH = "project-a", "batch-2"
OPENLABEL: dict[str, Any] = {"openlabel": {"metadata": {"schema_version": "1.0.0"}}}


class Ingestion:
    """Scenes of all seven types, every third with a pre-annotation.

    Args:
        count: How many.
    """

    def __init__(self, count: int) -> None:
        kinds = list(KINDS)
        templates = {kind: build(kind, SOURCES["bytes"], Path()) for kind in kinds}
        self.scenes: list[SceneWithPreAnnotation] = []
        self._digests: dict[str, list[str]] = {}
        self._annotated: set[str] = set()
        for number in range(count):
            built = templates[kinds[number % len(kinds)]]
            external_id = f"ingested-{number}"
            annotation = OPENLABEL if number % 3 == 0 else None
            scene = evolve(built.scene, external_id=external_id)
            self.scenes.append(SceneWithPreAnnotation(scene, annotation))
            self._digests[external_id] = sorted(_sha256(content) for content in built.contents.values())
            self._annotated |= {external_id} if annotation else set()

    def check(self, platform: Platform, results: list[InputCreationResult]) -> None:
        """Every scene has one result and is there once, whole, with its pre-annotation and its input."""
        assert sorted(str(result.external_id) for result in results) == sorted(self._digests)
        failed = [result for result in results if result.status != InputCreationStatus.CREATED]
        assert failed == []
        self.check_platform(platform)
        assert {result.scene_uuid for result in results} == {self._scene(platform, name) for name in self._digests}

    def check_platform(self, platform: Platform) -> None:
        """Nothing is there twice, nothing is missing, no byte is different, and no orphan is left."""
        for external_id, digests in self._digests.items():
            uuid = self._scene(platform, external_id)
            files = platform.scene(uuid).files
            stored = sorted(file.sha256 for name, file in files.items() if file and not name.startswith("imu"))
            assert stored == digests, external_id
            assert len(platform.pre_annotations.of_scene(uuid)) == (external_id in self._annotated), external_id
            assert len([found for found in platform.inputs if found.scene.uuid == uuid]) == 1, external_id
        assert "pending" not in platform.summary()["scenes"]

    def _scene(self, platform: Platform, external_id: str) -> str:
        scenes = platform.scenes.with_external_id(external_id)
        (alive,) = [scene.uuid for scene in scenes if not scene.status.startswith("invalidated")]
        return alive


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
