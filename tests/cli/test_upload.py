"""`kognicutil upload`, in a process of its own, against an emulator in this one."""

import json
import signal
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from subprocess import PIPE, CompletedProcess

import anyio
import pytest
from anyio.abc import Process

from kognic_aio.bulk import Row, read_report
from kognic_aio.cli import INTERRUPTED
from kognic_aio.cli.upload import GO_ON, NOT_RUN, SOME_FAILED
from kognic_aio.emulator import Emulator
from tests.bulk.recordings import record, write
from tests.cli.support import COMMAND, environment, kognicutil, variables_of
from tests.cli.terminal import in_terminal
from tests.waiting import until

pytestmark = pytest.mark.anyio

TARGETS = ("--target", "project-a/batch-2", "--target", "project-b=pre_annotation")
OPENLABEL = {"openlabel": {"metadata": {"schema_version": "1.0.0"}}}


def drives(folder: Path, count: int) -> Path:
    """A folder of scenes, each with a pre-annotation."""
    for number in range(count):
        scene = record(folder / f"drive-{number:02}", cameras=["A", "B"], lidars=["L"], frames=2)
        write(scene / "pre_annotation.json", OPENLABEL)
    return folder


async def upload(emulator: Emulator, *arguments: str | Path) -> "CompletedProcess[str]":
    """Run the command to its end."""
    run = partial(kognicutil, "upload", *arguments, **variables_of(emulator))
    return await anyio.to_thread.run_sync(run)


@asynccontextmanager
async def uploading(emulator: Emulator, *arguments: str | Path) -> AsyncIterator[Process]:
    """The command while it runs."""
    command = [*COMMAND, "upload", *map(str, arguments)]
    async with await anyio.open_process(
        command, env=environment(**variables_of(emulator)), stdout=PIPE, stderr=PIPE
    ) as process:
        yield process


async def rows_of(report: Path) -> list[Row]:
    """The rows of a report."""
    return await anyio.to_thread.run_sync(lambda: [*read_report(report)])


def inputs(emulator: Emulator) -> Counter[tuple[str, str]]:
    """How many inputs each scene has in each project."""
    names = ((each.scene.external_id, each.batch.project) for each in emulator.platform.inputs)
    return Counter((name, project) for name, project in names if name.startswith("drive"))


async def test_to_two_projects(emulator: Emulator, tmp_path: Path) -> None:
    """Each scene has an input in both, each input a row in the report, and the summary counts them."""
    source, report = drives(tmp_path / "drives", 4), tmp_path / "report.tsv"
    done = await upload(emulator, source, *TARGETS, "--report", report)
    assert done.returncode == 0, done.stderr
    assert "4 of 4 checked" in done.stdout
    assert "4 created, 0 failed" in done.stdout
    rows = await rows_of(report)
    assert {(row.external_id, row.project) for row in rows} == {
        (f"drive-0{number}", project) for number in range(4) for project in ("project-a", "project-b")
    }
    assert {row.status for row in rows} == {"created"}
    assert all(row.input_uuid and row.view_link for row in rows)
    assert (tmp_path / "drives.kognic-journal").exists()


async def test_again(emulator: Emulator, tmp_path: Path) -> None:
    """The same command a second time creates nothing, and its report has all."""
    source, report = drives(tmp_path / "drives", 3), tmp_path / "report.jsonl"
    await upload(emulator, source, "--project", "project-a")
    before = len(emulator.recorder.requests("POST", "/v1/inputs"))
    done = await upload(emulator, source, "--project", "project-a", "--report", report)
    assert done.returncode == 0, done.stderr
    assert "3 done before" in done.stdout
    assert len(emulator.recorder.requests("POST", "/v1/inputs")) == before
    assert len(await rows_of(report)) == 3


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, INTERRUPTED), (signal.SIGTERM, GO_ON), (signal.SIGKILL, -signal.SIGKILL)]
)
async def test_interrupted(sent: signal.Signals, code: int, emulator: Emulator, tmp_path: Path) -> None:
    """However a run ends, the same command goes on: nothing is missing in the end, and nothing is there twice."""
    source = drives(tmp_path / "drives", 20)
    emulator.platform.timing.processing_time = 0.3
    async with uploading(emulator, source, *TARGETS, "--scene-jobs", "2") as process:
        await until(lambda: sum(inputs(emulator).values()) >= 4)
        process.send_signal(sent)
        assert await process.wait() == code
        errors = b"" if process.stderr is None else b"".join([chunk async for chunk in process.stderr])
    if sent is not signal.SIGKILL:
        assert "to go on, run:" in errors.decode()
    assert sum(inputs(emulator).values()) < 40
    done = await upload(emulator, source, *TARGETS, "--report", tmp_path / "report.jsonl")
    assert done.returncode == 0, done.stderr
    assert len(inputs(emulator)) == 40
    assert set(inputs(emulator).values()) == {1}
    assert len(await rows_of(tmp_path / "report.jsonl")) == 40
    assert len(emulator.recorder.requests("POST", "/v1/calibrations")) == 1


