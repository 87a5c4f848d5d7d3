"""Annotations. Requests may ask for a convention of cuboids, which changes nothing here."""

from typing import Any

from kognic_aio.emulator.routing import Call, Routes
from kognic_aio.emulator.state.paging import Page

routes = Routes()


@routes.get("v1/annotations/{annotation}")
def get_annotation(call: Call) -> dict[str, Any]:
    """Get an annotation by its id, with a signed link to its content."""
    call.query_flag("isoBoxes")
    return call.platform.annotations.signed(call.params["annotation"])


@routes.get("v2/inputs/{input}/annotation")
def get_annotation_of_input(call: Call) -> dict[str, Any]:
    """Get the latest annotation of an input, with a signed link to its content."""
    call.query_flag("useDefaultCartesian")
    return call.platform.annotations.of_input(call.params["input"])


@routes.get("v2/scenes/{scene}/annotations")
def list_annotations_of_scene(call: Call) -> list[dict[str, Any]]:
    """List the annotations of all inputs of a scene, with signed links to their contents."""
    call.query_flag("useDefaultCartesian")
    return call.platform.annotations.of_scene(call.params["scene"])


@routes.get("v1/annotations/projects/{project}/annotation-type/{type}/search")
@routes.get("v1/annotations/projects/{project}/batch/{batch}/annotation-type/{type}/search")
def search_annotations(call: Call) -> Page:
    """Get a page of the annotations of a project or a batch, with signed links to their contents."""
    call.query_flag("useDefaultCartesian")
    params, platform = call.params, call.platform
    return platform.annotations.search(
        params["project"], params.get("batch"), params["type"], call.cursor, platform.page_size
    )


@routes.get("v1/annotations/inputs/{scene}/annotation-type/{type}")
def get_annotation_of_scene(call: Call) -> dict[str, Any]:
    """Get the latest annotation of one type of a scene, with its content."""
    call.query_flag("useDefaultCartesian")
    return call.platform.annotations.of_scene_with_content(call.params["scene"], call.params["type"])
