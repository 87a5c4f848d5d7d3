"""Requests and responses as values, and pure functions of them: no socket, no clock of their own."""

import re
from collections.abc import AsyncIterable, Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import UUID

from attrs import field, frozen
from yarl import URL

from kognic_aio import errors
from kognic_aio._frames import hide_frames
from kognic_aio._http.compression import TooMuchError, decompressed, start_of_error
from kognic_aio._http.redaction import MAX_SEARCHED, redacted
from kognic_aio._json import LARGE, MAX_MEMORY, memory_of_json, read_json
from kognic_aio._secret import Secret
from kognic_aio._text import printable
from kognic_aio._validation.converters import plain

REDIRECTS = frozenset({300, 301, 302, 303, 305, 307, 308})
RETRYABLE_STATUSES = frozenset({408, 429, *range(500, 512), 598, 599}) | REDIRECTS
"""Statuses that may pass. No API or storage redirects; something in between does, such as the login of a proxy."""

WITHOUT_EFFECT = frozenset({429, 503})
"""Statuses of requests that the server refused before it did anything."""

GATEWAY_TIMED_OUT = frozenset({408, 502, 504})
"""Statuses by which a gateway reports a timeout or a broken connection behind it."""

TOKEN_PATH = "/v1/auth/oauth/token"  # noqa: S105  # a path
"""Path of the endpoint for tokens."""

MAX_ANSWER = 32 << 20
"""Bytes of a response that are read, so that no server fills the memory."""

MAX_ERROR = 64 << 10
"""Bytes that are read of an error's body."""

LARGE_COMPRESSED = 64 << 10
"""Bytes from which a compressed response is parsed in a thread, like others from `LARGE`."""

MAX_DATE = 64
"""Characters of a date that are read: parsing takes longer the longer it is."""

MAX_URL_SHOWN = 500
"""Characters of a URL that errors show."""

ERROR_TEXT_LENGTH = 500
"""Characters of a server's text that an error shows."""

MAX_RETRY_AFTER = 1e9
"""Seconds, thirty years. A longer wait might overflow."""

E = TypeVar("E", bound=errors.StatusError)
Data: TypeAlias = bytes | AsyncIterable[bytes] | Secret[dict[str, str]] | None
"""A body: bytes, chunks of them, or the fields of a form with a secret in it."""
Value: TypeAlias = str | int | Secret[str | int]
Query: TypeAlias = Mapping[str, Value] | Sequence[tuple[str, Value]]

_MARKS = re.compile(rb"\A(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)|\0")
"""Byte order marks, and the zeros between ASCII letters in UTF-16 and UTF-32."""

_ERRORS: dict[int, type[errors.ApiError]] = {
    400: errors.BadRequestError,
    401: errors.UnauthorizedError,
    403: errors.ForbiddenError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    429: errors.TooManyRequestsError,
}


@frozen(kw_only=True)
class Request:
    """A request to an API or a storage. Its secrets are never shown.

    One that `gives_way` lets all others to its host go first, at its first attempt.
    """

    method: str
    url: Secret[URL]
    headers: Mapping[str, str]
    data: Data = field(default=None, repr=False)
    is_api: bool = False
    needs_token: bool = False
    max_answer: int = MAX_ANSWER
    gives_way: bool = False

    @property
    def kind(self) -> Hashable:
        """What its duration is comparable with: requests to the same endpoint, with about as many bytes."""
        name = self.url.reveal().path.rpartition("/")[2] if self.is_api else ""
        size = len(self.data) if isinstance(self.data, bytes) else int(self.headers.get("Content-Length", 0))
        return self.method, name if name.isalpha() else "", size.bit_length()

    @property
    def shown(self) -> str:
        """The URL for errors: normalized, short and without what may be secret."""
        url = self.url.reveal().with_user(None).with_query(None).with_fragment(None)
        return printable(str(url), MAX_URL_SHOWN)

    def __str__(self) -> str:
        return f"{self.method} {self.shown}"


