"""Files that others may have written: journals, credentials, environments. Whatever is in them, ours is the error."""

import asyncio
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from kognic_aio._http.auth import resolve
from kognic_aio._secret import Secret
from kognic_aio.config import default_environment, find_environment
from kognic_aio.errors import CredentialsError, InvalidError, JournalError
from kognic_aio.model import Cameras, Image
from kognic_aio.model.target import InputCreationStatus
from kognic_aio.pipeline.content import Content
from kognic_aio.pipeline.journal import Destination, Step
from kognic_aio.pipeline.journal.facts import STEPS, Reached, reading
from kognic_aio.pipeline.journal.file import ENDS, KINDS, read_destination, read_fact, read_key
from kognic_aio.pipeline.result import InputCreationError, InputCreationResult, InputCreationStage
from tests.fuzz.pieces import Pieces
from tests.pipeline.journals import Journal

HERE = Destination("https://input.app.kognic.com", "workspace-1", "project-a", "batch-1")
CREATED = InputCreationResult(status=InputCreationStatus.CREATED, external_id="created", scene_uuid="scene-2")
FAILED = InputCreationResult(
    status=InputCreationStatus.FAILED,
    external_id="failed",
    error=InputCreationError(stage=InputCreationStage.SCENE, message="too dark"),
)
FACTS = dict.fromkeys((*STEPS, *ENDS), Reached) | KINDS
COLUMNS = {
    "destination": ("content",),
    "fact": ("key", "number", "kind", "project", "batch", "content"),
}
KEYS = ("started", "created", "failed", "unheard of")


def rows(data: bytes) -> None:
    """The rows of a journal, as SQLite gives them."""
    pieces = Pieces(data)
    for kind, fact in FACTS.items():
        told = pieces.shaped(fact) if pieces.number(2) else _value(pieces, 6)
        with suppress(JournalError), reading("a.journal", "key"):
            read_fact(kind if pieces.number(4) else _value(pieces, 1), told)
    with suppress(JournalError), reading("a.journal", "key"):
        read_key(_value(pieces, 1))
    with suppress(JournalError):
        read_destination("a.journal", _value(pieces, 3))


def values(data: bytes) -> None:
    """A journal in which some values are others than we write."""
    pieces = Pieces(data)
    with TemporaryDirectory() as folder:
        path = Path(folder, "a.journal")
        path.write_bytes(_good_journal())
        with closing(sqlite3.connect(path)) as connection:
            for _ in range(1 + pieces.number(4)):
                table = pieces.one_of([*COLUMNS])
                column = pieces.one_of(COLUMNS[table])
                value = pieces.shaped(pieces.one_of([*FACTS.values()])) if pieces.number(2) else _value(pieces, 5)
                text = value.encode(errors="surrogatepass") if isinstance(value, str) else None
                with suppress(sqlite3.Error):  # of none where there has to be one
                    connection.execute(
                        f"UPDATE OR REPLACE {table} SET {column} = coalesce(CAST(? AS TEXT), ?)",
                        [text, None if text is not None else value],
                    )
            connection.commit()
        _use(path)


def pages(data: bytes) -> None:
    """A journal in which some bytes are others than SQLite writes."""
    pieces = Pieces(data)
    with TemporaryDirectory() as folder:
        content = bytearray(_good_journal())
        for _ in range(1 + pieces.number(8)):
            start = pieces.number(len(content)) if pieces.is_odd() else 4096 * pieces.number(5) + pieces.number(200)
            new = pieces.raw(1 + pieces.number(16))
            content[start : start + len(new)] = new
        Path(folder, "a.journal").write_bytes(content)
        _use(Path(folder, "a.journal"))


def outlines(data: bytes) -> None:
    """What a journal has of the content of an earlier scene."""
    pieces = Pieces(data)
    text = _good_outline()
    start = pieces.number(len(text))
    changed = text[:start] + pieces.text() + text[start + pieces.number(8) :]
    with suppress(ValueError):
        _content().differences(changed if pieces.number(2) else pieces.text())


