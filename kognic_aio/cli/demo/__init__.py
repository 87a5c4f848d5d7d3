"""`kognicutil demo`: real files go up to an emulator, and inputs come out."""

from kognic_aio.cli.demo.command import demo

__all__ = ["demo"]
