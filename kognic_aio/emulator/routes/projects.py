"""Projects and batches."""

from typing import Any

from kognic_aio.emulator.routing import Call, Routes

routes = Routes()


@routes.get("v1/projects")
def list_projects(call: Call) -> list[dict[str, Any]]:
    """List all projects."""
    return [project.to_json() for project in call.platform.projects.by_external_id.values()]


@routes.get("v1/projects/{project}/batches")
def list_batches(call: Call) -> list[dict[str, Any]]:
    """List the batches of a project."""
    project = call.platform.projects.project(call.params["project"])
    return [batch.to_json() for batch in project.batches.values()]
