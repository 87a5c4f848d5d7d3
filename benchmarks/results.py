"""Results as a file, from which tables, plots and predictions are made."""

import json
from pathlib import Path
from typing import TypeAlias

from attrs import frozen
from cattrs import structure, unstructure

from benchmarks.figures import Outcome
from benchmarks.machine import Origin

NAME = "results.json"


@frozen
class Result:
    """The result of a benchmark.

    Args:
        origin: Where it was measured.
        outcomes: The outcome of each case.
    """

    origin: Origin
    outcomes: tuple[Outcome, ...]


Results: TypeAlias = dict[str, Result]
"""The results by the name of the benchmark."""


def load(folder: Path) -> Results:
    """Read the results in a folder; none if there is no file."""
    file = folder / NAME
    return structure(json.loads(file.read_text(encoding="utf-8")), Results) if file.exists() else {}


def save(results: Results, folder: Path) -> None:
    """Write the results, with each benchmark on a line of its own."""
    lines = [f"{json.dumps(name)}: {json.dumps(unstructure(result))}" for name, result in results.items()]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / NAME).write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
