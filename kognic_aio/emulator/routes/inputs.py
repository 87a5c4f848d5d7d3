"""Inputs."""

from typing import Any

from kognic_aio.emulator.routing import Call, Routes
from kognic_aio.emulator.state.paging import Page

routes = Routes()


@routes.post("v1/inputs")
def create_inputs(call: Call) -> list[dict[str, Any]]:
    """Create the inputs of a scene, one per request of the batch."""
    return [created.to_json() for created in call.platform.inputs.create(call.body, dry_run=call.dry_run)]


@routes.post("v2/inputs/query")
def query_inputs(call: Call) -> Page:
    """Get a page of the inputs that match all filters."""
    cursor = call.request.query.get("cursorId")
    return call.platform.inputs.query(call.body, cursor, call.platform.page_size)
