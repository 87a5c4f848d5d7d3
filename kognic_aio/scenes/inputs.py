"""The inputs and pre-annotations of a scene."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from attrs import frozen

from kognic_aio._http.api import Api, Around, at_once
from kognic_aio._http.once import at_most_once, find_late
from kognic_aio._http.paging import Paged
from kognic_aio._http.protocol import Value, given, whole
from kognic_aio._http.wire import JsonObject, to_json
from kognic_aio.model import CreatedPreAnnotation, Input
from kognic_aio.scenes.backend import Backend
from kognic_aio.scenes.target import explaining_target
from kognic_aio.scenes.visibility import check_is_about, plain_uuid, shown_id

INPUTS = "v1/inputs"

PRE_ANNOTATIONS = "v2/pre-annotations"

PAGE_SIZE = 1000
"""Pre-annotations per page."""


@frozen(kw_only=True)
class PreAnnotationPage:
    """One page of a list of pre-annotations."""

    data: tuple[dict[str, Any], ...] = ()
    has_next: bool = False


async def post_inputs(
    backend: Backend, scene_uuid: str, project: str, batch: str | None, *, dryrun: bool = False
) -> list[Input] | None:
    """Create the inputs of a scene with its latest pre-annotation. A dry run only validates, and returns None.

    Endpoint: `POST v1/inputs`
    """
    api, body = backend.api, given(sceneUuid=scene_uuid, project=project, batch=batch)

    async def create() -> list[Input] | None:
        async with explaining_target(api, project, batch, creates_inputs=True):
            if dryrun:
                await api.command(INPUTS, json=body, dryrun=True)
                return None
            return await api.post(INPUTS, list[Input], json=body)

    inputs = await backend.visibility.when_shown([scene_uuid], create)
    for made in inputs or ():
        check_is_about(api, "POST", INPUTS, answered=made.scene_uuid, asked=scene_uuid)
    return inputs


async def post_input(
    backend: Backend, scene_uuid: str, project: str, batch: str | None, *, pre_annotation: str | None = None
) -> list[Input]:
    """Create one input of a scene, with the pre-annotation of this uuid or without one.

    Endpoint: `POST v2/inputs`
    """
    api, path = backend.api, "v2/inputs"
    subject = {"sceneUuid": scene_uuid} if pre_annotation is None else {"preAnnotationUuid": pre_annotation}
    body = given(**subject, projectExtId=project, batchExtId=batch)

    async def create() -> Input:
        async with explaining_target(api, project, batch, creates_inputs=True):
            return await api.post(path, Input, json=body)

    made = await backend.visibility.when_shown([scene_uuid], create)
    check_is_about(api, "POST", path, answered=made.scene_uuid, asked=scene_uuid)
    return [made]


CreateInputs: TypeAlias = Callable[[Backend, str, str, str | None], Awaitable[list[Input] | None]]
"""Creates the inputs of a scene in a project and batch, by one request."""


async def create_inputs_once(
    backend: Backend,
    scene_uuid: str,
    project: str,
    batch: str | None,
    create: CreateInputs = post_inputs,
    *,
    may_exist: bool = False,
) -> list[Input]:
    """Create the inputs of a scene in a batch at most once. No other client may create inputs of it meanwhile.

    With `may_exist`, they are looked for first: an earlier run may have created them.

    Raises:
        MalformedAnswerError: If the platform reports success, but has created no input.

    Endpoints: that of `create`, `POST v2/inputs/query`
    """
    if may_exist and (found := await find_late_inputs(backend, scene_uuid, project, batch)):
        return found
    inputs = await at_most_once(
        backend.api,
        lambda api: create(backend.using(api), scene_uuid, project, batch),
        lambda api: _find_inputs(backend.using(api), scene_uuid, project, batch),
    )
    # A response of success may list no inputs although they were created.
    found = inputs or await find_late_inputs(backend, scene_uuid, project, batch)
    if not found:
        raise backend.api.malformed("POST", INPUTS, f"no input of scene {scene_uuid}")
    return found


async def find_late_inputs(backend: Backend, scene_uuid: str, project: str, batch: str | None) -> list[Input] | None:
    """Find the inputs of a scene in a batch, if they exist or appear soon.

    Endpoint: `POST v2/inputs/query`
    """
    return await find_late(backend.api, lambda api: _find_inputs(backend.using(api), scene_uuid, project, batch))


async def find_inputs_anywhere(backend: Backend, scene_uuid: str, *, wait: bool = True) -> list[Input]:
    """Find the inputs of a scene in all projects, by default also those that appear soon.

    Endpoint: `POST v2/inputs/query`
    """
    if not wait:
        return await _find_inputs(backend, scene_uuid, None, None) or []
    return await find_late(backend.api, lambda api: _find_inputs(backend.using(api), scene_uuid, None, None)) or []


async def _find_inputs(backend: Backend, scene_uuid: str, project: str | None, batch: str | None) -> list[Input] | None:
    body = given(project=project, batch=batch, sceneUuids=[scene_uuid])
    around = partial(backend.visibility.when_shown, [scene_uuid])
    inputs = await backend.api.ask_paged("v2/inputs/query", Input, json=body, around=around)
    # Filtered again here: an input of another scene, taken for this one's, would mean that this one gets none.
    return [each for each in inputs if plain_uuid(each.scene_uuid) == plain_uuid(scene_uuid)] or None


async def find_inputs_of(
    backend: Backend, project: str, batch: str | None, external_ids: Sequence[str]
) -> Mapping[str, Sequence[Input]]:
    """Find the inputs that a project or batch has of scenes with some external ids, by those.

    Endpoint: `POST v2/inputs/query`
    """
    body = given(project=project, batch=batch, externalIds=list(external_ids))
    inputs = await backend.api.ask_paged("v2/inputs/query", Input, json=body)
    return {name: [each for each in inputs if each.scene_external_id == name] for name in external_ids}


async def post_pre_annotation(
    backend: Backend, scene_uuid: str, content: bytes, external_id: str | None = None, *, dryrun: bool = False
) -> CreatedPreAnnotation:
    """Create a pre-annotation of a scene from OpenLABEL as JSON text. A dry run only validates it.

    Endpoint: `POST v1/pre-annotations`
    """
    names = to_json(given(sceneUuid=scene_uuid, externalId=external_id))
    # The content is spliced in as text: it was checked as JSON before, and parsing it again takes time and memory.
    body = names.removesuffix(b"}") + b', "preAnnotation": ' + content + b"}"
    return await backend.visibility.when_shown(
        [scene_uuid], lambda: backend.api.post("v1/pre-annotations", CreatedPreAnnotation, json=body, dryrun=dryrun)
    )


async def create_pre_annotation_once(
    backend: Backend, scene_uuid: str, content: bytes, external_id: str | None = None, *, may_exist: bool = False
) -> CreatedPreAnnotation:
    """Create the pre-annotation of a scene with this external id, or the only one. None is created twice.

    With `may_exist`, it is looked for first: an earlier run may have created it.

    Endpoints: `POST v1/pre-annotations`, `GET v2/pre-annotations`
    """

    async def find(api: Api) -> CreatedPreAnnotation | None:
        ids = await find_ids(backend.using(api), scene_uuid, external_id)
        return CreatedPreAnnotation(id=shown_id(api, "GET", PRE_ANNOTATIONS, ids[0])) if ids else None

    if may_exist and (found := await find_late(backend.api, find)):
        return found
    return await at_most_once(
        backend.api, lambda api: post_pre_annotation(backend.using(api), scene_uuid, content, external_id), find
    )


async def find_ids(backend: Backend, scene_uuid: str, external_id: str | None) -> Sequence[str]:
    """Find the ids of the pre-annotations of a scene. Other entries in the response are ignored.

    Endpoint: `GET v2/pre-annotations`
    """
    query = given(sceneUuids=scene_uuid, externalIds=external_id)
    around = partial(backend.visibility.when_shown, [scene_uuid])
    found = await query_pre_annotations(backend.api, [*query.items()], around=around)
    asked = plain_uuid(scene_uuid)
    # Filtered again here: a pre-annotation of another scene must not count as this one's. Entries that do not say what
    # they are about are kept.
    found = [each for each in found if plain_uuid(str(each.get("sceneUuid", asked))) == asked]
    if external_id is not None:
        found = [each for each in found if each.get("externalId", external_id) == external_id]
    if any(not isinstance(each.get("id"), str) for each in found):
        raise backend.api.malformed("GET", PRE_ANNOTATIONS, "a pre-annotation without an id")
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
            send = partial(api.get, PRE_ANNOTATIONS, PreAnnotationPage, query=[*paging, *query], pick=whole)
            page: PreAnnotationPage = await around(send)
            yield page.data
            if not page.has_next:
                return
            if not page.data:  # a server that says so for ever would keep the caller for ever
                raise api.malformed("GET", PRE_ANNOTATIONS, f"an empty page at offset {offset}, and no end")
            offset += PAGE_SIZE

    return Paged(pages)
