"""Uploads arrive whole in stores that others have written, over real sockets and TLS."""

import random
import ssl
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from kognic_aio import FileData, InputCreationResult, KognicIOClient, create_inputs
from kognic_aio._http.storage import Storage
from kognic_aio.client import backend_of
from kognic_aio.emulator import CALIBRATION_ID, Emulator
from kognic_aio.errors import StorageError
from kognic_aio.model import Image, LidarsAndCameras, PointCloud
from tests.scenes import OURS, SECOND, SOURCES
from tests.stores.front import Front, in_front_of
from tests.stores.stores import LIFETIME, Store, sign_v4
from tests.uploads import put

pytestmark = pytest.mark.anyio

PROJECT = "project-b"
SCENES = 200
MIB = 1 << 20
SIZES = (1, 100, 10_000, 100_000, MIB, MIB + 1)
IMAGES, CLOUDS = ("jpg", "png", "webp", "avif"), ("csv", "pcd", "las", "laz")


@frozen
class Given:
    """A scene, and the bytes of its files by resource id."""

    scene: LidarsAndCameras
    contents: dict[str, bytes]


def given(number: int, folder: Path) -> Given:
    """A scene of two images and a point cloud, of formats, forms of file data, names and sizes that take turns."""
    chance = random.Random(number)
    sources = list(SOURCES.values())
    contents: dict[str, bytes] = {}

    def arguments(kind: str, index: int, formats: Sequence[str]) -> dict[str, Any]:
        name = f"{kind} {number}+ä%2F.{formats[number % len(formats)]}"
        size = SIZES[-1] if number % 40 == index else chance.choice(SIZES[:4])
        contents[name] = chance.randbytes(size)
        source = sources[(number + index) % len(sources)]
        return {"resource_id": name, **source(OURS, folder, name, contents[name])}

    images = [Image(sensor_name="RFC01", **arguments(f"image-{i}", i, IMAGES)) for i in range(2)]
    cloud = PointCloud(sensor_name="RFL01", **arguments("cloud", 2, CLOUDS))
    frame = LidarsAndCameras.Frame(images=images, point_clouds=[cloud], unix_timestamp=SECOND)
    return Given(LidarsAndCameras(external_id=f"scene-{number}", frame=frame, calibration_id=CALIBRATION_ID), contents)


def client_of(emulator: Emulator, **options: Any) -> KognicIOClient:
    return KognicIOClient(**emulator.client_options(), max_retry_wait_time=0.01, **options)


async def upload(
    scenes: Sequence[Given], store: Store | Front, emulator: Emulator, **options: Any
) -> tuple[list[InputCreationResult], dict[str, bytes]]:
    """Create inputs of scenes, their files in a store; return the results and what should be there, by path."""
    asked: set[str] = set()

    def sign(method: str, path: str, expires: float) -> str:
        asked.add(path)
        return store.sign(method, path, expires)

    emulator.platform.storage.sign = sign
    async with client_of(emulator, **options) as client:
        run = create_inputs(client, (item.scene for item in scenes), PROJECT, sleep_time=0.02)
        results = [result async for result in run]
    contents = {item.scene.external_id: item.contents for item in scenes}
    uploaded = {
        next(path for path in asked if path.endswith(f"/{result.scene_uuid}/{name}")): content
        for result in results
        for name, content in contents[str(result.external_id)].items()
    }
    assert len(asked) == len(uploaded)
    return results, uploaded


def image(name: str, data: Any) -> Image:
    return Image(filename=name, file_data=FileData(format="jpg", data=data))


@pytest.fixture(params=["s3", "s3_tls", "gcs"])
def store(request: pytest.FixtureRequest) -> Store:
    """Each of the stores."""
    found: Store = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def front(gcs: Store) -> AsyncIterator[Front]:
    """fake-gcs-server behind what tells checksums as Google does."""
    async with in_front_of(gcs) as running:
        yield running


