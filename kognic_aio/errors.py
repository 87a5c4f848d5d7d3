"""Every error this package raises.

    KognicError
    ├── ClosedError                 the client is not open, or was closed under way
    ├── CredentialsError            credentials that are missing, malformed, expired or refused
    ├── UnavailableError            a host that stays broken: several requests in a row failed after all retries
    ├── WorkspaceError              no single workspace to write to
    ├── RunError                    no scene of a run of create_inputs can succeed
    │   ├── UnknownProjectError
    │   ├── UnknownBatchError
    │   └── BatchClosedError
    ├── JournalError                a journal that cannot be opened, read or written
    │   ├── JournalLockedError          somebody else has it open
    │   └── JournalMismatchError        it belongs to another destination
    ├── SceneFailedError            the platform could not process a scene, or it was invalidated
    ├── StrandedError               a scene was started, but the response with its signed URLs was lost
    ├── InvalidError                bad input (also a ValueError)
    │   ├── DuplicateError          the journal has different content under the same key
    │   ├── InputExistsError        a project has an input of such a scene already, and `existing="fail"` was passed
    │   ├── OfficialModelError      a model of kognic-io's where one of ours belongs
    │   ├── MissingFileError        a local file that is missing, empty or no file
    │   └── DataError               file data that cannot be read, or is empty
    ├── RequestError                a request that got no usable response
    │   ├── ConnectError            no connection: the server has seen nothing of it
    │   │   ├── ProxyConnectError   no connection to the proxy, or no response from it
    │   │   ├── CertificateError    an untrusted certificate; not retried
    │   │   └── ProxyError          a proxy that refuses to pass the request on: it requires valid credentials
    │   ├── LostAnswerError         sent, at least in part, but no response: it may have had its effect
    │   ├── TimedOutError           the same, for lack of time
    │   ├── MalformedAnswerError    a response that breaks the API's contract
    │   │   └── UnreadableAnswerError   a response that is not valid HTTP, or has too long a header
    │   │       └── TooLargeError       a response beyond the size limits
    │   └── ChecksumError           the storage received different bytes than were sent
    ├── MissingExtraError           an optional dependency is not installed (also an ImportError)
    ├── WasmError                   the module of a custom camera calibration cannot be made or used
    │   ├── LoadingError                not WebAssembly, or a module that cannot be instantiated
    │   ├── FunctionNotFoundError       no function `project_point_to_image`
    │   ├── FunctionSignatureError      the function takes or returns the wrong types
    │   ├── ProjectionError             the function failed for a point
    │   ├── ProjectionValidationError   the function disagrees with a test case
    │   ├── CompilationError            no compiler, or one that failed
    │   └── CompilationOutputError      the module cannot be written to its file
    └── StatusError                 a response with an error status
        ├── ApiError                from an API, with the platform's own words
        │   ├── BadRequestError         400
        │   ├── UnauthorizedError       401
        │   ├── ForbiddenError          403
        │   ├── NotFoundError           404
        │   │   ├── LeftOutError            a list that lacks requested ids
        │   │   └── ProjectNotFoundError    the project or batch that a request names
        │   ├── ConflictError           409
        │   ├── TooManyRequestsError    429
        │   └── ServerError             500 and above
        └── StorageError            from the storage behind a signed URL

Errors carry their data on attributes; the message is for people. It contains no token, secret or query string of a
signed URL. It is one line of at most 10,000 characters, with control characters escaped. The output of a compiler is
the exception: it follows on separate lines.
"""

from collections.abc import Mapping
from typing import Any

from kognic_aio._text import MAX_MESSAGE, printable


