"""Checks scenes against what is on the platform."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import partial

from attrs import evolve

from kognic_aio._tasks import map_in_order
from kognic_aio._threads import in_thread
from kognic_aio.bulk.check import examined
from kognic_aio.bulk.description import DescribedScene, read_scene
from kognic_aio.bulk.problem import Problem, Severity
from kognic_aio.bulk.source import Source, from_thread, located, unique
from kognic_aio.client import KognicIOClient, backend_of
from kognic_aio.errors import BadRequestError, NotFoundError
from kognic_aio.model.calibration import SensorCalibration, UnknownCalibration
from kognic_aio.scenes.target import check_target

AT_ONCE = 100
"""Scenes that a request asks for."""


async def check_online(
    client: KognicIOClient,
    source: Source,
    project: str | None = None,
    *,
    batch: str | None = None,
    motion_compensation: bool = True,
) -> AsyncGenerator[DescribedScene, None]:
    """Check the scenes of a source as `survey` does, and against the platform, and yield each with its problems.

    A scene that a project has an input of gets a warning. A calibration that is named by its id has to exist and fit.

    Args:
        client: An open client.
        source: Paths of manifests and folders, as for `read`.
        project: External id of the project that the scenes are for.
        batch: External id of its batch. By default the open one.
        motion_compensation: As for `check_scene`.

    Raises:
        InvalidError: If the source is missing, empty, or neither a manifest nor a folder of scenes.
        RunError: If there is no such project or batch, or it takes no inputs.
        ApiError: If the platform refuses.

    Endpoints: `GET v1/projects/{project}/batches`, `GET v1/calibrations/{calibration}`, `POST v2/inputs/query`
    """
    checking = _Online(client, project, batch, motion_compensation=motion_compensation)
    if project is not None:
        await check_target(backend_of(client).api, project, batch)
    seen: dict[str, str] = {}
    scenes = (unique(read_scene(place.describe(), client.workspace_id), seen) for place in located(source))
    some: list[DescribedScene] = []
    async with aclosing(from_thread(scenes)) as described:
        async for scene in described:
            some.append(scene)
            if len(some) == AT_ONCE:
                for checked in await checking.check(some):
                    yield checked
                some.clear()
    for checked in await checking.check(some):
        yield checked


class _Online:
    """The check of a source against the platform."""

    def __init__(
        self, client: KognicIOClient, project: str | None, batch: str | None, *, motion_compensation: bool
    ) -> None:
        self._client = client
        self._project = project
        self._batch = batch
        self._motion_compensation = motion_compensation
        self._calibrations: dict[str, SensorCalibration | str] = {}

    async def check(self, scenes: Sequence[DescribedScene]) -> list[DescribedScene]:
        """Check some scenes."""
        there = await self._inputs([scene.name for scene in scenes if scene.scene is not None])
        for calibration_id in dict.fromkeys(filter(None, map(_calibration_id, scenes))):
            if calibration_id not in self._calibrations:
                self._calibrations[calibration_id] = await self._calibration(calibration_id)
        check = partial(self._examined, there=there)
        return await map_in_order(scenes, partial(in_thread, check), workers=self._client.limits.inputs)

    async def _inputs(self, names: Sequence[str]) -> dict[str, int]:
        """How many inputs of scenes with some external ids there are."""
        counts = defaultdict[str, int](int)
        if self._project is not None and names:
            async for each in self._client.input.query_inputs(
                project=self._project, batch=self._batch, external_ids=list(dict.fromkeys(names))
            ):
                counts[each.scene_external_id] += 1
        return counts

    async def _calibration(self, calibration_id: str) -> SensorCalibration | str:
        """A calibration, or why there is none."""
        try:
            entry = await self._client.calibration.get_calibration(calibration_id)
        except (BadRequestError, NotFoundError) as error:
            return error.message
        known = {name: each for name, each in entry.calibration.items() if not isinstance(each, UnknownCalibration)}
        return SensorCalibration(external_id=entry.external_id, calibration=known)

    def _examined(self, scene: DescribedScene, *, there: dict[str, int]) -> DescribedScene:
        problems: list[Problem] = []
        found = self._calibrations.get(_calibration_id(scene) or "")
        if isinstance(found, str):
            message = f"calibration {_calibration_id(scene)!r} cannot be used: {found}"
            problems.append(Problem(code="unknown-calibration", scene=scene.name, file=scene.place, message=message))
        elif found is not None:
            scene = evolve(scene, calibration=found)
        if there.get(scene.name):
            problems.append(
                Problem(
                    code="already-there",
                    severity=Severity.WARNING,
                    scene=scene.name,
                    file=scene.place,
                    message=f"project {self._project!r} has an input of a scene with this external id",
                    hint="upload with --existing skip to leave it out",
                )
            )
        scene = examined(scene, motion_compensation=self._motion_compensation)
        return DescribedScene(name=scene.name, place=scene.place, problems=(*scene.problems, *problems))


def _calibration_id(scene: DescribedScene) -> str | None:
    """The id of a calibration that is on the platform already."""
    return None if scene.calibration is not None or scene.has_errors else getattr(scene.scene, "calibration_id", None)
