"""The benchmarks work: no test looks at a time."""

import json
import re
import subprocess
import sys

import pytest

from benchmarks import imports, memory
from benchmarks.child import ROOT, ChildFailedError, child
from benchmarks.server import emulator
from tests.waiting import GENEROUS


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_compares_the_clients() -> None:
    """The command runs both clients and bare aiohttp on a case, and prints a ratio for each time."""
    finished = run("tiny", "--rounds", "1", "--floor")
    assert finished.returncode == 0, finished.stderr
    head, *rows = finished.stdout.splitlines()[1:]
    assert head.split() == ["ours", "official", "floor", "ratio"]
    for name, row in zip(("wall time", "first result", "client CPU"), rows, strict=False):
        assert re.fullmatch(rf"  {name}, s( +\d+\.\d\d){{3}} +\d+\.\d x", row)


def test_runs_one_client() -> None:
    """With --only, one client runs and there is no ratio."""
    finished = run("tiny", "--rounds", "1", "--only", "ours")
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines()[1].split() == ["ours"]


def test_refuses_unknown_names() -> None:
    """A name that is none is refused with those that there are."""
    finished = run("huge")
    assert finished.returncode == 2
    assert "unknown: huge; there are small, latency, many, tiny, memory, import" in finished.stderr


def figure(name: str, report: str) -> float:
    """A figure of a report, in megabytes."""
    found = re.search(rf"\n  {name} +(-?[\d.]+) MB", report)
    assert found is not None, report
    return float(found[1])


@pytest.mark.timeout(600)  # ingests 8,000 scenes
def test_memory_does_not_grow_with_the_number_of_scenes() -> None:
    """Between 2,000 and 8,000 scenes from a stream, the process grows by less than a third of 20 MB, as to 20,000."""
    samples = (2_000, 8_000)
    share = (samples[1] - samples[0]) / (memory.SAMPLES[1] - memory.SAMPLES[0])
    assert figure("difference", memory.stream(samples)) < share * memory.STREAM_TARGET


def test_memory_does_not_grow_with_the_size_of_a_file() -> None:
    """A file of 1 GiB is uploaded whole, and the process grows by less than 50 MB."""
    report = memory.upload()
    assert "one file of 1,024 MiB" in report
    assert figure("growth", report) < memory.FILE_TARGET


def test_measures_imports() -> None:
    """The import measure tells of the difference to aiohttp and of unwanted modules."""
    report = imports.report(runs=1)
    assert re.search(r"\n  difference +-?\d+ ms", report)
    assert "imported of pydantic, click, rich: none" in report


def test_failed_child_is_an_error() -> None:
    """A child that ends without an answer is an error, and no figure."""
    with pytest.raises(ChildFailedError, match="stream"), child("benchmarks.clients.stream", {}):
        pass


def test_emulator_ends_with_its_parent() -> None:
    """The emulator's process ends when its stdin closes, as it does when the parent dies."""
    order = json.dumps({"api": 0, "storage": 0, "processing": 0})
    command = [sys.executable, "-m", "benchmarks.server"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        print(order, file=process.stdin, flush=True)
        assert json.loads(process.stdout.readline())["host"].startswith("http://127.0.0.1:")
        process.stdin.close()
        assert process.wait(GENEROUS) == 0


def test_emulator_counts_no_connection_of_its_own() -> None:
    """The connection that asks for the report is not in it."""
    with emulator() as server:
        assert server.report()["connections_opened"] == 0