@frozen(kw_only=True)
class Answer:
    """A response that was read to its end. Its repr shows no content: it may have a token or signed URLs.

    It may also quote the secrets of its request, which `secrets` returns.
    """

    request: Request
    status: int
    _headers: Secret[Mapping[str, str]] = field(alias="headers")
    _received: Secret[bytes] = field(alias="body")  # as it came, perhaps compressed
    _secrets: Secret[Callable[[], Iterable[str]]] = field(alias="secrets", default=Secret(tuple))
    source_seconds: float = 0.0  # for which the request waited for the source of its body

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers; lookup ignores case."""
        return self._headers.reveal()

    @property
    def body(self) -> bytes:
        """The body. Raises a TooLargeError or an UnreadableAnswerError if it cannot be decompressed."""
        return self._body.reveal()

    @property
    def received(self) -> int:
        """Bytes of the body as it came."""
        return len(self._received.reveal())

    @property
    def is_large(self) -> bool:
        """Whether it takes long, or much memory, to parse the body."""
        return self.received > (LARGE_COMPRESSED if self._encoding else LARGE)

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def redact(self, text: str, *, length: int = ERROR_TEXT_LENGTH) -> str:
        """A text of this response without secrets."""
        return redacted(text, self._secrets.reveal()(), length=length)

    def malformed(self, problem: str) -> errors.MalformedAnswerError:
        """The error of a response that breaks the contract."""
        message = f"unexpected response to {self.request}: {problem}"
        return errors.MalformedAnswerError(message, method=self.request.method, url=self.request.shown)

    @property
    def _encoding(self) -> str:
        return self.headers.get("Content-Encoding", "").strip().lower()

    @cached_property  # decompressed where it is parsed, large ones one at a time: several would take too much memory
    def _body(self) -> Secret[bytes]:
        received = self._received.reveal()
        kind: type[errors.UnreadableAnswerError]
        if not self.is_success:
            return Secret(start_of_error(received, self._encoding, MAX_ERROR))
        try:
            return Secret(decompressed(received, self._encoding, self.request.max_answer))
        except TooMuchError as error:
            kind, problem = errors.TooLargeError, f"is too large: {error}"
        except ValueError as error:
            kind, problem = errors.UnreadableAnswerError, f"cannot be read: {error}"
        message = f"the response to {self.request} {problem}"
        raise kind(message, method=self.request.method, url=self.request.shown)


def identifier(value: object) -> str:
    """An id or a name as a string, given as a string, a UUID, an integer or an enum member."""
    value = plain(value)
    if isinstance(value, str | UUID) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    raise errors.InvalidError(f"expected an id or external id, got {value!r}")


def segment(value: object) -> str:
    """An id or a name as one segment of a path."""
    name = identifier(value)
    if name in ("", ".", ".."):  # which would lead to another path
        raise errors.InvalidError(f"expected an id or external id, got {name!r}")
    return quote(name, safe="", errors="replace")


def strings(name: str, values: object) -> list[str]:
    """A list of ids or names. Errors call it `name`."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise errors.InvalidError(f"{name}: expected a list of strings, got {values!r}")
    return [identifier(value) for value in values]


def one_or_several(name: str, values: object) -> list[str]:
    """Like `strings`, but a single id or name needs no list around it, and None is an empty list."""
    values = plain(values)
    if values is None:
        return []
    return [identifier(values)] if isinstance(values, str | int | UUID) else strings(name, values)


def pairs(query: Query | None) -> list[tuple[str, str]]:
    """Names and values of a query as strings, secret ones too; yarl would write a UUID as a number."""
    items = query.items() if isinstance(query, Mapping) else query or ()
    return [(name, identifier(value.reveal() if isinstance(value, Secret) else value)) for name, value in items]


def given(**fields: Any) -> dict[str, Any]:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def parse(answer: Answer) -> Any:
    """The JSON of a successful response, None if it has no body. Other responses raise their error."""
    if not answer.is_success:
        raise api_error(answer)
    return parse_json(answer) if answer.body else None


def check_done(answer: Answer) -> None:
    """Raise the error of a response whose body does not matter: a failure, or an HTML page."""
    if not answer.is_success or visible(answer).startswith(b"<"):  # as pages do
        parse(answer)


