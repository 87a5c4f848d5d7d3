"""The signed URLs."""

from aiohttp import web

from kognic_aio.emulator.errors import StorageError
from kognic_aio.emulator.faults import CorruptUpload
from kognic_aio.emulator.routing import Call, Routes
from kognic_aio.emulator.state.storage import Receiver

routes = Routes()

PATTERN = "storage/{workspace}/{scene}/{resource}"


@routes.put(PATTERN, access="signed")
async def put_object(call: Call) -> web.Response:
    """Store a file, and keep nothing of it but its size, its digests and what is wrong with it."""
    path = _checked_path(call)
    received = Receiver(call.platform.scenes.inspection_of(call.params["scene"], call.params["resource"]))
    async for chunk in call.request.content.iter_any():
        received.feed(chunk)
    call.record.size, call.record.sha256 = received.size, received.sha256()
    if isinstance(call.record.fault, CorruptUpload):
        received.feed(b"?")
    storage = call.platform.storage
    stored = storage.store(path, received, call.request.headers.get("Content-Type", ""))
    return web.Response(headers={"x-goog-hash": f"crc32c={stored.crc32c}"} if storage.checksums else None)


@routes.get(PATTERN, access="signed")
async def get_document(call: Call) -> web.Response:
    """Get a document that the platform itself has stored, such as the content of an annotation."""
    return web.Response(body=call.platform.storage.document(_checked_path(call)), content_type="application/json")


def _checked_path(call: Call) -> str:
    request, params = call.request, call.params
    if "Authorization" in request.headers:
        raise StorageError("InvalidArgument", "a signed request must not have an Authorization header", 400)
    path = f"{params['workspace']}/{params['scene']}/{params['resource']}"
    query = request.query
    call.platform.storage.check(request.method, path, query.get("X-Expires", ""), query.get("X-Signature", ""))
    return path
