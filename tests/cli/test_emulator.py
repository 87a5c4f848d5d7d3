import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import anyio
import pytest
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream

from kognic_aio import FileData, InputCreationStatus, KognicIOClient, create_inputs
from kognic_aio.client import backend_of
from kognic_aio.model import Cameras, Image, SceneStatus
from kognic_aio.scenes.lookup import find_scenes
from tests.cli.support import COMMAND, PNG, environment, kognicutil
from tests.waiting import GENEROUS

pytestmark = pytest.mark.anyio

SCENE = Cameras(
    external_id="scene",
    frame=Cameras.Frame(images=[Image(filename="a", file_data=FileData(data=PNG, format="png"))]),
)


@asynccontextmanager
async def emulator(*arguments: str) -> AsyncIterator[tuple[Process, KognicIOClient]]:
    """An emulator in a process of its own, and the client that its output tells to make."""
    with anyio.fail_after(GENEROUS):
        async with await anyio.open_process(
            [*COMMAND, "emulator", "--port", "0", *arguments], env=environment()
        ) as process:
            try:
                yield process, await client_from_output(process)
            finally:
                if process.returncode is None:
                    process.kill()


async def client_from_output(process: Process) -> KognicIOClient:
    assert process.stdout is not None
    text, output = "", TextReceiveStream(process.stdout)
    with anyio.fail_after(GENEROUS):
        while "\n)\n" not in text:
            text += await output.receive()
    names: dict[str, Any] = {}
    exec(text[text.index("from kognic_aio") :], names)
    client = names["client"]
    assert isinstance(client, KognicIOClient)
    return client


async def errors_of(process: Process) -> str:
    assert process.stderr is not None
    return "".join([text async for text in TextReceiveStream(process.stderr)])


async def test_the_printed_code_creates_inputs() -> None:
    """The code that the emulator prints makes a client that can create inputs."""
    async with emulator() as (_, client), client:
        results = [result async for result in create_inputs(client, [SCENE], "project-a", batch="batch-2")]

    assert [result.status for result in results] == [InputCreationStatus.CREATED]


async def test_options_slow_the_emulator() -> None:
    """Scenes stay as long in processing as the option says."""
    async with emulator("--processing-time", "3600") as (_, client), client:
        created = await client.cameras.create(SCENE)
        scenes = await client.scene.get_scenes_by_uuids([created.scene_uuid])

    assert [scene.status for scene in scenes] == [SceneStatus.Processing]


async def test_options_hide_new_scenes() -> None:
    """A new scene is hidden as long as the option says, and a query leaves it out if the option says so."""
    async with emulator("--visibility-lag", "3600", "--unknown-scenes", "omit") as (_, client), client:
        answer = await client.cameras.create(SCENE)
        assert await find_scenes(backend_of(client).api, [answer.scene_uuid]) == {}


@pytest.mark.parametrize(
    ("option", "status"), [((), InputCreationStatus.FAILED), (("--no-reads-files",), InputCreationStatus.CREATED)]
)
async def test_it_reads_files_unless_told_not_to(option: tuple[str, ...], status: InputCreationStatus) -> None:
    """An image of another format than its name says lets processing fail, unless an option says not to look."""
    image = Image(filename="a", file_data=FileData(data=PNG, format="jpg"))
    scene = Cameras(external_id="scene", frame=Cameras.Frame(images=[image]))
    async with emulator(*option) as (_, client), client:
        results = [result async for result in create_inputs(client, [scene], "project-a", batch="batch-2")]

    assert [result.status for result in results] == [status]
    assert "file a.jpg must be JPEG, but is PNG" in str(results[0].error) or not results[0].error


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
async def test_signals_stop_it(number: signal.Signals, code: int) -> None:
    """SIGTERM and Ctrl-C stop it without a word, though a client holds connections."""
    async with emulator() as (process, client), client:
        process.send_signal(number)

        with anyio.fail_after(GENEROUS):
            assert await process.wait() == code
        assert (await errors_of(process)).strip() == ""


async def test_allowed_hosts() -> None:
    """Each host that an option names is answered, and no other."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ("--port", str(port), "--allow-host", "platform", "--allow-host", "proxy:8080")
    statuses: list[int] = []
    async with emulator(*options), aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        for host in ("platform", "proxy:8080", "other"):
            async with session.get("/emulator/report", headers={"Host": host}) as answer:
                statuses.append(answer.status)

    assert statuses == [200, 200, 421]


@pytest.mark.parametrize("name", ["http://platform", "a b", "", "-x", "\x1b[2J"])
def test_no_host_name(name: str) -> None:
    """What is no host name is refused in a line that says what one is."""
    done = kognicutil("emulator", f"--allow-host={name}", "--port", "0")

    assert done.returncode == 2
    assert "Invalid value for '--allow-host': expected host names such as 'emulator'" in done.stderr
    assert "\x1b" not in done.stderr


def test_taken_port() -> None:
    """A port that is taken is one line."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = kognicutil("emulator", "--port", str(port))

    assert done.returncode == 1
    assert done.stderr == f"Error: cannot listen on 127.0.0.1:{port}: address already in use\n"
