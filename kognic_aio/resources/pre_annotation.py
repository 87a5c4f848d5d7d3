"""Pre-annotations."""

from collections.abc import Sequence
from functools import partial

from kognic_aio._http.paging import Paged
from kognic_aio._http.protocol import given, identifier, one_or_several, segment
from kognic_aio._http.wire import JsonObject, encode_pre_annotation
from kognic_aio.errors import InvalidError
from kognic_aio.model import CreatedPreAnnotation, PreAnnotation, ResolvedPreAnnotation
from kognic_aio.resources import ApiResource
from kognic_aio.scenes.inputs import create_pre_annotation_once, find_ids, post_pre_annotation, query_pre_annotations
from kognic_aio.scenes.visibility import check_is_about


class PreAnnotationResource(ApiResource):
    """Pre-annotations of scenes."""

    async def create(
        self, scene_uuid: str, pre_annotation: PreAnnotation, dryrun: bool = False, external_id: str | None = None
    ) -> CreatedPreAnnotation:
        """Create a pre-annotation for an existing scene.

        Args:
            scene_uuid: The scene's uuid.
            pre_annotation: OpenLABEL 1.0.0, as a `kognic.openlabel` model, a dict or JSON.
            dryrun: Whether to validate only, and create nothing.
            external_id: Your own id for the pre-annotation, unique within the scene.

        Raises:
            InvalidError: If it is not a JSON object.
            ApiError: If the platform refuses it.

        Endpoint: `POST v1/pre-annotations`
        """
        content = encode_pre_annotation(pre_annotation)
        uuid = identifier(scene_uuid)
        # Without an external id, it cannot be distinguished from other pre-annotations of the scene. So it is not
        # created again after a lost response.
        if dryrun or external_id is None:
            return await post_pre_annotation(self._backend, uuid, content, external_id, dryrun=dryrun)
        return await create_pre_annotation_once(self._backend, uuid, content, external_id)

    async def create_from_cloud_resource(
        self, scene_uuid: str, external_id: str, cloud_resource_uri: str, postpone_import: bool | None = True
    ) -> str:
        """Create a pre-annotation from a file in your cloud, and return its uuid.

        Args:
            scene_uuid: The scene's uuid.
            external_id: Your own id for the pre-annotation, unique within the scene.
            cloud_resource_uri: The file's URI.
            postpone_import: Whether to leave the file in your cloud until `make_indexed_pre_annotation_available`.

        Raises:
            NotFoundError: If there is no such scene.
            ApiError: If the platform refuses it.

        Endpoint: `POST v2/pre-annotations`
        """
        uuid = identifier(scene_uuid)
        body = given(
            sceneUuid=uuid,
            externalId=external_id,
            externalResourceId=cloud_resource_uri,
            postponeExternalResourceImport=postpone_import,
        )
        created = await self._visibility.when_shown(
            [uuid], lambda: self._api.post("v2/pre-annotations", CreatedPreAnnotation, json=body)
        )
        return created.id

    async def make_indexed_pre_annotation_available(self, id: str) -> None:  # noqa: A002  # the official client's name
        """Import a pre-annotation that is only indexed.

        Args:
            id: Its uuid.

        Raises:
            NotFoundError: If there is no such pre-annotation.
            ApiError: If the platform refuses.

        Endpoint: `PATCH v2/pre-annotations/{pre-annotation}`
        """
        await self._api.patch(f"v2/pre-annotations/{segment(id)}", json={"status": "processing"})

    async def delete(self, id: str) -> None:  # noqa: A002  # the official client's name
        """Delete a pre-annotation.

        Args:
            id: Its uuid.

        Raises:
            NotFoundError: If there is no such pre-annotation.
            ApiError: If the platform refuses.

        Endpoint: `DELETE v2/pre-annotations/{pre-annotation}`
        """
        await self._api.delete(f"v2/pre-annotations/{segment(id)}")

    async def get_with_content(
        self, uuid: str | None = None, scene_uuid: str | None = None, external_id: str | None = None
    ) -> ResolvedPreAnnotation:
        """Get a pre-annotation with its content, by its uuid or by its external id and scene.

        Args:
            uuid: Its uuid.
            scene_uuid: The scene's uuid, with `external_id`.
            external_id: Its external id, with `scene_uuid`.

        Raises:
            InvalidError: If both or neither are passed, or the external id does not match exactly one pre-annotation.
            NotFoundError: If there is no such pre-annotation.
            ApiError: If the platform refuses.

        Endpoint: `GET v2/pre-annotations/{pre-annotation}/resolved`, `GET v2/pre-annotations`
        """
        if uuid is None:
            uuid = await self._look_up(scene_uuid, external_id)
        elif scene_uuid is not None or external_id is not None:
            raise InvalidError("pass either uuid, or scene_uuid and external_id, not both")
        path = f"v2/pre-annotations/{segment(uuid)}/resolved"
        resolved = await self._api.get(path, ResolvedPreAnnotation)
        check_is_about(self._api, "GET", path, answered=resolved.uuid, asked=identifier(uuid))
        return resolved

    async def _look_up(self, scene_uuid: str | None, external_id: str | None) -> str:
        """Find the uuid of a pre-annotation by its scene and external id."""
        if scene_uuid is None or external_id is None:
            raise InvalidError("pass either uuid, or both scene_uuid and external_id")
        ids = await find_ids(self._backend, identifier(scene_uuid), external_id)
        if len(ids) != 1:
            raise InvalidError(f"scene {scene_uuid} has {len(ids)} pre-annotations {external_id!r}, expected one")
        return ids[0]

    def list(
        self,
        ids: Sequence[str] | str | None = None,
        external_ids: Sequence[str] | str | None = None,
        scene_uuids: Sequence[str] | str | None = None,
        scene_external_ids: Sequence[str] | str | None = None,
        statuses: Sequence[str] | str | None = None,
    ) -> Paged[JsonObject]:
        """Get the pre-annotations that match all given filters, as the platform sends them.

        A filter is a list, or a single id or name.

        Args:
            ids: Their uuids.
            external_ids: Their external ids.
            scene_uuids: The uuids of their scenes.
            scene_external_ids: The external ids of their scenes.
            statuses: Their statuses, such as `processing` or `available`.

        Raises:
            ApiError: If the platform refuses.

        Endpoint: `GET v2/pre-annotations`
        """
        filters = {
            "uuids": ids,
            "externalIds": external_ids,
            "sceneUuids": scene_uuids,
            "sceneExternalIds": scene_external_ids,
            "statuses": statuses,
        }
        query = [(name, value) for name, values in filters.items() for value in one_or_several(name, values)]
        around = partial(self._visibility.when_shown, one_or_several("scene_uuids", scene_uuids))
        return query_pre_annotations(self._api, query, around=around)
