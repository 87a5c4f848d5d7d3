"""Signed URLs: the storage of files and of the content of annotations."""

import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import anyio
from attrs import frozen
from yarl import URL

from kognic_aio._event_log import TellRetried, log_event
from kognic_aio._frames import hide_frames
from kognic_aio._http.protocol import MAX_URL_SHOWN, Answer, Request, parse_json, shown_start, storage_error, visible
from kognic_aio._http.retry import RetryPolicy, may_repeat
from kognic_aio._http.transport import Transport, parsed
from kognic_aio._json import MAX_MEMORY
from kognic_aio._secret import Secret
from kognic_aio.config import Retry, is_this_machine
from kognic_aio.errors import ChecksumError, MalformedAnswerError, RequestError, StorageError, TooLargeError
from kognic_aio.files import Body, FileSource

if TYPE_CHECKING:
    from kognic_aio.model.scene_request import Uploadable

T = TypeVar("T")
Opened: TypeAlias = Callable[[], AbstractAsyncContextManager[Body]]
"""Opens a body for one attempt."""

MAX_AT_ONCE = 4 << 20
"""Bytes of a content that is downloaded concurrently with others."""

MAX_CONTENT = 200 << 20
"""Bytes of a content that is downloaded alone."""

MEMORY_OF_A_BYTE = 16
"""Bytes of memory that a content may take for each byte sent. Annotations take ten."""

MAX_SIGNED_URL = 16 << 10
"""Characters that are sent. Servers take no more than half of it."""

PAGE = re.compile(
    rb"(?is)(?:<\?xml.*?\?>\s*|<!--.*?-->\s*)*+"
    rb"<(?:!doctype\s+html|html|head|body|title|meta|link|base|script|style|noscript|form|input|button|iframe|frameset"
    rb"|div|span|main|section|header|nav|table|center|font|h[1-6]|p|a|b|i|br|hr|ul|ol|img|strong|em|pre)(?=[\s/>])"
)
"""How a page for people begins, or a part of one, after declarations and comments. No storage sends such tags."""


@frozen
class _Document:
    """A JSON document, described as files are."""

    client_filename: str
    content_type: str = "application/json"


class Storage:
    """Puts files to signed URLs and gets JSON from them. They carry their own permission and get no token.

    `is_local` returns whether the platform is on this machine, as an emulator is.
    """

    def __init__(self, transport: Transport, retry: Retry, is_local: Callable[[], bool]) -> None:
        self._transport = transport
        self._put_policy = RetryPolicy(is_retryable=_may_repeat_put, bounds=retry)
        self._get_policy = RetryPolicy(
            is_retryable=lambda error: may_repeat(error) and not isinstance(error, TooLargeError), bounds=retry
        )
        self._is_local = is_local
        self._alone = anyio.Lock()
        self._tell: TellRetried = log_event

    def telling(self, tell: TellRetried) -> "Storage":
        """The same storage, whose requests tell somebody of their retries."""
        own = copy(self)
        own._tell = tell  # of the same class
        return own

    def put(self, url: Secret[str], file: "Uploadable", source: FileSource) -> Awaitable[int]:
        """Upload a file from its source, all of it anew for every attempt, and return its size in bytes."""
        return self._put(url, source.open, file)

    def put_json(self, url: Secret[str], content: bytes, name: str) -> Awaitable[int]:
        """Upload a JSON document as `put` does. Errors call it `name`."""
        return self._put(url, lambda: nullcontext(Body(content, len(content), name)), _Document(name))

    async def _put(self, url: Secret[str], opened: Opened, file: "Uploadable | _Document") -> int:
        target = self._signed("PUT", url)
        attempts = self._transport.attempts(self._put_policy, target, is_api=False, tell=self._tell)
        return await attempts.until_success(self._put_once, target, opened, file)

    async def _put_once(self, url: Secret[URL], opened: Opened, file: "Uploadable | _Document") -> int:
        async with opened() as body:
            name = file.client_filename
            headers = {
                "Content-Type": file.content_type,
                "Content-Length": str(body.size),  # always: there are storages that refuse chunks of unknown number
                "Accept-Encoding": "identity",  # the response is short, and decompressing it could take any memory
            }
            request = Request(method="PUT", url=url, headers=headers, data=body.payload, max_answer=1 << 20)
            try:
                answer = await self._transport.attempt(request, partial(_accepted, f"upload of {name!r}"))
            except (RequestError, StorageError) as error:
                if body.failure is None:
                    raise
                raise body.failure from error
            if body.failure is not None:
                raise body.failure
            await _check_arrival(answer, body, name)
            return body.sent

    async def get_json(self, url: Secret[str]) -> Any:
        """Download a JSON document, and parse it."""
        parse = await self.download(url)
        return await parse()

    async def download(self, url: Secret[str]) -> Callable[[], Awaitable[Any]]:
        """Download a JSON document, and return the function that parses it. A large one is downloaded there."""
        target, answer = self._signed("GET", url), None
        with suppress(TooLargeError):
            answer = await self._get(target, partial(_accepted, "download"), MAX_AT_ONCE)
        return partial(self._parse, target, answer)

    async def _parse(self, target: Secret[URL], answer: Answer | None) -> Any:
        """Parse a download, or download it first if it was too large or is malformed.

        One at a time, because a parsed document takes many times its size in memory.
        """
        async with self._alone:
            if answer is not None:
                with suppress(MalformedAnswerError):
                    return await parsed(_content, answer)
            try:
                return await self._get(target, _content, MAX_CONTENT)
            except TooLargeError:  # also if its compression ratio is suspicious; then ask without compression
                return await self._get(target, _content, MAX_CONTENT, "identity")

    def _get(
        self, target: Secret[URL], read: Callable[[Answer], T], max_answer: int, encoding: str = "gzip"
    ) -> Awaitable[T]:
        headers = {"Accept": "application/json", "Accept-Encoding": encoding}
        request = Request(method="GET", url=target, headers=headers, max_answer=max_answer)
        return self._transport.send(request, read, self._get_policy, self._tell)

    def _signed(self, method: str, url: Secret[str]) -> Secret[URL]:
        """Check a signed URL from the platform, and return it unchanged.

        A platform elsewhere must not lead us to services on this machine.
        """
        signed = _url(url)
        problem = "an invalid signed URL" if signed is None else self._trouble_with_host(signed.reveal())
        if signed is None or problem is not None:
            shown = _shown(self._transport.redactor(url.reveal(), length=MAX_URL_SHOWN))
            raise MalformedAnswerError(f"the platform returned {problem}: {shown!r}", method=method, url=shown)
        return signed

    @hide_frames
    def _trouble_with_host(self, signed: URL) -> str | None:
        is_here = is_this_machine(signed.host or "")
        if is_here and not self._is_local():
            return "a signed URL that leads to this machine, although the API is elsewhere"
        if signed.scheme == "http" and not is_here:
            return "a signed URL with plain http, which is not encrypted"
        return None


