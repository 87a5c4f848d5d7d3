"""The command line as `python -m kognic_aio`."""

from kognic_aio.cli import main

if __name__ == "__main__":
    main()
