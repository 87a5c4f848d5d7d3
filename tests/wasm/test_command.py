import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.cli.support import COMMAND, environment, kognicutil, python
from tests.waiting import GENEROUS
from tests.wasm import modules
from tests.wasm.conftest import Install

SOURCES = Path(__file__).parent / "sources"
CASES = [{"point3d": {"x": 1, "y": 2, "z": 1}, "point2d": {"x": 420, "y": 440}}]


def written(folder: Path, content: bytes | object, name: str = "camera.wasm") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


@pytest.mark.parametrize("command", [[], ["compile"], ["validate"]])
def test_help(command: list[str]) -> None:
    """The commands explain themselves."""
    done = kognicutil("wasm", *command, "--help")

    assert done.returncode == 0
    assert done.stdout.startswith(" ".join(["Usage: kognicutil wasm", *command]))


def test_a_valid_module(tmp_path: Path) -> None:
    """A valid module is said to be valid."""
    path = written(tmp_path, modules.PINHOLE)

    done = kognicutil("wasm", "validate", path)

    assert (done.returncode, done.stdout, done.stderr) == (0, f"{path} is valid\n", "")


def test_test_cases(tmp_path: Path) -> None:
    """A module is compared with the test cases of a JSON file."""
    path, cases = written(tmp_path, modules.PINHOLE), written(tmp_path, CASES, "cases.json")

    done = kognicutil("wasm", "validate", path, "--test-cases", cases)

    assert done.returncode == 0
    assert done.stdout == f"{path} is valid, and agrees with all test cases\n"


def test_a_wrong_projection(tmp_path: Path) -> None:
    """A test case that the module does not agree with ends the command with 1 and one line."""
    path, cases = written(tmp_path, modules.NAN), written(tmp_path, CASES, "cases.json")

    done = kognicutil("wasm", "validate", path, "--test-cases", cases)

    assert done.returncode == 1
    expected = "expected (1.0, 2.0, 1.0) to be projected to (420.0, 440.0)"
    assert done.stderr.startswith(f"Error: test case 0: {expected}, got (nan")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[", "Expecting value"),
        ([{"point3d": {"x": "a", "y": 0, "z": 0}, "point2d": {"x": 0, "y": 0}}], "$[0].point3d.x"),
    ],
)
def test_no_test_cases(content: object, words: str, tmp_path: Path) -> None:
    """A file without test cases is a wrong argument, and the error says where it is wrong."""
    path, cases = written(tmp_path, modules.PINHOLE), written(tmp_path, content, "cases.json")

    done = kognicutil("wasm", "validate", path, "--test-cases", cases)

    assert done.returncode == 2
    assert f"no test cases in {cases}" in done.stderr
    assert words in done.stderr


@pytest.mark.parametrize("kind", ["device", "pipe", "large"])
def test_test_cases_without_end(kind: str, tmp_path: Path) -> None:
    """A file of test cases is a regular file of some size; nothing else is waited for or read to its end."""
    path, cases = written(tmp_path, modules.PINHOLE), tmp_path / "cases.json"
    if kind == "device":
        cases = Path("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(cases)
    else:
        with cases.open("wb") as file:
            file.truncate(1 << 40)

    done = kognicutil("wasm", "validate", path, "--test-cases", cases)

    assert done.returncode == 2
    assert ("it has more than 1,048,576 bytes" if kind == "large" else "not a regular file") in done.stderr


@pytest.mark.parametrize("content", [b"text", modules.EMPTY, modules.SINGLE, modules.TRAP, modules.IMPORTING])
def test_a_module_that_is_not_valid(content: bytes, tmp_path: Path) -> None:
    """A module that is not valid ends the command with 1 and one line that names the file."""
    path = written(tmp_path, content)

    done = kognicutil("wasm", "validate", path)

    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert str(path) in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [["validate", "no.wasm"], ["compile", "no.c", "no.wasm"], ["compile", __file__]])
def test_wrong_arguments(arguments: list[str]) -> None:
    """Files that are not there, or not named, are wrong arguments."""
    done = kognicutil("wasm", *arguments)

    assert done.returncode == 2
    assert "Error: " in done.stderr


def test_compiling(install: Install, tmp_path: Path) -> None:
    """A source is compiled to an output."""
    install("emcc", "emcc")
    source, output = SOURCES / "pinhole.c", tmp_path / "camera.wasm"

    done = kognicutil("wasm", "compile", source, output)

    assert done.stderr == ""
    assert done.stdout == f"{source} is compiled to {output}, {output.stat().st_size} bytes\n"
    assert done.returncode == 0


def test_compiling_what_is_broken(install: Install, tmp_path: Path) -> None:
    """What the compiler says is printed, and the command ends with 1."""
    install("emcc", "emcc")

    done = kognicutil("wasm", "compile", SOURCES / "broken.c", tmp_path / "camera.wasm")

    assert done.returncode == 1
    assert done.stderr.startswith("Error: emcc could not compile ")
    assert "use of undeclared identifier 'undeclared'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("options", "code"), [([], 1), (["--skip-validation"], 0)])
def test_skipping_the_validation(options: list[str], code: int, install: Install, tmp_path: Path) -> None:
    """A module that is not valid is written only to those who skip the validation."""
    install("emcc", "emcc")
    output = tmp_path / "camera.wasm"

    done = kognicutil("wasm", "compile", SOURCES / "single.c", output, *options)

    assert done.returncode == code
    assert output.exists() == (code == 0)


@pytest.mark.usefixtures("install")
def test_without_a_compiler(tmp_path: Path) -> None:
    """A missing compiler is one line."""
    done = kognicutil("wasm", "compile", SOURCES / "pinhole.c", tmp_path / "camera.wasm")

    assert done.returncode == 1
    assert done.stderr.startswith("Error: compiling pinhole.c needs emcc, which is not on the PATH: install Emscripten")
    assert done.stderr.count("\n") == 1


def test_without_the_extra(tmp_path: Path) -> None:
    """Without wasmtime, one line says how to install it."""
    path = written(tmp_path, modules.PINHOLE)

    done = python(
        f"""
import sys
from kognic_aio.cli import main

sys.modules["wasmtime"] = None
sys.argv = ["kognicutil", "wasm", "validate", {str(path)!r}]
main()
"""
    )

    assert done.returncode == 1
    assert done.stderr == "Error: running WebAssembly needs wasmtime: pip install 'kognic-aio[wasm]'\n"


def test_ctrl_c(install: Install, tmp_path: Path, temporary: Path) -> None:
    """Ctrl-C ends the compilation with 130 and without a word, and the compiler with it."""
    install("emcc", "endless")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(GENEROUS)
        command = [*COMMAND, "wasm", "compile", str(SOURCES / "pinhole.c"), str(tmp_path / "camera.wasm")]
        variables = environment(PORT=str(server.getsockname()[1]))
        with subprocess.Popen(command, stderr=subprocess.PIPE, env=variables) as process:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(GENEROUS)
                assert connection.recv(7) == b"started"
                process.send_signal(signal.SIGINT)

                assert process.wait(GENEROUS) == 130
                assert process.stderr is not None
                assert process.stderr.read().strip() == b""
                assert connection.recv(1) == b""  # nobody holds the other end any longer
    assert not list(temporary.iterdir())
