"""Uploads the files of a scene to storage."""

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
"""Filenames, each with the signed URL to upload to."""

Upload: TypeAlias = Callable[[], Awaitable[int]]
"""Uploads one file and returns its size in bytes."""


def check_signed_urls(api: Api, path: str, urls: Secret[SignedUrls], files: Collection[str]) -> None:
    """Check that the platform asks for the files of the scene: for all of them, or for none if it has them already.

    Args:
        api: The API that responded.
        path: The path.
        urls: The files that the platform asks for, with their signed URLs.
        files: The names of the scene's files.

    Raises:
        MalformedAnswerError: If it asks for other files.
    """
    # Found here, before the first upload: a file without a URL would be missing after the commit.
    if problem := _difference({name for name, _ in urls.reveal()}, set(files)):
        raise api.malformed("POST", path, problem)


def _difference(wanted: set[str], files: set[str]) -> str:
    """Describe how the files that the platform asks for differ from those of the scene; empty if they do not."""
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
    """Yield the uploads that the platform asks for.

    Args:
        storage: The storage.
        urls: The filenames with their signed URLs. A file may have several.
        files: The files of the scene by filename.
        sources: The sources of their bytes by filename.
    """
    for name, url in urls.reveal():
        yield partial(storage.put, Secret(url), files[name], sources[name])


async def upload(uploads: Sequence[Upload], limiter: Semaphore, sent: Callable[[int], object] | None = None) -> None:
    """Upload the files of a scene concurrently, within the limit.

    Args:
        uploads: The uploads.
        limiter: Bounds the uploads of all scenes that share it.
        sent: Called with the size of each uploaded file in bytes.
    """

    async def send(file: Upload) -> None:
        async with limiter:
            size = await file()
        if sent is not None:
            sent(size)

    # No more workers than places: a scene of thousands of files does not need a task for each of them.
    await for_each(uploads, send, workers=limiter.max_value or 1)
