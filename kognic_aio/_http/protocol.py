"""What goes into a request and what comes out of an answer, as pure functions: no socket, no clock of their own."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import UUID

from attrs import field, frozen

from kognic_aio._frames import discreet
from kognic_aio._http.redaction import MAX_LOOKED_AT, redacted
from kognic_aio._http.request import Request
from kognic_aio._json import MAX_MEMORY, memory_of_json, read_json
from kognic_aio._secret import Secret
from kognic_aio._validation.converters import plain
from kognic_aio.errors import (
    ApiError,
    BadRequestError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    MalformedAnswerError,
    NotFoundError,
    ServerError,
    StatusError,
    StorageError,
    TooLargeError,
    TooManyRequestsError,
    UnauthorizedError,
)

REDIRECTS = frozenset({300, 301, 302, 303, 305, 307, 308})
RETRYABLE_STATUSES = frozenset({408, 429, *range(500, 512), 598, 599}) | REDIRECTS
"""Statuses that may pass. No API or storage redirects: something in between does, such as the login of a proxy."""

WITHOUT_EFFECT = frozenset({429, 503})
"""Statuses of requests that the server turned away before it did anything, as it has too many."""

GATEWAY_TIMED_OUT = frozenset({408, 502, 504})
"""Statuses with which a gateway says what a timeout or broken connection would say without it."""

E = TypeVar("E", bound=StatusError)
Secrets: TypeAlias = Callable[[], Iterable[str]]
Value: TypeAlias = str | int | Secret[str | int]
Query: TypeAlias = Mapping[str, Value] | Sequence[tuple[str, Value]]

ERROR_TEXT_LENGTH = 500
"""Characters of a server's text that an error shows."""

MAX_REQUEST_ID = 200
"""Characters of a request's id that an error shows."""

MAX_DATE = 64
"""Characters of a date that are read."""

MAX_RETRY_AFTER = 1e9
"""Seconds, thirty years: a longer wait is a number that can be computed with too."""

SUNSET_HEADER = "sunset-date"
"""Tells when an endpoint will be removed."""

SUNSET_NEAR = timedelta(days=14)
"""How long before that the warning becomes an error."""

DRYRUN_HEADER = {"X-Dryrun": ""}
"""Has the platform validate only."""

PAGE = re.compile(
    rb"(?i)<(?:!doctype\s+html|html|head|body|title|meta|link|base|script|style|noscript|form|input|button|iframe|frameset"
    rb"|div|span|main|section|header|nav|table|center|font|h[1-6]|p|a|b|i|br|hr|ul|ol|img|strong|em|pre)(?=[\s/>])"
)
"""How a page for people begins, or a part of one. No store answers with such tags."""

ASIDES = ((b"<?xml", b"?>"), (b"<!--", b"-->"))
"""What may stand before a page: where it begins, and where it ends."""

MARKS = re.compile(rb"\A(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)|\0")
"""What Unicode has before and between letters of ASCII, as UTF-8, UTF-16 or UTF-32."""

_ERRORS: dict[int, type[ApiError]] = {
    400: BadRequestError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    429: TooManyRequestsError,
}


@frozen(kw_only=True)
class Answer:
    """An answer that has been read to its end. It may contain a token or signed URLs, so its repr shows no content.

    Args:
        request: What was asked.
        headers: The answer's headers; lookup ignores case.
        body: Its body.
        secrets: Gives the secrets of the request, which the answer may quote.
        unpack: Gives the body if it is compressed and large: see `reading.parsed`.
        received: Bytes of the body as they came.
    """

    request: Request
    status: int
    _headers: Secret[Mapping[str, str]] = field(alias="headers")
    _body: Secret[bytes] = field(alias="body")
    _secrets: Secret[Secrets] = field(alias="secrets", default=Secret(tuple))
    unpack: Callable[[], bytes] | None = field(default=None, repr=False)
    received: int = 0

    @property
    def method(self) -> str:
        """The HTTP method that was asked with."""
        return self.request.method

    @property
    def url(self) -> str:
        """The URL that was asked, as errors have it."""
        return self.request.shown

    @property
    def headers(self) -> Mapping[str, str]:
        """Its headers."""
        return self._headers.reveal()

    @property
    def body(self) -> bytes:
        """Its body."""
        return self._body.reveal()

    def told(self, text: str, *, length: int = ERROR_TEXT_LENGTH) -> str:
        """A text of this answer without secrets."""
        return redacted(text, self._secrets.reveal()(), length=length)


