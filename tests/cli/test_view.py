import json

from kognic_aio.emulator import INPUT_UUIDS
from tests.cli.support import NOWHERE, kognicutil, table

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
