"""Uploads what people have on disk: each scene is read, checked, and created with its inputs."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import aclosing, suppress
from os import PathLike
from types import TracebackType
from typing import ClassVar, Self

from attrs import define, field

from kognic_aio._http.paging import AsyncOnly
from kognic_aio.bulk.calibrations import Calibrations
from kognic_aio.bulk.check import examined
from kognic_aio.bulk.description import DescribedScene, read_scene
from kognic_aio.bulk.problem import Problem
from kognic_aio.bulk.source import Shard, Source, from_thread, located, unique, with_calibration
from kognic_aio.client import KognicIOClient
from kognic_aio.errors import JournalError
from kognic_aio.events import Event
from kognic_aio.model import FeatureFlags
from kognic_aio.model.target import InputCreationStatus, InputTarget
from kognic_aio.pipeline.creation import InputCreation, OnFailure, create_inputs
from kognic_aio.pipeline.existing import Existing
from kognic_aio.pipeline.journal import Journal
from kognic_aio.pipeline.progress import Progress
from kognic_aio.pipeline.result import InputCreationResult, InvalidScene, SceneWithPreAnnotation

OnProblem = Callable[[Problem], object]


def upload(
    client: KognicIOClient,
    source: Source,
    project: str | None = None,
    *,
    batch: str | None = None,
    targets: Iterable[InputTarget] | None = None,
    journal: str | PathLike[str] | None = None,
    dryrun: bool = False,
    motion_compensation: bool = True,
    shard: Shard | None = None,
    retry_failed: bool = False,
    on_failure: OnFailure = "keep",
    existing: Existing = "create",
    on_event: Callable[[Event], object] | None = None,
    on_problem: OnProblem | None = None,
) -> "Upload":
    """Create the scenes of a manifest or folder and their inputs, after each was checked, and yield their results.

        async for result in bulk.upload(client, "recordings", "my-project", journal="recordings.kognic-journal"):
            print(result.external_id, result.status)

    Args:
        client: An open client.
        source: Paths of manifests and folders, as for `read`.
        project: As for `create_inputs`.
        batch: As for `create_inputs`.
        targets: As for `create_inputs`.
        journal: As for `create_inputs`.
        dryrun: Whether the platform is to validate the scenes only. A scene that comes with a calibration that is not
            there, and would have to be created, is only checked.
        motion_compensation: Whether the platform is to move points to where they were at the time of their frame.
        shard: The part of the source to upload. By default all of it.
        retry_failed: As for `create_inputs`.
        on_failure: As for `create_inputs`.
        existing: As for `create_inputs`.
        on_event: As for `create_inputs`.
        on_problem: Called with each problem that the checks find. Scenes with errors are FAILED, and nothing of them is
            sent.

    Raises:
        InvalidError: At once if an argument is invalid; while iterating if the source is missing, empty, or neither a
            manifest nor a folder of scenes.
        KognicError: While iterating, as by `create_inputs`.

    Endpoints: those of `create_inputs`, `GET v1/calibrations?externalId=`, `POST v1/calibrations`
    """
    motion = FeatureFlags.PointCloudFeatures.MOTION_COMPENSATION
    scenes = _Scenes(
        client, source, shard=shard, motion_compensation=motion_compensation, dryrun=dryrun, on_problem=on_problem
    )
    creation = create_inputs(
        client,
        scenes,
        project,
        batch=batch,
        targets=targets,
        dryrun=dryrun,
        feature_flags=FeatureFlags(motion) if motion_compensation else FeatureFlags(),
        journal=journal,
        retry_failed=retry_failed,
        on_failure=on_failure,
        existing=existing,
        on_event=on_event,
    )
    return Upload(creation, scenes, journal)


class Upload(AsyncOnly, AsyncIterator[InputCreationResult]):
    """A run of `upload`: an async iterator over its results, and an async context manager that ends it."""

    as_list: ClassVar[str] = "[result async for result in ...]"

    def __init__(self, creation: InputCreation, scenes: "_Scenes", journal: str | PathLike[str] | None) -> None:
        self._creation = creation
        self._scenes = scenes
        self._only_checked = scenes.only_checked
        self._journal = journal  # until it was looked into

    @property
    def progress(self) -> Progress:
        """The live progress of the run. It does not count scenes that were only checked."""
        return self._creation.progress

    @property
    def only_checked(self) -> int:
        """How many scenes were only checked so far, in a dry run."""
        return self._scenes.only_checked_count

    def drain(self) -> None:
        """Take no more scenes from the source, and finish those in flight. Keep iterating until the last result."""
        self._creation.drain()

    async def aclose(self) -> None:
        """End the run: cancel all its tasks and wait for them."""
        await self._creation.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> InputCreationResult:
        if self._journal is not None:
            journal, self._journal = self._journal, None
            self._scenes.done = await _created(journal)
        if self._only_checked:
            return self._only_checked.popleft()
        try:
            return await anext(self._creation)
        except StopAsyncIteration:
            if self._only_checked:
                return self._only_checked.popleft()
            raise

    async def __aenter__(self) -> Self:
        await self._creation.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()


@define(eq=False)
class _Scenes:
    """The scenes of a source that were checked, for `create_inputs`.

    Attributes:
        done: The external ids of scenes that an earlier run has created. They are not checked again.
        only_checked: The results of scenes that a dry run cannot send.
    """

    _client: KognicIOClient
    _source: Source
    _shard: Shard | None = field(alias="shard", kw_only=True)
    _motion_compensation: bool = field(alias="motion_compensation", kw_only=True)
    _dryrun: bool = field(alias="dryrun", kw_only=True)
    _on_problem: OnProblem | None = field(alias="on_problem", kw_only=True)
    done: frozenset[str] = field(default=frozenset(), init=False)
    only_checked: deque[InputCreationResult] = field(factory=deque[InputCreationResult], init=False)
    only_checked_count: int = field(default=0, init=False)

    async def __aiter__(self) -> AsyncGenerator[SceneWithPreAnnotation | InvalidScene, None]:
        calibrations = Calibrations(self._client)
        places: dict[str, str] = {}
        async with aclosing(from_thread(self._examined(self._client.workspace_id))) as scenes:
            async for each in scenes:
                scene = unique(each, places)
                if self._on_problem is not None:
                    for problem in scene.problems:
                        self._on_problem(problem)
                if self._dryrun and scene.calibration is not None and not scene.has_errors:
                    calibration_id = await calibrations.find(scene.calibration)
                    if calibration_id is None:
                        validated = InputCreationStatus.VALIDATED
                        self.only_checked_count += 1
                        self.only_checked.append(InputCreationResult(status=validated, external_id=scene.name))
                        continue
                yield await with_calibration(scene, calibrations)

    def _examined(self, workspace_id: str) -> Iterator[DescribedScene]:
        """Read and check the scenes of the shard, in a thread."""
        for place in located(self._source):
            scene = read_scene(place.describe(), workspace_id)
            if scene.name in self.done:
                yield scene
            elif self._shard is None or self._shard.has(scene.name):
                yield examined(scene, motion_compensation=self._motion_compensation)


async def _created(journal: str | PathLike[str]) -> frozenset[str]:
    """The external ids of the scenes that are created by a journal; none if there is no such journal."""
    with suppress(JournalError):  # the run will say what is wrong with it
        async with Journal(journal) as opened:
            created = [each async for each in opened.results() if each.status is InputCreationStatus.CREATED]
            return frozenset(each.external_id for each in created if each.external_id is not None)
    return frozenset()