def api_headers(organization_id: int | None) -> dict[str, str]:
    """The headers that every request to an API carries, save for its token."""
    headers = {"Accept": "application/json", "Accept-Encoding": "gzip"}
    return headers if organization_id is None else headers | {"X-Organization-Id": str(organization_id)}


def text(value: object) -> str:
    """An id or a name as a string. It may be a string, a UUID, an integer or an enum's member.

    Raises:
        InvalidError: If it is something else.
    """
    value = plain(value)
    if isinstance(value, str | UUID) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    raise InvalidError(f"expected an id or external id, got {value!r}")


def segment(value: object) -> str:
    """An id or a name as one segment of a path, whatever characters it has.

    Raises:
        InvalidError: If it is neither, or would lead to another path.
    """
    name = text(value)
    if name in ("", ".", ".."):
        raise InvalidError(f"expected an id or external id, got {name!r}")
    return quote(name, safe="", errors="replace")


def strings(name: str, values: object) -> list[str]:
    """A list of ids or names for a body or query; errors call it by its name.

    Raises:
        InvalidError: If it is a string itself or no list, or contains something else.
    """
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InvalidError(f"{name}: expected a list of strings, got {values!r}")
    return [text(value) for value in values]


def one_or_several(name: str, values: object) -> list[str]:
    """Like `strings`, for a query: a single id or name needs no list around it, and None is an empty list."""
    values = plain(values)
    if values is None:
        return []
    return [text(values)] if isinstance(values, str | int | UUID) else strings(name, values)


def pairs(query: Query | None) -> list[tuple[str, str]]:
    """Names and values of a query as strings, secret ones too; yarl would write a UUID as a number."""
    items = query.items() if isinstance(query, Mapping) else query or ()
    return [(name, text(value.reveal() if isinstance(value, Secret) else value)) for name, value in items]


def given(**fields: Any) -> dict[str, Any]:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def parse(answer: Answer) -> Any:
    """The JSON of a successful answer, None if it has no body.

    Raises:
        ApiError: If the status is an error's.
        MalformedAnswerError: If the body is not JSON.
    """
    if not is_success(answer):
        raise api_error(answer)
    return parse_json(answer) if answer.body else None


def check_done(answer: Answer) -> None:
    """Check an answer whose body is of no use.

    Raises:
        ApiError: If the status is an error's.
        MalformedAnswerError: If the body is a page for people.
    """
    if not is_success(answer) or visible(answer).startswith(b"<"):  # as pages do
        parse(answer)


def parse_json(answer: Answer, most: int = MAX_MEMORY) -> Any:
    """The JSON of an answer.

    Raises:
        TooLargeError: If it would take more memory than `most` bytes.
        MalformedAnswerError: If the body is not JSON.
    """
    if (memory := memory_of_json(answer.body)) > most:
        problem = f"the answer to {answer.request} is not read: it would take {memory >> 20} MiB of memory"
        raise TooLargeError(problem, method=answer.method, url=answer.url)
    with suppress(ValueError):
        return read_json(answer.body)
    raise malformed(answer, f"answered {answer.status} with something that is not JSON: {shown_start(answer)}")


def malformed(answer: Answer, problem: str) -> MalformedAnswerError:
    """The error for an answer that is not what the contract says."""
    return MalformedAnswerError(f"{answer.request} {problem}", method=answer.method, url=answer.url)


def unwrap(data: Any) -> Any:
    """The content of an answer: what lies under `data`, or the answer itself."""
    return data["data"] if isinstance(data, dict) and data.get("data") is not None else data


@discreet  # its variables have what the answer says, with all secrets
def api_error(answer: Answer) -> ApiError:
    """The error that an API's answer means, in the platform's own words."""
    kind = _ERRORS.get(answer.status, ServerError if answer.status >= 500 else ApiError)
    words = _redirected(answer) if answer.status in REDIRECTS else _repeated(_explanation(answer.body), answer)
    return _status_error(kind, answer, words)


