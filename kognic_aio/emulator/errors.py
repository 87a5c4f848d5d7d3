"""The errors with which the emulated platform refuses a request.

    PlatformError               the base, with any status, as queued refusals have
    ├── BadRequestError         400
    ├── UnauthorizedError       401
    │   └── GrantError          no token is issued; the response has OAuth's form
    ├── ForbiddenError          403
    ├── NotFoundError           404
    ├── MethodNotAllowedError   405
    ├── SlowBodyError           408
    ├── ConflictError           409
    ├── TooLargeError           413
    ├── MisdirectedError        421
    ├── TooManyRequestsError    429
    ├── BusyError               503
    ├── FullError               507
    └── StorageError            from the storage behind signed URLs; the response is XML

The rules raise them, and know nothing of HTTP but the status. The front door makes responses of them.
"""

import math
from typing import Any, ClassVar

MAX_RETRY_AFTER = 10**9
"""Seconds. At a very low rate limit the wait would be endless."""

MAX_MESSAGE = 10_000
"""Characters. Many messages quote the request, which may be megabytes long."""


class PlatformError(Exception):
    """The platform refuses a request.

    Args:
        message: The explanation that the client reads.
        status: The HTTP status; by default that of the class.
    """

    default_status: ClassVar[int] = 500

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.message = message if len(message) <= MAX_MESSAGE else f"{message[:MAX_MESSAGE]}..."
        self.status = self.default_status if status is None else status

    def payload(self) -> dict[str, Any]:
        """The JSON body of the response."""
        return {"message": self.message}

    def headers(self) -> dict[str, str]:
        """Headers of the response beside the usual ones."""
        return {}


class BadRequestError(PlatformError):
    """The request breaks a rule of the platform."""

    default_status = 400


class UnauthorizedError(PlatformError):
    """The request carries no valid token."""

    default_status = 401


class GrantError(UnauthorizedError):
    """The token endpoint refuses to issue a token.

    Args:
        error: OAuth's name of the error, such as `invalid_client`.
        message: The explanation that the client reads.
        status: 401 by default.
    """

    def __init__(self, error: str, message: str, status: int | None = None) -> None:
        super().__init__(message, status)
        self.error = error

    def payload(self) -> dict[str, Any]:
        """The JSON body of the response, with OAuth's fields beside the platform's."""
        return {"error": self.error, "error_description": self.message, "message": self.message}


class ForbiddenError(PlatformError):
    """The request comes from a page of another origin."""

    default_status = 403


class NotFoundError(PlatformError):
    """Something that the request names does not exist."""

    default_status = 404


class MethodNotAllowedError(PlatformError):
    """The path exists, but not for this method."""

    default_status = 405


class SlowBodyError(PlatformError):
    """The body arrives too slowly."""

    default_status = 408


class ConflictError(PlatformError):
    """What the request asks for has already happened, or a name is taken."""

    default_status = 409


class TooLargeError(PlatformError):
    """The body is larger than the emulator accepts."""

    default_status = 413


class MisdirectedError(PlatformError):
    """The request is for another host."""

    default_status = 421


class TooManyRequestsError(PlatformError):
    """The client asks too often.

    Args:
        message: The explanation that the client reads.
        retry_after: Seconds until it may ask again; None leaves the header out.
    """

    default_status = 429

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after

    def headers(self) -> dict[str, str]:
        """Retry-After in whole seconds, unless it is None."""
        if self.retry_after is None:
            return {}
        return {"Retry-After": str(math.ceil(min(self.retry_after, MAX_RETRY_AFTER)))}


class BusyError(PlatformError):
    """Too many bytes are arriving at once."""

    default_status = 503


class FullError(PlatformError):
    """The emulator has no room for another body."""

    default_status = 507


class StorageError(PlatformError):
    """The storage refuses a signed request.

    Args:
        code: The storage's name of the error, such as `SignatureDoesNotMatch`.
        message: The explanation that the client reads.
        status: The HTTP status.
    """

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(message, status)
        self.code = code
