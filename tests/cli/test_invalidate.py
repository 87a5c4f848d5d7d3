"""`kognicutil invalidate`, which shows what it will do, and asks."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import anyio
import pytest

from kognic_aio.emulator import Emulator
from tests.cli.support import kognicutil, looked, table, variables_of

pytestmark = pytest.mark.anyio

COLUMNS = "external_id\tproject\tbatch\tstatus\tstage\terror\tscene_uuid\tinput_uuid\trequest_uuid\tview_link"


def invalidated(emulator: Emulator) -> set[str]:
    """The external ids of the scenes that are invalidated."""
    return {each.external_id for each in emulator.platform.scenes.by_uuid.values() if each.invalidated is not None}


def report(path: Path, rows: Sequence[tuple[str, str, str]]) -> Path:
    """A report with the external id, the uuid and the status of scenes."""
    lines = [f"{name}\tproject-a\t\t{status}\t\t\t{uuid}\t\t\t" for name, uuid, status in rows]
    path.write_text("\n".join([COLUMNS, *lines, ""]))
    return path


async def asked(emulator: Emulator, *arguments: str | Path, answer: str) -> "CompletedProcess[str]":
    """Run the command with an answer to its question."""
    run = partial(kognicutil, "invalidate", *arguments, answer=answer, **variables_of(emulator))
    return await anyio.to_thread.run_sync(run)


async def test_by_uuid_and_external_id(emulator: Emulator) -> None:
    """Those that are named are shown with their inputs, and gone; all others are left alone."""
    platform = emulator.platform
    one, _, _ = (platform.add_scene(name) for name in ("one", "two", "three"))
    platform.add_input(one, "project-a", "batch-2")
    done = await looked(emulator, "invalidate", one, "--external-id", "two", "--yes")
    assert done.returncode == 0, done.stderr
    assert [row[1:] for row in table(done.stdout)[:3]] == [
        ["external_id", "status", "inputs"],
        ["one", "created", "1"],
        ["two", "created", "0"],
    ]
    assert "2 scenes and 1 input invalidated" in done.stdout
    assert invalidated(emulator) == {"one", "two"}


@pytest.mark.parametrize(("answer", "code", "gone"), [("y\n", 0, {"one"}), ("n\n", 1, set()), ("", 1, set())])
async def test_it_asks(answer: str, code: int, gone: set[str], emulator: Emulator) -> None:
    """Nothing is invalidated without a yes, nor if nobody is there to give it."""
    uuid = emulator.platform.add_scene("one")
    done = await asked(emulator, uuid, answer=answer)
    assert "Invalidate 1 scene and 0 inputs? It cannot be undone." in done.stderr
    assert (done.returncode, invalidated(emulator)) == (code, gone)
    assert "Traceback" not in done.stderr


async def test_from_a_report(emulator: Emulator, tmp_path: Path) -> None:
    """By default those that failed for all their targets; a scene with an input is left alone."""
    platform = emulator.platform
    uuids = {name: platform.add_scene(name) for name in ("created", "failed", "half")}
    rows = [
        ("created", uuids["created"], "created"),
        ("failed", uuids["failed"], "failed"),
        ("half", uuids["half"], "failed"),
        ("half", uuids["half"], "created"),
        ("never-begun", "", "failed"),
    ]
    done = await looked(emulator, "invalidate", "--report", str(report(tmp_path / "report.tsv", rows)), "--yes")
    assert done.returncode == 0, done.stderr
    assert invalidated(emulator) == {"failed"}


async def test_inputs_that_a_report_lacks(emulator: Emulator, tmp_path: Path) -> None:
    """A scene that has inputs is not one that failed, whatever the report says."""
    platform = emulator.platform
    scene = platform.add_scene("half")
    platform.add_input(scene, "project-a", "batch-2")
    path = report(tmp_path / "report.tsv", [("half", scene, "failed")])
    done = await looked(emulator, "invalidate", "--report", str(path), "--yes")
    assert done.returncode == 0
    assert f"left alone, as they have inputs: {scene}" in done.stderr
    assert not invalidated(emulator)


async def test_hundreds(emulator: Emulator, tmp_path: Path) -> None:
    """Any number, and a second time none."""
    platform = emulator.platform
    rows = [(f"scene-{number}", platform.add_scene(f"scene-{number}"), "failed") for number in range(250)]
    path = str(report(tmp_path / "report.tsv", rows))
    done = await looked(emulator, "invalidate", "--report", path, "--yes")
    assert "250 scenes and 0 inputs invalidated" in done.stdout
    assert len(invalidated(emulator)) == 250
    again = await looked(emulator, "invalidate", "--report", path, "--yes")
    assert again.returncode == 0
    assert "nothing to invalidate" in again.stdout


@pytest.mark.parametrize(
    ("content", "problem"),
    [("name\tuuid\n", "its first line lacks the columns"), (f"{COLUMNS}\na\tb\n", ":2: expected")],
)
async def test_no_report(content: str, problem: str, emulator: Emulator, tmp_path: Path) -> None:
    """What is no report is one error, and nothing is invalidated."""
    path = tmp_path / "report.tsv"
    path.write_text(content)
    done = await looked(emulator, "invalidate", "--report", str(path), "--yes")
    assert done.returncode == 1
    assert problem in done.stderr
    assert not invalidated(emulator)


@pytest.mark.parametrize(
    "line", ['{"external_id": "a", "status": [], "scene_uuid": "b"}', "[" * 100_000, "\ud800", '{"status": "failed"}']
)
async def test_no_rows(line: str, emulator: Emulator, tmp_path: Path) -> None:
    """Lines that were changed into something else are one error."""
    path = tmp_path / "report.jsonl"
    path.write_bytes(line.encode(errors="surrogatepass"))
    done = await looked(emulator, "invalidate", "--report", str(path), "--yes")
    assert done.returncode == 1
    assert done.stderr == f"Error: report {path}:1: expected a row of a report\n"


async def test_nothing_named(emulator: Emulator) -> None:
    """It takes something to invalidate."""
    done = await looked(emulator, "invalidate", "--yes")
    assert done.returncode == 2
    assert "pass UUIDS, --external-id or --report" in done.stderr


async def test_unknown(emulator: Emulator) -> None:
    """If one of them is unknown, none is invalidated."""
    uuid = emulator.platform.add_scene("one")
    done = await looked(emulator, "invalidate", uuid, "00000000-0000-0000-0000-000000000000", "--yes")
    assert done.returncode == 1
    assert "00000000-0000-0000-0000-000000000000" in done.stderr
    assert not invalidated(emulator)
