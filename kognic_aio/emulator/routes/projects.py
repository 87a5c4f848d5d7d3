"""Projects and batches."""

from typing import Any

from kognic_aio.emulator.routing import Call, Routes

routes = Routes()


@routes.get("v1/projects")
def list_projects(call: Call) -> list[dict[str, Any]]:
    """List all projects."""
    return [project.to_json() for project in call.platform.projects.by_external_id.values()]


@routes.get("v1/projects/{project}/annotation-types")
def list_annotation_types(call: Call) -> list[str]:
    """List the annotation types of a project."""
    return call.platform.projects.project(call.params["project"]).annotation_types


@routes.get("v1/projects/{project}/batches")
def list_batches(call: Call) -> list[dict[str, Any]]:
    """List the batches of a project."""
    project = call.platform.projects.project(call.params["project"])
    return [batch.to_json() for batch in project.batches.values()]


@routes.post("v1/projects/{project}/batches/{batch}", keeps=True)
def create_batch(call: Call) -> dict[str, Any]:
    """Create an open batch, and publish the previous ones on request."""
    return call.platform.projects.create_batch(call.params["project"], call.params["batch"], call.body).to_json()


@routes.post("v1/projects/{project}/batches/{batch}/publish")
def publish_batch(call: Call) -> dict[str, Any]:
    """Close a batch for new inputs."""
    batch = call.platform.projects.batch(call.params["project"], call.params["batch"])
    batch.publish()
    return batch.to_json()


@routes.get("v1/projects/{project}/batches/{batch}/annotation-types")
def list_annotation_types_of_batch(call: Call) -> list[str]:
    """List the annotation types of a batch."""
    return call.platform.projects.batch(call.params["project"], call.params["batch"]).annotation_types
