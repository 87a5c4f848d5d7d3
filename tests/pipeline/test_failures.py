"""What a run raises says where it failed, in the words and the lines of the one who called it."""

import asyncio
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from kognic_aio import (
    InputCreationError,
    InputCreationStage,
    InputCreationStatus,
    KognicIOClient,
    SceneWithPreAnnotation,
    create_inputs,
)
from kognic_aio.emulator import Emulator, faults
from kognic_aio.errors import (
    BatchClosedError,
    ClosedError,
    CredentialsError,
    InvalidError,
    JournalError,
    JournalLockedError,
    JournalMismatchError,
    KognicError,
    NotFoundError,
    UnauthorizedError,
    UnavailableError,
    UnknownBatchError,
    UnknownProjectError,
)
from kognic_aio.model import BaseScene, Cameras, Image
from kognic_aio.pipeline.journal import Destination, Journal
from tests.scenes import cameras_scene
from tests.waiting import GENEROUS

pytestmark = pytest.mark.anyio


def frames(error: BaseException) -> list[str]:
    """The files of a traceback as it is printed, from the first line to the last."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    return [line.split('"')[1] for line in lines if line.startswith('  File "')]


def is_told_at_the_caller(error: BaseException) -> bool:
    """Whether the first lines that are printed of a traceback are the caller's, and none is of how we talk."""
    printed = frames(error)
    return printed[0] == __file__ and not any("/_http/" in file or "/anyio/" in file for file in printed)


# What ends a run


async def of_unknown_project(client: KognicIOClient, emulator: Emulator, folder: Path) -> dict[str, Any]:
    return {"project": "project-x"}


async def of_unknown_batch(client: KognicIOClient, emulator: Emulator, folder: Path) -> dict[str, Any]:
    return {"batch": "batch-x"}


async def of_closed_batch(client: KognicIOClient, emulator: Emulator, folder: Path) -> dict[str, Any]:
    await client.project.publish_batch("project-a", "batch-2")
    return {"batch": "batch-2"}


async def of_refused_credentials(client: KognicIOClient, emulator: Emulator, folder: Path) -> dict[str, Any]:
    emulator.platform.accounts.credentials.clear()
    emulator.platform.revoke_tokens()
    return {}


async def of_refused_token(client: KognicIOClient, emulator: Emulator, folder: Path) -> dict[str, Any]:
    emulator.faults.add(faults.Status(401), on="POST v1/inputs/initialize", times=1000)
    return {}


async def of_other_journal(client: KognicIOClient, emulator: Emulator, folder: Path) -> dict[str, Any]:
    async with Journal(folder / "journal", Destination("here", "there", "project", None)):
        return {"journal": folder / "journal"}


async def of_no_folder(client: KognicIOClient, emulator: Emulator, folder: Path) -> dict[str, Any]:
    return {"journal": folder / "missing" / "journal"}


async def of_dead_host(client: KognicIOClient, emulator: Emulator, folder: Path) -> dict[str, Any]:
    emulator.faults.add(faults.Status(503), on="POST v1/inputs/*", times=100_000)
    return {}


ENDS: list[tuple[Callable[..., Any], type[KognicError]]] = [
    (of_unknown_project, UnknownProjectError),
    (of_unknown_batch, UnknownBatchError),
    (of_closed_batch, BatchClosedError),
    (of_refused_credentials, CredentialsError),
    (of_refused_token, UnauthorizedError),
    (of_other_journal, JournalMismatchError),
    (of_no_folder, JournalError),
    (of_dead_host, UnavailableError),
]


