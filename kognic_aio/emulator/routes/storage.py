"""The signed URLs."""

from kognic_aio.emulator.errors import StorageError
from kognic_aio.emulator.routing import Call, Routes
from kognic_aio.emulator.state.storage import Receiver

routes = Routes()


@routes.put("storage/{workspace}/{scene}/{resource}", access="signed")
async def put_object(call: Call) -> None:
    """Store a file, and keep nothing of it but its size and digest."""
    request, params, storage = call.request, call.params, call.platform.storage
    if "Authorization" in request.headers:
        raise StorageError("InvalidArgument", "a signed request must not have an Authorization header", 400)
    path = f"{params['workspace']}/{params['scene']}/{params['resource']}"
    query = request.query
    storage.check(request.method, path, query.get("X-Expires", ""), query.get("X-Signature", ""))
    received = Receiver()
    async for chunk in request.content.iter_any():
        received.feed(chunk)
    stored = storage.store(path, received, request.headers.get("Content-Type", ""))
    call.record.size, call.record.sha256 = stored.size, stored.sha256
