"""Tasks of annotators."""

from kognic_aio._http.protocol import segment
from kognic_aio.resources import ApiResource


class TaskResource(ApiResource):
    """Tasks. `RequestInput.progress_details.current_task` has their ids."""

    async def assign_task(self, task_id: str, user_id: int) -> None:
        """Assign a task to a user, even if it is assigned already. It must be neither started nor completed.

        Args:
            task_id: The task's uuid.
            user_id: A member of the request's workforce.

        Raises:
            NotFoundError: If there is no such task.
            ApiError: If the platform refuses.

        Endpoint: `PATCH v1/tasks/{task}` of the order execution API
        """
        await self._set_assignee(task_id, user_id)

    async def unassign_task(self, task_id: str) -> None:
        """Unassign a task, so that another user can pick it up. It must be neither ongoing nor completed.

        Args:
            task_id: The task's uuid.

        Raises:
            NotFoundError: If there is no such task.
            ApiError: If the platform refuses.

        Endpoint: `PATCH v1/tasks/{task}` of the order execution API
        """
        await self._set_assignee(task_id, None)

    async def _set_assignee(self, task_id: str, user_id: int | None) -> None:
        # The only body in which null is sent: here it means that the task is unassigned.
        await self._backend.order_execution_api.patch(f"v1/tasks/{segment(task_id)}", json={"assignedUserId": user_id})