class KognicError(Exception):
    """Base class of every error of this package.

    Args:
        message: The message, for people.
        attributes: The attributes of the error's class. A list is kept as a tuple.
    """

    def __init__(self, message: str = "", /, **attributes: object) -> None:
        super().__init__(message)
        for name, value in attributes.items():
            setattr(self, name, tuple(value) if isinstance(value, list) else value)

    def __str__(self) -> str:
        return printable(super().__str__(), MAX_MESSAGE)

    def explain(self, more: str) -> None:
        """Append context to the message while the error propagates."""
        self.args = ("; ".join([*map(str, self.args[:1]), more]), *self.args[1:])

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle with all attributes. The default would call the constructor without its keywords."""
        return _restored, (type(self), self.args, self.__dict__)


def _restored(kind: type[KognicError], arguments: tuple[Any, ...], data: dict[str, Any]) -> KognicError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(data)
    return error


class ClosedError(KognicError):
    """The client is not open: use it inside `async with`, or call `open()` first."""


class CredentialsError(KognicError):
    """Credentials are missing, malformed, expired, or were refused by the auth server."""


class UnavailableError(KognicError):
    """A `host` stays broken: several requests in a row failed after all retries, and none got a response meanwhile.

    The last request's error is the cause. It ends a run. Later requests probe the host again.
    """

    host: str


class WorkspaceError(KognicError):
    """The workspace to write to could not be inferred; pass `write_workspace_id`."""


class RunError(KognicError):
    """A run of `create_inputs` cannot succeed for any scene, found before the first upload.

    `instead` lists the alternatives, and ends the message.
    """

    instead: str

    def __init__(self, message: str, *, instead: str = "") -> None:
        super().__init__("; ".join(filter(None, [message, instead])), instead=instead)


class UnknownProjectError(RunError):
    """The project of a run does not exist, or is not visible with these credentials."""


class UnknownBatchError(RunError):
    """The batch of a run does not exist in its project, or has to be named."""


class BatchClosedError(RunError):
    """The batch of a run does not take new inputs."""


class JournalError(KognicError):
    """The journal at `path` cannot be opened, read or written. What was recorded before stays in it."""

    path: str


class JournalLockedError(JournalError):
    """Another run, perhaps in another process, has the journal open. The lock ends with that process."""


class JournalMismatchError(JournalError):
    """The journal belongs to the destination `recorded`, but the run goes to `wanted`."""

    recorded: str
    wanted: str


class SceneFailedError(KognicError):
    """The platform could not process a scene, or it was invalidated: see `status`."""

    status: str


class StrandedError(KognicError):
    """A scene was started, but the response with its signed URLs was lost. It is invalidated, and started afresh."""


class InvalidError(KognicError, ValueError):
    """An argument or model is invalid. Except for `DataError`, it is raised before anything is sent.

    The message is about the first problem of a scene. `problems` has all of them, as pairs of a place and a problem.
    """

    problems: tuple[tuple[str, str], ...] = ()


class DuplicateError(InvalidError):
    """The journal of a run has different content for the key of a scene.

    `differences` has how they differ, by field: `{"frames[3].images": "2 -> 3"}`. It is empty if that is unknown.
    """

    differences: Mapping[str, str]


class InputExistsError(InvalidError):
    """A project already has an input of a scene with this external id, and `existing="fail"` was passed."""


class OfficialModelError(InvalidError):
    """A model of kognic-io was given instead of one of this package. It ends the run: fix the import."""


class MissingFileError(InvalidError):
    """The local file at the path `filename` is missing, not a file, or `empty`."""

    filename: str
    empty: bool = False


class DataError(InvalidError):
    """The data of the image or point cloud `filename` cannot be read: its source failed, was empty, or changed.

    Most sources are opened when their turn comes, so the scene has been started by then. It is not committed.
    """

    filename: str


class RequestError(KognicError):
    """A request got no usable response. `method` is the HTTP method, `url` the URL without its query string."""

    method: str
    url: str


class ConnectError(RequestError):
    """No connection could be made, so the request has had no effect."""


class ProxyConnectError(ConnectError):
    """The proxy cannot be reached, or its response cannot be read. The host behind it may be fine."""


class CertificateError(ConnectError):
    """No TLS connection: the certificate has expired, belongs to another host, or its issuer is unknown.

    It is not retried. Other failures of a handshake may be temporary, and are plain `ConnectError`s.
    """


class ProxyError(ConnectError):
    """The proxy refuses to pass the request on: it requires valid credentials, or the host is forbidden.

    It is not retried: some proxies lock a user out after several wrong passwords.
    """


class LostAnswerError(RequestError):
    """The connection broke after the request had begun; it may have had its effect."""


class TimedOutError(RequestError):
    """No response came in time; the request may have had its effect."""


class MalformedAnswerError(RequestError):
    """The response breaks the API's contract.

    `problems` lists them with their paths, such as `required field missing @ $.frames[3].images`.
    """

    problems: tuple[str, ...] = ()


class UnreadableAnswerError(MalformedAnswerError):
    """The response is not valid HTTP: a bad status line, a bad chunk, a header of more than 64 KiB.

    The request may have had its effect. It is attempted six times at most: such a server rarely recovers.
    """


class TooLargeError(UnreadableAnswerError):
    """The response, or its decompressed content, is too large.

    Limits: 32 MiB from an API, 200 MiB for annotation content, 50 times the compressed size (1 MiB is always allowed),
    and 224 MiB of memory once parsed. Annotation content that compresses better is requested uncompressed; its parsed
    form may take another 16 bytes of memory per byte received.
    """


class ChecksumError(RequestError):
    """The storage received different bytes of the file `filename` than were sent, by its checksum.

    `sent` and `stored` are the CRC-32C of the bytes on either side, as in `x-goog-hash`.
    """

    filename: str
    sent: str
    stored: str

    def __init__(self, filename: str, *, sent: str, stored: str, method: str, url: str) -> None:
        damage = f"sent crc32c {sent}, stored crc32c {stored} ({method} {url})"
        message = f"{filename!r} was damaged in transit: {damage}"
        super().__init__(message, filename=filename, sent=sent, stored=stored, method=method, url=url)


class MissingExtraError(KognicError, ImportError):
    """An optional dependency is not installed: install the extra that the message names."""


class WasmError(KognicError):
    """The WebAssembly module of a custom camera calibration cannot be made or used."""


class LoadingError(WasmError):
    """The bytes are not WebAssembly, or a module that cannot be instantiated.

    `imports` has the imports of the module, such as `env.sin`. None are provided.
    """

    imports: tuple[str, ...] = ()


class FunctionNotFoundError(WasmError):
    """The module does not export the `function`. `exports` has the functions that it does export."""

    function: str
    exports: tuple[str, ...]


class FunctionSignatureError(WasmError):
    """The signature of the function is `got` instead of `expected`, `(f64, f64, f64) -> (f64, f64)`."""

    expected: str
    got: str


class ProjectionError(WasmError):
    """The function failed for a point, or did not end.

    Attributes:
        point: The point that was projected.
        reason: Why it failed.
        index: The index of the test case, from 0; None for the point that every module is tested with.
    """

    point: tuple[float, float, float]
    reason: str
    index: int | None = None


class ProjectionValidationError(WasmError):
    """The function projects the point of a test case to the wrong place.

    Attributes:
        index: The index of the test case, from 0.
        point: The point that was projected, in metres.
        expected: The right projection, in pixels.
        got: The function's projection, in pixels.
    """

    index: int
    point: tuple[float, float, float]
    expected: tuple[float, float]
    got: tuple[float, float]


class CompilationError(WasmError):
    """There is no compiler for a source file, or it failed.

    Attributes:
        command: The compiler and its arguments; empty if none was found.
        exit_code: The exit code of the compiler, None if it did not run.
        output: The standard error of the compiler, with escapes for all control characters but line ends.
    """

    command: tuple[str, ...] = ()
    exit_code: int | None = None
    output: str = ""

    def __str__(self) -> str:
        return "\n".join([f"{super().__str__()}:", self.output]) if self.output else super().__str__()


class CompilationOutputError(WasmError):
    """The compiled module cannot be written to `path`."""

    path: str


class StatusError(KognicError):
    """A server responded with an error status.

    Attributes:
        status: The HTTP status.
        message: The server's explanation, cut at 500 characters.
        method: The HTTP method.
        url: The URL without its query string.
        request_id: The server's id of the request, if it gave one.
        retry_after: Seconds to wait before the next attempt, if the server said so.
    """

    message: str
    status: int
    method: str
    url: str
    request_id: str | None = None
    retry_after: float | None = None

    def __init__(self, message: str, /, **attributes: object) -> None:
        super().__init__(message, **attributes)
        self.message = message

    def __str__(self) -> str:
        return printable(f"{self.args[0]} ({self.status} from {self.method} {self.url})", MAX_MESSAGE)


class ApiError(StatusError):
    """An API responded with an error status."""


class BadRequestError(ApiError):
    """The platform refused the request as wrong (400)."""


class UnauthorizedError(ApiError):
    """The token was refused (401), a renewed one too."""


class ForbiddenError(ApiError):
    """These credentials may not do this (403)."""


class NotFoundError(ApiError):
    """The requested object does not exist (404)."""


class LeftOutError(NotFoundError):
    """A list lacks the requested ids `missing`: they do not exist."""

    status = 200
    missing: tuple[str, ...]


class ProjectNotFoundError(NotFoundError):
    """The project or batch of a request does not exist. The message names those that do."""


class ConflictError(ApiError):
    """It conflicts with what exists already (409)."""


class TooManyRequestsError(ApiError):
    """The platform asks for fewer requests (429)."""


class ServerError(ApiError):
    """The platform failed (500 and above); the request may have had its effect."""


class StorageError(StatusError):
    """The storage behind a signed URL responded with an error status."""


FINAL = (CertificateError, ProxyError)
"""Failures to connect that another attempt would not change."""

ENDS_RUN = (ClosedError, CredentialsError, JournalError, OfficialModelError, UnauthorizedError, UnavailableError)
"""Errors that end a run, because no scene can get past them. Every other error is one scene's own."""
