"""Looks up the inputs that projects already have, for many scenes at a time, before they are started."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import anyio
from attrs import field, frozen

from kognic_aio.errors import BadRequestError, KognicError
from kognic_aio.model import Input
from kognic_aio.model.target import InputTarget
from kognic_aio.pipeline.source import Taken
from kognic_aio.pipeline.targets import place_of
from kognic_aio.scenes.backend import Backend
from kognic_aio.scenes.inputs import find_inputs_of

Existing: TypeAlias = Literal["create", "skip", "fail"]
"""What becomes of a scene whose external id has an input already."""

SCENES_PER_QUERY = 100
"""Scenes in one query."""

SCENES_AHEAD = 2 * SCENES_PER_QUERY
"""Scenes that are taken ahead: one hundred can be looked up while those before them are uploaded."""

GATHERING = 0.1
"""Seconds without another scene after which a query covers those that have come."""

MAX_GATHERING = 5.0
"""Seconds after which it does so though more are coming."""

Inputs: TypeAlias = Mapping[InputTarget, Sequence[Input]]


@frozen(eq=False)
class _Asked:
    """A scene that is looked up."""

    taken: Taken
    external_id: str
    targets: Sequence[InputTarget]
    found: "asyncio.Future[Inputs]" = field(factory=lambda: asyncio.get_running_loop().create_future())


class Lookup:
    """Finds the inputs of scenes by their external ids.

    A query covers 100 scenes. It covers fewer only if a scene would wait for it: none that has been looked up is left,
    and no more come soon.

    Args:
        backend: The platform.
        fails: Whether a scene that has an input fails; otherwise it is skipped.
    """

    def __init__(self, backend: Backend, *, fails: bool) -> None:
        self.fails = fails
        self._backend = backend
        self._asked: list[_Asked] = []
        self._ahead: list[Taken] = []  # scenes that were looked up and still wait for a place among the scene jobs
        self._newcomer = anyio.Event()

    async def find(self, taken: Taken, external_id: str, targets: Sequence[InputTarget]) -> Inputs:
        """Find the inputs that exist of a scene, by target. Targets without any are left out.

        Endpoint: `POST v2/inputs/query`
        """
        asked = _Asked(taken, external_id, targets)
        self._asked.append(asked)
        self._newcomer.set()
        return await asked.found

    async def serve(self) -> None:
        """Answer until it is cancelled."""
        while True:
            await self._newcomer.wait()
            await self._gather()
            asked, self._asked = self._asked[:SCENES_PER_QUERY], self._asked[SCENES_PER_QUERY:]
            if not self._asked:
                self._newcomer = anyio.Event()
            await self._answer_all(asked)

    async def _answer_all(self, asked: Sequence[_Asked]) -> None:
        """Answer, each scene by itself if the platform refuses them together: one may have an impossible name."""
        try:
            await self._answer(asked)
        except KognicError as error:
            if isinstance(error, BadRequestError) and len(asked) > 1:
                for each in asked:
                    await self._answer_all([each])
                return
            for each in asked:
                if not each.found.done():
                    each.found.set_exception(error)

    async def _gather(self) -> None:
        """Wait for a hundred scenes, as long as more come or others that have been looked up wait for their turn."""
        began, before = time.monotonic(), 0
        while len(self._asked) < SCENES_PER_QUERY:
            self._ahead = [taken for taken in self._ahead if taken.has_room]
            is_growing = len(self._asked) > before and time.monotonic() < began + MAX_GATHERING
            if not is_growing and not self._ahead:
                return
            before = len(self._asked)
            await anyio.sleep(GATHERING)

    async def _answer(self, asked: Sequence[_Asked]) -> None:
        """Query each project and batch once for all scenes that go there."""
        names = defaultdict[InputTarget, set[str]](set)
        for each in asked:
            for target in each.targets:
                names[target].add(each.external_id)
        found = {
            target: await find_inputs_of(self._backend, *place_of(target), sorted(wanted))
            for target, wanted in names.items()
        }
        for each in asked:
            own = {target: found[target].get(each.external_id, ()) for target in each.targets}
            self._ahead.append(each.taken)
            if not each.found.done():  # its scene may have been cancelled
                each.found.set_result({target: inputs for target, inputs in own.items() if inputs})
