"""Models of kognic-io given where ours belong: one error that says whose is whose, and which import to change."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from kognic.io.model.calibration import SensorCalibration
from kognic.io.model.scene import Cameras as OfficialCameras
from kognic.io.model.scene.feature_flags import FeatureFlags as OfficialFlags
from kognic.io.model.scene.scene_request import SceneRequest as OfficialRequest
from kognic.io.tools.model import SceneWithPreAnnotation as OfficialSceneWithPreAnnotation

from kognic_aio import InputCreationResult, KognicIOClient, SceneWithPreAnnotation, create_inputs
from kognic_aio.emulator import Emulator
from kognic_aio.errors import InvalidError, OfficialModelError
from kognic_aio.model import Cameras, Image, LidarsAndCamerasSequence, PointCloud
from tests.cli.support import python
from tests.scenes import KINDS, OFFICIAL, SOURCES, build, cameras_scene
from tests.waiting import GENEROUS

pytestmark = pytest.mark.anyio


class Derived(OfficialCameras):  # type: ignore[misc]  # which is not typed
    """A class of the user's own, which is an official one all the same."""


def official_scene(folder: Path, kind: str = "Cameras") -> Any:
    return build(kind, SOURCES["bytes"], folder, OFFICIAL).scene


ITEMS: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "a scene": (lambda s: s, "Cameras of kognic.io.model.scene.cameras.", "`from kognic_aio.model import Cameras`"),
    "a scene in ours": (
        lambda s: SceneWithPreAnnotation(scene=s),
        "Cameras of kognic.io.model.scene.cameras.",
        "`from kognic_aio.model import Cameras`",
    ),
    "a scene in theirs": (
        lambda s: OfficialSceneWithPreAnnotation(scene=s),
        "SceneWithPreAnnotation of kognic.io.tools.model",
        "`from kognic_aio import SceneWithPreAnnotation`",
    ),
    "a class of one's own": (
        lambda s: Derived(external_id="mine", frame=s.frame),
        "Cameras of kognic.io.model.scene.cameras.",
        "`from kognic_aio.model import Cameras`",
    ),
}


@pytest.mark.parametrize("item", ITEMS)
async def test_a_source_of_them_ends_the_run(
    item: str, emulator: Emulator, client: KognicIOClient, tmp_path: Path
) -> None:
    """The run ends at the first one, without results, and the platform has seen no scene."""
    made, theirs, ours = ITEMS[item]
    official = official_scene(tmp_path)
    before = emulator.platform.summary()
    taken, results = 0, []

    def source() -> Iterator[Any]:
        nonlocal taken
        while taken < 1000:
            taken += 1
            yield made(official)

    with anyio.fail_after(GENEROUS), pytest.raises(OfficialModelError) as caught:
        async for result in create_inputs(client, source(), "project-a"):
            results.append(result)  # noqa: PERF401  # the run raises

    assert theirs in str(caught.value)
    assert ours in str(caught.value)
    assert (taken < 1000, results) == (True, [])
    assert emulator.platform.summary() == before
    assert not emulator.recorder.requests("POST", "/v1/inputs")


async def test_what_was_started_before_is_not_left_lying_about(
    emulator: Emulator, client: KognicIOClient, tmp_path: Path
) -> None:
    """A run that meets one among scenes of ours ends, and leaves no scene pending."""
    items = [*(cameras_scene(f"ours-{number}") for number in range(5)), official_scene(tmp_path)]
    with anyio.fail_after(GENEROUS):
        with pytest.raises(OfficialModelError):
            async for _ in create_inputs(client, items, "project-a"):
                pass
        while emulator.platform.summary()["scenes"].get("pending"):
            await anyio.sleep(0.01)


@pytest.mark.parametrize("item", ITEMS)
async def test_the_results_of_those_before(
    item: str, emulator: Emulator, client: KognicIOClient, tmp_path: Path
) -> None:
    """Those that the source gave before settle and are delivered, then the run ends with where the source failed."""
    official, released = ITEMS[item][0](official_scene(tmp_path)), []
    if isinstance(official, SceneWithPreAnnotation):
        official = SceneWithPreAnnotation(official.scene, release=lambda: released.append(True))
    items = [*(cameras_scene(f"ours-{number}") for number in range(5)), official, cameras_scene("after")]
    results: list[InputCreationResult] = []
    with anyio.fail_after(GENEROUS), pytest.raises(OfficialModelError, match="after 5 scenes, the last one 'ours-4'"):
        async for result in create_inputs(client, items, "project-a", sleep_time=0.02):
            results.append(result)  # noqa: PERF401  # the run raises

    assert {(result.external_id, str(result.status)) for result in results} == {
        (f"ours-{number}", "created") for number in range(5)
    }
    assert len(emulator.recorder.requests("POST", "/v1/inputs/cameras")) == 5
    assert released == ([True] if isinstance(official, SceneWithPreAnnotation) else [])


