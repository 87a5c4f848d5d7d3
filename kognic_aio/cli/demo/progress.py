"""How far a run has come, while it runs: live in a terminal, a line a second elsewhere."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from time import monotonic

import anyio
from attrs import define, field
from rich.console import Console, Group
from rich.filesize import decimal
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from kognic_aio import Progress
from kognic_aio._tasks import task_group
from kognic_aio.cli.output import say

LINE_SECONDS = 1.0


@define(kw_only=True)
class Meter:
    """The progress of a run and the time that it takes.

    Args:
        progress: What the run counts.
        scenes: How many scenes there will be.
    """

    progress: Progress
    scenes: int
    _started: float = field(factory=monotonic, init=False)
    _stopped: float | None = field(default=None, init=False)

    def stop(self) -> None:
        """Stop the clock."""
        self._stopped = monotonic()

    @property
    def seconds(self) -> float:
        """How long the run has taken."""
        return (self._stopped or monotonic()) - self._started

    @property
    def sent(self) -> str:
        """What has arrived, such as `63 uploads, 12.3 MB (4.1 MB/s)`."""
        size = self.progress.bytes
        return f"{self.progress.files:,} uploads, {decimal(size)} ({decimal(int(size / self.seconds))}/s)"

    def __str__(self) -> str:
        now = self.progress
        scenes = f"{now.taken} of {self.scenes} scenes taken, {now.committed} committed, {now.settled} settled"
        return f"{self.seconds:.1f} s: {scenes}; {self.sent}"

    def __rich__(self) -> Group:
        bars, now = Table.grid(padding=(0, 1)), self.progress
        for name, count in (("taken", now.taken), ("committed", now.committed), ("settled", now.settled)):
            bars.add_row(name, ProgressBar(self.scenes, count, width=30), f"{count:,}/{self.scenes:,}")
        return Group(bars, f"{self.sent}, {self.seconds:.1f} s")


@asynccontextmanager
async def shown(meter: Meter, console: Console) -> AsyncGenerator[None, None]:
    """Show a meter until the end of the block."""
    if console.is_interactive:
        with Live(meter, console=console, refresh_per_second=10):
            yield
            meter.stop()
        return
    async with task_group() as group:
        group.start_soon(_print_lines, meter)
        yield
        meter.stop()
        group.cancel_scope.cancel()
    say(meter)


async def _print_lines(meter: Meter) -> None:
    while True:
        await anyio.sleep(LINE_SECONDS)
        say(meter)