@pytest.mark.parametrize(("end", "expected"), ENDS, ids=lambda value: value.__name__)
async def test_what_ends_a_run(end: Callable[..., Any], expected: Any, emulator: Emulator, tmp_path: Path) -> None:
    """The error that ends a run is printed with the lines of its caller first, and not with those of our tasks."""
    options = emulator.client_options() | {"max_retry_wait_time": 0.01, "max_retry_attempts": 3}
    scenes = [cameras_scene(str(number)) for number in range(40)]
    with anyio.fail_after(GENEROUS):
        async with KognicIOClient(**options) as client:
            given: dict[str, Any] = {"project": "project-a"} | await end(client, emulator, tmp_path)
            with pytest.raises(expected) as caught:
                async for _ in create_inputs(client, scenes, **given):
                    pass
    assert is_told_at_the_caller(caught.value)
    assert type(caught.value) is expected or expected is JournalError


async def test_its_cause_is_told(client: KognicIOClient) -> None:
    """What the platform has answered is the cause of the error, as before."""
    with pytest.raises(UnknownProjectError) as caught:
        await anext(create_inputs(client, [], "project-x"))
    assert isinstance(caught.value.__cause__, NotFoundError)
    assert "project-x" in "".join(traceback.format_exception(caught.value))
    assert "NotFoundError" in "".join(traceback.format_exception(caught.value))


async def test_a_journal_that_is_in_use(client: KognicIOClient, tmp_path: Path) -> None:
    """A journal that another run has open is told of at the caller too."""
    path = tmp_path / "journal"
    async with create_inputs(client, [cameras_scene("a")], "project-a", journal=path) as first:
        await anext(first)
        with pytest.raises(JournalLockedError) as caught:
            await anext(create_inputs(client, [cameras_scene("b")], "project-a", journal=path))
    assert is_told_at_the_caller(caught.value)


async def test_a_client_that_is_closed(emulator: Emulator) -> None:
    """A run on a client that is not open is told of at the caller too."""
    with pytest.raises(ClosedError) as caught:
        await anext(create_inputs(KognicIOClient(**emulator.client_options()), [cameras_scene("a")], "project-a"))
    assert is_told_at_the_caller(caught.value)


async def test_it_is_raised_again_and_again(client: KognicIOClient) -> None:
    """An error that several consumers are told does not grow."""
    made = create_inputs(client, [], "project-x")
    errors = []
    async with anyio.create_task_group() as group:

        async def consume() -> None:
            with pytest.raises(UnknownProjectError) as caught:
                await anext(made)
            errors.append(frames(caught.value))

        for _ in range(5):
            group.start_soon(consume)
    assert len(errors) == 5
    assert all(len(printed) == len(errors[0]) for printed in errors)


# A source that fails


def bad_image(number: int) -> SceneWithPreAnnotation:
    """An item that cannot be built from the third on."""
    if number < 3:
        return SceneWithPreAnnotation(cameras_scene(f"scene-{number}"))
    return SceneWithPreAnnotation(Cameras(external_id="x", frame=Cameras.Frame(images=[Image(filename="a.txt")])))


def generator(build: Callable[[int], Any]) -> Iterator[Any]:
    for number in range(10):
        yield build(number)


async def async_generator(build: Callable[[int], Any]) -> AsyncIterator[Any]:
    for number in range(10):
        yield build(number)


SOURCES: dict[str, Callable[[Callable[[int], Any]], Any]] = {
    "generator": generator,
    "async-generator": async_generator,
    "map": lambda build: map(build, range(10)),
    "generator-expression": lambda build: (build(number) for number in range(10)),
}


@pytest.mark.parametrize("source", SOURCES)
async def test_an_item_that_cannot_be_built(source: str, client: KognicIOClient) -> None:
    """The error says after how many scenes the source failed, and after which; its lines are those of the source."""
    statuses = []
    with anyio.fail_after(GENEROUS), pytest.raises(InvalidError) as caught:
        async for result in create_inputs(client, SOURCES[source](bad_image), "project-a", sleep_time=0.01):
            statuses.append(result.status)  # noqa: PERF401  # which have been delivered when it fails
    assert statuses == [InputCreationStatus.CREATED] * 3
    assert "wrong format for Image: 'a.txt'" in str(caught.value)
    assert str(caught.value).endswith("; the source of scenes failed after 3 scenes, the last one 'scene-2'")
    printed = frames(caught.value)
    assert printed[0] == __file__
    assert "bad_image" in "".join(traceback.format_exception(caught.value))
    assert not any(f"/{name}/" in file for file in printed for name in ("anyio", "asyncio", "concurrent"))