@pytest.mark.parametrize("kind", KINDS)
async def test_one_scene_at_a_time(kind: str, emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """Each `create` refuses the official scene of its type, with both modules, before anything is sent."""
    before = len(emulator.recorder.requests())
    scene = official_scene(tmp_path, kind)
    with pytest.raises(OfficialModelError) as caught:
        await getattr(client, KINDS[kind][0]).create(scene)

    assert f"scene: got {kind} of {type(scene).__module__}" in str(caught.value)
    assert f"`from kognic_aio.model import {kind}` instead" in str(caught.value)
    assert len(emulator.recorder.requests()) == before


def test_as_the_source_itself(tmp_path: Path) -> None:
    """An official scene that is no list of scenes is refused at once, though one can iterate over it."""
    source: Any = official_scene(tmp_path)
    with pytest.raises(OfficialModelError, match="scenes_with_pre_annotations: got Cameras of kognic"):
        create_inputs(KognicIOClient(), source, "project-a")


def test_other_arguments_of_a_run() -> None:
    """Official feature flags are refused at once."""
    flags: Any = OfficialFlags()
    expected = "feature_flags: got FeatureFlags of kognic.io.model.scene.feature_flags"
    with pytest.raises(OfficialModelError, match=re.escape(expected)):
        create_inputs(KognicIOClient(), [], "project-a", feature_flags=flags)
    nobody: Any = object()
    with pytest.raises(InvalidError, match="client: expected KognicIOClient, got"):
        create_inputs(nobody, [], "project-a")


PARTS: dict[str, tuple[Callable[[Any, Any], object], str, str]] = {
    "file data": (
        lambda file, _: Image(filename="a.jpg", file_data=file.file_data),
        "Image.file_data: got FileData of kognic.io.resources.scene.file_data",
        "`from kognic_aio import FileData`",
    ),
    "an image": (
        lambda file, _: Cameras.Frame(images=[file]),
        "images[0]: got Image of kognic.io.model.scene.resources",
        "`from kognic_aio.model import Image`",
    ),
    "a frame": (
        lambda _, frame: LidarsAndCamerasSequence(external_id="mine", frames=[frame], calibration_id="c"),
        "frames[0]: got Frame of kognic.io.model.scene.lidars_and_cameras_sequence",
        "`from kognic_aio.model import LidarsAndCamerasSequence` instead, and use LidarsAndCamerasSequence.Frame",
    ),
    "an image among point clouds": (
        lambda file, _: LidarsAndCamerasSequence.Frame(
            frame_id="0", relative_timestamp=0, images=[], point_clouds=[file]
        ),
        "point_clouds[0]: got Image of kognic.io",
        f"`from kognic_aio.model import {PointCloud.__name__}`",
    ),
}


@pytest.mark.parametrize("part", PARTS)
def test_in_a_model_of_ours(part: str, tmp_path: Path) -> None:
    """A model of ours that is given an official one as a part says where, and what belongs there."""
    make, theirs, ours = PARTS[part]
    frame = official_scene(tmp_path, "LidarsAndCamerasSequence").frames[0]
    with pytest.raises(OfficialModelError) as caught:
        make(frame.images[0], frame)
    assert theirs in str(caught.value)
    assert ours in str(caught.value)


async def test_in_other_calls(emulator: Emulator, client: KognicIOClient) -> None:
    """Official calibrations and requests are refused too, before anything is sent."""
    before = len(emulator.recorder.requests())
    request = object.__new__(OfficialRequest)
    calibration = object.__new__(SensorCalibration)
    with pytest.raises(OfficialModelError, match=r"`from kognic_aio\.model\.scene_request import SceneRequest`"):
        await client.scene.create_scene(request)
    with pytest.raises(OfficialModelError, match=r"`from kognic_aio\.model\.calibration import SensorCalibration`"):
        await client.calibration.create_calibration(calibration)
    assert len(emulator.recorder.requests()) == before


def test_kognic_io_is_not_imported_for_it() -> None:
    """What is no official model is told from one without kognic-io, which need not be installed."""
    code = """
import asyncio, sys
from kognic_aio import KognicIOClient
from kognic_aio.model import Cameras, Image
try:
    Cameras.Frame(images=["a.jpg"])
except ValueError:
    print([name for name in sys.modules if name.startswith("kognic.io")])
"""
    assert python(code).stdout == "[]\n"
