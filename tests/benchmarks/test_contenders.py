"""Each contender does what it is measured for, in a process of its own. No test looks at a time."""

import json
import subprocess
import sys

import pytest

from benchmarks.cases import Case, Platform
from benchmarks.child import ROOT, ChildFailedError, child
from benchmarks.contenders import CURL, FIXED, FLOOR, JOURNAL, OFFICIAL, OURS, PROTOTYPE, PUTS, UVLOOP, Contender
from benchmarks.figures import Figures
from benchmarks.runner import Runner
from benchmarks.server import emulator

UPLOAD = "PUT storage/{workspace}/{scene}/{resource}"
TINY = Case(scenes=3, files=2, size=1_000, platform=Platform(processing_time=0.1))
SEQUENCE = Case(scenes=1, frames=3, files=2, size=1_000)
STREAM = Case(scenes=30, files=1, size=1_000, is_streamed=True)
LARGE = Case(scenes=2, files=1, size=3 << 20)
ENCRYPTED = Case(scenes=2, files=1, size=3 << 20, platform=Platform(is_encrypted=True))
CREATING = [
    *((contender, TINY) for contender in (OURS, UVLOOP, JOURNAL, FIXED[0], OFFICIAL, PROTOTYPE, FLOOR)),
    *((contender, SEQUENCE) for contender in (OURS, OFFICIAL, PROTOTYPE, FLOOR)),
    *((contender, STREAM) for contender in (OURS, OFFICIAL, FLOOR)),
]


def run(contender: Contender, case: Case) -> Figures:
    outcome = Runner(1).alternate(case, [contender])
    (figures,) = outcome.runs[contender.name]
    return figures


@pytest.mark.parametrize(("contender", "case"), CREATING, ids=str)
def test_creates_inputs(contender: Contender, case: Case) -> None:
    """It creates each scene and its input, with the requests that the protocol needs, and one to check the project."""
    figures = run(contender, case)
    assert figures.requests["POST v1/inputs"] == case.scenes
    assert figures.requests[UPLOAD] == case.scenes * case.files_of_scene
    opening = sum(figures.requests[name] for name in ("POST v1/auth/oauth/token", "GET v1/workspaces"))
    assert figures.all_requests - opening - figures.status_queries - case.needed_requests in (0, 1)
    assert 0 < figures.first <= figures.wall
    assert figures.memory[-1][0] == case.scenes


@pytest.mark.parametrize("contender", [PUTS, CURL], ids=lambda contender: contender.name)
def test_uploads(contender: Contender) -> None:
    """A floor of the uploads uploads all files, and creates no input."""
    figures = run(contender, TINY)
    assert figures.requests[UPLOAD] == 6
    assert "POST v1/inputs" not in figures.requests


@pytest.mark.parametrize("contender", [FLOOR, PUTS], ids=lambda contender: contender.name)
def test_large_files_over_bare_sockets(contender: Contender) -> None:
    """Files that are larger than a socket's buffer arrive whole."""
    assert run(contender, LARGE).requests[UPLOAD] == 2


@pytest.mark.parametrize("contender", [OURS, UVLOOP, CURL], ids=lambda contender: contender.name)
def test_over_tls(contender: Contender) -> None:
    """The contenders of the benchmark `tls` trust the emulator's certificate."""
    assert run(contender, ENCRYPTED).requests[UPLOAD] == 2


def test_the_floor_asks_once_for_each_status() -> None:
    """The protocol floor asks for a scene when it is ready."""
    assert run(FLOOR, TINY).status_queries == TINY.scenes


def test_failed_child_is_an_error() -> None:
    """A child that ends without an answer is an error, and no figure."""
    with pytest.raises(ChildFailedError, match="ours"), child("benchmarks.contenders.ours", {}):
        pass


def test_emulator_ends_with_its_parent() -> None:
    """The emulator's process ends when its stdin closes, as it does when the parent dies."""
    order = json.dumps({"platform": {}, "certificate": None})
    command = [sys.executable, "-m", "benchmarks.emulation"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        print(order, file=process.stdin, flush=True)
        assert json.loads(process.stdout.readline())["host"].startswith("http://127.0.0.1:")
        process.stdin.close()
        assert process.wait(timeout=5) == 0


def test_emulator_counts_no_connection_of_its_own() -> None:
    """The connection that asks for the report is not in it."""
    with emulator(Platform()) as server:
        assert server.report()["connections_opened"] == 0
