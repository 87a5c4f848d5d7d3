"""`release=` is called once, as soon as the files of a scene are not needed any more, however the scene ended."""

import asyncio
import gc
import hashlib
import io
import logging
import threading
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from attrs import define, evolve, field

from kognic_aio import (
    FileData,
    InputCreationStatus,
    KognicIOClient,
    Limits,
    SceneWithPreAnnotation,
    create_inputs,
)
from kognic_aio.emulator import Emulator, faults
from kognic_aio.errors import ClosedError, InvalidError, UnknownProjectError
from kognic_aio.model import BaseScene, Cameras, Image
from tests.scenes import JPG, cameras_scene
from tests.waiting import GENEROUS, HOUR, until

pytestmark = pytest.mark.anyio

CREATED, FAILED = InputCreationStatus.CREATED, InputCreationStatus.FAILED


@define
class Releases:
    """How often the files of each scene were released."""

    calls: list[str] = field(factory=list)

    def of(self, scene: Any, annotation: Any = None) -> SceneWithPreAnnotation:
        """A scene whose release is seen."""
        return SceneWithPreAnnotation(scene, annotation, release=partial(self.calls.append, self._name(scene)))

    async def wait(self, *names: str) -> None:
        """Until just these have been released."""
        with anyio.move_on_after(GENEROUS):
            while sorted(self.calls) != sorted(names):
                await anyio.sleep(0.005)
        assert sorted(self.calls) == sorted(names)

    @staticmethod
    def _name(scene: Any) -> str:
        return scene.external_id if isinstance(scene, BaseScene) else "no scene"


@pytest.fixture
def releases() -> Releases:
    return Releases()


def scene_of(path: Path, external_id: str = "scene") -> Cameras:
    return Cameras(external_id=external_id, frame=Cameras.Frame(images=[Image(filename=str(path))]))


# Every ending that a scene may have


def created(_: Emulator) -> Any:
    return cameras_scene("scene")


def of_many_files(_: Emulator) -> Any:
    return cameras_scene("scene", files=9)


def not_ready(emulator: Emulator) -> Any:
    emulator.faults.add(faults.HangProcessing(), on="scene")
    return cameras_scene("scene")


def failed_in_processing(emulator: Emulator) -> Any:
    emulator.faults.add(faults.FailProcessing("too dark"), on="scene")
    return cameras_scene("scene")


def refused(emulator: Emulator) -> Any:
    emulator.faults.add(faults.Status(400), on="POST v1/inputs/cameras")
    return cameras_scene("scene")


def refused_input(emulator: Emulator) -> Any:
    emulator.faults.add(faults.Status(400), on="POST v1/inputs")
    return cameras_scene("scene")


def not_committed(emulator: Emulator) -> Any:
    emulator.faults.add(faults.Status(400), on=faults.COMMIT)
    return cameras_scene("scene")


def missing_file(_: Emulator) -> Any:
    return scene_of(Path("/nowhere/missing.jpg"))


def broken_source(_: Emulator) -> Any:
    def broken(filename: str) -> bytes:
        raise OSError(filename)

    return cameras_scene("scene", callback=broken)


def no_scene(_: Emulator) -> Any:
    return 7


ENDINGS = [
    (created, "created"),
    (of_many_files, "created"),
    (not_ready, "processing"),
    (failed_in_processing, "failed"),
    (refused, "failed"),
    (refused_input, "failed"),
    (not_committed, "failed"),
    (missing_file, "failed"),
    (broken_source, "failed"),
    (no_scene, "failed"),
]


@pytest.mark.parametrize("dryrun", [False, True], ids=["", "dry-run"])
@pytest.mark.parametrize(("make", "status"), ENDINGS, ids=lambda value: getattr(value, "__name__", ""))
async def test_however_a_scene_ends(
    make: Callable[[Emulator], Any],
    status: str,
    dryrun: bool,
    emulator: Emulator,
    client: KognicIOClient,
    releases: Releases,
) -> None:
    """Each scene's files are released once before its result comes, whatever that is, in a dry run as well."""
    item = releases.of(make(emulator))
    wait_timeout = 0.1 if make is not_ready else HOUR
    made = create_inputs(client, [item], "project-a", sleep_time=0.01, wait_timeout=wait_timeout, dryrun=dryrun)
    with anyio.fail_after(GENEROUS):
        result = await anext(made)
        assert len(releases.calls) == 1
        assert [result async for result in made] == []
    assert dryrun or result.status.value == status
    assert len(releases.calls) == 1


