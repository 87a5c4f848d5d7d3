"""An emulator in a process of its own, and commands that look at it."""

import subprocess
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.cli.support import COMMAND, environment, kognicutil


@pytest.fixture(scope="session")
def variables() -> Iterator[dict[str, str]]:
    """The variables that an emulator prints, which make the other commands look at it."""
    with subprocess.Popen(
        [*COMMAND, "emulator", "--port", "0"], stdout=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stdout is not None
        try:
            line = next(line for line in process.stdout if line.startswith("export "))
            yield dict(variable.split("=", 1) for variable in line.split()[1:])
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def look(variables: dict[str, str]) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs a command that looks at the emulator."""
    return partial(kognicutil, **variables)