def parse_json(answer: Answer, max_memory: int = MAX_MEMORY) -> Any:
    """The JSON of a response. Raises a TooLargeError if it would take more than `max_memory` bytes."""
    if (memory := memory_of_json(answer.body)) > max_memory:
        problem = f"the response to {answer.request} is too large: parsing it would take {memory >> 20} MiB of memory"
        raise errors.TooLargeError(problem, method=answer.request.method, url=answer.request.shown)
    with suppress(ValueError):
        return read_json(answer.body)
    raise answer.malformed(f"status {answer.status}, not JSON: {shown_start(answer)}")


def whole(data: Any) -> Any:
    """All of a response, with the envelope around its `data`."""
    return data


def as_list(data: Any) -> list[Any]:
    """The items of a response. A single item may have no list around it."""
    items = unwrap(data)
    return items if isinstance(items, list) else [items]


def unwrap(data: Any) -> Any:
    """The content of a response: the value of `data` if there is one, else all of it."""
    return data["data"] if isinstance(data, dict) and data.get("data") is not None else data


@hide_frames  # its variables have the response with all secrets
def api_error(answer: Answer) -> errors.ApiError:
    """The error of an API's response, in the platform's own words."""
    kind = _ERRORS.get(answer.status, errors.ServerError if answer.status >= 500 else errors.ApiError)
    words = _redirected(answer) if answer.status in REDIRECTS else _explained(_explanation(answer.body), answer)
    return _status_error(kind, answer, words)


@hide_frames
def storage_error(answer: Answer, what: str) -> errors.StorageError:
    """The error of a storage's response to an upload or download."""
    if answer.status in REDIRECTS:
        return _status_error(errors.StorageError, answer, f"{what} was {_redirected(answer)}")
    content = _start(answer.body)
    words = ": ".join(re.findall(r"<(?:Code|Message)>([^<]*)</", content)) or content
    return _status_error(errors.StorageError, answer, f"{what} was refused: {_explained(words, answer)}")


def visible(answer: Answer) -> bytes:
    """The start of a body from its first letter on, without byte order marks and the zeros of UTF-16."""
    return _MARKS.sub(b"", answer.body[:MAX_SEARCHED]).lstrip()


def shown_start(answer: Answer) -> str:
    """The start of a response's body for an error, quoted and without secrets."""
    return repr(answer.redact(_start(answer.body), length=60))


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that the server asks to wait: `Retry-After` is a number or a date."""
    value = headers.get("Retry-After", "").strip()[:MAX_DATE]
    if value.isdecimal():
        return min(float(value), MAX_RETRY_AFTER)
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def sunset(headers: Mapping[str, str]) -> datetime | None:
    """When the endpoint will be removed, if the response says so."""
    value = headers.get("sunset-date")
    if value is None:
        return None
    try:
        date = datetime.fromisoformat(value[:MAX_DATE])
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _status_error(kind: type[E], answer: Answer, message: str) -> E:
    request_id = answer.headers.get("X-Request-Id")
    return kind(
        message,
        status=answer.status,
        method=answer.request.method,
        url=answer.request.shown,
        request_id=None if request_id is None else answer.redact(request_id, length=200),
        retry_after=retry_after(answer.headers, datetime.now(UTC)),
    )


def _redirected(answer: Answer) -> str:
    """Describe a redirect by host and path only: a query may have a token in it."""
    target = ""
    with suppress(ValueError):
        place = urlsplit(answer.headers.get("Location", "")[:MAX_SEARCHED])
        target = urlunsplit((place.scheme, place.netloc.rpartition("@")[2], place.path, "", ""))
    return f"redirected to {answer.redact(target) if target else 'no URL'}, which is not followed"


def _explanation(body: bytes) -> str:
    """The platform's `message`, else the JSON, else the text."""
    try:
        data: Any = read_json(body)
        message: Any = data.get("message") if isinstance(data, dict) else None
        return str(message or data)
    except (ValueError, RecursionError, MemoryError):
        return _start(body)


def _start(body: bytes) -> str:
    """The start of a body as text. The rest is never shown."""
    return body[: 2 * MAX_SEARCHED].decode(errors="replace").strip()


def _explained(words: str, answer: Answer) -> str:
    return answer.redact(words) or "no explanation"
