"""Every error this package raises.

    KognicError
    ├── ClosedError                 the client is not open, or was closed under way
    ├── CredentialsError            credentials that are missing, malformed, expired or refused
    ├── UnavailableError            a host that has answered none of several requests, however often they were tried
    ├── WorkspaceError              no single workspace to write to
    ├── RunError                    no scene of a run of create_inputs can succeed
    │   ├── UnknownProjectError
    │   ├── UnknownBatchError
    │   └── BatchClosedError
    ├── JournalError                a journal that cannot be opened, read or written
    │   ├── JournalLockedError          somebody else has it open
    │   └── JournalMismatchError        it belongs to another destination
    ├── SceneFailedError            the platform could not process a scene, or it was invalidated
    ├── StrandedError               a scene was started, but where its files go got lost with the answer
    ├── InvalidError                bad input (also a ValueError)
    │   ├── DuplicateError          another content goes by the same name
    │   ├── OfficialModelError      a model of kognic-io's where one of ours belongs
    │   ├── MissingFileError        a local file that is missing, empty or no file
    │   └── DataError               file data that cannot be read, or is empty
    ├── RequestError                a request that did not bring an answer that could be used
    │   ├── ConnectError            no connection: the server has seen nothing of it
    │   │   ├── ProxyConnectError   no connection to the proxy, or no answer from it
    │   │   ├── CertificateError    a certificate that cannot be trusted, as trying again would not change
    │   │   └── ProxyError          a proxy that refuses to pass the request on: it wants another password
    │   ├── LostAnswerError         sent, at least in part, but no answer: it may have had its effect
    │   ├── TimedOutError           the same, for lack of time
    │   ├── MalformedAnswerError    an answer that is not what the contract says
    │   │   └── UnreadableAnswerError   an answer that is no HTTP, or has too long a header
    │   │       └── TooLargeError       an answer that is larger than what is read
    │   └── ChecksumError           a storage has got other bytes than were sent
    ├── MissingExtraError           what an extra of this package brings is not installed (also an ImportError)
    ├── WasmError                   a custom camera calibration whose module cannot be made or used
    │   ├── LoadingError                no WebAssembly, or a module that cannot be instantiated
    │   ├── FunctionNotFoundError       no function `project_point_to_image`
    │   ├── FunctionSignatureError      the function takes or returns something else than it has to
    │   ├── ProjectionError             the function failed for a point
    │   ├── ProjectionValidationError   the function disagrees with a test case
    │   ├── CompilationError            no compiler, or one that failed
    │   └── CompilationOutputError      the module cannot be written where it shall go
    └── StatusError                 an answer with an error status
        ├── ApiError                from an API, with the platform's own words
        │   ├── BadRequestError         400
        │   ├── UnauthorizedError       401
        │   ├── ForbiddenError          403
        │   ├── NotFoundError           404
        │   │   ├── LeftOutError            a list that lacks what was asked for by its id
        │   │   └── ProjectNotFoundError    the project or batch that a request names
        │   ├── ConflictError           409
        │   ├── TooManyRequestsError    429
        │   └── ServerError             500 and above
        └── StorageError            from the storage behind a signed URL

Errors carry their data on attributes; the message is for people. No token, secret or query string of a
signed URL is ever in one. A message is one line of at most 10,000 characters, with escapes for control characters,
whatever names and texts of others are in it; only what a compiler has written follows in lines of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kognic_aio._text import MAX_MESSAGE, printable


class KognicError(Exception):
    """Base class of every error of this package."""

    def __str__(self) -> str:
        return printable(super().__str__(), MAX_MESSAGE)

    def explain(self, more: str) -> None:
        """Add to the message what the one who catches the error on its way knows of it."""
        self.args = ("; ".join([*map(str, self.args[:1]), more]), *self.args[1:])

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors travel between processes with all their data, though their constructors take keywords."""
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
    """A `host` is broken: several different requests gave up, and it has answered nothing since they began.

    The last request's error is the cause. A run ends with it; what is asked later tries the host again.
    """

    def __init__(self, message: str, *, host: str) -> None:
        super().__init__(message)
        self.host = host


class WorkspaceError(KognicError):
    """The workspace to write to could not be inferred; pass `write_workspace_id`."""


class RunError(KognicError):
    """A run of `create_inputs` cannot succeed for any scene, found before the first upload.

    `instead` is the end of the message, what there is instead; it is empty if the message says it all.
    """

    def __init__(self, message: str, *, instead: str = "") -> None:
        super().__init__("; ".join(filter(None, [message, instead])))
        self.instead = instead


class UnknownProjectError(RunError):
    """The project of a run does not exist, or is not visible with these credentials."""


class UnknownBatchError(RunError):
    """The batch of a run does not exist in its project, or has to be named."""


class BatchClosedError(RunError):
    """The batch of a run does not take new inputs."""


