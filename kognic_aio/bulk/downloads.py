"""Downloads annotations, many at once: each as a file that is whole or not there."""

import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from os import PathLike
from pathlib import Path
from typing import Any
from urllib.parse import quote

from attrs import frozen

from kognic_aio._http.storage import is_refused_url
from kognic_aio._tasks import for_each
from kognic_aio._threads import in_thread
from kognic_aio.bulk.description import read_object
from kognic_aio.bulk.whole import remove_leftovers, replacing
from kognic_aio.client import KognicIOClient, backend_of
from kognic_aio.errors import BadRequestError, InvalidError, KognicError, NotFoundError, StorageError
from kognic_aio.model import Input
from kognic_aio.model.annotation import PartialClientAnnotation
from kognic_aio.resources.annotation import find_annotations, find_scene_annotations

PAGE = 500
"""Annotations that are downloaded before further ones are found, whose signed URLs would expire meanwhile."""

NOTE = ".kognic-download.json"
"""A file in the folder that says which annotations it has."""

MAX_NAME = 150
"""Characters of a file's name, of an external id that is longer only the beginning."""

READABLE = " !#$&'()+,;=@[]{}~"
"""Characters beside letters, digits and `_.-` that a name keeps. Others are written as in URLs."""


@frozen(kw_only=True)
class Downloaded:
    """An annotation, and the file that has it.

    Args:
        external_id: The external id of its scene.
        path: The file.
        is_new: Whether it was downloaded. If not, it was there already and had not changed.
        error: Why it could not be downloaded.
    """

    external_id: str
    path: Path
    is_new: bool = True
    error: KognicError | None = None


async def download(
    client: KognicIOClient,
    project: str,
    annotation_type: str,
    folder: str | PathLike[str],
    *,
    batch: str | None = None,
    scenes: Collection[str] = (),
    iso_rotated_cuboids: bool = False,
    on_file: Callable[[Downloaded], object] | None = None,
) -> list[Downloaded]:
    """Download the annotations of a project as OpenLABEL files, and return those that could not be.

    Each file is named by the external id of its scene, by the scene's uuid where several have that, and by the uuid of
    its request where the scene is in several. It has the time at which the annotation was created, by which the next
    download sees that it has not changed.

    Args:
        client: An open client.
        project: External id of the project.
        annotation_type: The annotation type.
        folder: Where the files go. It is created if it is missing.
        batch: External id of a batch. By default the whole project.
        scenes: External ids or uuids of scenes. By default all.
        iso_rotated_cuboids: Whether to get cuboids in the format of ISO 8855.
        on_file: Called with each file that was downloaded, was there already, or could not be downloaded.

    Raises:
        InvalidError: If one of the scenes has no input, or the folder has annotations of another project, type or
            format.
        NotFoundError: If there is no such project or batch.
        ApiError: If the platform refuses.
        OSError: If a file cannot be written.

    Endpoints: `POST v2/inputs/query`, for scenes in several requests `GET v2/scenes/{scene}/annotations`,
    `GET v1/annotations/projects/{project}/[batch/{batch}/]annotation-type/{type}/search`
    """
    path, asked = Path(folder), {"project": project, "annotation_type": annotation_type}
    run = _Download(client, annotation_type, path, iso_rotated_cuboids=iso_rotated_cuboids, on_file=on_file)
    await run.find_inputs(project, batch, scenes)
    await in_thread(_make_ready, path, {**asked, "iso_rotated_cuboids": iso_rotated_cuboids})
    found = find_annotations(
        backend_of(client), project, annotation_type, batch, iso_rotated_cuboids=iso_rotated_cuboids
    )
    async for page in found.pages():
        await for_each(page, run.download, workers=client.limits.downloads)
    return run.failed


