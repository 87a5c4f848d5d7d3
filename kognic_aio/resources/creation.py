"""Creating scenes: one creator for all seven types."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Generic, Literal, TypeVar, overload

from anyio import Semaphore

from kognic_aio._http.api import Api
from kognic_aio._http.once import look_late, once
from kognic_aio._http.protocol import given, text
from kognic_aio._http.storage import Storage
from kognic_aio._validation.converters import argument, external_id, instance_of, optional, optional_external_id
from kognic_aio._validation.official import refuse_official
from kognic_aio.errors import InvalidError
from kognic_aio.files import Reading, Source, sources_at_hand
from kognic_aio.model import BaseScene, CreateSceneResponse, FeatureFlags, Input
from kognic_aio.resources.answers import check_is_about, plain_uuid
from kognic_aio.resources.deprecation import renamed, without_annotation_types
from kognic_aio.resources.finishing import Lifecycle, Notes
from kognic_aio.resources.limiters import Limiters
from kognic_aio.resources.scene_job import SceneJobs, Target
from kognic_aio.resources.target import check_target, explaining_target

S = TypeVar("S", bound=BaseScene)

OFFICIAL_NAMES = (
    "cameras",
    "cameras_sequence",
    "lidars",
    "lidars_sequence",
    "lidars_and_cameras",
    "lidars_and_cameras_sequence",
    "aggregated_lidars_and_cameras_seq",
)
"""What the official client calls the scene, the first argument of `create`, in each of its seven classes."""


class SceneCreator(Generic[S]):
    """Creates scenes of one type.

    Args:
        kind: The scene type.
        api: The input API.
        storage: Takes the files.
        limiters: Holds back `create`; a run of `create_inputs` may bring its own.
        lifecycle: Looks at scenes, and commits or invalidates what was started.
        workspace_id: Tells the workspace to write to.
    """

    def __init__(
        self,
        kind: type[S],
        api: Api,
        storage: Storage,
        limiters: Limiters,
        lifecycle: Lifecycle,
        workspace_id: Callable[[], str],
    ) -> None:
        self.kind = kind
        self._api = api
        self._limiters = limiters
        self._lifecycle = lifecycle
        self._jobs = SceneJobs(api, storage, lifecycle, workspace_id)

    @overload
    async def create(
        self,
        scene: S,
        project: str | None = None,
        batch: str | None = None,
        annotation_types: Sequence[str] | None = None,
        dryrun: Literal[False] = False,
        feature_flags: FeatureFlags | None = None,
    ) -> CreateSceneResponse: ...

    @overload
    async def create(
        self,
        scene: S,
        project: str | None = None,
        batch: str | None = None,
        annotation_types: Sequence[str] | None = None,
        dryrun: bool = False,
        feature_flags: FeatureFlags | None = None,
    ) -> CreateSceneResponse | None: ...

    @renamed("scene", *OFFICIAL_NAMES)
    @without_annotation_types
    async def create(
        self,
        scene: S,
        project: str | None = None,
        batch: str | None = None,
        annotation_types: Sequence[str] | None = None,  # noqa: ARG002 - whoever gives some is warned
        dryrun: bool = False,
        feature_flags: FeatureFlags | None = None,
    ) -> CreateSceneResponse | None:
        """Create a scene: reserve its uuid, start it, upload its files and commit it. It then begins to be processed.

        Args:
            scene: The scene.
            project: External id of a project in which an input is made once the scene is ready. By default none is.
            batch: External id of the batch for the input. By default the open one, if there is only one.
            annotation_types: No longer used.
            dryrun: Whether to validate only, and create nothing.
            feature_flags: By default `FeatureFlags.defaults()`, which turns motion compensation on.

        Returns:
            The uuids, None after a dry run.

        Raises:
            InvalidError: If something given is wrong in itself; nothing has been sent.
            DataError: If the data of a file cannot be had; the scene has been started, and is invalidated.
            ApiError: If the platform refuses the scene.
            StorageError: If the storage refuses a file.
            RequestError: If a request brought no usable answer.

        Endpoints: `POST v1/inputs/initialize`, `POST v1/imu`, `POST v1/inputs/[project/P/[batch/B/]]<type>`,
        `PUT` to signed URLs, `POST v1/inputs/{uuid}/actions/commit`
        """
        project = argument("project", project, optional_external_id)
        batch = argument("batch", batch, optional_external_id)
        argument("feature_flags", feature_flags, optional(instance_of(FeatureFlags)))
        target = Target(project=project, batch=batch)
        limiters, naming = self._limiters, explaining_target(self._api, project, batch, check_target)
        sources_at_hand = self.checked(scene, limiters.reading, keep=dryrun)
        async with (
            self._lifecycle.leaving_no_orphans() as notes,
            limiters.scene_jobs,
            sources_at_hand as sources,
            naming,
        ):
            if dryrun:
                await self.validate(scene, target, feature_flags)
                return None
            return await self.complete(scene, sources, target, feature_flags, notes=notes, uploads=limiters.uploads)

    @overload
    async def create_from_scene(
        self,
        scene_uuid: str,
        project: str,
        batch: str | None = None,
        annotation_types: Sequence[str] | None = None,
        dryrun: Literal[False] = False,
    ) -> list[Input]: ...

    @overload
    async def create_from_scene(
        self,
        scene_uuid: str,
        project: str,
        batch: str | None = None,
        annotation_types: Sequence[str] | None = None,
        dryrun: bool = False,
    ) -> list[Input] | None: ...

    @without_annotation_types
    async def create_from_scene(
        self,
        scene_uuid: str,
        project: str,
        batch: str | None = None,
        annotation_types: Sequence[str] | None = None,  # noqa: ARG002 - whoever gives some is warned
        dryrun: bool = False,
    ) -> list[Input] | None:
        """Create inputs from a scene that exists, with its latest pre-annotation if it has any.

        Args:
            scene_uuid: The scene's uuid.
            project: External id of the project.
            batch: External id of the batch. By default the open one, if there is only one.
            annotation_types: No longer used.
            dryrun: Whether to validate only, and create nothing.

        Returns:
            One input per request of the batch, None after a dry run.

        Raises:
            ApiError: If the platform refuses.

        Endpoint: `POST v1/inputs`
        """
        return await self._create_inputs(self._api, scene_uuid, project, batch, dryrun=dryrun)

    async def _create_inputs(
        self, api: Api, scene_uuid: str, project: str, batch: str | None, *, dryrun: bool = False
    ) -> list[Input] | None:
        uuid = text(scene_uuid)
        project, batch = argument("project", project, external_id), argument("batch", batch, optional_external_id)
        body = given(sceneUuid=uuid, project=project, batch=batch)

        async def create() -> list[Input] | None:
            async with explaining_target(api, project, batch, check_target):
                if dryrun:
                    await api.command("v1/inputs", json=body, dryrun=True)
                    return None
                return await api.post("v1/inputs", list[Input], json=body)

        inputs = await self._lifecycle.visibility.wait([uuid], create)
        for made in inputs or ():
            check_is_about(self._api, "POST", "v1/inputs", answered=made.scene_uuid, asked=uuid)
        return inputs

    async def create_only_inputs(self, scene_uuid: str, project: str, batch: str | None) -> list[Input]:
        """Create the inputs of a scene of which nobody else creates any; as `create_from_scene`.

        If the answer is lost, the platform is asked for the scene's inputs before others are created.

        Raises:
            MalformedAnswerError: If the platform answers that all is well, but has created none.
        """
        inputs = await once(
            self._api,
            lambda api: self._create_inputs(api, scene_uuid, project, batch),
            lambda api: self._get_only_inputs(api, scene_uuid, project, batch),
        )
        found = inputs or await self.find_only_inputs(scene_uuid, project, batch)
        if not found:
            raise self._api.malformed("POST", "v1/inputs", f"no input of scene {scene_uuid}")
        return found

    async def find_only_inputs(self, scene_uuid: str, project: str, batch: str | None) -> list[Input] | None:
        """The inputs of such a scene, if they are there or come soon."""
        return await look_late(self._api, lambda api: self._get_only_inputs(api, scene_uuid, project, batch))

    async def _get_only_inputs(self, api: Api, scene_uuid: str, project: str, batch: str | None) -> list[Input] | None:
        body = given(project=project, batch=batch, sceneUuids=[scene_uuid])
        found = api.ask_paged("v2/inputs/query", Input, json=body)
        inputs = await self._lifecycle.visibility.paged([scene_uuid], found)
        return [each for each in inputs if plain_uuid(each.scene_uuid) == plain_uuid(scene_uuid)] or None

    @asynccontextmanager
    async def checked(
        self, scene: S, reading: Reading, *, keep: bool = False
    ) -> AsyncGenerator[Mapping[str, Source], None]:
        """Look at the scene and its local files before anything is sent; close its streams in the end.

        Args:
            scene: The scene.
            reading: What all reading shares.
            keep: Whether to leave the streams and generators open that were given as data, for a later run.

        Raises:
            InvalidError: If the scene is of another type, or a local file is missing, empty or not a file.
        """
        if not isinstance(scene, self.kind):
            refuse_official(scene, "scene", self.kind)
            raise InvalidError(f"this creates scenes of type {self.kind.__name__}, got {type(scene).__name__}")
        async with sources_at_hand(scene.resources, reading, keep=keep) as sources:
            yield sources

    async def validate(self, scene: S, target: Target, feature_flags: FeatureFlags | None = None) -> None:
        """Let the platform look at the scene, and create nothing."""
        await self._jobs.validate(scene, target, feature_flags or FeatureFlags.defaults())

    async def complete(
        self,
        scene: S,
        sources: Mapping[str, Source],
        target: Target,
        feature_flags: FeatureFlags | None,
        *,
        notes: Notes,
        uploads: Semaphore,
        sent: Callable[[int], object] | None = None,
    ) -> CreateSceneResponse:
        """Start the scene, send its files and commit it; as `SceneJobs.complete`."""
        flags = FeatureFlags.defaults() if feature_flags is None else feature_flags
        return await self._jobs.complete(scene, sources, target, flags, notes=notes, limiter=uploads, sent=sent)