@discreet
def storage_error(answer: Answer, what: str) -> StorageError:
    """The error that a storage's answer to an upload or download means."""
    if answer.status in REDIRECTS:
        return _status_error(StorageError, answer, f"{what} was {_redirected(answer)}")
    return _status_error(StorageError, answer, f"{what} was refused: {_repeated(_storage_words(answer.body), answer)}")


def is_page(answer: Answer) -> bool:
    """Whether it is a page for people: something in between answered, not a storage, whatever the status says.

    An empty body is no page: Google's storage calls it `text/html`.
    """
    is_html = answer.headers.get("Content-Type", "").lower().startswith(("text/html", "application/xhtml"))
    body = visible(answer)
    return bool(body) and (is_html or PAGE.match(_without_asides(body)) is not None)


def visible(answer: Answer) -> bytes:
    """The start of a body from its first letter on, without what Unicode puts around letters of ASCII."""
    return MARKS.sub(b"", answer.body[:MAX_LOOKED_AT]).lstrip()


def _without_asides(body: bytes) -> bytes:
    """A body from what it begins with, after declarations and comments."""
    position = 0
    while aside := next((end for begin, end in ASIDES if body.startswith(begin, position)), None):
        end = body.find(aside, position)
        if end < 0:
            break
        position = end + len(aside)
        while body[position : position + 1].isspace():
            position += 1
    return body[position:]


def is_success(answer: Answer) -> bool:
    """Whether the status is one of success."""
    return 200 <= answer.status < 300


def shown_start(answer: Answer) -> str:
    """The start of an answer's body for an error, quoted and without secrets."""
    return repr(answer.told(_text(answer.body), length=60))


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """How many seconds the server asks to wait: `Retry-After` in seconds or as a date."""
    value = headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return min(float(value), MAX_RETRY_AFTER)
    try:
        return max(0.0, (parsedate_to_datetime(value[:MAX_DATE]) - now).total_seconds())
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def sunset(headers: Mapping[str, str]) -> datetime | None:
    """When the endpoint will be removed, if the answer says so."""
    given = headers.get(SUNSET_HEADER)
    if given is None:
        return None
    try:
        date = datetime.fromisoformat(given[:MAX_DATE])
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _status_error(kind: type[E], answer: Answer, message: str) -> E:
    return kind(
        message,
        status=answer.status,
        method=answer.method,
        url=answer.url,
        request_id=_request_id(answer),
        retry_after=retry_after(answer.headers, datetime.now(UTC)),
    )


def _request_id(answer: Answer) -> str | None:
    given = answer.headers.get("X-Request-Id")
    return None if given is None else answer.told(given, length=MAX_REQUEST_ID)


def _redirected(answer: Answer) -> str:
    """Where an answer redirects to: host and path only, as a query may have a token in it."""
    target = ""
    with suppress(ValueError):
        place = urlsplit(answer.headers.get("Location", "")[:MAX_LOOKED_AT])
        target = urlunsplit((place.scheme, place.netloc.rpartition("@")[2], place.path, "", ""))
    return f"redirected to {answer.told(target) if target else 'no URL'}, which is not followed"


def _explanation(body: bytes) -> str:
    """The platform's `message`, else the JSON, else the text."""
    try:
        data: Any = read_json(body)
        message: Any = data.get("message") if isinstance(data, dict) else None
        return str(message or data)
    except (ValueError, RecursionError, MemoryError):
        return _text(body)


def _storage_words(body: bytes) -> str:
    """Code and message of a storage's XML, else its text."""
    text = _text(body)
    return ": ".join(re.findall(r"<(?:Code|Message)>([^<]*)</", text)) or text


def _text(body: bytes) -> str:
    """The start of a body as text; nobody looks at the rest."""
    return body[: 2 * MAX_LOOKED_AT].decode(errors="replace").strip()


def _repeated(words: str, answer: Answer) -> str:
    """A server's words as an error has them."""
    return answer.told(words) or "no explanation"
