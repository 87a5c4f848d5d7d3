"""Removes our own frames from the tracebacks of errors that end a run."""

from types import TracebackType
from typing import TypeVar

E = TypeVar("E", bound=BaseException)

INTERNAL = ("kognic_aio", "anyio", "asyncio", "concurrent", "threading", "contextlib")
"""Packages whose frames lie between a run and the code of its source."""


def without_traceback(error: E) -> E:
    """Remove the tracebacks of an error that ended a run, and of its causes: our frames do not help its reader."""
    seen: set[int] = set()  # chains of causes may be circular
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        cause.__traceback__ = None
        cause = cause.__cause__ or cause.__context__
    return error


def from_source(error: E) -> E:
    """Remove our own frames from the traceback of an error of a source, and keep those of the source."""
    frames = error.__traceback__
    while frames is not None and _is_internal(frames):
        frames = frames.tb_next
    # If all frames are internal, the error comes from our own code: it keeps its traceback.
    return error if frames is None else error.with_traceback(frames)


def _is_internal(frames: TracebackType) -> bool:
    module = str(frames.tb_frame.f_globals.get("__name__", ""))
    return module.partition(".")[0] in INTERNAL
