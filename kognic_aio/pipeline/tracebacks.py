"""What of a run is in the traceback of its error: nothing that its reader did not write."""

from types import TracebackType
from typing import TypeVar

E = TypeVar("E", bound=BaseException)

INTERNAL = ("kognic_aio", "anyio", "asyncio", "concurrent", "threading", "contextlib")
"""Packages whose frames lie between a run and the code of its source."""


def without_traceback(error: E) -> E:
    """An error that ended a run, without the frames of our tasks in it and its causes: they tell its reader nothing."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        cause.__traceback__ = None
        cause = cause.__cause__ or cause.__context__
    return error


def from_source(error: E) -> E:
    """An error that a source raised, with the frames of the source, and without ours that lead there."""
    frames = error.__traceback__
    while frames is not None and _is_internal(frames):
        frames = frames.tb_next
    return error if frames is None else error.with_traceback(frames)


def _is_internal(frames: TracebackType) -> bool:
    module = str(frames.tb_frame.f_globals.get("__name__", ""))
    return module.partition(".")[0] in INTERNAL
