"""Whatever names and texts a command prints, a terminal acts upon nothing in them, and their length is bounded."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import anyio
import pytest
from aiohttp import web

import kognic_aio
from kognic_aio.cli.output import MAX_CELL
from kognic_aio.emulator import Emulator, faults
from tests.cli.support import AT_ONCE, CSV, PNG, environment, looked, variables_of
from tests.cli.terminal import in_terminal
from tests.cost import SECONDS
from tests.forgery import FORGERY, LONG, assert_harmless
from tests.scripted import Server, serving
from tests.waiting import GENEROUS
from tests.wasm.modules import EMPTY, PINHOLE

MAX_MEMORY = 300_000  # kB

MEASURED = """
import sys
from kognic_aio.cli import main
from tests.cost import peak_memory, worked

try:
    main()
finally:
    sys.stdout.flush()
    with open(sys.argv[0], "w") as file:
        file.write(f"{round(peak_memory() * 1024)} {worked()}")
"""

linux = pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux does")


def run(*arguments: str | Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, and see that nothing in its output is harmful."""
    done = subprocess.run(
        [sys.executable, "-m", "kognic_aio", *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        env=environment(PYTHONIOENCODING="utf-8", **variables),
        timeout=60,
        check=False,
    )
    for output in (done.stdout, done.stderr):
        assert_harmless(output)
        assert "Traceback" not in output
    return done


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose name would forge lines."""
    place = tmp_path / FORGERY
    try:
        place.mkdir()
    except (OSError, ValueError):
        pytest.skip("the file system has no such names")
    return place


def written(folder: Path, suffix: str, content: bytes) -> Path:
    path = folder / f"{FORGERY}{suffix}"
    path.write_bytes(content)
    return path


def test_files_of_a_demo(folder: Path) -> None:
    """The names of files that fail, here or on the platform, are shown in rows of a bounded length."""
    written(folder, ".png", PNG)  # of which halves of characters cannot be sent
    tame = folder.parent / FORGERY.rstrip("\udcff")
    tame.mkdir()
    tame.joinpath(f"{tame.name}.csv").write_bytes(CSV.replace(b"ts_gps", b"time"))
    for place in (folder, tame):
        done = run("demo", place, *AT_ONCE)

        assert done.returncode == 1
        assert "\\x1b]0;title" in done.stdout
        assert "failed" in done.stdout


def test_a_demo_of_nothing(folder: Path) -> None:
    """The name of a folder without files is shown."""
    done = run("demo", folder)

    assert done.returncode == 1
    assert "\\x1b]0;title\\x07" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("columns", [60, 200])
def test_a_demo_in_a_terminal(folder: Path, columns: int) -> None:
    """In a terminal, wide or narrow, the names of files bring no escape sequences and no lines of their own."""
    written(folder, ".csv", CSV.replace(b"ts_gps", b"time"))
    code, output = in_terminal([sys.executable, "-m", "kognic_aio", "demo", str(folder)], columns)

    assert code == 1
    plain = re.sub(r"\x1b\[[0-9;?]*[A-JL-Za-z]", "", output.replace("\x1b[2K", "")).replace("\r", "")
    assert_harmless(plain)


def test_a_valid_module(folder: Path) -> None:
    """The name of a valid module is shown on the line that says so."""
    done = run("wasm", "validate", written(folder, ".wasm", PINHOLE))

    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    assert done.stdout.endswith(" is valid\n")


def modules(folder: Path) -> Iterator[list[str | Path]]:
    valid = written(folder, ".wasm", PINHOLE)
    source = written(folder, ".rs", b"no Rust")
    yield ["validate", folder]
    yield ["validate", f"{valid}.none"]
    yield ["validate", written(folder, ".empty", EMPTY)]
    yield ["validate", valid, "--test-cases", written(folder, ".json", b"[")]
    yield ["validate", valid, "--test-cases", written(folder, ".json", b"[" * 100_000)]
    yield ["validate", valid, "--test-cases", written(folder, ".json", json.dumps([{FORGERY: 1}] * 9).encode())]
    yield ["compile", valid, folder / "out.wasm"]
    yield ["compile", source, folder / f"{FORGERY}.none"]
    yield ["compile", source, folder / "none" / "out.wasm"]
    yield ["compile", source, folder / "out.wasm"]


def test_files_that_are_wrong(folder: Path) -> None:
    """The names of files that are missing, or wrong, or cannot be compiled, are shown in errors."""
    for command in modules(folder):
        done = run("wasm", *command, PATH="/nonexistent")
        assert done.returncode in (1, 2), command
        assert "\\x1b" in done.stderr, command


def test_words_of_a_compiler(tmp_path: Path, folder: Path) -> None:
    """What a compiler says keeps its lines, and the name of what it compiles makes none."""
    compiler = tmp_path / "bin" / "rustc"
    compiler.parent.mkdir()
    compiler.write_text("#!/bin/sh\nprintf 'first\\nsecond \\033[2J\\n' >&2\nexit 1\n")
    compiler.chmod(0o755)
    source = written(folder, ".rs", b"no Rust")
    done = run("wasm", "compile", source, folder / "out.wasm", PATH=f"{compiler.parent}:{os.environ['PATH']}")

    assert done.returncode == 1
    assert done.stderr.splitlines()[1:] == ["first", "second \\x1b[2J"]


ARGUMENTS = [
    [FORGERY],
    [f"--{FORGERY}"],
    ["projects", FORGERY],
    ["projects", FORGERY, "--batches"],
    ["projects", FORGERY, FORGERY],
    ["projects", "--env", FORGERY],
    ["projects", "--env", f"http://{FORGERY}"],
    ["projects", "--organization", FORGERY],
    ["batches", FORGERY],
    ["batches", "list", FORGERY],
    ["batches", "create", "project-a", FORGERY * 500],
    ["batches", "publish", "project-a", FORGERY],
    ["calibration", "--id", FORGERY],
    ["calibration", "--external-id", FORGERY],
    ["inputs", "--uuids", FORGERY],
    ["inputs", "--project", FORGERY],
    ["inputs", "--project", "project-a", "--batch", FORGERY],
    ["scenes", FORGERY],
    ["scenes", "--external-ids", FORGERY],
    ["view", FORGERY],
    ["demo", FORGERY],
    ["demo", "--scenes", FORGERY],
    ["emulator", "--host", FORGERY],
    ["emulator", "--allow-host", FORGERY],
    ["emulator", "--unknown-scenes", FORGERY],
    ["wasm", FORGERY],
]


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=lambda arguments: " ".join(arguments).partition("\x1b")[0])
def test_arguments(arguments: list[str], variables: dict[str, str]) -> None:
    """What is wrong with an argument is said without its control characters."""
    done = run(*arguments, **variables)

    assert done.stdout + done.stderr
    assert done.stderr.count("\n") <= 4  # two lines of usage, a blank one, the error


@pytest.mark.parametrize(
    "name", ["KOGNIC_ENV", "KOGNIC_CREDENTIALS", "KOGNIC_CLIENT_ID", "KOGNIC_CLIENT_ORGANIZATION_ID", "HTTPS_PROXY"]
)
def test_variables(name: str, variables: dict[str, str]) -> None:
    """What is wrong with a variable of the environment is said without its control characters."""
    done = run("projects", **(variables | {name: FORGERY}))

    assert done.returncode in (1, 2)
    assert done.stderr


def test_environments(tmp_path: Path, variables: dict[str, str]) -> None:
    """The names in the file of environments are shown."""
    place = tmp_path / "kognic" / "environments.json"
    place.parent.mkdir()
    del variables  # it is the file that names the environment
    for content in ({"default_context": FORGERY}, {"contexts": {FORGERY: {FORGERY: FORGERY}}}, [FORGERY]):
        place.write_text(json.dumps(content))
        run("projects", XDG_CONFIG_HOME=str(tmp_path), HOME=str(tmp_path))


@pytest.fixture
def forged_scene(emulator: Emulator) -> str:
    """The uuid of a scene in a platform where all names and words are forged, and long."""
    platform, long = emulator.platform, FORGERY + "x" * 10_000
    platform.add_project(long, title=long, description=long, status=long)
    platform.add_calibration(long, {"lidar": "lidar"})
    scene = platform.add_scene(long, failure=long)
    platform.add_input(scene, "project-a", "batch-2")
    return scene


@pytest.mark.anyio
@pytest.mark.parametrize("options", [[], ["--json"]])
async def test_texts_of_the_platform(forged_scene: str, emulator: Emulator, options: list[str]) -> None:
    """Tables and JSON show the names and words of the platform without control characters."""
    for command in (["projects"], ["calibration"], ["scenes", forged_scene], ["inputs", "--project", "project-a"]):
        done = await anyio.to_thread.run_sync(partial(run, *command, *options, **variables_of(emulator)))
        assert done.returncode == 0
        assert "\\u202e" in done.stdout
        assert options or max(map(len, done.stdout.splitlines())) < 10 * MAX_CELL


@pytest.mark.anyio
async def test_texts_in_errors(emulator: Emulator) -> None:
    """An error that names what there is shows that without control characters, and not in all its length."""
    for number in range(30):
        emulator.platform.add_project(f"{FORGERY}{'x' * LONG}{number}")
    emulator.faults.add(faults.Status(404), on="GET v1/projects/*")
    command = partial(run, "batches", "list", "none", **variables_of(emulator))
    done = await anyio.to_thread.run_sync(command)

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert len(done.stderr) < 20_000


@pytest.mark.anyio
@pytest.mark.parametrize("status", [200, 302, 400, 404, 503])
async def test_words_of_a_server(status: int) -> None:
    """Whatever a server answers with, and in whatever headers, its words are one line."""
    async with serving() as server:
        server.always = partial(forged_answer, status)
        done = await anyio.to_thread.run_sync(partial(run, "projects", **variables_of_script(server)))

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1


def forged_answer(status: int, request: web.BaseRequest) -> web.Response:
    headers = {"X-Request-Id": "\x1b[2J\u202e", "Location": "http://else/\x1b[2J\u202e", "Retry-After": "0"}
    return web.json_response({"message": FORGERY, "data": [{FORGERY: FORGERY}]}, status=status, headers=headers)


def variables_of_script(server: Server) -> dict[str, str]:
    return {"KOGNIC_ENV": server.url, "KOGNIC_CLIENT_ID": "id", "KOGNIC_CLIENT_SECRET": "secret"}


@linux
@pytest.mark.anyio
@pytest.mark.parametrize("letter", ["x", "写", "\x1b", "\u0301"])
async def test_a_huge_cell(emulator: Emulator, tmp_path: Path, letter: str) -> None:
    """A text of a megabyte among 500 rows makes neither its own row long, nor the others, and costs little."""
    for number in range(500):
        emulator.platform.add_project(f"project {number}", title="t", description="d")
    emulator.platform.add_project("huge", title=letter * LONG, description="d")
    told = tmp_path / "cost"
    code = f"import sys; sys.argv[0] = {str(told)!r}\n{MEASURED}"
    with anyio.fail_after(GENEROUS):
        done = await anyio.run_process(
            [sys.executable, "-c", code, "projects"],
            env=environment(PYTHONIOENCODING="utf-8", **variables_of(emulator)),
        )

    memory, seconds = map(float, told.read_text().split())
    assert memory < MAX_MEMORY
    assert seconds < SECONDS
    assert len(done.stdout) < 1_000_000
    assert_harmless(done.stdout.decode())
    assert max(map(len, done.stdout.decode().splitlines())) < 3 * MAX_CELL


@pytest.mark.anyio
@pytest.mark.parametrize("columns", [80, 800])
async def test_a_huge_cell_in_a_terminal(emulator: Emulator, columns: int) -> None:
    """In a terminal, a text of a megabyte is cut as well, whether there is a table or a line for each value."""
    emulator.platform.add_project("huge", title="x" * LONG, description="d")
    look = partial(in_terminal, [sys.executable, "-m", "kognic_aio", "projects"], columns, **variables_of(emulator))
    code, output = await anyio.to_thread.run_sync(look)

    assert code == 0
    assert "x" * MAX_CELL + "..." in output
    assert len(output) < 100 * MAX_CELL


@pytest.mark.anyio
async def test_links_and_ids_are_whole(emulator: Emulator) -> None:
    """What is copied from a table, ids and links, is in there as a whole."""
    scene = emulator.platform.add_scene("e" * MAX_CELL)
    emulator.platform.add_input(scene, "project-a", "batch-2")
    shown = await looked(emulator, "inputs", "--project", "project-a")
    told = json.loads((await looked(emulator, "inputs", "--project", "project-a", "--json")).stdout)

    for entry in told:
        assert all(entry[name] in shown.stdout for name in ("scene_uuid", "external_id", "view_link"))


def test_one_way_out() -> None:
    """What is printed goes through `say` or a table, or is JSON; only the live display of the demo is rich's."""
    commands = Path(kognic_aio.__file__).parent / "cli"
    printing = {
        str(path.relative_to(commands))
        for path in commands.rglob("*.py")
        if re.search(r"(?<![\w.])print\(|\bs?echo\(|\bsecho\(|console\.print\(|std(out|err)\.write", path.read_text())
    }
    assert printing == {"output.py", "display.py"}
