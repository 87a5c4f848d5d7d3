"""Inputs."""

from typing import Any

from kognic_aio.emulator.routing import Call, Routes
from kognic_aio.emulator.state.paging import Page

routes = Routes()


@routes.post("v1/inputs")
def create_inputs(call: Call) -> list[dict[str, Any]]:
    """Create the inputs of a scene, one per request of the batch."""
    return [created.to_json() for created in call.platform.inputs.create(call.body, dry_run=call.dry_run)]


@routes.post("v2/inputs")
def create_input(call: Call) -> dict[str, Any] | None:
    """Create the input of a scene or of a pre-annotation in one request."""
    created = call.platform.inputs.create_one(call.body, dry_run=call.dry_run)
    return None if created is None else created.to_json()


@routes.post("v2/inputs/query")
def query_inputs(call: Call) -> Page:
    """Get a page of the inputs that match all filters."""
    return call.platform.inputs.query(call.body, call.cursor, call.platform.page_size)


@routes.delete("v2/inputs/{input}")
def delete_input(call: Call) -> None:
    """Remove a scene from a request."""
    call.platform.inputs.delete(call.params["input"])


@routes.patch("v2/inputs/{input}/pre-annotation")
def replace_pre_annotation(call: Call) -> None:
    """Make an input start from another pre-annotation."""
    call.platform.inputs.replace_pre_annotation(call.params["input"], call.body)


@routes.post("v1/inputs/fetch")
def fetch_inputs(call: Call) -> Page:
    """Get a page of the scenes that were added to a project, in any status."""
    return call.platform.inputs.fetch(call.body, call.cursor, call.platform.page_size)


@routes.post("v1/inputs/query")
def query_inputs_by_scene(call: Call) -> list[dict[str, Any]]:
    """Get the entries of some scenes in projects."""
    return [found.to_entry() for found in call.platform.inputs.with_scenes(call.body)]


@routes.post("v1/inputs/actions/invalidate")
def invalidate_inputs(call: Call) -> None:
    """Invalidate scenes, under the names of the older call."""
    fields = call.body.fields(("inputIds", "invalidatedReason"))
    call.platform.scenes.invalidate(fields["inputIds"].texts(), fields["invalidatedReason"].text())
