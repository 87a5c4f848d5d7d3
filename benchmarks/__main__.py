"""The command: `python -m benchmarks [NAME ...] [--rounds 3] [--only ours] [--floor]`."""

import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter

from benchmarks import imports, memory
from benchmarks.cases import CASES
from benchmarks.child import ChildFailedError
from benchmarks.compare import CLIENTS, IncompleteError, compare
from benchmarks.table import table

COMPARED = [name for name, case in CASES.items() if case.target is not None]

NOTE = """\
Times run from the creation of the client until it is closed. They exclude the creation of scenes and the imports before
it, but include what a client imports later. The ratio is official/ours. Missing a target is not a failure."""


def arguments() -> Namespace:
    """Parse the command line."""
    parser = ArgumentParser(
        prog="python -m benchmarks",
        description="Compare kognic_aio with kognic-io against a local emulator.",
        epilog="\n".join([*(f"{name}: {case}" for name, case in CASES.items()), "", NOTE]),
        formatter_class=RawDescriptionHelpFormatter,
    )
    names = [*CASES, "memory", "import"]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(names)}; by default {COMPARED}")
    parser.add_argument("--rounds", type=int, default=3, help="how often each client runs a case")
    parser.add_argument("--only", choices=CLIENTS, help="run only one client")
    parser.add_argument("--floor", action="store_true", help="also run bare aiohttp, as a lower bound")
    given = parser.parse_args()
    if unknown := [name for name in given.names if name not in names]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(names)}")
    return given


def report(name: str, given: Namespace) -> str:
    """Run one benchmark and return its report."""
    match name:
        case "memory":
            return memory.report()
        case "import":
            return imports.report()
        case _:
            clients = [given.only] if given.only else CLIENTS if given.floor else CLIENTS[:2]
            return table(name, CASES[name], given.rounds, compare(name, clients, given.rounds))


def main() -> None:
    """Run the benchmarks one after another."""
    given = arguments()
    names = given.names or COMPARED
    for name in names:
        try:
            print(report(name, given), end="\n\n", flush=True)
        except (ChildFailedError, IncompleteError) as error:
            sys.exit(f"{name}: {error}")
    if CASES.keys() & names:
        print(NOTE)


if __name__ == "__main__":
    main()
