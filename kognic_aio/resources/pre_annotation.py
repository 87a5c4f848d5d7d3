"""Pre-annotations."""

from kognic_aio._http.api import Api
from kognic_aio._http.wire import JsonObject, encode_pre_annotation
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
        body: JsonObject = {"sceneUuid": scene_uuid, "preAnnotation": encode_pre_annotation(pre_annotation)}
        if external_id is not None:
            body["externalId"] = external_id
        return await self._api.post("v1/pre-annotations", CreatedPreAnnotation, json=body, dryrun=dryrun)
