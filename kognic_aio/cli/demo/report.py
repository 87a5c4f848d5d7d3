"""What is shown in the end."""

from collections.abc import Sequence

from attrs import frozen
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kognic_aio._text import printable
from kognic_aio.cli.demo.arrival import Arrival
from kognic_aio.cli.demo.files import Files, counted
from kognic_aio.cli.demo.outcome import Outcome
from kognic_aio.cli.demo.progress import Meter

WIDE = 110
"""Columns from which a result fits in one line."""

MOST_CREATED = 40
"""Rows of created inputs that are shown; whatever failed is shown always."""


@frozen(kw_only=True)
class Report:
    """How the demo went.

    Args:
        outcomes: What became of each scene.
        meter: How long it took.
        arrival: What the server has.
        files: What it could have.
    """

    outcomes: Sequence[Outcome]
    meter: Meter
    arrival: Arrival
    files: Files

    @property
    def created(self) -> Sequence[Outcome]:
        """The scenes that became inputs."""
        return [outcome for outcome in self.outcomes if outcome.is_created]

    @property
    def is_good(self) -> bool:
        """Whether everything was created and arrived as it is."""
        return len(self.created) == len(self.outcomes) and not self.arrival.faults

    def print(self, console: Console) -> None:
        """Print the results as a table, the rate, and what arrived."""
        console.print()
        console.print(self._table(is_wide=console.width >= WIDE))
        if len(self.created) > MOST_CREATED:
            console.print(f"and {len(self.created) - MOST_CREATED:,} more that were created")
        console.print()
        for line in (self._rate(), self._arrived(), *self.arrival.faults):
            console.print(printable(line), soft_wrap=not console.is_terminal)

    def _table(self, *, is_wide: bool) -> Table:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("scene")
        if is_wide:
            table.add_column("type")
        table.add_column("files", justify="right")
        table.add_column("status")
        if is_wide:
            table.add_column("input", overflow="fold")
        for outcome in self._worth_a_row():
            table.add_row(*(_wide_row(outcome) if is_wide else _narrow_row(outcome)))
        return table

    def _worth_a_row(self) -> Sequence[Outcome]:
        others = [outcome for outcome in self.outcomes if not outcome.is_created]
        return sorted([*others, *self.created[:MOST_CREATED]], key=lambda outcome: outcome.scene.external_id)

    def _rate(self) -> str:
        scenes, seconds = len(self.outcomes), self.meter.seconds
        created = f"{len(self.created):,} of {counted(scenes, 'scene')} created"
        return f"{created} in {seconds:.1f} s ({scenes / seconds:.1f} scenes/s), {self.meter.sent}"

    def _arrived(self) -> str:
        arrival = self.arrival
        if not self.created:
            return "No input was created, so there is no file to compare."
        intact = counted(arrival.intact, "file")
        if arrival.faults:
            return f"{intact} arrived with their sha256, {len(arrival.faults):,} did not:"
        imu = f"; and {counted(arrival.imu, 'list')} of IMU data" if arrival.imu else ""
        return f"{intact} arrived, all with their sha256: {self._coverage()}{imu}"

    def _coverage(self) -> str:
        if self.arrival.different == len(self.files):
            return f"each of the {len(self.files):,} at least once"
        return f"{self.arrival.different:,} of the {len(self.files):,}"


def _wide_row(outcome: Outcome) -> tuple[RenderableType, ...]:
    scene = outcome.scene
    return scene.external_id, scene.path, str(len(scene.resources)), _status(outcome), outcome.verdict


def _narrow_row(outcome: Outcome) -> tuple[RenderableType, ...]:
    """A row with the verdict below the scene."""
    scene = outcome.scene
    both = Group(f"{scene.external_id} {scene.path}", Padding(outcome.verdict, (0, 0, 0, 2)))
    return both, str(len(scene.resources)), _status(outcome)


def _status(outcome: Outcome) -> Text:
    return Text(outcome.result.status.value, style="green" if outcome.is_created else "red")
