"""Creates scenes, with the same two methods for all seven types."""

from collections.abc import Sequence
from typing import Generic, Literal, TypeVar, overload

from kognic_aio._http.protocol import identifier
from kognic_aio._validation.converters import argument, external_id, instance_of, optional, optional_external_id
from kognic_aio._validation.official import refuse_official, renamed, without_annotation_types
from kognic_aio.errors import InvalidError
from kognic_aio.model import BaseScene, CreateSceneResponse, FeatureFlags, Input
from kognic_aio.resources import ApiResource
from kognic_aio.scenes.backend import Backend
from kognic_aio.scenes.creation import create_scene, validate_scene
from kognic_aio.scenes.inputs import post_inputs
from kognic_aio.scenes.job import parent_path_of
from kognic_aio.scenes.target import explaining_target

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
"""The official client's name for the first argument of `create`, in each of its seven classes."""


class SceneCreator(ApiResource, Generic[S]):
    """Creates scenes of one type."""

    def __init__(self, backend: Backend, kind: type[S]) -> None:
        super().__init__(backend)
        self._kind = kind

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
        annotation_types: Sequence[str] | None = None,  # noqa: ARG002  # whoever gives some is warned
        dryrun: bool = False,
        feature_flags: FeatureFlags | None = None,
    ) -> CreateSceneResponse | None:
        """Create a scene: reserve its uuid, start it, upload its files and commit it. The platform then processes it.

        Args:
            scene: The scene.
            project: External id of a project to create an input in, once the scene is ready. By default none.
            batch: External id of the batch for the input. By default the open one, if there is only one.
            annotation_types: No longer used.
            dryrun: Whether to validate only, and create nothing.
            feature_flags: By default `FeatureFlags.defaults()`, which turns motion compensation on.

        Returns:
            The uuids; None after a dry run.

        Raises:
            InvalidError: If an argument is invalid. Nothing has been sent.
            DataError: If the data of a file cannot be read. The scene has been started, and is invalidated.
            ApiError: If the platform refuses the scene.
            StorageError: If the storage refuses a file.
            RequestError: If a request got no usable response.

        Endpoints: `POST v1/inputs/initialize`, `POST v1/imu`, `POST v1/inputs/[project/P/[batch/B/]]<type>`,
        `PUT` to signed URLs, `POST v1/inputs/{uuid}/actions/commit`
        """
        if not isinstance(scene, self._kind):
            refuse_official(scene, "scene", self._kind)
            raise InvalidError(f"this creates scenes of type {self._kind.__name__}, got {type(scene).__name__}")
        project = argument("project", project, optional_external_id)
        batch = argument("batch", batch, optional_external_id)
        argument("feature_flags", feature_flags, optional(instance_of(FeatureFlags)))
        parent_path = parent_path_of(project, batch)
        async with explaining_target(self._backend.api, project, batch, creates_inputs=True):
            if dryrun:
                await validate_scene(self._backend, scene, feature_flags, parent_path)
                return None
            return await create_scene(self._backend, scene, feature_flags, parent_path)

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
        annotation_types: Sequence[str] | None = None,  # noqa: ARG002  # whoever gives some is warned
        dryrun: bool = False,
    ) -> list[Input] | None:
        """Create inputs from an existing scene, with its latest pre-annotation if it has any.

        Args:
            scene_uuid: The scene's uuid.
            project: External id of the project.
            batch: External id of the batch. By default the open one, if there is only one.
            annotation_types: No longer used.
            dryrun: Whether to validate only, and create nothing.

        Returns:
            One input per request of the batch; None after a dry run.

        Raises:
            ApiError: If the platform refuses.

        Endpoint: `POST v1/inputs`
        """
        uuid = identifier(scene_uuid)
        project = argument("project", project, external_id)
        batch = argument("batch", batch, optional_external_id)
        return await post_inputs(self._backend, uuid, project, batch, dryrun=dryrun)
