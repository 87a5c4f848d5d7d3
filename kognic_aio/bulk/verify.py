"""Compares a source with what the platform has of it."""

from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from enum import StrEnum
from functools import partial

from attrs import frozen

from kognic_aio._tasks import map_in_order
from kognic_aio.bulk.description import is_unicode, read_scene
from kognic_aio.bulk.source import Source, from_thread, located
from kognic_aio.client import KognicIOClient, backend_of
from kognic_aio.model import Input, Scene
from kognic_aio.scenes.lookup import find_named

AT_ONCE = 100
"""Scenes that a request asks for."""


class Presence(StrEnum):
    """What the platform has of a scene.

    FAILED: scenes that were not created. INCOMPLETE: a scene, but no input in the project. TWICE: several inputs for
    one request.
    """

    THERE = "there"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    MISSING = "missing"
    TWICE = "twice"


@frozen(kw_only=True)
class Verified:
    """What the platform has of a scene of the source.

    Args:
        external_id: Its external id, or its place if it has none.
        presence: What there is, in a word.
        scenes: The scenes with its external id, apart from those that were invalidated.
        inputs: Their inputs in the project.
    """

    external_id: str
    presence: Presence
    scenes: tuple[Scene, ...] = ()
    inputs: tuple[Input, ...] = ()


async def verify(
    client: KognicIOClient, source: Source, project: str, *, batch: str | None = None
) -> AsyncGenerator[Verified, None]:
    """Compare each scene of a source with what the platform has of it, and yield what that is.

    Args:
        client: An open client.
        source: Paths of manifests and folders, as for `read`.
        project: External id of the project that should have an input of each scene.
        batch: External id of its batch. By default the whole project.

    Raises:
        InvalidError: If the source is missing, empty, or neither a manifest nor a folder of scenes.
        NotFoundError: If there is no such project or batch.
        ApiError: If the platform refuses.

    Endpoints: `POST v2/inputs/query`, `POST v2/scenes/query`
    """
    scenes = (read_scene(place.describe(), client.workspace_id) for place in located(source))
    some: list[str] = []
    async with aclosing(from_thread(scenes)) as described:
        async for scene in described:
            some.append(scene.name)
            if len(some) == AT_ONCE:
                for verified in await _verified(client, some, project, batch):
                    yield verified
                some.clear()
    for verified in await _verified(client, some, project, batch):
        yield verified


async def _verified(client: KognicIOClient, names: Sequence[str], project: str, batch: str | None) -> list[Verified]:
    """What the platform has of some scenes."""
    inputs: dict[str, list[Input]] = defaultdict(list)
    unique = [name for name in dict.fromkeys(names) if is_unicode(name)]
    if unique:
        async for each in client.input.query_inputs(project=project, batch=batch, external_ids=unique):
            inputs[each.scene_external_id].append(each)
    api = backend_of(client).api
    found = await map_in_order(unique, partial(find_named, api), workers=client.limits.inputs)
    scenes = {
        name: [each for each in named if not each.status.is_invalidated]
        for name, named in zip(unique, found, strict=True)
    }
    return [_compared(name, scenes.get(name, ()), inputs[name]) for name in names]


def _compared(name: str, scenes: Sequence[Scene], inputs: Sequence[Input]) -> Verified:
    per_request = Counter(each.request_uid for each in inputs)
    if max(per_request.values(), default=0) > 1:
        presence = Presence.TWICE
    elif inputs:
        presence = Presence.THERE
    elif any(not scene.status.is_lost for scene in scenes):
        presence = Presence.INCOMPLETE
    else:
        presence = Presence.FAILED if scenes else Presence.MISSING
    return Verified(external_id=name, presence=presence, scenes=(*scenes,), inputs=(*inputs,))