@hide_frames
def _url(url: Secret[str]) -> Secret[URL] | None:
    """The URL unchanged, None if it is invalid or would not be sent unchanged."""
    text = url.reveal()
    if len(text) > MAX_SIGNED_URL or not text.isprintable() or " " in text:  # aiohttp keeps spaces, drops line ends
        return None
    with suppress(ValueError):
        signed = URL(text, encoded=True)
        if signed.scheme in ("http", "https") and signed.host:
            return Secret(signed)
    return None


def _shown(url: str) -> str:
    """The part of a possible signed URL that is certainly not secret."""
    return re.split(r"[?#&=]", url[:MAX_URL_SHOWN])[0].rpartition("@")[2]


def _accepted(what: str, answer: Answer) -> Answer:
    """The response as it is, if it is no error."""
    if not answer.is_success:
        raise storage_error(answer, what)
    return answer


def _content(answer: Answer) -> Any:
    """The JSON of a content. The more bytes were sent, the more memory it may take."""
    return parse_json(_accepted("download", answer), MAX_MEMORY + MEMORY_OF_A_BYTE * answer.received)


async def _check_arrival(answer: Answer, body: Body, name: str) -> None:
    """Check that the storage received all bytes, and that none has changed if it returns their checksum."""
    status = f"status {answer.status}"
    if is_page(answer):
        page = "an HTML page, such as a proxy's login"
        raise answer.malformed(f"{status} with {page}, for {name!r}: {shown_start(answer)}")
    if not body.is_complete:
        raise answer.malformed(f"{status} before all of {name!r} was sent")
    if stored := checksums(answer):
        sent = body.crc32c()
        if wrong := stored - {sent}:
            shown = answer.redact(min(wrong), length=40)
            raise ChecksumError(name, sent=sent, stored=shown, method=answer.request.method, url=answer.request.shown)


def is_page(answer: Answer) -> bool:
    """Whether it is a page for people: whatever the status, something in between responded, not the storage.

    An empty body is no page: Google's storage calls it `text/html`.
    """
    is_html = answer.headers.get("Content-Type", "").lower().startswith(("text/html", "application/xhtml"))
    body = visible(answer)
    return bool(body) and (is_html or PAGE.match(body) is not None)


def checksums(answer: Answer) -> set[str]:
    """The CRC-32C of `x-goog-hash`, which may be several headers, or one such as `crc32c=AAAAAA==,md5=...`."""
    values = [value for name, value in answer.headers.items() if name.lower() == "x-goog-hash"]
    parts = (part.strip().partition("=") for value in values for part in value.split(","))
    return {checksum for kind, _, checksum in parts if kind.lower() == "crc32c"}


def _may_repeat_put(error: Exception) -> bool:
    # A storage that cannot accept such a request at all will not do so at another attempt.
    is_for_good = isinstance(error, StorageError) and error.status in (411, 501, 505)
    return not is_for_good and (isinstance(error, ChecksumError) or may_repeat(error))


def is_refused_url(error: StorageError) -> bool:
    """Whether a storage refused a signed URL, for example an expired one, so that a new one may help."""
    return error.status in (400, 401, 403, 404, 410)
