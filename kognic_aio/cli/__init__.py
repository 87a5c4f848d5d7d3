"""The command line, `kognicutil`: formatting only. click and rich come with the extra `cli`."""

import sys

LIBRARIES = ("click", "rich")
INTERRUPTED = 130


def main() -> None:
    """Run `kognicutil`; without the extra, say how to install it."""
    try:
        from kognic_aio.cli.app import run  # noqa: PLC0415 - the extra may be missing
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in LIBRARIES:
            raise
        sys.exit("kognicutil needs its libraries: pip install 'kognic-aio[cli]'")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    sys.exit(run())
