"""Scenes in, inputs out: one result per scene, whatever becomes of it."""

import asyncio
import hashlib
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import evolve
from kognic.openlabel.models import OpenLabelAnnotation

from kognic_aio import (
    InputCreationResult,
    InputCreationStage,
    InputCreationStatus,
    KognicError,
    KognicIOClient,
    Limits,
    SceneWithPreAnnotation,
    create_inputs,
)
from kognic_aio.emulator import Emulator, RecordedRequest
from kognic_aio.emulator.faults import STATUS_QUERY
from kognic_aio.errors import (
    BatchClosedError,
    CredentialsError,
    InvalidError,
    UnknownBatchError,
    UnknownProjectError,
)
from kognic_aio.model import BaseScene, Cameras, Image
from kognic_aio.pipeline.watch import QUERIES_AT_ONCE
from tests.scenes import KINDS, SOURCES, build, cameras_scene
from tests.waiting import GENEROUS, until

pytestmark = pytest.mark.anyio

CREATED, FAILED = InputCreationStatus.CREATED, InputCreationStatus.FAILED
SCENE = InputCreationStage.SCENE
PRE_ANNOTATION = InputCreationStage.PRE_ANNOTATION
INPUT = InputCreationStage.INPUT_FROM_SCENE

OPENLABEL: dict[str, Any] = {"openlabel": {"metadata": {"schema_version": "1.0.0"}}}
FAST: dict[str, Any] = {"sleep_time": 0.02}


async def collect(client: KognicIOClient, source: Any, **arguments: Any) -> list[InputCreationResult]:
    """All results of a run in project-a."""
    return [result async for result in create_inputs(client, source, "project-a", **{**FAST, **arguments})]


def endless(prefix: str = "scene") -> Iterator[Cameras]:
    number = 0
    while True:
        yield cameras_scene(f"{prefix}-{number}")
        number += 1


