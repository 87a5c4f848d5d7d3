"""What became of a scene."""

from attrs import frozen

from kognic_aio import InputCreationResult, InputCreationStatus
from kognic_aio._text import printable
from kognic_aio.cli.output import MAX_CELL
from kognic_aio.model import BaseScene


@frozen(kw_only=True)
class Outcome:
    """A scene and its result."""

    scene: BaseScene
    result: InputCreationResult

    @property
    def is_created(self) -> bool:
        """Whether it became an input."""
        return self.result.status is InputCreationStatus.CREATED

    @property
    def verdict(self) -> str:
        """The input's uuid, or what went wrong, not longer than a cell of a table."""
        error = self.result.error
        if error is not None:
            return printable(f"{error.stage.value}: {error.message}", MAX_CELL)
        return printable(self.result.input_uuid or "not ready in time", MAX_CELL)