class JournalError(KognicError):
    """The journal at `path` cannot be opened, read or written. What it knew before is still in it."""

    def __init__(self, message: str, *, path: str) -> None:
        super().__init__(message)
        self.path = path


class JournalLockedError(JournalError):
    """Another run, perhaps in another process, has the journal open. The lock ends with that process."""


class JournalMismatchError(JournalError):
    """The journal belongs to another destination, `recorded`, than the run goes to, `wanted`."""

    def __init__(self, message: str, *, path: str, recorded: str, wanted: str) -> None:
        super().__init__(message, path=path)
        self.recorded = recorded
        self.wanted = wanted


class SceneFailedError(KognicError):
    """The platform could not process a scene, or somebody invalidated it, as the scene's `status` says."""

    def __init__(self, message: str, *, status: str) -> None:
        super().__init__(message)
        self.status = status


class StrandedError(KognicError):
    """A scene was started, but where its files go got lost with the answer. It is invalidated, and started afresh."""


class InvalidError(KognicError, ValueError):
    """Something given is wrong in itself. Save for a `DataError`, this is found before anything of it is sent."""


class DuplicateError(InvalidError):
    """A scene goes by the name of another one with another content, in the journal of a run.

    `differences` has how the contents differ, by field: `{"frames[3].images": "2 -> 3"}`; it is empty if nobody knows.
    """

    def __init__(self, message: str, *, differences: Mapping[str, str]) -> None:
        super().__init__(message)
        self.differences = dict(differences)


class OfficialModelError(InvalidError):
    """A model of kognic-io's was given where one of this package belongs. It ends a run, as its import is to change."""


class MissingFileError(InvalidError):
    """The local file at the path `filename` is missing, not a file, or `empty`."""

    def __init__(self, message: str, *, filename: str, empty: bool = False) -> None:
        super().__init__(message)
        self.filename = filename
        self.empty = empty


class DataError(InvalidError):
    """The data of the image or point cloud `filename` cannot be had: its source raised, gave no bytes, or changed.

    Sources are opened when their turn comes, so the scene has been started by then; it is not committed.
    """

    def __init__(self, message: str, *, filename: str) -> None:
        super().__init__(message)
        self.filename = filename


class RequestError(KognicError):
    """A request brought no answer that could be used. Its `method` is that of HTTP, its `url` has no query string."""

    def __init__(self, message: str, *, method: str, url: str) -> None:
        super().__init__(message)
        self.method = method
        self.url = url


class ConnectError(RequestError):
    """No connection could be made, so the request has had no effect."""


class ProxyConnectError(ConnectError):
    """The proxy cannot be reached, or gives no answer that could be read; it tells nothing of the host behind it."""


class CertificateError(ConnectError):
    """No TLS connection, as a certificate is not trusted: it has expired, is another host's, or nobody vouches for it.

    Other failures of a handshake may pass, and are plain `ConnectError`s.
    """


class ProxyError(ConnectError):
    """The proxy refuses to pass the request on: it wants other credentials, or the host is forbidden.

    It is not asked again, as some lock a user out after several wrong passwords.
    """


class LostAnswerError(RequestError):
    """The connection broke after the request had begun; it may have had its effect."""


class TimedOutError(RequestError):
    """No answer came in time; the request may have had its effect."""


class MalformedAnswerError(RequestError):
    """The answer is not what the contract says.

    `problems` has what is wrong, each with its path, such as `required field missing @ $.frames[3].images`.
    """

    def __init__(self, message: str, *, method: str, url: str, problems: Sequence[str] = ()) -> None:
        super().__init__(message, method=method, url=url)
        self.problems = tuple(problems)


class UnreadableAnswerError(MalformedAnswerError):
    """The answer is no HTTP that can be read: a bad status line, a bad chunk, a header of more than 64 KiB.

    The request may have had its effect. It is tried six times at most, as such a server tends to stay so.
    """


class TooLargeError(UnreadableAnswerError):
    """The answer, or what was compressed in it, is larger than what is read: 32 MiB of an API, 200 MiB of a content.

    What is compressed may be 50 times as large, or 1 MiB, and take 224 MiB of memory when it has been parsed. Contents
    that are larger are asked for as they are; they may take 16 bytes more for each one that has been sent.
    """


class ChecksumError(RequestError):
    """A storage has got other bytes of the file `filename` than were sent, as its checksum says.

    `sent` and `stored` are the CRC-32C of what was sent and of what it has got, as `x-goog-hash` writes them.
    """

    def __init__(self, filename: str, *, sent: str, stored: str, method: str, url: str) -> None:
        damage = f"the storage has bytes of crc32c {stored}, sent were {sent} ({method} {url})"
        message = f"{filename!r} was damaged on its way: {damage}"
        super().__init__(message, method=method, url=url)
        self.filename = filename
        self.sent = sent
        self.stored = stored