@pytest.fixture
async def storage(emulator: Emulator) -> AsyncIterator[Storage]:
    """Uploads of single files."""
    async with client_of(emulator) as client:
        yield backend_of(client).storage


async def test_scenes_arrive_whole(store: Store, emulator: Emulator, trusting: ssl.SSLContext, tmp_path: Path) -> None:
    """Files of all forms, formats and sizes arrive in a store with every byte, and each scene becomes an input."""
    scenes = [given(number, tmp_path) for number in range(SCENES)]
    results, uploaded = await upload(scenes, store, emulator, ssl=trusting)
    assert [result.error for result in results if not result.input_uuid] == []
    assert len(uploaded) == 3 * SCENES
    assert [path for path, content in uploaded.items() if store.read(path) != content] == []


async def test_checksums_of_the_store_are_compared(
    front: Front, gcs: Store, emulator: Emulator, tmp_path: Path
) -> None:
    """A store's own checksums agree with ours, for all forms of file data."""
    scenes = [given(number, tmp_path) for number in range(len(SOURCES))]
    results, uploaded = await upload(scenes, front, emulator)
    assert [result.error for result in results if not result.input_uuid] == []
    assert sorted(front.paths) == sorted(uploaded)
    assert [path for path, content in uploaded.items() if gcs.read(path) != content] == []


@pytest.mark.parametrize("size", [1, 10_000, 3 * MIB])
async def test_a_damaged_byte_is_sent_again(size: int, front: Front, gcs: Store, storage: Storage) -> None:
    """A file that was damaged in transit is sent again, until the store has it as it is."""
    content = random.Random(size).randbytes(size)
    front.damage = 2
    await put(storage, front.sign("PUT", "damaged.jpg", LIFETIME), image("a.jpg", content))
    assert front.paths == ["damaged.jpg"] * 3
    assert gcs.read("damaged.jpg") == content


async def test_damage_to_what_can_be_read_once(front: Front, gcs: Store, storage: Storage) -> None:
    """A generator that was damaged in transit is sent again, though it can be read only once."""
    front.damage = 1
    await put(storage, front.sign("PUT", "once.jpg", LIFETIME), image("a.jpg", iter([b"once"])))
    assert front.paths == ["once.jpg"] * 2
    assert gcs.read("once.jpg") == b"once"


async def test_damage_that_does_not_end(front: Front, emulator: Emulator, tmp_path: Path) -> None:
    """A scene one of whose files never arrives undamaged has failed, and is not committed."""
    front.damage = 1000
    (result,), _ = await upload([given(0, tmp_path)], front, emulator, max_retry_attempts=3)
    assert result.error is not None
    assert "was damaged in transit" in result.error.message
    assert not [request for request in emulator.recorder.requests("POST") if request.path.endswith("/commit")]


@pytest.mark.parametrize("size", [10, 8 * MIB])
@pytest.mark.parametrize(
    "wrong", [{"secret": "another-key"}, {"age": timedelta(hours=1)}], ids=["other-key", "expired"]
)
async def test_a_wrong_signature(wrong: dict[str, Any], size: int, s3: Store, storage: Storage) -> None:
    """What a store refuses for its signature is an error with the store's words, even if it hangs up meanwhile."""
    origin = s3.sign("PUT", "", 1).partition("/bucket")[0]
    with pytest.raises(StorageError, match=r"signature|expired") as caught:
        await put(storage, sign_v4(origin, "PUT", "refused.jpg", LIFETIME, **wrong), image("a.jpg", bytes(size)))
    assert caught.value.status == 403
    assert "X-Amz" not in str(caught.value)


async def test_a_certificate_that_is_not_trusted(s3_tls: Store, emulator: Emulator, tmp_path: Path) -> None:
    """Without the private CA nothing is sent, and the error says what is wrong."""
    (result,), _ = await upload([given(0, tmp_path)], s3_tls, emulator)
    assert result.error is not None
    assert "is not trusted" in result.error.message
