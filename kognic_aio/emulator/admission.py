"""Admits requests: an API needs a token, a signed URL its signature."""

from kognic_aio.emulator.errors import StorageError
from kognic_aio.emulator.routing import Call, Route


def admit(route: Route, call: Call) -> None:
    """Check by its head that a request may use a route.

    Raises:
        UnauthorizedError: If it has no valid token.
        StorageError: If it has no valid signature.
    """
    match route.access:
        case "token":
            call.platform.accounts.check_token(call.request.headers.get("Authorization", ""))
        case "signed":
            _check_signature(call)
        case "open":
            pass


def _check_signature(call: Call) -> None:
    request = call.request
    if "Authorization" in request.headers:
        raise StorageError("InvalidArgument", "a signed request must not have an Authorization header", 400)
    expires, signature = (request.query.get(key, "") for key in ("X-Expires", "X-Signature"))
    call.platform.storage.check(request.method, call.object_path, expires, signature)