class MissingExtraError(KognicError, ImportError):
    """What is wanted needs a library that an extra of this package brings: install the extra."""


class WasmError(KognicError):
    """The WebAssembly module of a custom camera calibration cannot be made or used."""


class LoadingError(WasmError):
    """These bytes are no WebAssembly, or a module that cannot be instantiated.

    `imports` has what the module wants from its host, such as `env.sin`. Nothing is there to be imported.
    """

    def __init__(self, message: str, *, imports: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.imports = tuple(imports)


class FunctionNotFoundError(WasmError):
    """The module does not export the `function`; `exports` has the names of what it does export."""

    def __init__(self, message: str, *, function: str, exports: Sequence[str]) -> None:
        super().__init__(message)
        self.function = function
        self.exports = tuple(exports)


class FunctionSignatureError(WasmError):
    """The function has another signature, `got`, than `expected`, which is `(f64, f64, f64) -> (f64, f64)`."""

    def __init__(self, message: str, *, expected: str, got: str) -> None:
        super().__init__(message)
        self.expected = expected
        self.got = got


class ProjectionError(WasmError):
    """The function failed, or did not come to an end, for a point.

    Attributes:
        point: The point that was projected.
        reason: What happened.
        index: Which test case it is from, counted from 0; None for the point that every module is tried with.
    """

    def __init__(
        self, message: str, *, point: tuple[float, float, float], reason: str, index: int | None = None
    ) -> None:
        super().__init__(message)
        self.point = point
        self.reason = reason
        self.index = index


class ProjectionValidationError(WasmError):
    """The function projects the point of a test case to somewhere else.

    Attributes:
        index: Which test case it is, counted from 0.
        point: The point that was projected.
        expected: Where it has to be projected to.
        got: Where it was projected to.
    """

    def __init__(
        self,
        message: str,
        *,
        index: int,
        point: tuple[float, float, float],
        expected: tuple[float, float],
        got: tuple[float, float],
    ) -> None:
        super().__init__(message)
        self.index = index
        self.point = point
        self.expected = expected
        self.got = got


class CompilationError(WasmError):
    """There is no compiler for a source file, or it failed.

    Attributes:
        command: The compiler and its arguments; empty if none was found.
        exit_code: What the compiler ended with, None if it did not run.
        output: What the compiler wrote to its standard error, with escapes for all but its lines.
    """

    def __init__(
        self, message: str, *, command: Sequence[str] = (), exit_code: int | None = None, output: str = ""
    ) -> None:
        super().__init__(message)
        self.command = tuple(command)
        self.exit_code = exit_code
        self.output = output

    def __str__(self) -> str:
        return "\n".join([f"{super().__str__()}:", self.output]) if self.output else super().__str__()


class CompilationOutputError(WasmError):
    """The compiled module cannot be written to `path`, where it shall go."""

    def __init__(self, message: str, *, path: str) -> None:
        super().__init__(message)
        self.path = path


class StatusError(KognicError):
    """A server answered with an error status.

    Attributes:
        status: The HTTP status.
        message: The server's explanation, cut at 500 characters.
        method: The HTTP method.
        url: The URL without its query string.
        request_id: The server's id of the request, if it gave one.
        retry_after: Seconds to wait before trying again, if the server said so.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        method: str,
        url: str,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.method = method
        self.url = url
        self.request_id = request_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        return printable(f"{self.args[0]} ({self.status} from {self.method} {self.url})", MAX_MESSAGE)


class ApiError(StatusError):
    """An API answered with an error status."""


class BadRequestError(ApiError):
    """The platform refused the request as wrong (400)."""


class UnauthorizedError(ApiError):
    """The token was refused (401), a renewed one too."""


class ForbiddenError(ApiError):
    """These credentials may not do this (403)."""


class NotFoundError(ApiError):
    """What was asked for does not exist (404)."""


class LeftOutError(NotFoundError):
    """A list lacks the ids in `missing`, which it was asked for: another way to say that they do not exist."""

    def __init__(self, message: str, *, missing: Sequence[str], method: str, url: str) -> None:
        super().__init__(message, status=200, method=method, url=url)
        self.missing = tuple(missing)


class ProjectNotFoundError(NotFoundError):
    """The project or the batch that a request names does not exist. The message names those that do."""


class ConflictError(ApiError):
    """It contradicts what is there already (409)."""


class TooManyRequestsError(ApiError):
    """The platform asks for fewer requests (429)."""


class ServerError(ApiError):
    """The platform failed (500 and above); the request may have had its effect."""


class StorageError(StatusError):
    """The storage behind a signed URL answered with an error status."""


FINAL = (CertificateError, ProxyError)
"""Why there is no connection, and will be none if it is tried again."""

ENDS_RUN = (ClosedError, CredentialsError, JournalError, OfficialModelError, UnauthorizedError, UnavailableError)
"""Errors that end a run, because no scene can get past them. Every other error is one scene's own."""
