"""The objects that everything on one client shares."""

import asyncio
from collections.abc import Callable
from typing import Any

from attrs import field, frozen

from kognic_aio._http.api import Api
from kognic_aio._http.storage import Storage
from kognic_aio.scenes.limiters import Limiters
from kognic_aio.scenes.visibility import Visibility


@frozen(eq=False, kw_only=True)
class Backend:
    """The platform as one client reaches it.

    Args:
        api: The input API.
        order_execution_api: The order execution API.
        annotation_integration_api: The annotation integration API.
        project_management_api: The project management API.
        workspace_api: The workspace API.
        storage: The storage: files are uploaded to it, and contents of annotations downloaded from it.
        visibility: Knows which scenes the platform may not show yet.
        limiters: Bound concurrency.
        workspace_id: Returns the workspace to write to, once the client is open.
        tasks: Tasks to cancel when the client closes.
    """

    api: Api
    order_execution_api: Api
    annotation_integration_api: Api
    project_management_api: Api
    workspace_api: Api
    storage: Storage
    visibility: Visibility
    limiters: Limiters
    workspace_id: Callable[[], str]
    tasks: "set[asyncio.Task[Any]]" = field(factory=set["asyncio.Task[Any]"])

    def cancel_on_close(self, task: "asyncio.Task[Any]") -> None:
        """Cancel a task when the client closes, unless it has ended by then."""
        self.tasks.add(task)  # also a strong reference, of which the event loop has none
        task.add_done_callback(self.tasks.discard)

    @property
    def workspace(self) -> dict[str, str]:
        """The query parameter for the workspace to write to."""
        return {"workspaceId": self.workspace_id()}
