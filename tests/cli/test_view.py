import json

import pytest

from kognic_aio.emulator import INPUT_UUIDS, Emulator
from tests.cli.support import NOWHERE, kognicutil, looked, table

UUID = INPUT_UUIDS[0]
LINK = f"https://app.kognic.com/view/input/{UUID}"


def test_table() -> None:
    """The link of an input is known without credentials and without asking anybody."""
    done = kognicutil("view", UUID, KOGNIC_ENV="http://127.0.0.1:1", HOME=NOWHERE)

    assert done.returncode == 0
    assert table(done.stdout) == [["uuid", "view_link"], [UUID, LINK]]


def test_json() -> None:
    """As JSON, the link is in an object."""
    assert json.loads(kognicutil("view", UUID, "--json").stdout) == {"uuid": UUID, "view_link": LINK}


@pytest.mark.anyio
async def test_scene(emulator: Emulator) -> None:
    """The link of a scene is asked for by its uuid or its external id, of which there may be several scenes."""
    platform = emulator.platform
    first, second = platform.add_scene("crossing"), platform.add_scene("crossing")
    done = await looked(emulator, "view", "--scene", first)
    assert [row[0] for row in table(done.stdout)] == ["uuid", first]
    assert first in table(done.stdout)[1][1]
    done = await looked(emulator, "view", "--scene", "crossing")
    assert {row[0] for row in table(done.stdout)[1:]} == {first, second}


@pytest.mark.anyio
async def test_unknown_scene(emulator: Emulator) -> None:
    """It is neither a uuid nor an external id of a scene."""
    done = await looked(emulator, "view", "--scene", "nowhere")
    assert done.returncode == 1
    assert "nowhere" in done.stderr


@pytest.mark.parametrize("arguments", [[], [UUID, "--scene", "crossing"]])
def test_wrong_arguments(arguments: list[str]) -> None:
    """It takes an input or a scene."""
    assert kognicutil("view", *arguments).returncode == 2
