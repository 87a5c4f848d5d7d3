"""Whatever names and texts get into a log, an error or a result, they are one line of a bounded length."""

import io
import logging
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest
from aiohttp import web

from kognic_aio import InputCreationResult, KognicIOClient, SceneWithPreAnnotation, create_inputs
from kognic_aio._http.api import MAX_CURSOR
from kognic_aio._http.converter import MAX_ID
from kognic_aio._http.protocol import ERROR_TEXT_LENGTH
from kognic_aio._text import MAX_MESSAGE, OneLine, printable
from kognic_aio.client import backend_of
from kognic_aio.emulator import Emulator, faults
from kognic_aio.errors import InvalidError, JournalError, KognicError, MalformedAnswerError, UnknownProjectError
from kognic_aio.model import Cameras, Image
from kognic_aio.model.target import InputCreationStatus
from kognic_aio.pipeline.journal import Destination, Step
from kognic_aio.pipeline.result import InputCreationError, InputCreationStage
from kognic_aio.scenes.abandon import invalidate_orphan
from tests.cost import bounded_work
from tests.forgery import FORGERY, LONG, assert_harmless
from tests.pipeline.journals import Journal
from tests.scenes import cameras_scene
from tests.scripted import client_of, serving, status
from tests.waiting import GENEROUS

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

LONG_FORGERY = FORGERY + "x" * LONG
TAME = FORGERY.rstrip("\udcff")
"""What can be sent: it has no half of a character."""


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that is logged, line by line as a file would have it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("LOG %(message)s"))
    logger = logging.getLogger("kognic_aio")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield written
    logger.setLevel(level)
    logger.removeHandler(handler)


def assert_lines(log: io.StringIO, *parts: str) -> None:
    """See that each record is one line, not too long, and that some are about these things."""
    told = log.getvalue()
    assert_harmless(told)
    assert all(line.startswith("LOG ") and len(line) < 2 * MAX_MESSAGE for line in told.splitlines())
    for part in parts:
        assert part in told


def missing(name: str) -> Cameras:
    """A scene whose file does not exist."""
    return Cameras(external_id=name, frame=Cameras.Frame(images=[Image(filename=f"/none/{name}.png")]))


async def results(client: KognicIOClient, *scenes: Any, **options: Any) -> list[InputCreationResult]:
    with anyio.fail_after(GENEROUS), bounded_work():
        return [result async for result in create_inputs(client, list(scenes), "project-b", sleep_time=0.02, **options)]


async def test_words_of_a_server(log: io.StringIO) -> None:
    """What a server says while it is asked again and again makes no lines of its own."""
    async with serving() as server, client_of(server, attempts=3) as client:
        server.always = status(503, {"message": LONG_FORGERY})
        with pytest.raises(KognicError) as caught:
            await client.project.get_projects()
        assert not await invalidate_orphan(backend_of(client), FORGERY)
    assert_harmless(str(caught.value))
    assert_lines(log, "trying again in", "could not be invalidated")


async def test_names_of_scenes(emulator: Emulator, client: KognicIOClient, log: io.StringIO, tmp_path: Path) -> None:
    """External ids, and what a release raises, make no lines of their own, nor does what an earlier run has kept."""

    def release() -> None:
        raise OSError(LONG_FORGERY)

    emulator.faults.add(faults.ExpiredUrl(), on="PUT *", times=1)
    scene = SceneWithPreAnnotation(cameras_scene(TAME), release=release)
    (created,) = await results(client, scene)
    (failed,) = await results(client, missing(TAME), journal=tmp_path / FORGERY)
    assert not await results(client, missing(TAME), journal=tmp_path / FORGERY)

    assert created.status is InputCreationStatus.CREATED
    assert failed.error is not None
    assert_lines(log, "failed in an earlier run", "release of scene", "is started afresh")


async def test_records_keep_their_arguments(caplog: pytest.LogCaptureFixture) -> None:
    """A record that is harmless stays as it is, so that those who group records can; another one is made harmless."""
    logger = logging.getLogger("kognic_aio")
    logger.warning("%s and %d", "köln 写", 2)
    logger.warning("%s and %d", FORGERY, 2)
    harmless, forged = caplog.records
    assert (harmless.msg, harmless.args) == ("%s and %d", ("köln 写", 2))
    assert_harmless(forged.getMessage())