class BadScenes:
    """Scenes that are bad in different ways, and for each the stage and the words of its failure."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        self._platform = emulator.platform
        self._folder = folder
        self._ways = (
            self._missing_file,
            self._empty_file,
            self._callback_raises,
            self._unknown_calibration,
            self._refused,
            self._processing_fails,
            self._pre_annotation_refused,
            self._input_refused,
        )
        self.expected: dict[str, tuple[InputCreationStage, str]] = {}

    def make(self, name: str) -> SceneWithPreAnnotation:
        way = self._ways[len(self.expected) % len(self._ways)]
        scene, stage, words = way(name)
        self.expected[name] = (stage, words)
        return SceneWithPreAnnotation(scene=scene, pre_annotation=OPENLABEL)

    def _local(self, name: str, path: Path) -> Cameras:
        return Cameras(external_id=name, frame=Cameras.Frame(images=[Image(filename=str(path))]))

    def _missing_file(self, name: str) -> tuple[BaseScene, InputCreationStage, str]:
        return self._local(name, self._folder / "nowhere.jpg"), SCENE, "nowhere.jpg"

    def _empty_file(self, name: str) -> tuple[BaseScene, InputCreationStage, str]:
        path = self._folder / "empty.jpg"
        path.touch()
        return self._local(name, path), SCENE, "empty.jpg"

    def _callback_raises(self, name: str) -> tuple[BaseScene, InputCreationStage, str]:
        def callback(filename: str) -> bytes:
            raise OSError("the disk is on fire")

        return cameras_scene(name, callback=callback), SCENE, "the disk is on fire"

    def _unknown_calibration(self, name: str) -> tuple[BaseScene, InputCreationStage, str]:
        scene = build("LidarsAndCameras", SOURCES["bytes"], self._folder).scene
        return evolve(scene, external_id=name, calibration_id="no-such-calibration"), SCENE, "no-such-calibration"

    def _refused(self, name: str) -> tuple[BaseScene, InputCreationStage, str]:
        self._platform.refuse("scene", name, "this scene is not welcome")
        return cameras_scene(name), SCENE, "this scene is not welcome"

    def _processing_fails(self, name: str) -> tuple[BaseScene, InputCreationStage, str]:
        self._platform.refuse("processing", name, "these pixels make no sense")
        return cameras_scene(name), SCENE, "these pixels make no sense"

    def _pre_annotation_refused(self, name: str) -> tuple[BaseScene, InputCreationStage, str]:
        self._platform.refuse("pre-annotation", name, "no such label")
        return cameras_scene(name), PRE_ANNOTATION, "no such label"

    def _input_refused(self, name: str) -> tuple[BaseScene, InputCreationStage, str]:
        self._platform.refuse("input", name, "not this one")
        return cameras_scene(name), INPUT, "not this one"


async def test_bad_scenes_among_good_ones(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """Of 300 mixed scenes, every bad one fails at its stage with words that name the cause, and all others succeed."""
    bad = BadScenes(emulator, tmp_path)
    kinds = list(KINDS)

    async def source() -> AsyncIterator[SceneWithPreAnnotation]:
        for number in range(300):
            if number % 10 == 3:
                yield bad.make(f"bad-{number}")
            else:
                scene = build(kinds[number % len(kinds)], SOURCES["bytes"], tmp_path).scene
                yield SceneWithPreAnnotation(
                    evolve(scene, external_id=f"good-{number}"), OPENLABEL if number % 2 else None
                )

    results = {result.external_id: result for result in await collect(client, source())}

    assert len(results) == 300
    failed = {name: result.error for name, result in results.items() if result.status is FAILED}
    assert failed.keys() == bad.expected.keys()
    for name, (stage, words) in bad.expected.items():
        error = failed[name]
        assert error is not None
        assert error.stage is stage
        assert words in error.message
    good = [result for name, result in results.items() if name not in bad.expected]
    assert all(result.status is CREATED for result in good)
    assert all(emulator.platform.scene(result.scene_uuid or "").status == "created" for result in good)
    assert Counter(result.status for result in results.values()) == {CREATED: 270, FAILED: 30}


async def test_a_created_result_names_everything(emulator: Emulator, client: KognicIOClient) -> None:
    """CREATED carries the uuids of the scene, of its pre-annotation and of every input, the first as `input_uuid`."""
    emulator.platform.add_batch("project-b", "two-requests", requests=2)
    source = [SceneWithPreAnnotation(scene=cameras_scene("one"), preannotation=OPENLABEL)]
    results = [r async for r in create_inputs(client, source, "project-b", batch="two-requests", **FAST)]
    (result,) = results
    assert result.status is CREATED
    assert result.external_id == "one"
    assert result.error is None
    made = emulator.platform.inputs.of_scene(result.scene_uuid or "")
    assert [input_.uuid for input_ in result.inputs] == [input_.uuid for input_ in made]
    assert len(result.inputs) == 2
    assert result.input_uuid == result.inputs[0].uuid != result.scene_uuid
    (annotation,) = emulator.platform.pre_annotations.of_scene(result.scene_uuid or "")
    assert result.preannotation_uuid == annotation.id


@pytest.mark.parametrize(
    "pre_annotation",
    [OPENLABEL, json.dumps(OPENLABEL).encode(), json.dumps(OPENLABEL), OpenLabelAnnotation.model_validate(OPENLABEL)],
    ids=["dict", "bytes", "text", "model"],
)
async def test_forms_of_pre_annotations(pre_annotation: Any, emulator: Emulator, client: KognicIOClient) -> None:
    """A pre-annotation may be a dict, JSON or a model, and arrives the same."""
    (result,) = await collect(client, [SceneWithPreAnnotation(cameras_scene("one"), pre_annotation)])
    assert result.status is CREATED
    (request,) = emulator.recorder.requests("POST", "/v1/pre-annotations")
    assert request.body["preAnnotation"]["openlabel"]["metadata"]["schema_version"] == "1.0.0"


@pytest.mark.parametrize(
    "wrong",
    [b"{", b"[]", 7, {"a": {1}}, {"a": float("nan")}],
    ids=["no-json", "no-object", "no-annotation", "a-set", "nan"],
)
async def test_a_wrong_pre_annotation_sends_nothing(wrong: Any, emulator: Emulator, client: KognicIOClient) -> None:
    """What is no pre-annotation fails the scene at its stage, before anything of the scene is sent."""
    (result,) = await collect(client, [SceneWithPreAnnotation(cameras_scene("one"), wrong)])
    assert result.status is FAILED
    assert result.error is not None
    assert result.error.stage is PRE_ANNOTATION
    assert "pre_annotation" in result.error.message
    assert not emulator.recorder.requests("POST", "/v1/inputs")


async def _async(scenes: list[Cameras]) -> AsyncIterator[Cameras]:
    for scene in scenes:
        yield scene


@pytest.mark.parametrize(
    "form", [list, tuple, iter, _async, lambda scenes: (s for s in scenes), lambda scenes: dict.fromkeys(range(3), 0)]
)
async def test_forms_of_sources(form: Callable[[list[Cameras]], Any], client: KognicIOClient) -> None:
    """Any iterable or async iterable is a source, and everything that it gives has exactly one result."""
    results = await collect(client, form([cameras_scene(str(number)) for number in range(3)]))
    assert len(results) == 3


async def test_what_is_no_scene_fails_alone(client: KognicIOClient) -> None:
    """Something that is no scene is one FAILED result among the others, even None from a generator."""
    wrong: list[Any] = [None, "a scene", SceneWithPreAnnotation(scene="no scene")]  # type: ignore[arg-type]
    results = await collect(client, (item for item in [*wrong, cameras_scene("good")]))
    assert Counter(result.status for result in results) == {FAILED: 3, CREATED: 1}
    messages = [result.error.message for result in results if result.error]
    assert all("expected a scene" in message for message in messages)


@pytest.mark.parametrize("empty", [[], iter(()), _async([])], ids=["list", "iterator", "async"])
async def test_an_empty_source(empty: Any, client: KognicIOClient) -> None:
    """An empty source gives no results and no error."""
    assert await collect(client, empty) == []


@pytest.mark.parametrize("wrong", [7, None, "scenes", b"scenes"])
async def test_what_is_no_source(wrong: Any, client: KognicIOClient) -> None:
    """What cannot be iterated over is an error at once."""
    with pytest.raises(InvalidError, match="scenes_with_pre_annotations"):
        create_inputs(client, wrong, "project-a")


async def test_a_source_that_fails(client: KognicIOClient) -> None:
    """When the source raises, the scenes that it gave still settle, and then its own error comes out."""

    def source() -> Iterator[Cameras]:
        yield from (cameras_scene(str(number)) for number in range(5))
        raise LookupError("the database is gone")

    results: list[InputCreationResult] = []
    with pytest.raises(LookupError, match="the database is gone"):
        async for result in create_inputs(client, source(), "project-a", **FAST):
            results.append(result)  # noqa: PERF401  # a comprehension would lose them
    assert Counter(result.status for result in results) == {CREATED: 5}


async def test_a_dry_run(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """A dry run gives one VALIDATED or FAILED result per scene and creates nothing."""
    emulator.platform.refuse("scene", "refused", "this scene is not welcome")
    missing = Cameras(external_id="missing", frame=Cameras.Frame(images=[Image(filename=str(tmp_path / "a.jpg"))]))
    scenes = [build(kind, SOURCES["bytes"], tmp_path).scene for kind in KINDS]
    before = emulator.platform.summary()
    results = await collect(client, [*scenes, cameras_scene("refused"), missing], dryrun=True)
    assert Counter(result.status for result in results) == {InputCreationStatus.VALIDATED: len(KINDS), FAILED: 2}
    assert all(result.scene_uuid is None and not result.inputs for result in results)
    assert not emulator.recorder.requests("PUT")
    assert emulator.platform.summary() == before


@pytest.mark.parametrize(
    ("project", "batch", "error", "words"),
    [
        ("no-such-project", None, UnknownProjectError, "no-such-project"),
        ("project-a", "no-such-batch", UnknownBatchError, "no-such-batch"),
        ("project-a", "batch-1", BatchClosedError, "completed"),
        ("project-c", None, UnknownBatchError, "several open batches"),
        ("project-d", None, BatchClosedError, "no open batch"),
    ],
)
async def test_a_target_that_takes_no_inputs(
    project: str, batch: str | None, error: type[Exception], words: str, emulator: Emulator, client: KognicIOClient
) -> None:
    """A project or batch that cannot take inputs ends the run before a scene is taken from the source."""
    emulator.platform.add_project("project-c")
    emulator.platform.add_batch("project-c", "one")
    emulator.platform.add_batch("project-c", "two")
    emulator.platform.add_project("project-d")
    source = endless()
    with pytest.raises(error, match=words):
        async for _ in create_inputs(client, source, project, batch=batch):
            pytest.fail("there can be no result")
    assert next(source).external_id == "scene-0"
    assert not emulator.recorder.requests("POST", "/v1/inputs")


async def test_wrong_credentials(emulator: Emulator) -> None:
    """Wrong credentials are refused when the client opens."""
    options = emulator.client_options() | {"auth": ("somebody", "else")}
    with pytest.raises(CredentialsError, match="refused"):
        await KognicIOClient(**options).open()


async def test_limits_are_kept(emulator: Emulator) -> None:
    """The server never sees more uploads, scene jobs or connections than the limits allow, but it sees them used."""
    limits = Limits(scene_jobs=5, uploads=8, inputs=3)
    async with KognicIOClient(**emulator.client_options(), limits=limits) as client:
        results = await collect(client, [cameras_scene(str(number), files=4) for number in range(60)])
    assert all(result.status is CREATED for result in results)
    peak = emulator.recorder.peak
    assert 5 <= peak["uploads"] <= 8
    assert 3 <= peak["scene-jobs"] <= 5
    assert emulator.recorder.connections_opened <= limits.scene_jobs + limits.uploads + limits.inputs + QUERIES_AT_ONCE


@pytest.mark.parametrize("latency", [0.0, 0.05])
async def test_no_request_more_than_the_protocol_needs(latency: float) -> None:
    """Each scene takes one request a step and one a file. Only status queries come on top, shared by many scenes."""
    async with (
        Emulator(api_latency=latency, storage_latency=latency) as emulator,
        KognicIOClient(**emulator.client_options()) as client,
    ):
        results = await collect(client, [cameras_scene(str(number), files=3) for number in range(300)])
    assert [result.status for result in results] == [CREATED] * 300
    requests = Counter(emulator.recorder.requests_by_endpoint)
    assert requests.pop(STATUS_QUERY) < 0.2 * 300
    assert sorted(requests.values()) == [1, 1, 1, 300, 300, 300, 300, 900], requests


async def test_runs_share_the_limits_of_the_client(emulator: Emulator) -> None:
    """Two runs on one client stay within its limits together; a run may bring its own."""
    async with KognicIOClient(**emulator.client_options(), max_connections=3) as client:
        assert client.limits.uploads == 3

        async def run(name: str, limits: Limits | None = None) -> None:
            scenes = [cameras_scene(f"{name}-{number}", files=3) for number in range(20)]
            assert len(await collect(client, scenes, limits=limits)) == 20

        async with anyio.create_task_group() as group:
            group.start_soon(run, "a")
            group.start_soon(run, "b")
        assert emulator.recorder.peak["uploads"] <= 3
        await run("c", Limits(uploads=6))
        assert 3 < emulator.recorder.peak["uploads"] <= 6


async def test_results_come_while_others_upload(emulator: Emulator, client: KognicIOClient) -> None:
    """The first input is created before the last upload starts."""
    await collect(client, [cameras_scene(str(number), files=2) for number in range(200)])
    first_input = next(r for r in emulator.recorder.requests("POST") if r.endpoint == "POST v1/inputs")
    last_upload = emulator.recorder.requests("PUT")[-1]
    assert first_input.ended is not None
    assert first_input.ended < last_upload.started


async def test_scenes_that_are_not_ready_in_time(emulator: Emulator, client: KognicIOClient) -> None:
    """Scenes that still process when `wait_timeout` ends are PROCESSING, with the uuid to find them by."""
    emulator.platform.timing.processing_time = 3600.0
    results = await collect(client, [cameras_scene(str(number)) for number in range(10)], wait_timeout=0.1)
    assert [result.status for result in results] == [InputCreationStatus.PROCESSING] * 10
    assert all(emulator.platform.scene(result.scene_uuid or "").status == "processing" for result in results)


async def test_each_scene_has_its_own_clock(emulator: Emulator, client: KognicIOClient) -> None:
    """With `scene_timeout`, an endless source gets PROCESSING results while it goes on."""
    emulator.platform.timing.processing_time = 3600.0
    async with create_inputs(client, endless(), "project-a", scene_timeout=0.05, **FAST) as results:
        statuses = [(await anext(results)).status for _ in range(20)]
    assert set(statuses) == {InputCreationStatus.PROCESSING}


@pytest.mark.parametrize("reason", ["bad-content", "duplicate", "incorrectly-created"])
async def test_a_scene_that_is_invalidated(reason: str, emulator: Emulator, client: KognicIOClient) -> None:
    """A scene that somebody invalidates while it processes is FAILED at once, its status in the message."""
    emulator.platform.timing.processing_time = 3600.0
    async with anyio.create_task_group() as group:
        group.start_soon(_invalidate_when_committed, emulator, reason)
        (result,) = await collect(client, [cameras_scene("one")])
    assert result.status is FAILED
    assert result.error is not None
    assert result.error.stage is SCENE
    assert "invalidated:" in result.error.message


async def _invalidate_when_committed(emulator: Emulator, reason: str) -> None:
    def looks() -> list[RecordedRequest]:
        return [look for look in emulator.recorder.requests("POST", "/v2/scenes/query") if look.ended]

    await until(looks)
    emulator.platform.invalidate_scene(looks()[0].body["sceneUuids"][0], reason)


async def test_progress(client: KognicIOClient, tmp_path: Path) -> None:
    """A run tells how far it has come, in scenes, files and bytes."""
    missing = Cameras(external_id="missing", frame=Cameras.Frame(images=[Image(filename=str(tmp_path / "a.jpg"))]))
    run = create_inputs(client, [*(cameras_scene(str(n), b"12345", files=2) for n in range(4)), missing], "project-a")
    assert run.progress.taken == 0
    assert len([result async for result in run]) == 5
    progress = run.progress
    assert (progress.taken, progress.committed, progress.settled) == (5, 4, 5)
    assert (progress.created, progress.failed) == (4, 1)
    assert (progress.files, progress.bytes) == (8, 40)


async def test_a_run_inside_a_run(emulator: Emulator) -> None:
    """Results that nobody has fetched yet hold back their own run, and no other on the client."""
    limits = Limits(in_flight=2, scene_jobs=1)
    async with KognicIOClient(**emulator.client_options(), limits=limits) as client:
        outer = create_inputs(client, [cameras_scene(str(number)) for number in range(9)], "project-a", **FAST)
        with anyio.fail_after(GENEROUS):
            async for result in outer:
                (inner,) = await collect(client, [cameras_scene(f"inside-{result.external_id}")])
                assert inner.status is CREATED
    assert outer.progress.created == 9


def cancelled(filename: str) -> bytes:
    raise asyncio.CancelledError


async def cancelled_later(filename: str) -> bytes:
    others_task: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(others_task.cancel)
    return await others_task


async def cancelled_within() -> AsyncIterator[bytes]:
    yield b"first"
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    "file_data",
    [{"callback": cancelled}, {"callback": cancelled_later}, {"callback": lambda name: cancelled_within()}],
    ids=["sync", "async", "generator"],
)
@pytest.mark.parametrize("files", [1, 3])
async def test_callbacks_that_are_cancelled(
    file_data: dict[str, Any], files: int, emulator: Emulator, client: KognicIOClient
) -> None:
    """A callback that is cancelled by others fails its own scene, which is not committed, and no other."""
    bad = cameras_scene("bad", files=files, **file_data)
    results = await collect(client, [cameras_scene("a"), bad, *(cameras_scene(str(n)) for n in range(9))])
    assert Counter(result.status for result in results) == {CREATED: 10, FAILED: 1}
    (failed,) = [result.error for result in results if result.error]
    assert "was cancelled by other code" in failed.message
    commits = [request for request in emulator.recorder.requests("POST") if request.path.endswith("/commit")]
    assert len(commits) == 10


async def test_a_source_that_is_cancelled(client: KognicIOClient) -> None:
    """A source that is cancelled by others ends the run with an error, after the scenes that it gave."""

    async def source() -> AsyncIterator[Cameras]:
        yield cameras_scene("one")
        raise asyncio.CancelledError

    results: list[InputCreationResult] = []
    with pytest.raises(KognicError, match="the source of scenes was cancelled by other code"):
        async for result in create_inputs(client, source(), "project-a", **FAST):
            results.append(result)  # noqa: PERF401  # a comprehension would lose them
    assert [result.status for result in results] == [CREATED]


async def test_one_stream_for_two_scenes(emulator: Emulator, client: KognicIOClient) -> None:
    """A stream that several scenes share is never uploaded in pieces: all but one of them fail."""
    content = bytes(range(256)) * 4096 * 3
    stream = BytesIO(content)
    results = await collect(client, [cameras_scene(str(number), data=stream) for number in range(3)])
    created = [result for result in results if result.status is CREATED]
    assert len(created) <= 1
    for result in created:
        (stored,) = emulator.platform.scene(result.scene_uuid or "").files.values()
        assert stored is not None
        assert stored.sha256 == hashlib.sha256(content).hexdigest()
    words = [result.error.message for result in results if result.error]
    assert all("'0.jpg'" in message for message in words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"wait_timeout": None}, "wait_timeout: expected seconds, got None"),
        ({"wait_timeout": float("nan")}, "wait_timeout: expected seconds, got nan"),
        ({"sleep_time": "1"}, "sleep_time: expected seconds, got '1'"),
        ({"scene_timeout": -1}, "scene_timeout: expected seconds, got -1"),
        ({"limits": 5}, "limits: expected Limits, got 5"),
        ({"feature_flags": {}}, "feature_flags: expected FeatureFlags, got {}"),
        ({"batch": 7}, "batch: expected an external id, got 7"),
        ({"project": None}, "project: expected an external id, got None"),
        ({"project": ""}, "project: expected an external id, got ''"),
    ],
)
async def test_wrong_arguments(arguments: dict[str, Any], words: str, client: KognicIOClient) -> None:
    """An argument that is wrong in itself is an error at once."""
    with pytest.raises(InvalidError, match=re.escape(words)):
        create_inputs(client, [], **{"project": "project-a", **arguments})


@pytest.mark.parametrize("name", [".", ".."])
async def test_names_that_lead_elsewhere(name: str, emulator: Emulator, client: KognicIOClient) -> None:
    """A project or batch cannot be named by something that would lead to another path."""
    with pytest.raises(InvalidError, match="expected an id or external id"):
        await anext(create_inputs(client, [cameras_scene("one")], name))
    with pytest.raises(InvalidError, match="expected an id or external id"):
        await client.cameras.create(cameras_scene("one"), project="project-a", batch=name)
    with pytest.raises(InvalidError, match="needs the project that it is in"):
        await client.cameras.create(cameras_scene("one"), batch="batch-2")
    assert not emulator.recorder.requests("POST", "/v1/inputs")
