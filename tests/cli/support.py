"""Runs `kognicutil` in a process of its own, in an environment that holds nothing of ours."""

import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import anyio

from kognic_aio.emulator import Emulator
from tests.waiting import GENEROUS

COMMAND = [sys.executable, "-c", "from kognic_aio.cli import main; main()"]
AT_ONCE = ["--api-latency", "0", "--storage-latency", "0", "--processing-time", "0"]

PNG = b"\x89PNG\r\n\x1a\n as good as any image"
CSV = b"ts_gps,x,y,z,intensity\n0,1.0,2.0,3.0,7\n"

LEFT_OUT = ("KOGNIC_", "XDG_", "FORCE_COLOR", "TTY_", "COLUMNS", "HTTP_PROXY", "http_proxy")
NOWHERE = "/nonexistent"


def environment(**variables: str) -> dict[str, str]:
    """The environment without what would change the output, and with some variables."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(LEFT_OUT)}
    return {**inherited, "XDG_CONFIG_HOME": NOWHERE, **variables}


def kognicutil(*arguments: str | Path, answer: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with an answer to what it asks."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        input=answer,
        capture_output=True,
        text=True,
        env=environment(**variables),
        timeout=GENEROUS,
        check=False,
    )


def python(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run some code to its end."""
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment(**variables),
        timeout=GENEROUS,
        check=False,
    )


def folder_of(folder: Path, *names: str) -> Path:
    """Fill a folder with good files."""
    for index, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((CSV if path.suffix.lower() == ".csv" else PNG) + str(index).encode())
    return folder


def variables_of(emulator: Emulator) -> dict[str, str]:
    """What makes a command look at an emulator."""
    client_id, client_secret = emulator.client_options()["auth"]
    return {"KOGNIC_ENV": emulator.url, "KOGNIC_CLIENT_ID": client_id, "KOGNIC_CLIENT_SECRET": client_secret}


async def looked(emulator: Emulator, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command that looks at an emulator in this process."""
    return await anyio.to_thread.run_sync(partial(kognicutil, *arguments, **(variables_of(emulator) | variables)))


def table(output: str) -> list[list[str]]:
    """The rows of a table, its header among them; cells are two columns apart at least."""
    return [re.split(r" {2,}", line) for line in output.splitlines()]
