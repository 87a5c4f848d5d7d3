"""What the resources check themselves, before anything is sent, and what their errors say."""

import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from kognic_aio import KognicIOClient
from kognic_aio.emulator import INPUT_UUIDS, PRE_ANNOTATION_ID, WORKSPACE_ID, Emulator
from kognic_aio.errors import DataError, InvalidError, MissingFileError, NotFoundError
from kognic_aio.model import SceneInvalidatedReason, SceneStatus
from kognic_aio.model.calibration import CustomCameraCalibration
from kognic_aio.model.scene_request import Frame, ImageResource, LocalFile, SceneRequest
from tests.scenes import OURS, cameras_scene

pytestmark = pytest.mark.anyio

SCENE = INPUT_UUIDS[0]

BAD_CALLS: dict[str, tuple[Callable[[Any], Awaitable[Any]], str]] = {
    "a uuid for uuids": (lambda c: c.scene.get_scenes_by_uuids(SCENE), "scene_uuids: expected a list of strings"),
    "numbers for ids": (lambda c: c.scene.get_scenes_by_external_ids([1.5]), "expected an id or external id, got 1.5"),
    "an unknown reason": (lambda c: c.scene.invalidate_scenes([SCENE], "ugly"), "expected one of bad-content"),
    "no target": (lambda c: c.input.create_from_scene(SCENE), "either project or request_uuid"),
    "two targets": (
        lambda c: c.input.create_from_pre_annotation("1", project="p", request_uuid="2"),
        "either project or request_uuid",
    ),
    "a path for an id": (lambda c: c.review.get_review(".."), "expected an id or external id, got '..'"),
    "no id": (lambda c: c.input.delete_input(""), "expected an id or external id, got ''"),
    "a filter that is no list": (lambda c: c.pre_annotation.list(statuses=1.5), "statuses: expected a list"),
    "no scene": (lambda c: c.pre_annotation.create(None, {}), "expected an id or external id, got None"),
    "no pre-annotation": (lambda c: c.input.update_pre_annotation(SCENE, None), "expected an id"),
    "bytes for a role": (lambda c: c.workspace.get_workspaces(roles=b"admin"), "roles: expected a list of strings"),
    "no list of organizations": (
        lambda c: c.workspace.get_workspaces(organization_ids=1.5),
        "organization_ids: expected",
    ),
    "a flag for an id": (lambda c: c.calibration.get_calibration(True), "expected an id or external id, got True"),
    "a dict for a request": (lambda c: c.scene.create_scene({}), "expected a SceneRequest, got dict"),
    "a dict for a review": (
        lambda c: c.review.create_review("1", {}),
        "expected a model of kognic_aio.model, got dict",
    ),
    "half a name": (lambda c: c.pre_annotation.get_with_content(external_id="mine"), "both scene_uuid and external_id"),
    "two names": (lambda c: c.pre_annotation.get_with_content("1", external_id="mine"), "not both"),
}


@pytest.mark.parametrize("bad", BAD_CALLS)
async def test_bad_arguments(bad: str, emulator: Emulator, client: KognicIOClient) -> None:
    """Bad arguments are named before anything is sent."""
    call, problem = BAD_CALLS[bad]
    before = len(emulator.recorder.requests())
    with pytest.raises(InvalidError) as caught:
        await call(client)
    assert problem in str(caught.value)
    assert len(emulator.recorder.requests()) == before


async def test_ids_are_escaped(emulator: Emulator, client: KognicIOClient) -> None:
    """Whatever is in an id, it stays one segment of the path."""
    with pytest.raises(NotFoundError):
        await client.review.get_review("a/b?c=d")
    assert emulator.recorder.requests("GET")[-1].path == "/v1/reviews/a/b?c=d"
    assert emulator.recorder.requests("GET")[-1].endpoint == "GET v1/reviews/{review}"


async def test_uuids_may_be_uuids(emulator: Emulator, client: KognicIOClient) -> None:
    """Whatever has an id may be named by a UUID as well as by a string: in a path, a query and a body."""
    uuid: Any = UUID(SCENE)
    assert (await client.scene.get_scene_summary(uuid)).scene_uuid == SCENE
    assert (await client.scene.get_scenes_by_uuids([uuid]))[0].uuid == SCENE
    request: Any = UUID(emulator.platform.input(SCENE).request.id)
    assert [found.scene_id async for found in client.input.get_request_inputs(request_id=request, scene_id=uuid)]
    await client.input.delete_input(uuid)
    assert await client.input.query_inputs(scene_uuids=[uuid]) == []


async def test_an_external_id_without_pre_annotation(client: KognicIOClient) -> None:
    """An external id that stands for no pre-annotation of the scene is an error that names both."""
    with pytest.raises(InvalidError, match=f"scene {SCENE} has 0 pre-annotations 'mine', expected one"):
        await client.pre_annotation.get_with_content(scene_uuid=SCENE, external_id="mine")


async def test_ego_poses_are_in_numeric_order(emulator: Emulator, client: KognicIOClient) -> None:
    """The poses of eleven frames are in the order of the frames, not of the alphabet."""
    scene = emulator.platform.add_scene("driven", path="lidars-and-cameras-sequence", frames=11)
    poses = await client.scene.get_ego_poses(scene)
    assert poses is not None
    assert list(poses) == [str(number) for number in range(11)]