@pytest.mark.parametrize("annotation", ["no JSON", 7, {"a": object()}], ids=["text", "number", "object"])
async def test_a_bad_pre_annotation(annotation: Any, client: KognicIOClient, releases: Releases) -> None:
    """A scene whose pre-annotation is none is released too."""
    made = create_inputs(client, [releases.of(cameras_scene("scene"), annotation)], "project-a")
    with anyio.fail_after(GENEROUS):
        assert [result.status async for result in made] == [FAILED]
    assert releases.calls == ["scene"]


async def test_with_a_journal(emulator: Emulator, client: KognicIOClient, releases: Releases, tmp_path: Path) -> None:
    """What is skipped, taken up, refused as another content, or waits for a twin, is released as all the rest."""

    async def run(*scenes: Any, **options: Any) -> list[str]:
        releases.calls.clear()
        given = [releases.of(scene) for scene in scenes]
        made = create_inputs(client, given, "project-a", sleep_time=0.01, journal=tmp_path / "journal", **options)
        with anyio.fail_after(GENEROUS):
            return [result.status.value async for result in made]

    def no_key(scene: BaseScene) -> str:
        raise KeyError(scene.external_id)

    emulator.faults.add(faults.HangProcessing(), on="slow")
    done, slow = cameras_scene("done"), cameras_scene("slow")
    other = evolve(done, metadata={"region": "north"})
    assert await run(done) == ["created"]
    assert releases.calls == ["done"]
    assert await run(slow, wait_timeout=0.1) == ["processing"]
    assert releases.calls == ["slow"]
    for scene in emulator.platform.scenes.with_external_id("slow"):
        scene.ready_at = 0.0
    assert sorted(await run(done, slow, other)) == ["created", "failed"]
    assert sorted(releases.calls) == ["done", "done", "slow"]
    twins = [cameras_scene("twin")] * 5
    assert set(await run(*twins)) == {"created"}
    assert releases.calls == ["twin"] * 5
    assert await run(cameras_scene("keyless"), key=no_key) == ["failed"]
    assert releases.calls == ["keyless"]


# When it is called


async def test_while_it_is_processed(emulator: Emulator, client: KognicIOClient, releases: Releases) -> None:
    """Files are released right after the commit, and not when the scene has been processed."""
    emulator.faults.add(faults.HangProcessing(), on="scene")
    async with create_inputs(client, [releases.of(cameras_scene("scene"))], "project-a", sleep_time=0.01) as made:
        waiting = asyncio.ensure_future(anext(made))
        await releases.wait("scene")
        assert [scene.status for scene in emulator.platform.scenes.with_external_id("scene")] == ["processing"]
        assert not waiting.done()
    with pytest.raises(StopAsyncIteration):
        await waiting


class Bytes(bytearray):
    """Bytes of which it can be seen whether they are still in memory."""


async def test_nothing_of_it_stays_in_memory(emulator: Emulator, client: KognicIOClient) -> None:
    """Scenes that are processed, which may take hours, keep none of the bytes that were given as data."""
    given: list[weakref.ref[Bytes]] = []

    def scenes() -> Iterator[Cameras]:
        for number in range(4):
            data = Bytes(JPG)
            given.append(weakref.ref(data))
            image = Image(filename=f"{number}.jpg", file_data=FileData(data=data, format="jpg"))
            yield Cameras(external_id="scene", frame=Cameras.Frame(images=[image]))

    emulator.faults.add(faults.HangProcessing(), on="scene", times=4)
    async with create_inputs(client, scenes(), "project-a") as made:
        waiting = asyncio.ensure_future(anext(made))
        with anyio.fail_after(GENEROUS):
            while made.progress.committed < 4:
                await anyio.sleep(0.005)
        with anyio.move_on_after(GENEROUS):
            while any(data() is not None for data in given):
                gc.collect()
                await anyio.sleep(0.05)
        assert [data() for data in given] == [None] * 4
    with pytest.raises(StopAsyncIteration):
        await waiting


async def test_not_before_the_commit(emulator: Emulator, tmp_path: Path) -> None:
    """Until they are released, the files are there: each arrives as it is, though attempts at it fail."""
    contents = {f"scene-{number}": bytes([number]) * 50_000 for number in range(12)}
    left = []

    def scenes() -> Iterator[SceneWithPreAnnotation]:
        for name, content in contents.items():
            folder = TemporaryDirectory(dir=tmp_path)
            path = Path(folder.name, "front.jpg")
            path.write_bytes(content)
            left.append(folder.name)
            yield SceneWithPreAnnotation(scene_of(path, name), release=folder.cleanup)

    emulator.faults.add(faults.Status(503), on=faults.UPLOADS, probability=0.3)
    with anyio.fail_after(GENEROUS):
        async with KognicIOClient(**emulator.client_options(), max_retry_wait_time=0.01) as client:
            made = create_inputs(client, scenes(), "project-a", sleep_time=0.01)
            assert [result.status async for result in made] == [CREATED] * 12
    for name, content in contents.items():
        (scene,) = emulator.platform.scenes.with_external_id(name)
        (file,) = scene.files.values()
        assert file is not None
        assert file.sha256 == hashlib.sha256(content).hexdigest()
    assert len(left) == 12
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240  # a test may block for a moment