@pytest.mark.parametrize("source", SOURCES)
async def test_errors_of_others(source: str, client: KognicIOClient) -> None:
    """What a source raises is raised itself, with a note of where; whoever catches it catches it as before."""
    error = LookupError("no such row")

    def build(number: int) -> Any:
        if number == 1:
            raise error
        return cameras_scene("first")

    with anyio.fail_after(GENEROUS), pytest.raises(LookupError) as caught:
        async for _ in create_inputs(client, SOURCES[source](build), "project-a", sleep_time=0.01):
            pass
    assert caught.value is error
    assert str(error) == "no such row"
    assert error.__notes__ == ["the source of scenes failed after 1 scene, the last one 'first'"]
    assert frames(error)[0] == __file__
    assert "in build" in "".join(traceback.format_exception(error))


@pytest.mark.parametrize("source", SOURCES)
async def test_at_its_first(source: str, client: KognicIOClient) -> None:
    """A source that gives nothing before it fails says so, whatever it raises."""

    def build(number: int) -> Any:
        raise KognicError

    with anyio.fail_after(GENEROUS), pytest.raises(KognicError, match="the source of scenes failed at its first scene"):
        await anext(create_inputs(client, SOURCES[source](build), "project-a"))


async def test_after_something_that_is_no_scene(client: KognicIOClient) -> None:
    """What is no scene has no external id, but is counted."""

    def build(number: int) -> Any:
        if number == 2:
            raise LookupError
        return number

    with anyio.fail_after(GENEROUS), pytest.raises(LookupError) as caught:
        async for _ in create_inputs(client, generator(build), "project-a"):
            pass
    assert caught.value.__notes__ == ["the source of scenes failed after 2 scenes"]


class Bare(Cameras):
    """A scene type of one's own that forgets to initialize its base."""

    def __init__(self) -> None:
        pass


async def test_a_scene_that_was_not_initialized(client: KognicIOClient) -> None:
    """It fails by itself, as any bad scene does: those after it are created."""
    with anyio.fail_after(GENEROUS):
        made = create_inputs(client, [Bare(), cameras_scene("good")], "project-a", sleep_time=0.01)
        bad, good = sorted([result async for result in made], key=lambda result: result.status, reverse=True)
    assert (bad.status, bad.external_id) == (InputCreationStatus.FAILED, None)
    assert bad.error is not None
    assert "external_id" in bad.error.message
    assert (good.status, good.external_id) == (InputCreationStatus.CREATED, "good")


async def test_a_key_that_is_cancelled(client: KognicIOClient, tmp_path: Path) -> None:
    """What a caller's own function gets of a task that was cancelled is the error of its scene, and ends no run."""

    def key(scene: BaseScene) -> str:
        if scene.external_id == "bad":
            raise asyncio.CancelledError
        return scene.external_id

    scenes = [cameras_scene("bad"), cameras_scene("good")]
    with anyio.fail_after(GENEROUS):
        made = create_inputs(client, scenes, "project-a", sleep_time=0.01, journal=tmp_path / "journal", key=key)
        found = {result.external_id: result async for result in made}
    assert found["good"].status == InputCreationStatus.CREATED
    assert found["bad"].error is not None
    assert found["bad"].error.message == "the scene was cancelled by other code"


def test_an_error_reads_as_a_line() -> None:
    """An error prints as its stage and message, so that a script can print it as it is."""
    error = InputCreationError(stage=InputCreationStage.PRE_ANNOTATION, message="no such\nframe")
    assert str(error) == "pre-annotation: no such\\nframe"
