"""The command line."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import imports
from benchmarks.cases import Case
from benchmarks.child import ROOT
from benchmarks.results import load
from benchmarks.runner import sized


def command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)


def test_runs_a_benchmark(tmp_path: Path) -> None:
    """It prints a table, and writes results, plots and a page. Another benchmark joins them."""
    quick = ("--quick", "--output", str(tmp_path), "--contender", "kognic_aio", "--contender", "floor")
    finished = command("small", *quick)
    assert finished.returncode == 0, finished.stderr
    assert re.findall(r"^\| (\w+)", finished.stdout, re.MULTILINE) == ["contender", "kognic_aio", "floor"]
    assert command("many", *quick).returncode == 0
    results = load(tmp_path)
    assert [*results] == ["small", "many"]
    assert results["small"].outcomes[0].runs.keys() == {"kognic_aio", "floor"}
    assert {file.name for file in tmp_path.iterdir()} == {"results.json", "README.md", "wall.svg", "first.svg"}


def test_lists_the_benchmarks() -> None:
    """With --list, it runs nothing."""
    listed = command("--list").stdout
    assert "small: A few small scenes\n    50 scenes x 4 x 100 kB, no latency\n" in listed


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ("huge",),
            "unknown: huge; there are small, latency, large, many, stream, sequence, grid, tls, growth, import",
        ),
        (("--contender", "rclone"), "invalid choice: 'rclone'"),
    ],
    ids=["benchmark", "contender"],
)
def test_refuses_unknown_names(arguments: tuple[str, ...], error: str) -> None:
    """A name that is none is refused with those that there are."""
    finished = command(*arguments)
    assert finished.returncode == 2
    assert error in finished.stderr


def test_a_case_grows_until_it_takes_long_enough() -> None:
    """It gets up to ten times as many scenes at once, and a fifth more than should be enough."""
    tried: list[int] = []

    def measure(case: Case) -> float:
        tried.append(case.scenes)
        return 0.01 * case.scenes

    assert sized(Case(scenes=10, files=1, size=1_000), 5.0, measure).scenes == 601
    assert tried == [10, 101, 600 + 1]


def test_measures_imports() -> None:
    """The import measure tells of the difference to aiohttp and of unwanted modules."""
    report = imports.report(runs=1)
    assert re.search(r"\n  difference +-?\d+ ms", report)
    assert "imported of pydantic, click, rich: none" in report
