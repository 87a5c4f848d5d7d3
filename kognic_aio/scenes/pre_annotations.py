"""The pre-annotations of a scene."""

from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any

from attrs import frozen

from kognic_aio._http.api import Api, Around, at_once
from kognic_aio._http.once import at_most_once, find_late
from kognic_aio._http.paging import Paged
from kognic_aio._http.protocol import Value, given, whole
from kognic_aio._http.wire import JsonObject, to_json
from kognic_aio.model import CreatedPreAnnotation
from kognic_aio.scenes.backend import Backend
from kognic_aio.scenes.visibility import Visibility, plain_uuid, shown_id

PAGE_SIZE = 1000

PATH = "v2/pre-annotations"


@frozen(kw_only=True)
class PreAnnotationPage:
    """One page of a list of pre-annotations."""

    data: tuple[dict[str, Any], ...] = ()
    has_next: bool = False


async def create_pre_annotation(
    api: Api,
    visibility: Visibility,
    scene_uuid: str,
    content: bytes,
    external_id: str | None = None,
    *,
    dryrun: bool = False,
) -> CreatedPreAnnotation:
    """Create a pre-annotation of a scene.

    Args:
        api: The input API.
        visibility: Knows which scenes the platform may not show yet.
        scene_uuid: The scene's uuid.
        content: OpenLABEL as JSON text.
        external_id: The user's own id of the pre-annotation, unique within the scene.
        dryrun: Whether to validate only.

    Endpoint: `POST v1/pre-annotations`
    """
    names = to_json(given(sceneUuid=scene_uuid, externalId=external_id))
    # The content is spliced in as text: it was checked as JSON before, and parsing it again takes time and memory.
    body = names.removesuffix(b"}") + b', "preAnnotation": ' + content + b"}"
    return await visibility.wait(
        [scene_uuid], lambda: api.post("v1/pre-annotations", CreatedPreAnnotation, json=body, dryrun=dryrun)
    )


async def create_only_pre_annotation(
    backend: Backend, scene_uuid: str, content: bytes, external_id: str | None = None
) -> CreatedPreAnnotation:
    """Create the pre-annotation of a scene with this external id, or the only one. None is created twice.

    Endpoints: `POST v1/pre-annotations`, `GET v2/pre-annotations`
    """
    visibility = backend.visibility
    return await at_most_once(
        backend.api,
        lambda api: create_pre_annotation(api, visibility, scene_uuid, content, external_id),
        lambda api: _find(api, visibility, scene_uuid, external_id),
    )


async def find_only_pre_annotation(backend: Backend, scene_uuid: str) -> CreatedPreAnnotation | None:
    """Find the only pre-annotation of a scene, if it exists or appears soon.

    Endpoint: `GET v2/pre-annotations`
    """
    return await find_late(backend.api, lambda api: _find(api, backend.visibility, scene_uuid, None))


async def _find(
    api: Api, visibility: Visibility, scene_uuid: str, external_id: str | None
) -> CreatedPreAnnotation | None:
    ids = await find_ids(api, visibility, scene_uuid, external_id)
    return CreatedPreAnnotation(id=shown_id(api, "GET", PATH, ids[0])) if ids else None


async def find_ids(api: Api, visibility: Visibility, scene_uuid: str, external_id: str | None) -> Sequence[str]:
    """Find the ids of the pre-annotations of a scene. Other entries in the response are ignored.

    Endpoint: `GET v2/pre-annotations`
    """
    query = given(sceneUuids=scene_uuid, externalIds=external_id)
    found = await query_pre_annotations(api, [*query.items()], around=partial(visibility.wait, [scene_uuid]))
    asked = plain_uuid(scene_uuid)
    # Filtered again here: a pre-annotation of another scene must not count as this one's. Entries that do not say what
    # they are about are kept.
    found = [each for each in found if plain_uuid(str(each.get("sceneUuid", asked))) == asked]
    if external_id is not None:
        found = [each for each in found if each.get("externalId", external_id) == external_id]
    if any(not isinstance(each.get("id"), str) for each in found):
        raise api.malformed("GET", PATH, "a pre-annotation without an id")
    return [each["id"] for each in found]


def query_pre_annotations(
    api: Api, query: Sequence[tuple[str, Value]], *, around: Around = at_once
) -> Paged[JsonObject]:
    """Get the pre-annotations that match a query, as the platform sends them, page by page.

    Endpoint: `GET v2/pre-annotations`
    """

    async def pages() -> AsyncIterator[Sequence[JsonObject]]:
        offset = 0
        while True:
            paging: list[tuple[str, Value]] = [("offset", offset), ("limit", PAGE_SIZE)]
            send = partial(api.get, PATH, PreAnnotationPage, query=[*paging, *query], pick=whole)
            page: PreAnnotationPage = await around(send)
            yield page.data
            if not page.has_next:
                return
            if not page.data:  # a server that says so for ever would keep the caller for ever
                raise api.malformed("GET", PATH, f"an empty page at {offset}, and another one")
            offset += PAGE_SIZE

    return Paged(pages)
