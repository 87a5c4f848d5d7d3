"""`kognicutil upload`, in a process of its own, against an emulator in this one."""

import gzip
import json
import signal
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from subprocess import DEVNULL, PIPE, CompletedProcess

import anyio
import pytest
from anyio.abc import Process

from kognic_aio.bulk import Row, read_report
from kognic_aio.cli import INTERRUPTED
from kognic_aio.cli.uploading import GO_ON, NOT_RUN, SOME_FAILED
from kognic_aio.emulator import Emulator
from tests.bulk.recordings import png, record, write
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
    assert "stopped after " in done.stderr
    assert len(emulator.recorder.requests("POST", "/v1/inputs/lidars-and-cameras-sequence")) < 20


async def test_a_dry_run(emulator: Emulator, tmp_path: Path) -> None:
    """Nothing is created, and no journal written."""
    done = await upload(emulator, drives(tmp_path / "drives", 2), "--project", "project-a", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert not inputs(emulator)
    assert [path.name for path in tmp_path.iterdir()] == ["drives"]  # noqa: ASYNC240


async def test_shards(emulator: Emulator, tmp_path: Path) -> None:
    """Parts that processes upload at once are the whole together, and each has its own journal and report."""
    source = drives(tmp_path / "drives", 6)

    async def upload_shard(index: int) -> None:
        done = await upload(
            emulator, source, "--project", "project-a", "--shard", f"{index}/2", "--report", tmp_path / "report.jsonl"
        )
        assert done.returncode == 0, done.stderr

    async with anyio.create_task_group() as tasks:
        for index in range(2):
            tasks.start_soon(upload_shard, index)
    assert len(inputs(emulator)) == 6
    assert len(emulator.recorder.requests("POST", "/v1/calibrations")) == 1
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


async def test_a_scene_that_has_changed(emulator: Emulator, tmp_path: Path) -> None:
    """It is not created beside what an earlier run created unless one wants that, and the report has both."""
    source, report = drives(tmp_path / "drives", 2), tmp_path / "report.tsv"
    await upload(emulator, source, "--project", "project-a")
    write(source / "drive-01" / "scene.json", {"metadata": {"weather": "rain"}})
    done = await upload(emulator, source, "--project", "project-a", "--report", report)
    assert done.returncode == SOME_FAILED
    assert "drive-01 changed after an earlier run had created what was there" in done.stderr
    assert "kognicutil invalidate --external-id drive-01" in done.stderr
    rows = [(row.external_id, row.status, row.project) for row in await rows_of(report)]
    assert sorted(rows) == [
        ("drive-00", "created", "project-a"),
        ("drive-01", "created", "project-a"),
        ("drive-01", "failed", "project-a"),
    ]


async def test_failures_have_rows(emulator: Emulator, tmp_path: Path) -> None:
    """A scene that cannot be read has a row for each target, and so has one whose external id is taken."""
    source, report = drives(tmp_path / "drives", 1), tmp_path / "report.tsv"
    write(source / "broken" / "scene.json", b"{")
    write(record(source / "twin") / "scene.json", {"external_id": "drive-00"})
    targets = ("--target", "project-a/batch-2", "--target", "project-b")
    done = await upload(emulator, source, *targets, "--report", report)
    assert done.returncode == SOME_FAILED
    rows = Counter((row.external_id, row.status, row.project) for row in await rows_of(report))
    assert rows == {
        (name, status, project): 1
        for name, status in (("broken", "failed"), ("drive-00", "created"), ("drive-00", "failed"))
        for project in ("project-a", "project-b")
    }


async def test_a_run_that_does_not_begin(emulator: Emulator, tmp_path: Path) -> None:
    """It leaves the report of an earlier run as it is."""
    report = tmp_path / "report.tsv"
    report.write_text("earlier")
    done = await upload(emulator, drives(tmp_path / "drives", 1), "--project", "project-x", "--report", report)
    assert done.returncode == NOT_RUN
    assert report.read_text() == "earlier"


async def test_a_source_that_breaks(emulator: Emulator, tmp_path: Path) -> None:
    """What was created before is in the report."""
    image = write(tmp_path / "a.png", png())
    frame = {"images": [{"filename": str(image), "sensor_name": "A"}]}
    lines = [{"type": "cameras", "external_id": f"drive-{n:03}", "frame": frame} for n in range(300)]
    content = gzip.compress("\n".join(map(json.dumps, lines)).encode(), compresslevel=0)
    manifest, report = write(tmp_path / "scenes.jsonl.gz", content[:-9000]), tmp_path / "report.tsv"
    done = await upload(emulator, manifest, "--project", "project-a", "--report", report)
    assert done.returncode == NOT_RUN
    assert str(manifest) in done.stderr
    created = {row.external_id for row in await rows_of(report) if row.status == "created"}
    assert created
    assert created == {name for name, _ in inputs(emulator)}


async def test_what_was_there_has_rows(emulator: Emulator, tmp_path: Path) -> None:
    """Without the journal of the run that has created them, scenes are found on the platform, and are in the report."""
    source, report = drives(tmp_path / "drives", 3), tmp_path / "report.tsv"
    await upload(emulator, source, "--project", "project-a")
    write(record(source / "new") / "scene.json", {"external_id": "drive-09"})
    other = ("--journal", tmp_path / "other", "--existing", "skip")
    done = await upload(emulator, source, "--project", "project-a", *other, "--report", report)
    assert "1 created" in done.stdout
    assert "3 done before" in done.stdout
    rows = Counter((row.external_id, row.status) for row in await rows_of(report))
    assert rows == {(f"drive-0{number}", "created"): 1 for number in (0, 1, 2, 9)}


async def test_from_the_folder_itself(emulator: Emulator, tmp_path: Path) -> None:
    """The journal is the same, however the source is written."""
    source = drives(tmp_path / "drives", 2)
    await upload(emulator, source, "--project", "project-a")
    command = [*COMMAND, "upload", ".", "--project", "project-a"]
    done = await anyio.run_process(command, cwd=source, env=environment(**variables_of(emulator)), stdin=DEVNULL)
    assert b"2 done before" in done.stdout
    assert set(inputs(emulator).values()) == {1}


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, INTERRUPTED), (signal.SIGTERM, GO_ON)])
async def test_silent_standard_input(sent: signal.Signals, code: int, emulator: Emulator) -> None:
    """A run that waits for a line ends as any other."""
    command = [*COMMAND, "upload", "-", "--project", "project-a"]
    env = environment(**variables_of(emulator))
    async with await anyio.open_process(command, env=env, stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
        assert process.stderr is not None
        assert b"no journal is kept" in await process.stderr.receive()
        await until(lambda: emulator.recorder.requests("GET", "/v1/projects/project-a/batches"))
        process.send_signal(sent)
        assert await process.wait() == code


async def test_compressed_standard_input(emulator: Emulator, tmp_path: Path) -> None:
    """A manifest that is piped in may be compressed."""
    image = write(tmp_path / "a.png", png())
    line = {
        "type": "cameras",
        "external_id": "drive",
        "frame": {"images": [{"filename": str(image), "sensor_name": "A"}]},
    }
    command = [*COMMAND, "upload", "-", "--project", "project-a"]
    content = gzip.compress(json.dumps(line).encode())
    done = await anyio.run_process(command, input=content, env=environment(**variables_of(emulator)))
    assert b"1 created" in done.stdout


async def test_a_calibration_in_a_dry_run(emulator: Emulator, tmp_path: Path) -> None:
    """If it is there, the platform validates its scenes; if not, they are only checked, and the summary says so."""
    source = drives(tmp_path / "drives", 2)
    done = await upload(emulator, source, "--project", "project-a", "--dry-run")
    assert "2 of 2 checked" in done.stdout
    assert "2 only checked, as their calibration is not there" in done.stdout
    await upload(emulator, source, "--project", "project-a", "--journal", tmp_path / "journal")
    done = await upload(emulator, source, "--project", "project-b", "--dry-run")
    assert "2 validated" in done.stdout
    assert "only checked" not in done.stdout


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
        (("--target", "p="), 2, "got an empty part"),
        (("--target", "p/"), 2, "got an empty part"),
        (("--project", "p", "--report", "drives", "--journal", "x"), NOT_RUN, "expected a name"),
        (("--project", "p", "--report", "same.tsv", "--journal", "./same.tsv"), 2, "would replace the journal"),
        (("--project", "p", "--report", "nowhere/report.tsv"), NOT_RUN, "its folder is missing"),
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
