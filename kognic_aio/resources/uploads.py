"""The files of a scene on their way to storage."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from anyio import CapacityLimiter

from kognic_aio._http.storage import Storage
from kognic_aio._tasks import for_each
from kognic_aio.errors import KognicError
from kognic_aio.files import Source
from kognic_aio.model.file_data import Uploadable

Upload: TypeAlias = Callable[[], Awaitable[int]]
"""Sends one file and tells how many bytes it had."""


def file_uploads(
    storage: Storage,
    urls: Mapping[str, str],
    files: Mapping[str, Uploadable],
    sources: Mapping[str, Source],
    external_id: str,
) -> Iterator[Upload]:
    """The uploads that the platform asks for: all files of the scene, or none if it has them.

    Args:
        storage: Takes the files.
        urls: The signed URL of each file.
        files: The files of the scene, under the same names.
        sources: Where their bytes come from.
        external_id: The scene's, for the error.

    Raises:
        KognicError: If the platform asks for other files than those of the scene.
    """
    if urls and urls.keys() != files.keys():
        differing = sorted(urls.keys() ^ files.keys())
        raise KognicError(f"the platform did not ask for the files of scene {external_id!r}, but for {differing}")
    for name, url in urls.items():
        yield partial(storage.put, url, files[name], sources[name])


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
