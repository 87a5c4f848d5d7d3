"""The files of a scene on their way to storage."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeAlias

from anyio import CapacityLimiter

from kognic_aio._http.body import check_files, close_sources
from kognic_aio._http.storage import Storage
from kognic_aio._http.tasks import for_each
from kognic_aio.errors import KognicError
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


def file_uploads(
    storage: Storage, urls: Mapping[str, str], files: Mapping[str, Uploadable], external_id: str
) -> Iterator[Upload]:
    """The uploads that the platform asks for: all files of the scene, or none if it has them.

    Args:
        storage: Takes the files.
        urls: The signed URL of each file.
        files: The files of the scene, under the same names.
        external_id: The scene's, for the error.

    Raises:
        KognicError: If the platform asks for other files than those of the scene.
    """
    if urls and urls.keys() != files.keys():
        differing = sorted(urls.keys() ^ files.keys())
        raise KognicError(f"the platform did not ask for the files of scene {external_id!r}, but for {differing}")
    for name, url in urls.items():
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