def requested(*files: LocalFile) -> SceneRequest:
    images = [ImageResource(sensor_name=f"camera-{index}", local_file=file) for index, file in enumerate(files)]
    frame = Frame(frame_id="0", timestamp_ns=1, images=images)
    return SceneRequest(workspace_id=WORKSPACE_ID, external_id="requested", frames=[frame])


async def test_the_files_of_a_request(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """Files of a scene request may come from wherever those of other scenes do; every byte arrives."""
    local = tmp_path / "local.jpg"
    local.write_bytes(b"local")

    async def late(filename: str) -> bytes:
        return filename.encode()

    files = [
        LocalFile(filename=str(local)),
        LocalFile(filename="bytes.png", data=b"bytes"),
        LocalFile(filename="generator.webp", data=(half for half in (b"gene", b"rator"))),
        LocalFile(filename="callback.avif", callback=late),
    ]
    created = await client.scene.create_scene(requested(*files))
    (scene,) = await client.scene.get_scenes_by_uuids([created.scene_uuid])
    assert scene.status == SceneStatus.Created
    stored = emulator.platform.scene(created.scene_uuid).files.values()
    assert sorted((file.size, file.content_type) for file in stored if file) == [
        (5, "image/jpeg"),
        (5, "image/png"),
        (9, "image/webp"),
        (13, "image/avif"),
    ]


async def test_a_missing_file_of_a_request(emulator: Emulator, client: KognicIOClient) -> None:
    """A missing file is found before the scene is started."""
    with pytest.raises(MissingFileError, match=r"nowhere\.jpg"):
        await client.scene.create_scene(requested(LocalFile(filename="nowhere.jpg")))
    assert not emulator.recorder.requests("POST", "/v2/scenes")


async def test_a_file_of_a_request_that_cannot_be_read(emulator: Emulator, client: KognicIOClient) -> None:
    """A scene of which a file cannot be read is invalidated."""

    def broken(_: str) -> bytes:
        raise RuntimeError("the disk is on fire")

    with pytest.raises(DataError, match="the disk is on fire"):
        await client.scene.create_scene(requested(LocalFile(filename="a.jpg", callback=broken)))
    assert emulator.platform.summary()["scenes"]["invalidated:incorrectly-created"] == 1


async def test_a_custom_camera_from_a_file(tmp_path: Path, client: KognicIOClient) -> None:
    """A module is read from a file without blocking, and sent in base64."""
    path = tmp_path / "camera.wasm"
    path.write_bytes(b"\0asm\1\0\0\0")
    calibration = await CustomCameraCalibration.from_file(
        str(path),
        position=OURS.models.Position(x=0, y=0, z=0),
        rotation_quaternion=OURS.models.RotationQuaternion(w=1, x=0, y=0, z=0),
        image_height=10,
        image_width=20,
    )
    assert calibration.get_wasm_bytes() == path.read_bytes()


DEPRECATED: dict[str, tuple[Callable[[KognicIOClient], Awaitable[Any]], str]] = {
    "get_inputs": (lambda c: c.input.get_inputs("project-a"), "get_inputs is now query_inputs"),
    "get_inputs_by_uuids": (lambda c: c.input.get_inputs_by_uuids([SCENE]), "is now client.scene.get_scenes_by_uuids"),
    "invalidate_inputs": (
        lambda c: c.input.invalidate_inputs([SCENE], SceneInvalidatedReason.DUPLICATE),
        "is now client.scene.invalidate_scenes, or delete_input",
    ),
    "input_uuids": (
        lambda c: c.input.get_inputs_by_uuids(input_uuids=[SCENE]),  # type: ignore[call-arg]
        "input_uuids is now scene_uuids, an argument of get_inputs_by_uuids",
    ),
    "annotation_types": (
        lambda c: c.cameras.create_from_scene(SCENE, "project-a", annotation_types=["lane"]),
        "annotation_types are no longer used",
    ),
    "annotation_types of a new scene": (
        lambda c: c.cameras.create(cameras_scene("crossing"), annotation_types=["lane"]),
        "annotation_types are no longer used",
    ),
    "cameras": (lambda c: c.cameras.create(cameras=cameras_scene("crossing")), "cameras is now scene"),  # type: ignore[call-overload]
}


@pytest.mark.parametrize("name", DEPRECATED)
async def test_older_names(name: str, client: KognicIOClient) -> None:
    """An older name works, and its warning says what to use and points at who uses it."""
    call, advice = DEPRECATED[name]
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        await call(client)
    assert [warning.filename for warning in warned if advice in str(warning.message)] == [__file__]


async def test_an_older_name_beside_the_newer(client: KognicIOClient) -> None:
    """An argument cannot be given under both of its names."""
    with pytest.raises(TypeError, match="got both 'scene_uuid' and its older name 'input_uuid'"):
        await client.annotation.get_annotation(scene_uuid=SCENE, input_uuid=SCENE, annotation_type="t")  # type: ignore[call-arg]


async def test_deleting_what_is_gone(client: KognicIOClient) -> None:
    """What does not exist any more is a NotFoundError in the platform's words."""
    await client.pre_annotation.delete(PRE_ANNOTATION_ID)
    with pytest.raises(NotFoundError, match=PRE_ANNOTATION_ID):
        await client.pre_annotation.delete(PRE_ANNOTATION_ID)
