"""A process that is short of descriptors or threads goes on with fewer at once."""

import json
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from kognic_aio.emulator import Emulator

pytestmark = pytest.mark.anyio

CHILD = """
import asyncio, json, resource, sys
from pathlib import Path
from kognic_aio import FileData, KognicIOClient, Limits, create_inputs
from kognic_aio.model import Cameras, Image

folder, kind, limits = Path(sys.argv[2]), sys.argv[3], json.loads(sys.argv[4])
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[5]), resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

def halves(path):
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            yield chunk

def image(number, file):
    path = folder / f"{number % 4}-{file}.jpg"
    if kind == "local":
        return Image(filename=str(path), resource_id=f"{number}-{file}.jpg")
    made = {"callback": lambda _: path.open("rb"), "generator": lambda _: halves(path)}[kind]
    return Image(filename=f"{number}-{file}.jpg", file_data=FileData(format="jpg", callback=made))

def scenes():
    for number in range(60):
        yield Cameras(external_id=str(number), frame=Cameras.Frame(images=[image(number, file) for file in range(4)]))

async def main():
    options = json.loads(sys.argv[1])
    async with KognicIOClient(**options | {"auth": tuple(options["auth"])}, limits=Limits(**limits)) as client:
        async for result in create_inputs(client, scenes(), "project-b", sleep_time=0.1):
            print(result.status.value, result.error and result.error.message, flush=True)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
@pytest.mark.parametrize("kind", ["local", "callback", "generator"])
@pytest.mark.parametrize(
    ("limits", "descriptors"), [({}, 64), ({"uploads": 200, "scene_jobs": 60}, 48)], ids=["default", "wide"]
)
async def test_few_descriptors(
    kind: str, limits: dict[str, int], descriptors: int, emulator: Emulator, tmp_path: Path
) -> None:
    """60 scenes of 4 files become inputs though there may be no more than 64 open files."""
    for number in range(4):
        for file in range(4):
            (tmp_path / f"{number}-{file}.jpg").write_bytes(bytes([number]) * ((2 << 20) if file == 0 else 10_000))
    arguments = [json.dumps(emulator.client_options()), str(tmp_path), kind, json.dumps(limits), str(descriptors)]
    with anyio.fail_after(120):
        done = await anyio.run_process([sys.executable, "-c", CHILD, *arguments], stderr=subprocess.STDOUT)
    lines = done.stdout.decode().splitlines()
    assert lines == ["created None"] * 60


LATE_IMPORTS = """
import asyncio, json, sys
from kognic_aio import FileData, KognicIOClient, create_inputs
from kognic_aio.model import Cameras, Image

async def main():
    options = json.loads(sys.argv[1])
    image = Image(filename="a.jpg", file_data=FileData(format="jpg", data=b"image"))
    scene = Cameras(external_id="one", frame=Cameras.Frame(images=[image]))
    async with KognicIOClient(**options | {"auth": tuple(options["auth"])}) as client:
        opened = set(sys.modules)
        async for result in create_inputs(client, [scene], "project-b"):
            print(result.status.value)
        print(sorted(set(sys.modules) - opened))

asyncio.run(main())
"""


async def test_nothing_is_imported_late(emulator: Emulator) -> None:
    """A run imports nothing once its client is open: an import needs descriptors, and there may be none."""
    command = [sys.executable, "-c", LATE_IMPORTS, json.dumps(emulator.client_options())]
    with anyio.fail_after(60):
        done = await anyio.run_process(command, stderr=subprocess.STDOUT)
    assert done.stdout.decode().splitlines() == ["created", "[]"]
