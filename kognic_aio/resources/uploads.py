"""The files of a scene on their way to storage."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from anyio import CapacityLimiter

from kognic_aio._http.storage import Storage
from kognic_aio._tasks import for_each
from kognic_aio.files import Source
from kognic_aio.model.file_data import Uploadable

Upload: TypeAlias = Callable[[], Awaitable[int]]
"""Sends one file and tells how many bytes it had."""


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
    storage: Storage,
    urls: Iterable[tuple[str, str]],
    files: Mapping[str, Uploadable],
    sources: Mapping[str, Source],
) -> Iterator[Upload]:
    """The uploads that the platform asks for.

    Args:
        storage: Takes the files.
        urls: The name of each file and its signed URL. The same file may go to several.
        files: The files of the scene, under the same names.
        sources: Where their bytes come from.
    """
    for name, url in urls:
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
