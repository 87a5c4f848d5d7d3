"""The objects that everything on one client shares."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from anyio import CapacityLimiter, Semaphore
from attrs import evolve, field, frozen

from kognic_aio._event_log import Tell, TellRetried
from kognic_aio._http.api import Api
from kognic_aio._http.storage import Storage
from kognic_aio.config import Limits
from kognic_aio.files import ReadPool
from kognic_aio.scenes.visibility import Visibility


def places(number: int) -> Semaphore:
    """A semaphore with this many places."""
    # A free place is taken without a checkpoint: a turn of a busy event loop costs as much as a request.
    return Semaphore(number, max_value=number, fast_acquire=True)


class Limiters:
    """The semaphores behind `Limits`. A task acquires them in this order, so that no deadlock is possible.

    Args:
        limits: The limits.
        read_pool: The client's pool. It is shared if the number of callbacks is the same.
    """

    def __init__(self, limits: Limits, read_pool: ReadPool | None = None) -> None:
        self.in_flight = places(limits.in_flight)
        self.scene_jobs = places(limits.scene_jobs)
        self.uploads = places(limits.uploads)
        self.inputs = places(limits.inputs)
        self.downloads = places(limits.downloads)
        # Callbacks take turns because they may share an object, such as an archive. Runs on one client may share it
        # too, so a run has turns of its own only if it asks for another number.
        if read_pool is None or read_pool.callbacks.total_tokens != limits.callbacks:
            read_pool = ReadPool(CapacityLimiter(limits.callbacks))
        self.read_pool = read_pool


@frozen(eq=False, kw_only=True)
class Backend:
    """The platform as one client reaches it: its APIs, its storage, and what its tasks share."""

    api: Api  # the input API
    order_execution_api: Api
    annotation_integration_api: Api
    project_management_api: Api
    workspace_api: Api
    storage: Storage
    visibility: Visibility
    limiters: Limiters
    workspace_id: Callable[[], str]  # the workspace to write to, known once the client is open
    listeners: set[Tell]  # are told of what happens to hosts
    concurrency: Callable[[], Mapping[str, int]]  # the most requests in flight to each host that has a bound
    tasks: "set[asyncio.Task[Any]]" = field(factory=set["asyncio.Task[Any]"])  # to cancel when the client closes

    def using(self, api: Api) -> "Backend":
        """The same platform, with other retries of the requests to its input API."""
        return evolve(self, api=api)

    def telling(self, tell: TellRetried) -> "Backend":
        """The same platform, whose requests tell somebody of their retries."""
        return evolve(self, api=self.api.telling(tell), storage=self.storage.telling(tell))

    def cancel_on_close(self, task: "asyncio.Task[Any]") -> None:
        """Cancel a task when the client closes, unless it has ended by then."""
        self.tasks.add(task)  # also keeps a strong reference: the event loop has only weak ones
        task.add_done_callback(self.tasks.discard)

    @property
    def workspace(self) -> dict[str, str]:
        """The query parameter for the workspace to write to."""
        return {"workspaceId": self.workspace_id()}