class _Download:
    """A download of a project."""

    def __init__(
        self,
        client: KognicIOClient,
        annotation_type: str,
        folder: Path,
        *,
        iso_rotated_cuboids: bool,
        on_file: Callable[[Downloaded], object] | None,
    ) -> None:
        self._client = client
        self._storage = backend_of(client).storage
        self._annotation_type = annotation_type
        self._folder = folder
        self._iso_rotated_cuboids = iso_rotated_cuboids
        self._on_file = on_file
        self._inputs: Mapping[str, Sequence[Input]] = {}
        self._namesakes = Counter[str]()  # scenes by external id
        self.failed: list[Downloaded] = []

    async def find_inputs(self, project: str, batch: str | None, scenes: Collection[str]) -> None:
        """Find the inputs of the scenes, whose external ids name the files."""
        inputs: dict[str, list[Input]] = defaultdict(list)
        wanted = set(scenes)
        async for each in self._client.input.query_inputs(project=project, batch=batch):
            if not scenes or each.scene_uuid in scenes or each.scene_external_id in scenes:
                inputs[each.scene_uuid].append(each)
                wanted -= {each.scene_uuid, each.scene_external_id}
        if wanted:
            names = ", ".join(map(repr, sorted(wanted)))
            raise InvalidError(f"scenes: project {project!r} has no input of {names}")
        self._inputs = inputs
        self._namesakes = Counter(some[0].scene_external_id for some in inputs.values())

    async def download(self, found: PartialClientAnnotation) -> None:
        """Download an annotation, unless its file is there and has not changed."""
        inputs = self._inputs.get(found.scene_uuid)
        if not inputs:
            return
        external_id = inputs[0].scene_external_id
        parts = [file_name(external_id)]
        if self._namesakes[external_id] > 1:
            parts.append(found.scene_uuid)
        if len(inputs) > 1:
            parts += filter(None, [await self._request_of(found)])
        path = self._folder / f"{'.'.join(parts)}.json"
        try:
            is_new = not await in_thread(_is_unchanged, path, found.created)
            if is_new:
                await in_thread(_write, path, await self._content(found), found.created)
            self._tell(Downloaded(external_id=external_id, path=path, is_new=is_new))
        except (StorageError, BadRequestError, NotFoundError) as error:  # others are not about this one alone
            failed = Downloaded(external_id=external_id, path=path, error=error)
            self.failed.append(failed)
            self._tell(failed)

    def _tell(self, downloaded: Downloaded) -> None:
        if self._on_file is not None:
            self._on_file(downloaded)

    async def _request_of(self, found: PartialClientAnnotation) -> str | None:
        """The request of an annotation of a scene that is in several."""
        of_scene = await find_scene_annotations(
            backend_of(self._client), found.scene_uuid, iso_rotated_cuboids=self._iso_rotated_cuboids
        )
        return next((each.request_uid for each in of_scene if each.created == found.created), None)

    async def _content(self, found: PartialClientAnnotation) -> Any:
        try:
            return await self._storage.get_json(found.signed)
        except StorageError as error:
            if not is_refused_url(error):
                raise
        # Its signed URL may have expired.
        fresh = await self._client.annotation.get_annotation(
            found.scene_uuid, self._annotation_type, self._iso_rotated_cuboids
        )
        return fresh.content


def file_name(external_id: str) -> str:
    """A name for the file of a scene, which no other external id has."""
    name = quote(external_id, safe=READABLE, errors="surrogatepass")
    if name.startswith("."):
        name = f"%2E{name[1:]}"
    return name if len(name) <= MAX_NAME else f"{name[:MAX_NAME]}~{sha256(external_id.encode()).hexdigest()[:16]}"


def _make_ready(folder: Path, asked: Mapping[str, Any]) -> None:
    """Make the folder, and note there what it has, as other annotations would take the places of those."""
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / NOTE
    try:
        there = read_object(note)
    except InvalidError:
        with replacing(note) as file:
            file.write(json.dumps(asked).encode())
    else:
        if there != asked:
            what = ", ".join(f"{name} {there.get(name)!r}" for name in asked if there.get(name) != asked[name])
            raise InvalidError(f"{folder} has other annotations, with {what}; choose another folder")
    remove_leftovers(folder)


def _is_unchanged(path: Path, created: datetime) -> bool:
    try:
        return path.stat().st_mtime_ns == _nanoseconds(created)
    except FileNotFoundError:
        return False


def _write(path: Path, content: Any, created: datetime) -> None:
    time = _nanoseconds(created)
    with replacing(path) as file:
        file.write(json.dumps(content).encode())
        file.flush()
        os.utime(file.fileno(), ns=(time, time))


def _nanoseconds(created: datetime) -> int:
    """Nanoseconds of Unix time, exact to the microsecond. File systems keep at least those."""
    return round(created.timestamp() * 10**6) * 1000
