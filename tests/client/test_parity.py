"""The official client's requests are the reference: for the same scene, ours are equal to them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kognic.io.client import KognicIOClient as OfficialClient
from kognic.openlabel.models import OpenLabelAnnotation

from kognic_aio import KognicIOClient
from kognic_aio.emulator import Emulator
from tests.conversation import listened, theirs
from tests.scenes import KINDS, OFFICIAL, OURS, SOURCES, build

pytestmark = pytest.mark.anyio

OPENLABEL: dict[str, Any] = {
    "openlabel": {
        "metadata": {"schema_version": "1.0.0"},
        "frames": {"0": {"frame_properties": {"timestamp": 0, "external_id": "0", "streams": {"RFC01": {}}}}},
        "objects": {"1": {"name": "car", "type": "Car"}},
        "streams": {"RFC01": {"type": "camera"}},
    }
}


def created_by_official(kind: str, folder: Path, source: str, **arguments: Any) -> Callable[[OfficialClient], Any]:
    def work(client: OfficialClient) -> None:
        creator = getattr(client, KINDS[kind][0])
        creator.create(build(kind, SOURCES[source], folder, OFFICIAL).scene, **arguments)

    return work


TARGETS = [{}, {"project": "project-a"}, {"project": "project-a", "batch": "batch-3"}]
SYNC_GENERATORS = ["generator", "sync-callback-generator"]
UPLOADED = [kind for kind in KINDS if kind != "LidarsSequence"]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("source", [source for source in SOURCES if source not in SYNC_GENERATORS])
@pytest.mark.parametrize("kind", UPLOADED)
async def test_creating_a_scene(
    kind: str, source: str, target: dict[str, str], emulator: Emulator, client: KognicIOClient, tmp_path: Path
) -> None:
    """Creating a scene sends the same requests, with the same bodies, as the official client."""
    expected, _ = await theirs(emulator, created_by_official(kind, tmp_path, source, **target))
    creator = getattr(client, KINDS[kind][0])
    sent, _ = await listened(emulator, lambda: creator.create(build(kind, SOURCES[source], tmp_path).scene, **target))
    assert sent.calls == expected.calls
    assert sent.uploads == expected.uploads


NEVER_LEFT_OPEN = [source for source in SOURCES if source != "open-file"]
"""kognic-io does not close the file of a scene that it cannot upload."""

NEVER_UPLOADED = [
    # kognic-io hands no resources of a LidarsSequence on to the upload
    *[("LidarsSequence", source, target, AssertionError) for source in NEVER_LEFT_OPEN for target in TARGETS],
    # kognic-io gives sync generators to an async HTTP client, which does not take them
    *[(kind, source, target, RuntimeError) for kind in UPLOADED for source in SYNC_GENERATORS for target in TARGETS],
]
"""What the official client starts and cannot upload, and how it fails."""


@pytest.mark.parametrize(("kind", "source", "target", "failure"), NEVER_UPLOADED)
async def test_creating_what_the_official_client_cannot(
    kind: str,
    source: str,
    target: dict[str, str],
    failure: type[Exception],
    emulator: Emulator,
    client: KognicIOClient,
    tmp_path: Path,
) -> None:
    """A scene that the official client starts but cannot upload is started with the same requests, and committed."""

    def work(official: OfficialClient) -> None:
        with pytest.raises(failure):
            created_by_official(kind, tmp_path, source, **target)(official)

    expected, _ = await theirs(emulator, work)
    scene = build(kind, SOURCES[source], tmp_path).scene
    sent, _ = await listened(emulator, lambda: getattr(client, KINDS[kind][0]).create(scene, **target))
    assert sent.calls[: len(expected.calls)] == expected.calls
    assert [call["request"].rpartition("/")[2] for call in sent.calls[len(expected.calls) :]] == ["commit"]


@pytest.mark.parametrize("kind", UPLOADED)
async def test_a_dry_run(kind: str, emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """A dry run sends the same requests as the official client's, and creates nothing."""
    expected, _ = await theirs(emulator, created_by_official(kind, tmp_path, "bytes", dryrun=True))
    scene = build(kind, SOURCES["bytes"], tmp_path).scene
    sent, _ = await listened(emulator, lambda: getattr(client, KINDS[kind][0]).create(scene, dryrun=True))
    assert sent.calls == expected.calls
    assert not sent.uploads
    assert not emulator.recorder.in_flight["scene-jobs"]


async def test_names_without_suffix_and_with_many_dots(emulator: Emulator, client: KognicIOClient) -> None:
    """File names get the suffix of their format and default resource ids as the official client makes them."""

    def scene(words: Any) -> Any:
        images = [
            words.models.Image(filename=name, file_data=words.file_data(format=words.file_data.Format.PNG, data=b"x"))
            for name in ("plain", "a.b.c", "folder.d/e.png", "photo.jpeg")
        ]
        return words.scene("Cameras", frame=words.frame("Cameras", images=images))

    expected, _ = await theirs(emulator, lambda official: official.cameras.create(scene(OFFICIAL)))
    sent, _ = await listened(emulator, lambda: client.cameras.create(scene(OURS)))
    assert sent.calls == expected.calls


async def test_pre_annotations_and_inputs(emulator: Emulator, client: KognicIOClient) -> None:
    """A typed pre-annotation, a status query and an input from a scene are asked for as by the official client."""
    first, second = emulator.platform.add_scene("scene"), emulator.platform.add_scene("scene")
    annotation = OpenLabelAnnotation.model_validate(OPENLABEL)

    def work(official: OfficialClient) -> None:
        official.scene.get_scenes_by_uuids([first])
        official.pre_annotation.create(first, annotation, dryrun=True)
        official.pre_annotation.create(first, annotation, dryrun=False, external_id="mine")
        official.cameras.create_from_scene(first, "project-a", batch="batch-2")

    async def ours() -> None:
        await client.scene.get_scenes_by_uuids([second])
        await client.pre_annotation.create(second, annotation, dryrun=True)
        await client.pre_annotation.create(second, annotation, dryrun=False, external_id="mine")
        await client.cameras.create_from_scene(second, "project-a", batch="batch-2")

    expected, _ = await theirs(emulator, work)
    assert (await listened(emulator, ours))[0].calls == expected.calls


async def test_headers(emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """API requests carry the contract's headers, and uploads no token."""
    sent, _ = await listened(
        emulator, lambda: client.cameras.create(build("Cameras", SOURCES["bytes"], tmp_path).scene)
    )
    for headers in sent.headers:
        assert headers["Authorization"].startswith("Bearer ")
        assert headers["Accept"] == "application/json"
        assert headers["Accept-Encoding"] == "gzip"
        assert headers["User-Agent"].startswith("kognic-aio/")
        assert "X-Organization-Id" not in headers
    for upload in emulator.recorder.requests("PUT"):
        assert "Authorization" not in upload.headers
        assert upload.headers["Content-Type"] == "image/jpeg"
        assert upload.headers["Content-Length"] == str(upload.size)
