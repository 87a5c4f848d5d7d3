import hashlib
import zlib
from pathlib import Path

import anyio
import pytest
from kognic.openlabel.models import OpenLabelAnnotation

from kognic_aio import KognicIOClient, SceneWithPreAnnotation, create_inputs
from kognic_aio.cli.demo.report import Arrival, SceneOutcome, compare
from kognic_aio.cli.demo.sample_data import sample_folder
from kognic_aio.cli.demo.scenes import Files, find_files, make_scenes
from kognic_aio.emulator import Emulator
from kognic_aio.model import BaseScene
from tests.cli.support import folder_of


def files(images: int, clouds: int) -> Files:
    return Files(
        images=[Path(f"/data/{i}.png") for i in range(images)],
        clouds=[Path(f"/data/{i}.csv") for i in range(clouds)],
        others=0,
    )


@pytest.mark.parametrize(("images", "clouds"), [(1, 0), (0, 1), (1, 1), (2, 1), (7, 500), (500, 3), (100, 0), (0, 50)])
def test_every_file_is_in_a_scene(images: int, clouds: int) -> None:
    """However many files there are, each is in a scene, and there are some scenes of each type."""
    scenes = [item.scene for item in make_scenes(files(images, clouds)) if isinstance(item.scene, BaseScene)]

    used = {file.filename for scene in scenes for file in scene.resources.values()}
    assert len(used) == images + clouds
    assert len(scenes) >= 21
    assert len({scene.external_id for scene in scenes}) == len(scenes)


def test_pre_annotations_are_openlabel() -> None:
    """Some scenes have a pre-annotation, which the official models accept."""
    pre_annotations = [item.pre_annotation for item in make_scenes(files(4, 2)) if item.pre_annotation is not None]

    assert pre_annotations
    for pre_annotation in pre_annotations:
        OpenLabelAnnotation.model_validate(pre_annotation)


def test_drawn_files_are_real() -> None:
    """The images are whole PNGs of 640 x 360 pixels, the point clouds have the platform's header."""
    with sample_folder() as folder:
        found = find_files(folder)
        assert (len(found.images), len(found.clouds), found.others) == (12, 6, 0)
        for image in found.images:
            assert_png(image.read_bytes(), width=640, height=360)
        for cloud in found.clouds:
            header, *points = cloud.read_text().splitlines()
            assert header == "ts_gps,x,y,z,intensity"
            assert all(len([float(value) for value in point.split(",")]) == 5 for point in points)


def test_drawn_files_are_the_same_each_time() -> None:
    """What is drawn does not change from one time to the next, nor is any file twice there."""
    first, second = digests(), digests()

    assert first == second
    assert len(set(first)) == 18


def digests() -> list[str]:
    with sample_folder() as folder:
        return [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())]


def assert_png(content: bytes, *, width: int, height: int) -> None:
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    chunks: dict[bytes, bytes] = {}
    rest = content[8:]
    while rest:
        end = 8 + int.from_bytes(rest[:4], "big")
        assert zlib.crc32(rest[4:end]) == int.from_bytes(rest[end : end + 4], "big")
        chunks[rest[4:8]], rest = rest[8:end], rest[end + 4 :]
    assert chunks[b"IHDR"][:8] == width.to_bytes(4, "big") + height.to_bytes(4, "big")
    assert len(zlib.decompress(chunks[b"IDAT"])) == height * (1 + 3 * width)


@pytest.fixture
def two_images(tmp_path: Path) -> SceneWithPreAnnotation:
    """A scene of two local files."""
    (item,) = make_scenes(find_files(folder_of(tmp_path, "a.png", "b.png")), 1)
    return item


@pytest.mark.anyio
async def test_a_file_that_did_not_arrive_as_it_is(
    two_images: SceneWithPreAnnotation, tmp_path: Path, emulator: Emulator, client: KognicIOClient
) -> None:
    """A file whose sha256 differs from that on the server's side is named."""
    assert isinstance(two_images.scene, BaseScene)
    outcomes = [
        SceneOutcome(scene=two_images.scene, result=result)
        async for result in create_inputs(client, [two_images], "project-a")
    ]
    await anyio.Path(tmp_path / "b.png").write_bytes(b"something else")

    assert await anyio.to_thread.run_sync(compare, emulator.platform, outcomes) == Arrival(
        intact=1, different=1, imu=0, faults=[f"{tmp_path}/b.png of demo-001 arrived with another sha256"]
    )
