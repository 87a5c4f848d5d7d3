"""The files of a scene on their way to storage."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeAlias

from anyio import CapacityLimiter

from kognic_aio._http.body import check_files, close_sources
from kognic_aio._http.storage import Storage
from kognic_aio._http.tasks import for_each
from kognic_aio.model.file_data import Uploadable

Upload: TypeAlias = Callable[[], Awaitable[int]]
"""Sends one file and tells how many bytes it had."""


@asynccontextmanager
async def checked_files(files: Mapping[str, Uploadable], *, keep: bool = False) -> AsyncGenerator[None, None]:
    """Look at local files before anything is sent; close streams in the end.

    Args:
        files: The files of a scene.
        keep: Whether to leave the streams and generators open that were given as data, for a later run.

    Raises:
        MissingFileError: If a local file is missing, empty or not a file.
    """
    try:
        await check_files(files.values())
        yield
    finally:
        if not keep:
            await close_sources(files.values())


def differing_files(urls: Collection[str], files: Collection[str]) -> str | None:
    """What is wrong with the files that the platform asks for: it wants all files of a scene, or none if it has them.

    Args:
        urls: The names for which there are signed URLs.
        files: The names of the scene's files.
    """
    missing, unknown = sorted(set(files) - set(urls)), sorted(set(urls) - set(files))
    if not urls or not (missing or unknown):
        return None
    problems = [f"no signed URL for {missing}"] if missing else []
    problems += [f"signed URLs for {unknown}, which are no files of the scene"] if unknown else []
    return ", and ".join(problems)


def file_uploads(
    storage: Storage, urls: Iterable[tuple[str, str]], files: Mapping[str, Uploadable]
) -> Iterator[Upload]:
    """The uploads that the platform asks for.

    Args:
        storage: Takes the files.
        urls: The name of each file and its signed URL. The same file may go to several.
        files: The files of the scene, under the same names.
    """
    for name, url in urls:
        yield partial(storage.put, url, files[name])


async def upload_all(
    uploads: Sequence[Upload], limiter: CapacityLimiter, sent: Callable[[int], object] | None = None
) -> None:
    """Send the files of a scene, as many at once as the limiter lets through.

    Args:
        uploads: What to send.
        limiter: Bounds the uploads.
        sent: Called with the size of each file that has arrived.
    """

    async def send(upload: Upload) -> None:
        async with limiter:
            size = await upload()
        if sent is not None:
            sent(size)

    await for_each(uploads, send, workers=int(limiter.total_tokens))
