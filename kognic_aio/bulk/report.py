"""Reports: a row per scene and target, as JSON lines or tab-separated, replaced as a whole."""

import json
import os
import re
from collections.abc import AsyncIterable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from os import PathLike, fspath
from pathlib import Path
from typing import BinaryIO, cast

from attrs import asdict, astuple, fields, frozen

from kognic_aio._json import read_json
from kognic_aio._text import printable
from kognic_aio._threads import in_thread
from kognic_aio.bulk.whole import remove_leftovers, replacing
from kognic_aio.errors import InvalidError
from kognic_aio.model.target import InputCreationStatus, InputTarget
from kognic_aio.pipeline.result import InputCreationResult, TargetOutcome

FORMATS = (".jsonl", ".tsv")

OF_SHARD = re.compile(r"\.\d+-of-\d+$")
"""What `Shard.path` appends."""

ROWS_AT_ONCE = 1000
"""Rows that are written at once."""


@frozen(kw_only=True)
class Row:
    """What became of one target of a scene, or of a scene that has none. Its fields are the columns of a report."""

    external_id: str | None
    project: str | None = None
    batch: str | None = None
    status: str
    stage: str | None = None
    error: str | None = None
    scene_uuid: str | None = None
    input_uuid: str | None = None
    request_uuid: str | None = None
    view_link: str | None = None


COLUMNS = tuple(each.name for each in fields(Row))


def rows_of(result: InputCreationResult, targets: Sequence[InputTarget] = ()) -> Iterator[Row]:
    """The rows of a scene's result. With no outcome, there is a row for each of `targets`, or one without a target."""
    for target in () if result.outcomes else targets or (None,):
        error = result.error
        yield Row(
            external_id=result.external_id,
            project=None if target is None else target.project,
            batch=None if target is None else target.batch,
            status=result.status.value,
            stage=None if error is None else error.stage.value,
            error=None if error is None else error.message,
            scene_uuid=result.scene_uuid,
        )
    for outcome in result.outcomes:
        yield _row(result, outcome)


def _row(result: InputCreationResult, outcome: TargetOutcome) -> Row:
    error = outcome.error
    return Row(
        external_id=result.external_id,
        project=outcome.target.project,
        batch=outcome.target.batch,
        status=outcome.status.value,
        stage=None if error is None else error.stage.value,
        error=None if error is None else error.message,
        scene_uuid=result.scene_uuid,
        input_uuid=outcome.input_uuid,
        request_uuid=outcome.request_uuid,
        view_link=outcome.view_link,
    )


def _format(path: str | PathLike[str]) -> str:
    """The suffix that tells the format of a report, before that of a shard if there is one."""
    return Path(OF_SHARD.sub("", fspath(path))).suffix


def check_report(path: str | PathLike[str]) -> None:
    """Check that a report can be written to a path.

    Raises:
        InvalidError: If its suffix is not that of a format, or it cannot be written.
    """
    if _format(path) not in FORMATS:
        raise InvalidError(f"report {fspath(path)}: expected a name that ends in {' or '.join(FORMATS)}")
    folder = Path(path).resolve().parent
    if not folder.is_dir():
        raise InvalidError(f"report {fspath(path)}: its folder is missing")
    if Path(path).is_dir() or not os.access(folder, os.W_OK):
        raise InvalidError(f"report {fspath(path)}: it cannot be written")


async def write_report(
    path: str | PathLike[str],
    recorded: AsyncIterable[InputCreationResult],
    others: Iterable[InputCreationResult] = (),
    targets: Sequence[InputTarget] = (),
) -> int:
    """Write a report, and return its number of rows. The file is the earlier one until all of the new one is written.

    Args:
        path: The file, `.jsonl` or `.tsv`.
        recorded: The results in a journal.
        others: Results of the last run. Those that are not in the journal are added, such as those of scenes that could
            not be read, or that differ from what was created.
        targets: Targets of scenes that came to no outcome for any.

    Raises:
        OSError: If it cannot be written.
    """
    path, lines, count = Path(path), Lines(_format(path), targets), 0
    left = [*others]
    wanted, there = set(map(_kind, left)), set[tuple[str | None, bool]]()
    await in_thread(remove_leftovers, path.parent, path.name)
    with ExitStack() as stack:
        file = cast("BinaryIO", await in_thread(stack.enter_context, replacing(path)))
        async for result in recorded:
            there |= {_kind(result)} & wanted
            count += lines.add(result)
            if len(lines.pending) >= ROWS_AT_ONCE:
                await in_thread(file.write, lines.taken())
        for result in left:
            if _kind(result) in there:  # once: another scene of this name is not in the journal
                there.discard(_kind(result))
            else:
                count += lines.add(result)
        await in_thread(file.write, lines.taken())
        await in_thread(stack.close)
    return count


def _kind(result: InputCreationResult) -> tuple[str | None, bool]:
    """A scene's external id, and whether it was created."""
    return result.external_id, result.status is InputCreationStatus.CREATED


def read_report(path: str | PathLike[str]) -> Iterator[Row]:
    """Read the rows of a report. It blocks.

    Raises:
        InvalidError: If it is no report.
        OSError: If it cannot be read.
    """
    check_report(path)
    is_table = _format(path) == ".tsv"
    with Path(path).open(encoding="utf-8-sig", errors="replace", newline="") as file:
        if is_table and next(file, "").rstrip("\r\n").split("\t") != [*COLUMNS]:
            raise InvalidError(f"report {fspath(path)}: its first line lacks the columns {', '.join(COLUMNS)}")
        for number, line in enumerate(file, 2 if is_table else 1):
            if not line.strip():
                continue
            try:
                yield _parsed(line.rstrip("\r\n"), is_table=is_table)
            except (TypeError, ValueError) as error:
                raise InvalidError(f"report {fspath(path)}:{number}: expected a row of a report") from error


def _parsed(line: str, *, is_table: bool) -> Row:
    if not is_table:
        row = Row(**read_json(line.encode()))
        if not all(value is None or isinstance(value, str) for value in astuple(row)):
            raise TypeError
        return row
    return Row(**{name: value or None for name, value in zip(COLUMNS, line.split("\t"), strict=True)})  # type: ignore[arg-type]


class Lines:
    """The lines of a report that are yet to be written, in the format of a suffix."""

    def __init__(self, suffix: str, targets: Sequence[InputTarget] = ()) -> None:
        self._targets = targets
        self._is_table = suffix == ".tsv"
        self.pending: list[str] = [_tabbed(COLUMNS)] if self._is_table else []

    def add(self, result: InputCreationResult) -> int:
        """Add the rows of a result, and return how many they are."""
        rows = [asdict(row) for row in rows_of(result, self._targets)]
        self.pending += [_tabbed(row.values()) if self._is_table else f"{json.dumps(row)}\n" for row in rows]
        return len(rows)

    def taken(self) -> bytes:
        """Take the lines."""
        text = "".join(self.pending)
        self.pending.clear()
        return text.encode(errors="backslashreplace")


def _tabbed(values: Iterable[str | None]) -> str:
    """A line of a table. What would break it is escaped."""
    return "\t".join("" if value is None else printable(value) for value in values) + "\n"