async def test_after_its_streams_are_closed(client: KognicIOClient) -> None:
    """What was given as a stream is closed when it is released."""
    stream, closed = io.BytesIO(JPG), []
    item = SceneWithPreAnnotation(cameras_scene("scene", data=stream), release=lambda: closed.append(stream.closed))
    with anyio.fail_after(GENEROUS):
        assert [result.status async for result in create_inputs(client, [item], "project-a")] == [CREATED]
    assert closed == [True]


# What may be given


class Released:
    """Something with an asynchronous `__call__`."""

    def __init__(self, calls: list[str]) -> None:
        self._calls = calls

    async def __call__(self) -> None:
        await anyio.lowlevel.checkpoint()
        self._calls.append(threading.current_thread().name)


FORMS: dict[str, Callable[[list[str]], Any]] = {
    "function": lambda calls: lambda: calls.append(threading.current_thread().name),
    "partial": lambda calls: partial(lambda to: to.append(threading.current_thread().name), calls),
    "object": Released,
    "coroutine-function": lambda calls: Released(calls).__call__,
    "partial-of-one": lambda calls: partial(Released(calls).__call__),
    "partial-of-object": lambda calls: partial(Released(calls)),
    "returns-a-coroutine": lambda calls: lambda: Released(calls)(),  # noqa: PLW0108  # which is a function
}
IN_A_THREAD = ("function", "partial")


@pytest.mark.parametrize("form", FORMS)
async def test_forms(form: str, client: KognicIOClient) -> None:
    """Functions are called in a thread, as they may block, and coroutine functions where the client is."""
    calls: list[str] = []
    item = SceneWithPreAnnotation(cameras_scene("scene"), release=FORMS[form](calls))
    with anyio.fail_after(GENEROUS):
        assert [result.status async for result in create_inputs(client, [item], "project-a")] == [CREATED]
    (thread,) = calls
    assert (thread != threading.current_thread().name) is (form in IN_A_THREAD)


async def fails_there() -> None:
    raise LookupError("gone")


def fails_here() -> None:
    raise LookupError("gone")


async def is_cancelled() -> None:
    raise asyncio.CancelledError


@pytest.mark.parametrize(("release", "words"), [(fails_there, "gone"), (fails_here, "gone"), (is_cancelled, "cancel")])
async def test_what_it_raises(
    release: Any, words: str, client: KognicIOClient, caplog: pytest.LogCaptureFixture
) -> None:
    """What a release raises is a warning that names the scene, and no error of anybody."""
    items = [SceneWithPreAnnotation(cameras_scene(name), release=release) for name in ("one", "two")]
    with anyio.fail_after(GENEROUS), caplog.at_level(logging.WARNING, "kognic_aio"):
        made = create_inputs(client, items, "project-a", sleep_time=0.01)
        assert [result.status async for result in made] == [CREATED] * 2
    told = [record.message for record in caplog.records if "release" in record.message]
    assert len(told) == 2
    assert all(words in message for message in told)
    assert {name for name in ("one", "two") for message in told if f"scene {name!r}" in message} == {"one", "two"}


@pytest.mark.parametrize("release", [7, "cleanup", ()])
def test_what_cannot_be_called(release: Any) -> None:
    """A release that cannot be called is refused at once."""
    with pytest.raises(InvalidError, match=r"SceneWithPreAnnotation\.release: expected a callable, got"):
        SceneWithPreAnnotation(cameras_scene("scene"), release=release)


# However a run ends


def hanging(releases: Releases, count: int) -> Iterator[SceneWithPreAnnotation]:
    """Scenes whose files give no bytes, and which so do not end by themselves."""

    async def hang(filename: str) -> bytes:
        await anyio.sleep_forever()
        return filename.encode()

    for number in range(count):
        yield releases.of(cameras_scene(f"scene-{number}", callback=hang))


async def close_it(client: KognicIOClient, made: Any) -> None:
    await made.aclose()


async def close_the_client(client: KognicIOClient, made: Any) -> None:
    await client.aclose()