def credentials(data: bytes) -> None:
    """A file with credentials."""
    pieces = Pieces(data)
    names = ("clientId", "clientSecret", "email", "userId", "issuer", "scopes", "created", "expires")
    members = ",".join(f'"{name}":{pieces.shaped(list[str] if name == "scopes" else str)}' for name in names)
    content = pieces.one_of((f"{{{members}}}", pieces.json()))
    with TemporaryDirectory() as folder:
        path = Path(folder, "a.json")
        path.write_bytes(content.encode(errors="surrogatepass") + pieces.rest())
        with suppress(CredentialsError):
            found = resolve(Secret(path))
            assert all(isinstance(value, str) for value in found.form().reveal().values())
            assert isinstance(found.basic.reveal(), str)


def environments(data: bytes) -> None:
    """The file that names environments."""
    pieces = Pieces(data)
    members = ('"host"', '"auth_server"', '"credentials"', '"scopes"')
    found = ",".join(f"{name}:{_url(pieces)}" for name in members)
    content = (
        f'{{"environments": {{"a": {{{found}}}}}, "default_environment": {pieces.shaped(str)}}}',
        f'{{"environments": {pieces.json()}, "default_environment": "a"}}',
        pieces.json(),
    )
    with TemporaryDirectory() as folder, patch.dict(os.environ, {"XDG_CONFIG_HOME": folder}):
        path = Path(folder, "kognic", "environments.json")
        path.parent.mkdir()
        path.write_bytes(pieces.one_of(content).encode(errors="surrogatepass") + pieces.rest())
        with suppress(InvalidError):
            find_environment("a")
        with suppress(InvalidError):
            default_environment()


def _url(pieces: Pieces) -> str:
    return pieces.one_of(('"https://a"', '"kognic.com"', '"http://[::1"', '"https://\\ud800"', pieces.json()))


def _value(pieces: Pieces, kind: int) -> Any:
    """A value as SQLite has it: of some kind, or another."""
    kinds: Sequence[Any] = (
        lambda: pieces.number(9),
        pieces.text,
        lambda: None,
        lambda: pieces.shaped(Destination),
        lambda: pieces.shaped(InputCreationError),
        lambda: pieces.shaped(InputCreationResult),
        pieces.json,
        lambda: pieces.raw(20),
        lambda: pieces.one_of((-1, 2**63 - 1, 1.5, float("inf"), -0.0)),
    )
    return kinds[pieces.number(len(kinds)) if pieces.is_odd() else kind]()


def _use(path: Path) -> None:
    """All that a run does with a journal, and all that people do."""

    async def use() -> None:
        async with Journal(path) as journal:
            for key in KEYS:
                with suppress(JournalError):
                    await journal.recall(key)
            for read in (journal.counts, journal.failures, journal.abandoned, journal.unfinished, journal.retry_failed):
                with suppress(JournalError):
                    await read()
            with suppress(JournalError):
                await journal.make_way("created")

    with suppress(JournalError):
        asyncio.run(use())


@cache
def _good_journal() -> bytes:
    """A journal with scenes in each state."""

    async def write(path: Path) -> None:
        async with Journal(path, HERE) as journal:
            await journal.record("started", Step.STARTING, fingerprint="f", outline="o", scene_uuid="scene-1")
            await journal.settle("created", CREATED, fingerprint="f")
            await journal.settle("failed", FAILED, fingerprint="f")
            await journal.record("abandoned", Step.STARTING, scene_uuid="scene-3")
            await journal.abandon("abandoned")
            assert FAILED.error is not None
            await journal.refuse("created", "2:g/h", FAILED.error)

    with TemporaryDirectory() as folder:
        path = Path(folder, "a.journal")
        asyncio.run(write(path))
        return path.read_bytes()


@cache
def _content() -> Content:
    image = Image(filename="a.jpg", sensor_name="CAM")
    return Content(Cameras(external_id="a", frame=Cameras.Frame(images=[image]), calibration_id="b"), {})


@cache
def _good_outline() -> str:
    return _content().outline()
