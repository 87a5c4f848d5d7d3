"""Requests, the progress of their inputs, and tasks."""

from typing import Any

from kognic_aio.emulator.routing import Call, Routes
from kognic_aio.emulator.state.paging import Page

routes = Routes()

MAX_REQUEST_INPUTS = 5000


@routes.get("v2/requests")
def list_requests(call: Call) -> list[dict[str, Any]]:
    """List the requests of a project, named by its uuid."""
    with_counts = call.query_flag("includeInputProgressCounts")
    return call.platform.workflow.requests(call.query("projectId"), with_counts=with_counts)


@routes.get("v2/request-inputs")
def list_request_inputs(call: Call) -> Page:
    """Get a page of the inputs of a request with their progress."""
    page_size = call.query_number("limit", call.platform.page_size, 1, MAX_REQUEST_INPUTS)
    scene_uuid = call.request.query.get("sceneId")
    return call.platform.workflow.request_inputs(call.query("requestId"), scene_uuid, call.cursor, page_size)


@routes.get("v2/request-inputs/{input}")
def get_request_input(call: Call) -> dict[str, Any]:
    """Get an input with its progress."""
    return call.platform.workflow.request_input(call.params["input"]).to_request_input()


@routes.patch("v1/tasks/{task}")
def assign_task(call: Call) -> None:
    """Assign a task to a user or to nobody."""
    call.platform.workflow.assign(call.params["task"], call.body)
