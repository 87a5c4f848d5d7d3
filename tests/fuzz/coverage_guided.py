"""Fuzzes every target with atheris, which keeps what reaches new code and changes that further.

    python -m tests.fuzz.coverage_guided --seconds 1200

Each target has a process of its own for its share of the time, two at once. What is found lies in a temporary folder,
and `python -m tests.fuzz.coverage_guided --target NAME FILE` shows it again.
"""

import argparse
import logging
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import mkdtemp

from attrs import frozen

from tests.cost import SECONDS

AT_ONCE = 2
"""Processes."""

MAX_MEBIBYTES = 500
"""Memory of a process: atheris, its counters and all that is imported take 150 of it."""

MAX_BYTES = 1024
"""Of an input. Its length is not learned: what is short makes too little for parsers behind files and sockets."""

GRACE = 60
"""Seconds after its time in which a process has to be through with its last input."""

STATISTICS = re.compile(r"^#(\d+)\t.*cov: (\d+) ft: (\d+) corp: (\d+)", re.MULTILINE)


@frozen
class Outcome:
    """What has come of a target.

    Args:
        name: Of the target.
        exit_code: Zero if nothing was found.
        runs: How many inputs it was given.
        coverage: Edges of the code that they have reached.
        corpus: How many of them have reached something new.
    """

    name: str
    exit_code: int
    runs: int
    coverage: int
    corpus: int


def fuzz(name: str, options: Sequence[str]) -> None:
    """Fuzz a target in this process, whose end is libFuzzer's."""
    import atheris  # noqa: PLC0415  # not installed where tests run

    logging.disable()
    with atheris.instrument_imports(include=["kognic_aio", "tests.fuzz"]):
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415  # to be instrumented

        check = TARGETS[name].check
        check(b"")  # which imports the rest
    atheris.Setup([sys.argv[0], *options], check)
    atheris.Fuzz()


def fuzzed(name: str, seeds: Sequence[bytes], seconds: int, folder: Path) -> Outcome:
    """Fuzz a target in a process of its own."""
    place = folder / name.replace(" ", "-")
    corpus = place / "corpus"
    corpus.mkdir(parents=True)
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [f"-max_total_time={seconds}", f"-timeout={SECONDS:.0f}", f"-rss_limit_mb={MAX_MEBIBYTES}"]
    options += [
        f"-max_len={MAX_BYTES}",
        "-len_control=0",
        f"-artifact_prefix={place}{os.sep}",
        "-print_final_stats=1",
        str(corpus),
    ]
    log = place / "log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", __spec__.name, "--target", name, *options]
        process = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, timeout=seconds + GRACE, check=False)
    return _outcome(name, process.returncode, log.read_text(errors="replace"))


def main(arguments: Sequence[str]) -> int:
    """Fuzz all targets, or one of them, and tell what has come of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=1200, help="for all targets together (default: 1200)")
    parser.add_argument("--only", action="append", metavar="NAME", help="the targets to fuzz, by default all")
    parser.add_argument("--target", metavar="NAME", help="fuzz it in this process, with options of libFuzzer")
    given, options = parser.parse_known_args(arguments)
    if given.target:
        fuzz(given.target, options)
    from tests.fuzz.targets import TARGETS  # noqa: PLC0415  # beside `fuzz`, which is the first to import it

    names = given.only or list(TARGETS)
    seconds = max(1, given.seconds * min(AT_ONCE, len(names)) // len(names))
    folder = Path(mkdtemp(prefix="fuzz-"))
    print(f"{seconds} s for each of {len(names)} targets; what is found lies in {folder}", flush=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = [pool.submit(fuzzed, name, TARGETS[name].seeds, seconds, folder) for name in names]
        outcomes = [each.result() for each in running]
    for outcome in outcomes:
        print(_line(outcome, folder))
    return int(any(outcome.exit_code for outcome in outcomes))


def _outcome(name: str, exit_code: int, log: str) -> Outcome:
    runs, coverage, corpus = 0, 0, 0
    for match in STATISTICS.finditer(log):
        runs, coverage, _, corpus = map(int, match.groups())
    return Outcome(name, exit_code, runs, coverage, corpus)


def _line(outcome: Outcome, folder: Path) -> str:
    found = "nothing found" if outcome.exit_code == 0 else f"FOUND, see {folder / outcome.name.replace(' ', '-')}"
    numbers = f"{outcome.runs:>10,} runs {outcome.coverage:>6,} edges {outcome.corpus:>6,} kept"
    return f"{outcome.name:<16}{numbers}  {found}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
