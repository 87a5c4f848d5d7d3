"""Single files on their way to a storage."""

from anyio import CapacityLimiter

from kognic_aio._http.storage import Storage
from kognic_aio._secret import Secret
from kognic_aio.files import ReadPool, opened_sources
from kognic_aio.model import Image


async def put(storage: Storage, url: str, file: Image) -> int:
    """Upload a file as one of a scene is, and tell its size."""
    async with opened_sources({"file": file}, ReadPool(CapacityLimiter(1))) as sources:
        return await storage.put(Secret(url), file, sources["file"])
