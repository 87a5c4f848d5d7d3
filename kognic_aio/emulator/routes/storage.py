"""The signed URLs."""

from aiohttp import web

from kognic_aio.emulator.bodies import FILE_PACE, arriving
from kognic_aio.emulator.faults import CorruptUpload
from kognic_aio.emulator.routing import Call, Routes
from kognic_aio.emulator.state.storage import Receiver, check_object_size

routes = Routes()

PATTERN = "storage/{workspace}/{scene}/{resource}"


@routes.put(PATTERN, access="signed")
async def put_object(call: Call) -> web.Response:
    """Store a file, of which only the size, the digests and what is wrong are kept."""
    received = Receiver(call.platform.scenes.inspection_of(call.params["scene"], call.params["resource"]))
    check_object_size(call.request.content_length or 0)
    async for chunk in arriving(call.request, FILE_PACE):
        received.feed(chunk)
    call.record.size, call.record.sha256 = received.size, received.sha256()
    if isinstance(call.record.fault, CorruptUpload):
        received.feed(b"?")
    storage = call.platform.storage
    stored = storage.store(call.object_path, received, call.request.headers.get("Content-Type", ""))
    return web.Response(headers={"x-goog-hash": f"crc32c={stored.crc32c}"} if storage.checksums else None)


@routes.get(PATTERN, access="signed")
async def get_document(call: Call) -> web.Response:
    """Get a document of the platform, such as the content of an annotation."""
    return web.Response(body=call.platform.storage.document(call.object_path), content_type="application/json")