async def test_a_scene_that_is_wrong(emulator: Emulator, tmp_path: Path) -> None:
    """It fails alone, with what is wrong, and can be retried once it is mended."""
    source = drives(tmp_path / "drives", 3)
    broken = source / "drive-01" / "cameras" / "A"
    image = next(broken.iterdir())
    content = image.read_bytes()
    image.write_bytes(b"")
    done = await upload(emulator, source, "--project", "project-a", "--report", tmp_path / "report.tsv")
    assert done.returncode == SOME_FAILED
    assert "failed: drive-01" in done.stdout
    assert "--retry-failed" in done.stderr
    rows = await rows_of(tmp_path / "report.tsv")
    assert Counter(row.status for row in rows) == {"created": 2, "failed": 1}
    image.write_bytes(content)
    done = await upload(emulator, source, "--project", "project-a", "--retry-failed")
    assert done.returncode == 0, done.stderr
    assert set(inputs(emulator).values()) == {1}


async def test_too_many_failures(emulator: Emulator, tmp_path: Path) -> None:
    """After these, no more scenes are taken."""
    for number in range(20):
        emulator.platform.refuse("processing", f"drive-{number:02}", "the image is broken")
    source = drives(tmp_path / "drives", 20)
    done = await upload(emulator, source, "--project", "project-a", "--max-failures", "1", "--scene-jobs", "1")
    assert done.returncode == SOME_FAILED
    assert len(emulator.recorder.requests("POST", "/v1/inputs/lidars-and-cameras-sequence")) < 20


async def test_a_dry_run(emulator: Emulator, tmp_path: Path) -> None:
    """Nothing is created, and no journal written."""
    done = await upload(emulator, drives(tmp_path / "drives", 2), "--project", "project-a", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert not inputs(emulator)
    assert [path.name for path in tmp_path.iterdir()] == ["drives"]  # noqa: ASYNC240


async def test_shards(emulator: Emulator, tmp_path: Path) -> None:
    """Parts that are uploaded by themselves are the whole together, and each has its own journal and report."""
    source = drives(tmp_path / "drives", 6)
    for index in range(2):
        done = await upload(
            emulator, source, "--project", "project-a", "--shard", f"{index}/2", "--report", tmp_path / "report.jsonl"
        )
        assert done.returncode == 0, done.stderr
    assert len(inputs(emulator)) == 6
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} >= {  # noqa: ASYNC240
        "drives.kognic-journal.0-of-2",
        "drives.kognic-journal.1-of-2",
        "report.jsonl.0-of-2",
        "report.jsonl.1-of-2",
    }


@pytest.mark.parametrize("columns", [80, 200])
async def test_in_a_terminal(columns: int, emulator: Emulator, tmp_path: Path) -> None:
    """The display fits into the terminal, and the summary stays."""
    source = drives(tmp_path / "drives", 5)
    emulator.platform.timing.processing_time = 0.5
    command = [*COMMAND, "upload", str(source), "--project", "project-a"]
    code, output = await anyio.to_thread.run_sync(partial(in_terminal, command, columns, **variables_of(emulator)))
    assert code == 0
    assert "5 of 5 checked" in output


async def test_as_json(emulator: Emulator, tmp_path: Path) -> None:
    """Each line on standard output is an event."""
    done = await upload(emulator, drives(tmp_path / "drives", 2), "--project", "project-a", "--json")
    assert done.returncode == 0, done.stderr
    events = Counter(json.loads(line)["event"] for line in done.stdout.splitlines())
    assert events["SceneSettled"] == 2
    assert "2 created" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        ((), 2, "exactly one of --project and --target"),
        (("--project", "p", "--target", "q"), 2, "exactly one of --project and --target"),
        (("--target", "p", "--batch", "b"), 2, "--batch needs --project"),
        (("--project", "p", "--shard", "4/4"), 2, "expected a part such as 0/4"),
        (("--project", "p", "--report", "report.xlsx"), NOT_RUN, "expected a name that ends in .jsonl or .tsv"),
        (("--project", "project-x"), NOT_RUN, "project 'project-x' does not exist"),
    ],
)
async def test_wrong_arguments(
    arguments: Sequence[str], code: int, problem: str, emulator: Emulator, tmp_path: Path
) -> None:
    """Nothing is sent, and one error says what is wrong."""
    done = await upload(emulator, drives(tmp_path / "drives", 1), *arguments)
    assert done.returncode == code
    assert problem in done.stderr
    assert "Traceback" not in done.stderr
