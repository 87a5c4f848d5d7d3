"""The command line, `kognicutil`, which only formats. click and rich come with the extra `cli`.

kognic-io installs a `kognicutil` as well, and whichever package comes last wins. `kognic-aio` and
`python -m kognic_aio` are always ours.
"""

import sys
from importlib.util import find_spec
from pathlib import PurePath

INTERRUPTED = 130
SCRIPTS = ("kognicutil", "kognic-aio")


def main() -> None:
    """Run the command that the arguments name, or say how to install the extra."""
    if not all(map(find_spec, ("click", "rich"))):
        sys.exit(f"{program_name()} needs its libraries: pip install 'kognic-aio[cli]'")
    try:
        from kognic_aio.cli.app import run  # noqa: PLC0415  # the extra may be missing

        sys.exit(run())
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def program_name() -> str:
    """The name by which the user called us: that of a script, or `python -m kognic_aio`."""
    path = PurePath(sys.argv[0])
    if path.name == "__main__.py":
        return "python -m kognic_aio"
    return path.stem if path.stem in SCRIPTS else SCRIPTS[0]
