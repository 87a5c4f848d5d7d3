"""The files of a scene on their way to storage."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from anyio import Semaphore

from kognic_aio._http.api import Api
from kognic_aio._http.storage import Storage
from kognic_aio._secret import Secret
from kognic_aio._tasks import for_each
from kognic_aio.files import Source
from kognic_aio.model.resource import Uploadable

SignedUrls: TypeAlias = tuple[tuple[str, str], ...]
"""Names of files, each with the signed URL to which it goes."""

Upload: TypeAlias = Callable[[], Awaitable[int]]
"""Sends one file and tells how many bytes it had."""


def check_files(api: Api, path: str, urls: Secret[SignedUrls], files: Collection[str]) -> None:
    """See that the platform asks for the files of a scene: it wants all of them, or none if it has them.

    Args:
        api: What was asked.
        path: The path.
        urls: The name of each file that it wants, with its signed URL.
        files: The names of the scene's files.

    Raises:
        MalformedAnswerError: If it asks for others.
    """
    if problem := _difference({name for name, _ in urls.reveal()}, set(files)):
        raise api.malformed("POST", path, problem)


def _difference(wanted: set[str], files: set[str]) -> str:
    """How the files that the platform wants differ from those of the scene, empty if they do not."""
    missing, unknown = sorted(files - wanted) if wanted else [], sorted(wanted - files)
    problems = [f"no signed URL for {missing}"] if missing else []
    problems += [f"signed URLs for {unknown}, which are no files of the scene"] if unknown else []
    return ", and ".join(problems)


def file_uploads(
    storage: Storage,
    urls: Secret[SignedUrls],
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
    for name, url in urls.reveal():
        yield partial(storage.put, Secret(url), files[name], sources[name])


async def upload(uploads: Sequence[Upload], limiter: Semaphore, sent: Callable[[int], object] | None = None) -> None:
    """Send the files of a scene, as many at once as the limiter lets through.

    Args:
        uploads: What to send.
        limiter: Bounds the uploads.
        sent: Called with the size of each file that has arrived.
    """

    async def send(file: Upload) -> None:
        async with limiter:
            size = await file()
        if sent is not None:
            sent(size)

    await for_each(uploads, send, workers=limiter.max_value or 1)
