"""Reads the rows of a journal. What is not as we write it is an error that names the row, and nothing is done with it.

Text that comes from outside is kept escaped, so that all of it is ASCII.
"""

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kognic_aio._http.wire import decode
from kognic_aio.errors import JournalError
from kognic_aio.pipeline.journal.entry import Destination, Entry, Failure, Step
from kognic_aio.pipeline.journal.rules import MAX_ROW_SIZE, escaped, unescaped
from kognic_aio.pipeline.result import InputCreationError, InputCreationResult, InputCreationStatus

if TYPE_CHECKING:
    import sqlite3

MAX_VALUE_BYTES = 4 * 2**20
"""What SQLite takes of one value: room for a list of changes, or of keys."""

MAX_READ_SIZE = 64 * 2**20
"""Characters that one query may find: the failures of 200,000 scenes."""

MAX_INPUTS = 1_000
"""Inputs of one scene, of which there is one for each request of a batch. Each wrong one would become an error."""

UNREADABLE = (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError)
"""What Python raises when it reads what is not as it should be."""

STEPS = tuple(Step)
FINAL = (InputCreationStatus.CREATED, InputCreationStatus.FAILED)


class RowGuard:
    """Takes the rows of a query, one after another, until they are more than a journal has. It is a row factory."""

    def __init__(self) -> None:
        self._cursor: sqlite3.Cursor | None = None
        self._size = 0

    def __call__(self, cursor: "sqlite3.Cursor", row: tuple[Any, ...]) -> tuple[Any, ...]:
        """The row as it is.

        Raises:
            ValueError: If it is too large, or all of them are.
        """
        if cursor is not self._cursor:
            self._cursor, self._size = cursor, 0
        size = sum(len(value) for value in row if isinstance(value, str | bytes))
        self._size += size
        if size > MAX_ROW_SIZE:
            raise ValueError(f"the row of {row[0]!r:.100} is too large for a scene's: {size} characters")
        if self._size > MAX_READ_SIZE:
            raise ValueError(
                f"it has more to tell than {MAX_READ_SIZE} characters, and is too large to be read at once"
            )
        return row


def text(content: bytes) -> str:
    """A text of the file, whatever bytes it has: ours are checked when their row is read."""
    return content.decode(errors="surrogateescape")


@contextmanager
def reading(path: str, key: object) -> Generator[None, None, None]:
    """What is raised while a row is read becomes an error that names it."""
    try:
        yield
    except UNREADABLE as error:
        why = str(error)[:200] or type(error).__name__
        raise JournalError(f"journal {path}: what it has of {key!r:.100} is damaged: {why!r}", path=path) from error


def read_text(path: str, content: object) -> str:
    """A key or uuid.

    Raises:
        JournalError: If it is none.
    """
    with reading(path, content):
        return _unescaped(content)


def read_entry(path: str, key: str, row: Sequence[Any]) -> Entry:
    """What is known of a scene.

    Raises:
        JournalError: If it is damaged.
    """
    step, fingerprint, scene_uuid, preannotation_uuid, result, delivered, outline, refused = row
    with reading(path, key):
        entry = Entry(
            key=key,
            step=_step(step),
            fingerprint=None if fingerprint is None else _unescaped(fingerprint),
            outline=None if outline is None else _clean(outline),
            scene_uuid=None if scene_uuid is None else _unescaped(scene_uuid),
            preannotation_uuid=None if preannotation_uuid is None else _unescaped(preannotation_uuid),
            result=None if result is None else _result(result),
            delivered=_flag(delivered),
            refused={_unescaped(other): _flag(again) for other, again in json.loads(refused).items()},
        )
        if (entry.step is Step.SETTLED) != (entry.result is not None):
            raise ValueError("it has settled without a result, or has one and has not settled")
        return entry


def read_count(path: str, row: Sequence[Any]) -> tuple[Step | InputCreationStatus, int]:
    """How many scenes there are of a kind. The row's last value is the key of one of them.

    Raises:
        JournalError: If it is none of ours.
    """
    step, status, count, key = row
    with reading(path, key):
        reached = _step(step)
        if (reached is Step.SETTLED) != (status is not None):
            raise ValueError("its result does not go with its step")
        return reached if status is None else _final(status), count


def read_failure(path: str, row: Sequence[Any]) -> Failure:
    """Why a scene failed.

    Raises:
        JournalError: If it is damaged.
    """
    key, error = row
    with reading(path, key):
        read = decode(json.loads(_clean(error)), InputCreationError)
        return Failure(_unescaped(key), read.stage, read.message)


def read_destination(content: object) -> Destination:
    """Where the scenes of a journal go.

    Raises:
        ValueError: If it is damaged.
    """
    try:
        read = Destination(**json.loads(_clean(content)))
    except UNREADABLE as error:
        raise ValueError(str(error)[:200]) from error
    texts: list[object] = [read.host, read.workspace, read.project, "" if read.batch is None else read.batch]
    if not all(isinstance(each, str) for each in texts) or not read.host.isprintable():
        raise ValueError("it is not made of texts")
    return read


def _result(content: object) -> InputCreationResult:
    read = json.loads(_clean(content))
    if len(read.get("inputs", ())) > MAX_INPUTS:
        raise ValueError(f"it has more than {MAX_INPUTS} inputs")
    result = decode(read, InputCreationResult)
    _final(result.status)
    if (result.status is InputCreationStatus.FAILED) != (result.error is not None):
        raise ValueError("its error does not go with its status")
    return result


def _final(status: str) -> InputCreationStatus:
    if status not in FINAL:
        raise ValueError(f"{status!r:.50} is no end")
    return InputCreationStatus(status)


def _step(number: object) -> Step:
    if type(number) is not int or not 0 <= number < len(STEPS):
        raise ValueError(f"{number!r:.50} is no step")
    return STEPS[number]


def _flag(value: object) -> bool:
    if value not in (0, 1):
        raise ValueError(f"{value!r:.50} is neither 0 nor 1")
    return bool(value)


def _clean(content: object) -> str:
    if not isinstance(content, str):
        raise TypeError(f"a text was expected, not {type(content).__name__}")
    content.encode()  # which fails if it has bytes that are none of UTF-8
    return content


def _unescaped(content: object) -> str:
    read = unescaped(_clean(content))
    if escaped(read) != content:
        raise ValueError(f"{content!r:.100} is not as it would have been written")
    return read
