"""The command line, `kognicutil`: formatting only. click and rich come with the extra `cli`."""

import sys
from importlib.util import find_spec

LIBRARIES = ("click", "rich")
INTERRUPTED = 130


def main() -> None:
    """Run `kognicutil`; without the extra, say how to install it."""
    if not all(map(find_spec, LIBRARIES)):
        sys.exit("kognicutil needs its libraries: pip install 'kognic-aio[cli]'")
    try:
        from kognic_aio.cli.app import run  # noqa: PLC0415 - the extra may be missing

        sys.exit(run())
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
