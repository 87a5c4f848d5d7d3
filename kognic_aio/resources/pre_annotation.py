"""Pre-annotations."""

from kognic_aio._http.api import Api
from kognic_aio._http.wire import encode_pre_annotation, to_json
from kognic_aio.model import CreatedPreAnnotation, PreAnnotation


class PreAnnotationResource:
    """Pre-annotations of scenes."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def create(
        self, scene_uuid: str, pre_annotation: PreAnnotation, dryrun: bool = False, external_id: str | None = None
    ) -> CreatedPreAnnotation:
        """Create a pre-annotation for a scene that exists.

        Args:
            scene_uuid: The scene's uuid.
            pre_annotation: OpenLABEL 1.0.0, as a `kognic.openlabel` model, a dict or JSON.
            dryrun: Whether to validate only, and create nothing.
            external_id: Your own id of the pre-annotation, unique within the scene.

        Raises:
            InvalidError: If it is not a JSON object.
            ApiError: If the platform refuses it.

        Endpoint: `POST v1/pre-annotations`
        """
        return await self.create_encoded(scene_uuid, encode_pre_annotation(pre_annotation), dryrun, external_id)

    async def create_encoded(
        self, scene_uuid: str, pre_annotation: bytes, dryrun: bool = False, external_id: str | None = None
    ) -> CreatedPreAnnotation:
        """Create a pre-annotation from OpenLABEL that is JSON text already; otherwise as `create`."""
        names = {"sceneUuid": scene_uuid} | ({} if external_id is None else {"externalId": external_id})
        body = to_json(names).removesuffix(b"}") + b', "preAnnotation": ' + pre_annotation + b"}"
        return await self._api.post("v1/pre-annotations", CreatedPreAnnotation, json=body, dryrun=dryrun)
