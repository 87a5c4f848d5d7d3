import re
import signal
import socket
import subprocess
from collections.abc import Callable

import anyio
import pytest

from kognic_aio.emulator import INPUT_UUIDS, Emulator
from kognic_aio.emulator.state.accounts import Workspace
from tests.cli.support import COMMAND, environment, kognicutil, looked, variables_of
from tests.cli.terminal import in_terminal
from tests.waiting import GENEROUS

Look = Callable[..., "subprocess.CompletedProcess[str]"]

UUID = INPUT_UUIDS[0]


def test_wrong_credentials(look: Look, variables: dict[str, str]) -> None:
    """Refused credentials are one line, without them in it, and 1."""
    done = kognicutil("projects", **(variables | {"KOGNIC_CLIENT_SECRET": "wrong-secret"}))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: the auth server refused the credentials")
    assert done.stderr.count("\n") == 1
    assert "wrong-secret" not in done.stderr


def test_nobody_listens(variables: dict[str, str]) -> None:
    """A server that cannot be reached is one line, after a few tries, and 1."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    done = kognicutil("projects", "--env", url, "--json", **variables)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: no connection for POST {url}/")
    assert done.stderr.count("\n") == 1


def test_credentials_stay_off_plain_http(variables: dict[str, str]) -> None:
    """Credentials are not sent in clear to another machine."""
    done = kognicutil("projects", "--env", "http://platform.example.com", **variables)

    assert done.returncode == 1
    assert "credentials are not sent over plain http" in done.stderr


@pytest.mark.anyio
@pytest.mark.parametrize("count", [0, 2])
async def test_workspaces_do_not_matter(emulator: Emulator, count: int) -> None:
    """One may look without being developer in exactly one workspace."""
    accounts = emulator.platform.accounts
    (only,) = accounts.workspaces.values()
    accounts.workspaces = {
        str(number): Workspace(id=str(number), external_id="w", name="W", organization=only.organization)
        for number in range(count)
    }
    done = await looked(emulator, "projects")

    assert done.returncode == 0
    assert "project-a" in done.stdout


@pytest.mark.anyio
async def test_organization(emulator: Emulator) -> None:
    """KOGNIC_CLIENT_ORGANIZATION_ID is the organization to act for, which is said beside the output."""
    done = await looked(emulator, "projects", KOGNIC_CLIENT_ORGANIZATION_ID="1")

    assert done.stderr == "Acting for organization 1\n"
    (request,) = emulator.recorder.requests(path_prefix="/v1/projects")
    assert request.headers["X-Organization-Id"] == "1"


def test_warnings_for_programmers(look: Look, variables: dict[str, str]) -> None:
    """Whatever Python is told to do with warnings, nothing of them reaches the terminal."""
    done = kognicutil("inputs", "--uuids", UUID, **variables, PYTHONWARNINGS="error::DeprecationWarning")

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("command", "rows"), [(["scenes", UUID], 1), (["inputs", "--project", "project-a"], 2)])
def test_narrow_terminal(variables: dict[str, str], command: list[str], rows: int) -> None:
    """In a terminal too narrow for the table, each value has a line, on which links and uuids are whole."""
    code, output = in_terminal([*COMMAND, *command], 60, **variables)

    assert code == 0
    lines = plain(output).splitlines()
    assert f"{'scene_uuid' if 'inputs' in command else 'uuid':<13}".rstrip() in lines[0]
    links = [line for line in lines if line.startswith("view_link")]
    assert len(links) >= rows
    assert all(re.fullmatch(r"view_link +https://app\.kognic\.com/view/\w+/[0-9a-f-]{36}", line) for line in links)
    assert any(line.split() == ["status", "created"] for line in lines)


def test_wide_terminal(variables: dict[str, str]) -> None:
    """In a terminal with room for the table, there is a table."""
    code, output = in_terminal([*COMMAND, "scenes", UUID], 200, **variables)

    assert code == 0
    assert "\x1b[1m" in output
    header, row = plain(output).splitlines()
    assert header.startswith("uuid ")
    assert row.startswith(UUID)


def plain(output: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output).replace("\r\n", "\n")


@pytest.mark.anyio
async def test_names_as_they_are(emulator: Emulator) -> None:
    """Brackets and emoji codes are no markup, and control characters are shown, not obeyed; columns stay aligned."""
    emulator.platform.add_project("[bold]:smile:", title="写真\x1b[2J", description="two\nlines \ud83d \u202e")
    done = await looked(emulator, "projects", PYTHONIOENCODING="utf-8")

    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    assert "[bold]:smile:  写真\\x1b[2J  two\\nlines \\ud83d \\u202e  active" in lines[-1]
    assert lines[0].index("description") == lines[-1].index("two") + len("写真")  # each is two columns wide


@pytest.mark.anyio
async def test_letters_that_the_output_lacks(emulator: Emulator) -> None:
    """A name in letters that the output's encoding lacks is shown in escapes."""
    emulator.platform.add_project("写真")
    done = await looked(emulator, "projects", PYTHONIOENCODING="latin-1")

    assert done.returncode == 0
    assert "\\u5199\\u771f" in done.stdout


@pytest.mark.anyio
async def test_a_pipe_has_no_width(emulator: Emulator) -> None:
    """In a pipe every row is one line, whatever the width of a terminal, and has no escape sequences."""
    emulator.platform.add_project("p" * 200, title="t" * 200, description="x" * 200)
    done = await looked(emulator, "projects")

    assert len(done.stdout.splitlines()) == 4
    assert "  ".join(("p" * 200, "t" * 200, "x" * 200)) in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.anyio
@pytest.mark.parametrize("options", [[], ["--json"]])
async def test_a_reader_that_goes(emulator: Emulator, options: list[str]) -> None:
    """A pipe that is closed early, as by `head -1`, ends a command without a word, however much there was to say."""
    for index in range(2000):
        emulator.platform.add_project(f"project-{index}", description="x" * 100)
    code, errors = await anyio.to_thread.run_sync(only_begin_to_read, ["projects", *options], variables_of(emulator))

    assert (code, errors) == (1, "")


def only_begin_to_read(command: list[str], variables: dict[str, str]) -> tuple[int, str]:
    with subprocess.Popen(
        [*COMMAND, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
        env=environment(**variables),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        return process.wait(GENEROUS), process.stderr.read()


def test_ctrl_c(variables: dict[str, str]) -> None:
    """Ctrl-C while a server is silent ends a command with 130 and without a word."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        silent.settimeout(GENEROUS)
        with subprocess.Popen(
            [*COMMAND, "projects", "--env", url], stderr=subprocess.PIPE, text=True, env=environment(**variables)
        ) as process:
            assert process.stderr is not None
            connection, _ = silent.accept()
            process.send_signal(signal.SIGINT)

            assert process.wait(GENEROUS) == 130
            assert process.stderr.read().strip() == ""
            connection.close()
