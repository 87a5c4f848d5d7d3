"""The life of a scene: initialize, IMU data, create, commit, import, query, invalidate."""

from functools import partial
from typing import Any

from kognic_aio.emulator.routing import Call, Routes
from kognic_aio.emulator.state.scene_kinds import KINDS, SceneKind

routes = Routes()

# A scene may be created alone, or with inputs in a project's open batch or in a named one.
PREFIXES = ("v1/inputs/", "v1/inputs/project/{project}/", "v1/inputs/project/{project}/batch/{batch}/")


@routes.post("v1/inputs/initialize")
def initialize(call: Call) -> dict[str, str]:
    """Reserve the uuid of a scene."""
    workspace_id = call.body.fields(("workspaceId",))["workspaceId"].text()
    return {"sceneUuid": call.platform.scenes.reservations.reserve(workspace_id)}


@routes.post("v1/imu")
def validate_imu(call: Call) -> dict[str, str] | None:
    """Validate the IMU data of a scene."""
    reservations = call.platform.scenes.reservations
    valid = reservations.validate_imu(call.query("workspaceId"), call.body, dry_run=call.dry_run)
    return {"resourceId": valid[0], "signedUrl": valid[1]} if valid else None


def create_scene(kind: SceneKind, call: Call) -> dict[str, Any] | None:
    """Create a scene, and in a project also its inputs, which appear when it is ready."""
    platform, params = call.platform, call.params
    batch = None
    if "project" in params:
        batch = platform.projects.batch_for_inputs(params["project"], params.get("batch"))
    scene = platform.scenes.create(kind, call.query("workspaceId"), call.body, dry_run=call.dry_run)
    if scene is None:
        return None
    answer: dict[str, Any] = {"internalId": scene.uuid, "files": platform.scenes.upload_urls(scene)}
    if batch is not None:
        for first in platform.inputs.add_to_batch(scene, batch)[:1]:
            answer["requestInputUuid"] = first.uuid
    return answer


for _prefix in PREFIXES:
    for _kind in KINDS:
        routes.add("POST", f"{_prefix}{_kind.path}", partial(create_scene, _kind), keeps=True)


@routes.post("v2/scenes", keeps=True)
def create_scene_from_request(call: Call) -> dict[str, Any]:
    """Create a scene of any type, with files that may be in a bucket."""
    scenes = call.platform.scenes
    scene = scenes.create_from_request(call.body)
    urls = list(scenes.upload_urls(scene).items())
    return {"id": scene.uuid, "signedUploadUrls": urls} if urls else {"id": scene.uuid}


@routes.post("v1/inputs/{scene}/actions/commit")
def commit(call: Call) -> None:
    """Begin to process a scene."""
    call.platform.scenes.commit(call.params["scene"])


@routes.post("v2/scenes/query")
def query_scenes(call: Call) -> list[dict[str, Any]]:
    """Get scenes by uuid or by external id."""
    return [scene.to_json() for scene in call.platform.scenes.query(call.body)]


@routes.post("v2/scenes/actions/invalidate")
def invalidate_scenes(call: Call) -> None:
    """Invalidate scenes."""
    fields = call.body.fields(("sceneUuids", "reason"))
    call.platform.scenes.invalidate(fields["sceneUuids"].texts(), fields["reason"].text())


@routes.get("v2/scenes/{scene}")
def get_scene_summary(call: Call) -> dict[str, Any]:
    """Get the summary of a scene."""
    scenes, uuid = call.platform.scenes, call.params["scene"]
    scene = scenes.scene(uuid) if call.query_flag("includeInvalidated") else scenes.valid_scene(uuid)
    return scene.to_summary()


@routes.get("v2/scenes/{scene}/ego-poses")
def get_ego_poses(call: Call) -> dict[str, Any]:
    """Get the ego pose of each frame of a scene."""
    return {"poses": call.platform.scenes.ego_poses(call.params["scene"])}


@routes.patch("v2/scenes/{scene}")
def change_scene_status(call: Call) -> None:
    """Import an indexed scene, or index an imported one."""
    call.platform.scenes.change_status(call.params["scene"], call.body)