async def test_arguments_without_a_text(caplog: pytest.LogCaptureFixture) -> None:
    """What has no text is no reason for a run to stop: logging tells of it, as ever."""

    class Mute:
        def __str__(self) -> str:
            raise RuntimeError

    record = logging.LogRecord("kognic_aio", logging.INFO, "", 0, "%s", (Mute(),), None)
    assert OneLine().filter(record)


def kinds(kind: type[KognicError]) -> Iterator[type[KognicError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from kinds(each)


@pytest.mark.parametrize("kind", sorted(set(kinds(KognicError)), key=repr))
async def test_errors(kind: type[KognicError]) -> None:
    """The message of every error is one line of a bounded length, also after something has been added to it."""
    error = kind.__new__(kind)
    error.args = (LONG_FORGERY,)
    error.__dict__.update(status=400, method="GET", url=LONG_FORGERY, output="")
    for _ in range(2):
        assert_harmless(str(error))
        assert len(str(error)) <= MAX_MESSAGE + len("...")
        assert "\n" not in str(error)
        assert_harmless("".join(traceback.format_exception_only(error)))
        error.args = ("short",)
        error.explain(FORGERY)


async def test_messages_of_results(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """Why a scene failed is one line of a bounded length, whoever says it, in the result and in the journal."""

    def give(name: str) -> bytes:
        raise ValueError(f"{name}\n{LONG_FORGERY}")

    emulator.faults.add(faults.FailProcessing(LONG_FORGERY.replace("\udcff", "")), on="processed")
    journal = tmp_path / "journal"
    failing = [missing(TAME), missing("x" * 9_000), cameras_scene("raising", callback=give), cameras_scene("processed")]
    failed = await results(client, *failing, journal=journal)
    messages = [result.error.message for result in failed if result.error is not None]
    async with Journal(journal) as opened:
        kept = [failure.message for failure in await opened.failures()]

    assert len(messages) == len(failing)
    assert sorted(kept) == sorted(messages)
    for message in messages:
        assert_harmless(message)
        assert "\n" not in message
        assert len(message) <= MAX_MESSAGE + len("...")
    assert any("\\x1b]0;title" in message and len(message) < 2 * ERROR_TEXT_LENGTH for message in messages)


async def test_error_of_a_source(client: KognicIOClient) -> None:
    """What a source raises, and what is added to it, forges no lines of ours."""

    def scenes() -> Iterator[Cameras]:
        yield cameras_scene(TAME)
        raise InvalidError(FORGERY)

    with pytest.raises(InvalidError, match="the source of scenes failed after 1 scene") as caught:
        async for _ in create_inputs(client, scenes(), "project-b", sleep_time=0.02):
            pass
    assert_harmless(str(caught.value))


ENTRY = {
    "internalId": "a", "externalId": "a", "batchId": "b", "inputType": "cameras", "status": "failed",
    "created": "2026-01-01T00:00:00Z", "annotationTypes": [],
}  # fmt: skip
SCENE = {
    "uuid": "a", "workspaceId": "w", "externalId": "a", "sceneType": "cameras", "status": "failed",
    "created": "2026-01-01T00:00:00Z",
}  # fmt: skip


@pytest.mark.parametrize(
    ("call", "argument", "body"),
    [
        ("scene.get_scenes_by_uuids", ["a"], [SCENE]),
        ("scene.get_scenes_by_external_ids", ["a"], [SCENE]),
        ("input.get_inputs_by_uuids", ["a"], [ENTRY]),
        ("input.get_inputs", "project", {"data": [ENTRY], "metadata": {}}),
    ],
)
async def test_words_in_models(call: str, argument: Any, body: Any) -> None:
    """What the platform says of a failure is one short line without secrets, in whatever it is found."""
    words = f"the-token {LONG_FORGERY}"
    for item in body["data"] if isinstance(body, dict) else body:
        item["errorMessage"] = words
    resource, method = call.split(".")
    async with serving() as server, client_of(server) as client:
        server.always = lambda _: web.json_response(body if isinstance(body, dict) else {"data": body})
        (found,) = await getattr(getattr(client, resource), method)(argument)
    assert found.error_message.startswith("... a\\x1b]0;title")
    assert_harmless(found.error_message)
    assert len(found.error_message) <= ERROR_TEXT_LENGTH + len("...")


async def test_a_status_that_is_odd() -> None:
    """A status that nobody knows is a word of the platform like any other."""
    async with serving() as server, client_of(server) as client:
        odd = SCENE | {"status": f"invalidated:the-token{LONG_FORGERY}"}
        server.always = lambda _: web.json_response({"data": [odd]})
        (found,) = await client.scene.get_scenes_by_uuids(["a"])
    assert found.status.value.startswith("invalidated:...a\\x1b]0;title")
    assert_harmless(str(found.status))
    assert found.status.is_lost


@pytest.mark.parametrize(
    "names",
    [["the-token"], [LONG_FORGERY], ["a" * LONG + str(number) for number in range(20)], [*map(str, range(50_000))]],
)
async def test_names_of_projects(names: Sequence[str]) -> None:
    """An error that names what there is takes little work for long names, and says nothing of secrets."""
    fields = {"created": "2026-01-01T00:00:00Z", "title": "", "description": "", "status": ""}
    projects = [fields | {"project": name} for name in names]

    def answer(request: web.BaseRequest) -> web.StreamResponse:
        return status(404)(request) if request.path.endswith("/batches") else web.json_response({"data": projects})

    async with serving() as server, client_of(server) as client:
        server.always = answer
        with bounded_work(), pytest.raises(UnknownProjectError, match="visible projects: ") as caught:
            async for _ in create_inputs(client, [], "a" * 1000):
                pass
    assert len(caught.value.instead) < 2_000
    assert_harmless(caught.value.instead)
    assert "the-token" not in str(caught.value)


async def test_long_ids() -> None:
    """An id of the platform's that is too long to be one is an error, and is not kept."""
    async with serving() as server, client_of(server) as client:
        server.always = lambda _: web.json_response({"data": [SCENE | {"uuid": "a" * MAX_ID}]})
        assert await client.scene.get_scenes_by_external_ids(["a"])
        server.always = lambda _: web.json_response({"data": [SCENE | {"uuid": "a" * (MAX_ID + 1)}]})
        with pytest.raises(MalformedAnswerError, match="expected an id of at most 200 characters"):
            await client.scene.get_scenes_by_external_ids(["a"])


async def test_long_cursors() -> None:
    """A cursor that is too long for a URL ends a list."""
    async with serving() as server, client_of(server) as client:
        cursor = "c" * (MAX_CURSOR + 1)
        server.always = lambda _: web.json_response({"data": [], "metadata": {"nextCursorId": cursor}})
        with pytest.raises(MalformedAnswerError, match="a cursor of more than") as caught:
            await client.input.query_inputs(project="project")
        assert len(server.requests) == 1
    assert len(str(caught.value)) < MAX_CURSOR


async def test_a_journal_that_can_be_read_again(tmp_path: Path) -> None:
    """What is too large for a journal is not written, and the journal goes on."""
    here = Destination("https://host", "workspace", "project", "batch")
    error = InputCreationError(stage=InputCreationStage.SCENE, message=LONG_FORGERY)
    async with Journal(tmp_path / "journal", here) as journal:
        with pytest.raises(JournalError, match="too large for a journal"):
            await journal.record("key", Step.STARTING, scene_uuid="u" * LONG)
        await journal.settle("key", InputCreationResult(status=InputCreationStatus.FAILED, error=error))
    async with Journal(tmp_path / "journal", here) as journal:
        (failure,) = await journal.failures()
    assert failure.message == error.message
    assert len(failure.message) <= MAX_MESSAGE + len("...")


@pytest.mark.parametrize("length", [None, 10, 500])
async def test_once_is_enough(length: int | None) -> None:
    """What has been made printable stays as it is when it is done again, and letters of all scripts stay."""
    for text in (FORGERY, LONG_FORGERY[:1000], "köln 写真 😀 e\u0301 \xa0", ""):
        once = printable(text, length)
        assert printable(once, length) == once
        assert_harmless(once)
    assert printable("köln 写真 😀 e\u0301 \xa0") == "köln 写真 😀 e\u0301 \xa0"
