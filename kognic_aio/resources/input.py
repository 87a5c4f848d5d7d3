"""Inputs: scenes to annotate in a batch."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Literal, TypeVar, overload

from typing_extensions import deprecated

from kognic_aio._http.paging import Paged
from kognic_aio._http.protocol import given, identifier, segment, strings
from kognic_aio._validation.converters import argument, external_id, optional_external_id
from kognic_aio._validation.official import renamed
from kognic_aio.errors import InvalidError
from kognic_aio.model import Input, InputEntry, SceneInvalidatedReason
from kognic_aio.model.request_input import RequestInput
from kognic_aio.resources import ApiResource
from kognic_aio.scenes.lookup import have_appeared
from kognic_aio.scenes.target import explained, explaining_target
from kognic_aio.scenes.visibility import check_is_about, plain_uuid

T = TypeVar("T")


class InputResource(ApiResource):
    """Inputs. Projects and batches are named by external ids."""

    def get_request_inputs(
        self, *, request_id: str, scene_id: str | None = None, page_size: int | None = None
    ) -> Paged[RequestInput]:
        """Get the inputs of a request with their status and progress, for requests with flexible workflows.

        Args:
            request_id: The request's id.
            scene_id: Only the input of this scene.
            page_size: Inputs per page, at most 5,000. By default the platform's choice, 1,000.

        Raises:
            NotFoundError: If there is no such request.
            ApiError: If the platform refuses, as for a request without flexible workflow.

        Endpoint: `GET v2/request-inputs` of the order execution API
        """
        query = given(requestId=request_id, sceneId=scene_id, limit=page_size)
        return self._backend.order_execution_api.get_paged("v2/request-inputs", RequestInput, query=query)

    async def get_request_input(self, request_input_id: str) -> RequestInput:
        """Get one input of a request with its status and progress.

        Args:
            request_input_id: Its id.

        Raises:
            NotFoundError: If there is no such input.
            ApiError: If the platform refuses, as for a request without flexible workflow.

        Endpoint: `GET v2/request-inputs/{request input}` of the order execution API
        """
        path = f"v2/request-inputs/{segment(request_input_id)}"
        api = self._backend.order_execution_api
        found = await api.get(path, RequestInput)
        check_is_about(api, "GET", path, answered=found.id, asked=identifier(request_input_id))
        return found

    def query_inputs(
        self,
        *,
        project: str | None = None,
        batch: str | None = None,
        scene_uuids: Sequence[str] | None = None,
        external_ids: Sequence[str] | None = None,
    ) -> Paged[Input]:
        """Get the inputs that match all given filters.

        Args:
            project: External id of the project.
            batch: External id of the batch.
            scene_uuids: The inputs of these scenes.
            external_ids: The inputs of scenes with these external ids.

        Raises:
            ApiError: If the platform refuses.

        Endpoint: `POST v2/inputs/query`
        """
        body = given(
            project=project,
            batch=batch,
            sceneUuids=_optional("scene_uuids", scene_uuids),
            externalIds=_optional("external_ids", external_ids),
        )

        def around(send: Callable[[], Awaitable[T]]) -> Awaitable[T]:
            explaining = partial(explained, self._api, project, batch, send)
            return self._visibility.when_shown(body.get("sceneUuids", ()), explaining)

        return self._api.ask_paged("v2/inputs/query", Input, json=body, around=around)

    @overload
    async def create_from_scene(
        self,
        scene_uuid: str,
        pre_annotation_uuid: str | None = None,
        project: str | None = None,
        batch: str | None = None,
        request_uuid: str | None = None,
        dryrun: Literal[False] = False,
    ) -> Input: ...

    @overload
    async def create_from_scene(
        self,
        scene_uuid: str,
        pre_annotation_uuid: str | None = None,
        project: str | None = None,
        batch: str | None = None,
        request_uuid: str | None = None,
        dryrun: bool = False,
    ) -> Input | None: ...

    async def create_from_scene(
        self,
        scene_uuid: str,
        pre_annotation_uuid: str | None = None,
        project: str | None = None,
        batch: str | None = None,
        request_uuid: str | None = None,
        dryrun: bool = False,
    ) -> Input | None:
        """Create an input from a scene, with the given pre-annotation or none.

        `client.cameras.create_from_scene` uses the scene's latest pre-annotation instead.

        Args:
            scene_uuid: The scene's uuid.
            pre_annotation_uuid: A pre-annotation of the scene.
            project: External id of the project. Pass either this or `request_uuid`.
            batch: External id of the batch. By default the open one, if there is only one.
            request_uuid: The request to create the input in.
            dryrun: Whether to validate only, and create nothing.

        Returns:
            The input; None after a dry run.

        Raises:
            InvalidError: If both or neither of project and request are given.
            ApiError: If the platform refuses.

        Endpoint: `POST v2/inputs`
        """
        uuid, target = identifier(scene_uuid), _target(project, batch, request_uuid)
        body = given(sceneUuid=uuid, preAnnotationUuid=pre_annotation_uuid) | target
        made = await self._visibility.when_shown([uuid], lambda: self._create(body, dryrun))
        if made is not None:
            check_is_about(self._api, "POST", "v2/inputs", answered=made.scene_uuid, asked=uuid)
        return made

    @overload
    async def create_from_pre_annotation(
        self,
        pre_annotation_uuid: str,
        project: str | None = None,
        batch: str | None = None,
        request_uuid: str | None = None,
        dryrun: Literal[False] = False,
    ) -> Input: ...

    @overload
    async def create_from_pre_annotation(
        self,
        pre_annotation_uuid: str,
        project: str | None = None,
        batch: str | None = None,
        request_uuid: str | None = None,
        dryrun: bool = False,
    ) -> Input | None: ...

    async def create_from_pre_annotation(
        self,
        pre_annotation_uuid: str,
        project: str | None = None,
        batch: str | None = None,
        request_uuid: str | None = None,
        dryrun: bool = False,
    ) -> Input | None:
        """Create an input from a pre-annotation and its scene.

        Args:
            pre_annotation_uuid: The pre-annotation's uuid.
            project: External id of the project. Pass either this or `request_uuid`.
            batch: External id of the batch. By default the open one, if there is only one.
            request_uuid: The request to create the input in.
            dryrun: Whether to validate only, and create nothing.

        Returns:
            The input; None after a dry run.

        Raises:
            InvalidError: If both or neither of project and request are given.
            ApiError: If the platform refuses.

        Endpoint: `POST v2/inputs`
        """
        target = _target(project, batch, request_uuid)
        return await self._create(given(preAnnotationUuid=pre_annotation_uuid) | target, dryrun)

    async def _create(self, body: dict[str, Any], dryrun: bool) -> Input | None:
        async with explaining_target(self._api, body.get("projectExtId"), body.get("batchExtId"), creates_inputs=True):
            if dryrun:
                await self._api.command("v2/inputs", json=body, dryrun=True)
                return None
            return await self._api.post("v2/inputs", Input, json=body)

    async def delete_input(self, input_uuid: str) -> None:
        """Delete an input. This removes its scene from the request, and cannot be undone.

        Args:
            input_uuid: The input's uuid.

        Raises:
            NotFoundError: If there is no such input.
            ApiError: If the platform refuses.

        Endpoint: `DELETE v2/inputs/{input}`
        """
        await self._api.delete(f"v2/inputs/{segment(input_uuid)}")

    async def update_pre_annotation(self, request_input_uuid: str, pre_annotation_uuid: str) -> None:
        """Replace the pre-annotation of an input, before its annotation has begun.

        Args:
            request_input_uuid: The input's uuid.
            pre_annotation_uuid: The uuid of another pre-annotation of its scene.

        Raises:
            NotFoundError: If there is no such input or pre-annotation.
            ApiError: If the platform refuses.

        Endpoint: `PATCH v2/inputs/{input}/pre-annotation`
        """
        path = f"v2/inputs/{segment(request_input_uuid)}/pre-annotation"
        await self._api.patch(path, json={"uuid": identifier(pre_annotation_uuid)})

    @deprecated("get_inputs is now query_inputs")
    def get_inputs(
        self,
        project: str,
        batch: str | None = None,
        include_invalidated: bool = False,
        external_ids: Sequence[str] | None = None,
    ) -> Paged[InputEntry]:
        """Get the inputs of a project, in the older form.

        Args:
            project: External id of the project.
            batch: External id of a batch.
            include_invalidated: Whether to get the invalidated inputs instead of the valid ones.
            external_ids: The inputs of scenes with these external ids.

        Raises:
            ApiError: If the platform refuses.

        Endpoint: `POST v1/inputs/fetch`
        """
        body = given(
            project=project,
            batch=batch,
            includeInvalidated=include_invalidated,
            externalIds=_optional("external_ids", external_ids),
        )
        around = partial(explained, self._api, project, batch)
        return self._api.ask_paged("v1/inputs/fetch", InputEntry, json=body, around=around)

    @deprecated("get_inputs_by_uuids is now client.scene.get_scenes_by_uuids")
    @renamed("scene_uuids", "input_uuids")
    async def get_inputs_by_uuids(self, scene_uuids: Sequence[str]) -> list[InputEntry]:
        """Get inputs by the uuids of their scenes, in the older form.

        Args:
            scene_uuids: The uuids of the scenes.

        Raises:
            ApiError: If the platform refuses.

        Endpoint: `POST v1/inputs/query`
        """
        uuids = strings("scene_uuids", scene_uuids)

        async def ask() -> list[InputEntry]:
            return await self._api.ask("v1/inputs/query", list[InputEntry], json={"uuids": uuids})

        found = await self._visibility.when_shown(uuids, ask)
        # This endpoint may omit scenes instead of responding with 404. Only those that are too new are waited for.
        known = {plain_uuid(entry.scene_uuid) for entry in found}
        missing = [uuid for uuid in uuids if plain_uuid(uuid) not in known]
        return await ask() if await have_appeared(self._backend, missing) else found

    @deprecated("invalidate_inputs is now client.scene.invalidate_scenes, or delete_input")
    @renamed("scene_uuids", "input_uuids")
    async def invalidate_inputs(self, scene_uuids: Sequence[str], invalidated_reason: SceneInvalidatedReason) -> None:
        """Invalidate scenes, and remove their inputs everywhere. This cannot be undone.

        Args:
            scene_uuids: The uuids of the scenes.
            invalidated_reason: Why.

        Raises:
            InvalidError: If the reason is not one that the platform knows.
            ApiError: If the platform refuses.

        Endpoint: `POST v1/inputs/actions/invalidate`
        """
        reason = SceneInvalidatedReason(invalidated_reason)
        uuids = strings("scene_uuids", scene_uuids)
        body = {"inputIds": uuids, "invalidatedReason": reason.value}
        await self._visibility.when_shown(uuids, lambda: self._api.command("v1/inputs/actions/invalidate", json=body))
        self._visibility.end_grace_period(*uuids)

    @deprecated("annotation types need not be added any more: the batch determines them")
    @renamed("scene_uuid", "input_uuid")
    async def add_annotation_type(self, scene_uuid: str, annotation_type: str) -> None:
        """Do nothing: annotation types need not be named any more."""

    @deprecated("annotation types need not be removed any more: the batch determines them")
    @renamed("scene_uuid", "input_uuid")
    async def remove_annotation_types(self, scene_uuid: str, annotation_types: Sequence[str]) -> None:
        """Do nothing: annotation types need not be named any more."""


def _optional(name: str, values: Sequence[str] | None) -> list[str] | None:
    return None if values is None else strings(name, values)


def _target(project: str | None, batch: str | None, request_uuid: str | None) -> dict[str, Any]:
    if (request_uuid is None) == (project is None):
        raise InvalidError("pass either project or request_uuid")
    if request_uuid is not None:
        return {"requestUuid": request_uuid}
    return given(
        projectExtId=argument("project", project, external_id),
        batchExtId=argument("batch", batch, optional_external_id),
    )
