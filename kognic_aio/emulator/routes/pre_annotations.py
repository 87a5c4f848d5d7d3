"""Pre-annotations."""

from kognic_aio.emulator.routing import Call, Routes

routes = Routes()


@routes.post("v1/pre-annotations")
def create_pre_annotation(call: Call) -> dict[str, str]:
    """Create a pre-annotation of a scene."""
    return {"id": call.platform.pre_annotations.create(call.body, dry_run=call.dry_run).id}