@pytest.mark.parametrize("end", [close_it, close_the_client])
@pytest.mark.parametrize("limits", [Limits(scene_jobs=2), Limits(in_flight=2), Limits(in_flight=1, scene_jobs=1)])
async def test_a_run_that_is_closed(
    end: Callable[[KognicIOClient, Any], Awaitable[None]], limits: Limits, emulator: Emulator, releases: Releases
) -> None:
    """All scenes that a closed run has taken are released: those under way, and those that wait for their turn."""
    with anyio.fail_after(GENEROUS):
        async with KognicIOClient(**emulator.client_options()) as client:
            made = create_inputs(client, hanging(releases, 10), "project-a", limits=limits)
            waiting = asyncio.ensure_future(anext(made))
            while emulator.recorder.in_flight["scene-jobs"] < min(limits.scene_jobs, limits.in_flight):
                await anyio.sleep(0.005)
            await end(client, made)
            with pytest.raises((StopAsyncIteration, ClosedError)):
                await waiting
            await releases.wait(*(f"scene-{number}" for number in range(made.progress.taken)))


async def test_a_run_that_is_dropped(emulator: Emulator, client: KognicIOClient, releases: Releases) -> None:
    """All scenes of a run that nobody holds any more are released."""
    made: Any = create_inputs(client, hanging(releases, 2), "project-a")
    waiting = asyncio.ensure_future(anext(made))
    await until(lambda: emulator.recorder.in_flight["scene-jobs"] == 2)
    waiting.cancel()
    await asyncio.wait([waiting], timeout=GENEROUS)
    del made, waiting
    await releases.wait("scene-0", "scene-1")


async def test_a_run_that_an_error_ends(emulator: Emulator, client: KognicIOClient, releases: Releases) -> None:
    """All scenes that a run has taken are released when an error ends it."""
    emulator.faults.add(faults.Status(401), on="POST v1/inputs/initialize", times=1000)
    made = create_inputs(client, hanging(releases, 10), "project-a", limits=Limits(scene_jobs=2))
    with anyio.fail_after(GENEROUS), pytest.raises(Exception, match="401"):
        await anext(made)
    assert made.progress.taken
    await releases.wait(*(f"scene-{number}" for number in range(made.progress.taken)))


async def test_a_run_that_never_took_anything(client: KognicIOClient, releases: Releases) -> None:
    """A scene that no run has taken is its owner's to release."""
    made = create_inputs(client, hanging(releases, 1), "no-such-project")
    with pytest.raises(UnknownProjectError):
        await anext(made)
    assert releases.calls == []


async def test_a_source_that_fails(client: KognicIOClient, releases: Releases) -> None:
    """What a source gave before it failed is released once, as it ends."""

    def scenes() -> Iterator[SceneWithPreAnnotation]:
        yield releases.of(cameras_scene("one"))
        yield releases.of(cameras_scene("two"))
        raise LookupError("no more")

    made = create_inputs(client, scenes(), "project-a", sleep_time=0.01)
    with anyio.fail_after(GENEROUS):
        assert [(await anext(made)).status for _ in range(2)] == [CREATED] * 2
        with pytest.raises(LookupError):
            await anext(made)
    assert sorted(releases.calls) == ["one", "two"]


@pytest.mark.parametrize("end", ["drain", "close"])
@pytest.mark.parametrize("form", ["function", "coroutine-function"])
async def test_a_scene_that_comes_too_late(end: str, form: str, client: KognicIOClient) -> None:
    """A scene that a blocking source gives when the run takes no more is released, though it has no result."""
    begun, go, calls = threading.Event(), threading.Event(), list[str]()

    def scenes() -> Iterator[SceneWithPreAnnotation]:
        yield SceneWithPreAnnotation(cameras_scene("one"))
        begun.set()
        go.wait(GENEROUS)
        yield SceneWithPreAnnotation(cameras_scene("late"), release=FORMS[form](calls))

    made = create_inputs(client, scenes(), "project-a", sleep_time=0.01)
    with anyio.fail_after(GENEROUS):
        await anext(made)
        while not begun.is_set():
            await anyio.sleep(0.005)
        if end == "close":
            await made.aclose()
        made.drain()
        assert [result async for result in made] == []
        assert (made.progress.taken, calls) == (1, [])
        go.set()
        while not calls:
            await anyio.sleep(0.005)
    assert len(calls) == 1


