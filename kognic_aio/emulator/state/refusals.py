"""Refusals that tests queue for single scenes."""

from typing import Literal, get_args

from kognic_aio.emulator.errors import PlatformError

Step = Literal["scene", "processing", "pre-annotation", "input"]


class Refusals:
    """The queued errors, by step and by the scene's external id."""

    def __init__(self) -> None:
        self._errors: dict[tuple[str, str, str | None], PlatformError] = {}

    def add(self, step: Step, external_id: str, message: str, status: int, only: str | None) -> None:
        """Refuse a step of one scene from now on, in all projects or only in one, and so for pre-annotations."""
        if step not in get_args(Step):
            raise ValueError(f"there is no step {step!r}, only {', '.join(get_args(Step))}")
        self._errors[step, external_id, only] = PlatformError(message, status)

    def clear(self) -> None:
        """Refuse nothing any more."""
        self._errors.clear()

    def check(self, step: Step, external_id: str, at: str | None = None) -> None:
        """Raise the error queued for this step of a scene in a project, or with a pre-annotation, if there is one."""
        error = self.get(step, external_id) or self._errors.get((step, external_id, at))
        if error is not None:
            # A fresh one each time, because a raised exception keeps its traceback.
            raise PlatformError(error.message, error.status)

    def get(self, step: Step, external_id: str) -> PlatformError | None:
        """The error queued for this step of a scene."""
        return self._errors.get((step, external_id, None))
