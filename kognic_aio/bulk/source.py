"""What people have on disk, as scenes: manifests and folders."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from hashlib import sha256
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Self, TypeAlias, TypeVar, cast

from anyio import Semaphore
from attrs import evolve, frozen

from kognic_aio.bulk.calibrations import Calibrations
from kognic_aio.bulk.description import DescribedScene, read_scene
from kognic_aio.bulk.folder import Folder, folders_of
from kognic_aio.bulk.manifest import STANDARD_INPUT, Line, lines_of
from kognic_aio.bulk.problem import Problem
from kognic_aio.client import KognicIOClient
from kognic_aio.errors import BadRequestError, ConflictError, InvalidError
from kognic_aio.pipeline.result import InvalidScene, SceneWithPreAnnotation
from kognic_aio.pipeline.source import items

T = TypeVar("T")

Source: TypeAlias = str | PathLike[str] | Sequence[str | PathLike[str]]
"""Path of a manifest, which may be compressed by gzip; `-` for standard input; path of a folder with one scene, or with
a folder for each; or several of these."""

MAX_DIGITS = 9
"""Of the number of parts."""

AHEAD = 16
"""Scenes that are read ahead."""


def located(source: Source) -> Iterator[Line | Folder]:
    """Where the scenes of a source are described. It blocks.

    Raises:
        InvalidError: If a source is missing, empty, or neither a manifest nor a folder of scenes.
    """
    for each in [source] if isinstance(source, str | PathLike) else source:
        path = fspath(each)
        if not path:
            raise InvalidError("source: expected the path of a manifest or a folder, got ''")
        is_folder = path != STANDARD_INPUT and Path(path).is_dir()
        yield from folders_of(Path(path)) if is_folder else lines_of(path)


def count_scenes(source: Source) -> int:
    """How many scenes a source has. It blocks, as it reads all of a manifest, which must not be standard input.

    Raises:
        InvalidError: As by `read`.
    """
    return sum(1 for _ in located(source))


@frozen
class Shard:
    """One of several parts of a source: the scenes whose external id has its index as SHA-256 modulo the count.

    Args:
        index: From 0 on.
        count: How many parts there are.
    """

    index: int
    count: int

    @classmethod
    def of(cls, text: str) -> Self:
        """The shard that a text such as `0/4` names.

        Raises:
            InvalidError: If it names none.
        """
        index, slash, count = text.partition("/")
        is_number = max(len(index), len(count)) <= MAX_DIGITS and index.isdecimal() and count.isdecimal()
        if slash and is_number and int(index) < int(count):
            return cls(int(index), int(count))
        raise InvalidError(f"shard: expected a part such as 0/4, the first of four, got {text!r}")

    def has(self, external_id: str) -> bool:
        """Whether a scene belongs to this part."""
        digest = sha256(external_id.encode(errors="surrogatepass")).digest()
        return int.from_bytes(digest) % self.count == self.index

    def path(self, path: str) -> str:
        """The path of this part's own file, such as `scenes.kognic-journal.0-of-4`."""
        return f"{path}.{self.index}-of-{self.count}"


def read(source: Source, client: KognicIOClient) -> AsyncGenerator[SceneWithPreAnnotation | InvalidScene, None]:
    """Read the scenes of a manifest or of a folder, for `create_inputs`.

        async for result in create_inputs(client, bulk.read("recordings", client), project):
            ...

    The calibrations that scenes come with are created, each once per content.

    Args:
        source: Path of a manifest, which may be compressed by gzip; `-` for standard input; path of a folder with one
            scene, or with a folder for each; or several of these.
        client: An open client.

    Yields:
        Scenes with what comes with them. One that is wrong is an `InvalidScene`, whose result is FAILED.

    Raises:
        InvalidError: If the source is missing, empty, or neither a manifest nor a folder of scenes.

    Endpoints: `GET v1/calibrations?externalId=`, `POST v1/calibrations`
    """
    return _read(source, client)


async def _read(source: Source, client: KognicIOClient) -> AsyncGenerator[SceneWithPreAnnotation | InvalidScene, None]:
    calibrations = Calibrations(client)
    scenes = (read_scene(place.describe(), client.workspace_id) for place in located(source))
    async with aclosing(from_thread(scenes)) as described:
        async for scene in described:
            yield await with_calibration(scene, calibrations)


async def from_thread(scenes: Iterator[T]) -> AsyncGenerator[T, None]:
    """Iterate in a thread, some scenes ahead."""
    room = Semaphore(AHEAD, max_value=AHEAD)
    source: Any = scenes
    async with aclosing(items(source, room)) as taken:
        async for scene in taken:
            room.release()
            yield cast("T", scene)


async def with_calibration(scene: DescribedScene, calibrations: Calibrations) -> SceneWithPreAnnotation | InvalidScene:
    """The scene for a run, with the id of its calibration."""
    try:
        item = scene.item()
        if scene.calibration is None or scene.scene is None:
            return item
        calibration_id = await calibrations.id_of(scene.calibration)
        return evolve(scene, scene=evolve(cast("Any", scene.scene), calibration_id=calibration_id)).item()
    except (InvalidError, BadRequestError, ConflictError) as error:  # others are not about this scene alone
        return InvalidScene(error, scene.name)


def unique(scene: DescribedScene, places: dict[str, str]) -> DescribedScene:
    """The scene; with a problem if another one in the source has its external id. `places` has those seen before."""
    if scene.name not in places:
        places[scene.name] = scene.place
        return scene
    other = places[scene.name]
    message = f"{other} has the same external id, {scene.name!r}"
    problem = Problem(code="external-id-twice", scene=scene.name, file=scene.place, message=message)
    return evolve(scene, problems=(*scene.problems, problem))