async def test_an_item_that_is_given_as_the_run_is_closed(client: KognicIOClient, releases: Releases) -> None:
    """Of scenes that a source gives at any moment of a run's ending, none is lost: each is released, and once."""
    given = []

    def scenes() -> Iterator[SceneWithPreAnnotation]:
        for number in range(100_000):
            given.append(f"scene-{number}")
            yield releases.of(7 if number % 3 else cameras_scene(f"scene-{number}"))

    with anyio.fail_after(GENEROUS):
        for patience in range(30):
            made, before = create_inputs(client, scenes(), "project-a", sleep_time=0.01), len(given)
            waiting = asyncio.ensure_future(anext(made))
            while len(given) == before:
                await anyio.lowlevel.checkpoint()
            for _ in range(patience):
                await anyio.lowlevel.checkpoint()
            await made.aclose()
            await asyncio.gather(waiting, return_exceptions=True)
            while len(releases.calls) != len(given):
                await anyio.sleep(0.005)
    assert len(given) > 30


# When there is no time


async def test_a_release_that_takes_a_moment(emulator: Emulator, client: KognicIOClient) -> None:
    """A release is finished though its run is cancelled meanwhile, if it takes no longer than a moment."""
    begun, done = anyio.Event(), anyio.Event()

    async def release() -> None:
        begun.set()
        await anyio.sleep(0.1)
        done.set()

    item = SceneWithPreAnnotation(cameras_scene("scene"), release=release)
    async with create_inputs(client, [item], "project-a") as made:
        waiting = asyncio.ensure_future(anext(made))
        with anyio.fail_after(GENEROUS):
            await begun.wait()
    assert done.is_set()
    with pytest.raises(StopAsyncIteration):
        await waiting


@pytest.mark.parametrize("begun_before", [True, False])
async def test_a_release_that_hangs(
    begun_before: bool, emulator: Emulator, client: KognicIOClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A release that does not end keeps no cancelled run from ending in time; a warning names the scene."""
    begun = anyio.Event()

    async def release() -> None:
        begun.set()
        await anyio.sleep_forever()

    async def hang(filename: str) -> bytes:
        await anyio.sleep_forever()
        return filename.encode()

    scene = cameras_scene("scene") if begun_before else cameras_scene("scene", callback=hang)
    made = create_inputs(client, [SceneWithPreAnnotation(scene, release=release)], "project-a")
    waiting = asyncio.ensure_future(anext(made))
    with anyio.fail_after(GENEROUS):
        while not (begun.is_set() if begun_before else emulator.recorder.in_flight["scene-jobs"]):
            await anyio.sleep(0.005)
    with anyio.fail_after(GENEROUS):
        await made.aclose()
        with pytest.raises(StopAsyncIteration):
            await waiting
    await until(lambda: caplog.records)
    assert "release of scene 'scene' was cancelled before it had ended" in caplog.text
    (status,) = [scene.status for scene in emulator.platform.scenes.with_external_id("scene")]
    assert status == ("created" if begun_before else "invalidated:incorrectly-created")


async def test_a_release_that_hangs_of_a_scene_that_waits(emulator: Emulator, client: KognicIOClient) -> None:
    """A scene that waits for its turn when the run is closed keeps that from ending in time no more than others do."""
    begun = []

    async def release() -> None:
        begun.append(True)
        await anyio.sleep_forever()

    async def hang(filename: str) -> bytes:
        await anyio.sleep_forever()
        return filename.encode()

    items = [SceneWithPreAnnotation(cameras_scene(name, callback=hang), release=release) for name in ("one", "two")]
    made = create_inputs(client, items, "project-a", limits=Limits(scene_jobs=1))
    waiting = asyncio.ensure_future(anext(made))
    await until(lambda: made.progress.taken == len(items))
    await made.aclose()
    await until(lambda: made._task is not None and made._task.done())
    assert len(begun) == len(items)
    with pytest.raises(StopAsyncIteration):
        await waiting


async def test_an_async_source(client: KognicIOClient, releases: Releases) -> None:
    """Scenes of an async source are released as well."""

    async def scenes() -> AsyncIterator[SceneWithPreAnnotation]:
        for name in ("one", "two"):
            yield releases.of(cameras_scene(name))

    made = create_inputs(client, scenes(), "project-a", sleep_time=0.01)
    with anyio.fail_after(GENEROUS):
        assert [result.status async for result in made] == [CREATED] * 2
    assert sorted(releases.calls) == ["one", "two"]


def test_a_scene_without_a_release() -> None:
    """Nobody has to release anything; what is given beside a scene stays as it was."""
    scene = cameras_scene("scene", data=b"bytes")
    assert SceneWithPreAnnotation(scene).release is None
    assert isinstance(scene.frame.images[0].file_data, FileData)
