"""Pre-annotations."""

from typing import Any

from kognic_aio.emulator.routing import Bare, Call, Routes
from kognic_aio.emulator.state.pre_annotations import FILTERS

routes = Routes()


@routes.post("v1/pre-annotations", keeps=True)
def create_pre_annotation(call: Call) -> dict[str, str]:
    """Create a pre-annotation of a scene."""
    return {"id": call.platform.pre_annotations.create(call.body, dry_run=call.dry_run).id}


@routes.post("v2/pre-annotations", keeps=True)
def create_pre_annotation_from_resource(call: Call) -> dict[str, str]:
    """Create a pre-annotation from a customer's bucket."""
    return {"id": call.platform.pre_annotations.create_from_resource(call.body).id}


@routes.get("v2/pre-annotations")
def list_pre_annotations(call: Call) -> Bare:
    """List some of the pre-annotations that match all filters."""
    query = call.request.query
    filters = {name: query.getall(name, []) for name in FILTERS}
    offset = call.query_number("offset", 0)
    # A client adds its limit to the offset, so it would miss some if it got fewer than it asked for.
    limit = call.query_number("limit", call.platform.page_size, 1)
    found, has_next = call.platform.pre_annotations.page(filters, offset, limit)
    return Bare({"data": [each.to_json() for each in found], "hasNext": has_next})


@routes.patch("v2/pre-annotations/{pre_annotation}")
def import_pre_annotation(call: Call) -> None:
    """Begin to import an indexed pre-annotation."""
    call.platform.pre_annotations.import_indexed(call.params["pre_annotation"], call.body)


@routes.delete("v2/pre-annotations/{pre_annotation}")
def delete_pre_annotation(call: Call) -> None:
    """Delete a pre-annotation."""
    call.platform.pre_annotations.delete(call.params["pre_annotation"])


@routes.get("v2/pre-annotations/{pre_annotation}/resolved")
def get_pre_annotation(call: Call) -> dict[str, Any]:
    """Get a pre-annotation with its content."""
    return call.platform.pre_annotations.available(call.params["pre_annotation"]).to_resolved()
