"""The platform's APIs: JSON in, models out."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Generic, TypeAlias, TypeVar

from attrs import evolve, field, frozen
from yarl import URL

from kognic_aio._event_log import TellRetried, log_event
from kognic_aio._http.paging import Paged
from kognic_aio._http.protocol import (
    ERROR_TEXT_LENGTH,
    Answer,
    Query,
    Request,
    Value,
    check_done,
    pairs,
    parse,
    unwrap,
    whole,
)
from kognic_aio._http.retry import READ, WRITE, Attempts, RetryPolicy
from kognic_aio._http.transport import Transport
from kognic_aio._http.wire import DecodeError, decode, to_json, without_secrets
from kognic_aio._secret import Secret
from kognic_aio.errors import InvalidError, MalformedAnswerError

T = TypeVar("T")

MAX_SHOWN_PROBLEMS = 5
"""Problems of a response that an error shows."""

MAX_EMPTY_PAGES = 100
"""Pages without items, one after another, each of which names a next one."""

MAX_CURSOR = 2_000
"""Characters of a cursor, which goes into a URL."""


def _check_length(_: object, __: object, cursor: Secret[str | int] | None) -> None:
    if cursor is not None and len(str(cursor.reveal())) > MAX_CURSOR:
        raise InvalidError(f"a cursor of more than {MAX_CURSOR:,} characters")


@frozen(kw_only=True)
class PageMetadata:
    """How to get the next page. The cursor gives access to what is there; it is None on the last page."""

    next_cursor_id: Secret[str | int] | None = field(default=None, validator=_check_length)


@frozen(kw_only=True)
class Page(Generic[T]):
    """One page of a response."""

    data: tuple[T, ...]
    metadata: PageMetadata = PageMetadata()


Around: TypeAlias = Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]
"""Called with the request for a page, sends it, and may retry it or explain its errors."""


def at_once(send: Callable[[], Awaitable[T]]) -> Awaitable[T]:
    """Send the request for a page as it is."""
    return send()


@frozen
class Api:
    """One API of the platform: JSON in, models out.

    By default, reads are always retried; writes only if they provably had no effect.
    """

    _transport: Transport
    _host: Callable[[], str]  # its base URL, which is known when the client has opened
    _policy: RetryPolicy | None = None
    _tell: TellRetried = log_event

    def with_policy(self, policy: RetryPolicy) -> "Api":
        """The same API with another policy for all its requests."""
        return Api(self._transport, self._host, policy, self._tell)

    def telling(self, tell: TellRetried) -> "Api":
        """The same API, whose requests tell somebody of their retries."""
        return Api(self._transport, self._host, self._policy, tell)

    def get(
        self, path: str, kind: type[T], *, query: Query | None = None, pick: Callable[[Any], Any] = unwrap
    ) -> Awaitable[T]:
        """GET a path and decode what `pick` finds in the response."""
        return self._read(self._request("GET", path, query), kind, pick=pick)

    def get_paged(self, path: str, kind: type[T], *, query: Query | None = None, around: Around = at_once) -> Paged[T]:
        """GET a path page by page; `kind` is the type of an item."""
        return Paged(lambda: self._pages("GET", path, kind, query, None, around))

    def ask_paged(self, path: str, kind: type[T], *, json: Any, around: Around = at_once) -> Paged[T]:
        """POST a query page by page; `kind` is the type of an item."""
        return Paged(lambda: self._pages("POST", path, kind, None, json, around))

    async def _pages(
        self, method: str, path: str, kind: type[T], query: Query | None, json: Any, around: Around
    ) -> AsyncIterator[Sequence[T]]:
        """Fetch page after page, each with the cursor from the page before."""
        kind_of_page: type[Page[T]] = Page[kind]  # type: ignore[valid-type]  # known only here
        cursor, seen, empty = None, set[int](), 0
        while True:
            named: list[tuple[str, Value]] = [] if cursor is None else [("cursorId", cursor)]
            request = self._request(method, path, [*pairs(query), *named], json)
            page: Page[T] = await around(partial(self._read, request, kind_of_page, READ, whole))
            yield page.data
            cursor = page.metadata.next_cursor_id
            if cursor is None:
                return
            empty = 0 if page.data else empty + 1
            del page
            if empty > MAX_EMPTY_PAGES:
                raise self.malformed(method, path, f"{empty} empty pages in a row, and no end")
            if hash(cursor) in seen:
                shown = self.redact(repr(cursor.reveal()))
                problem = f"its cursor {shown} was returned before: the pages form a cycle"
                raise self.malformed(method, path, problem)
            seen.add(hash(cursor))  # not the cursor: there may be a million of them

    def ask(
        self, path: str, kind: type[T], *, json: Any, query: Query | None = None, gives_way: bool = False
    ) -> Awaitable[T]:
        """POST a query, which is harmless to repeat, and decode the response."""
        return self._read(self._request("POST", path, query, json, gives_way=gives_way), kind)

    def post(
        self, path: str, kind: type[T], *, json: Any, query: Query | None = None, dryrun: bool = False
    ) -> Awaitable[T]:
        """POST something to create, and decode the response. With `dryrun`, the platform only validates."""
        return self._read(self._request("POST", path, query, json, dryrun=dryrun), kind, READ if dryrun else WRITE)

    def command(
        self,
        path: str,
        *,
        json: Any = None,
        query: Query | None = None,
        dryrun: bool = False,
        repeatable: bool = False,
    ) -> Awaitable[None]:
        """POST, and ignore the response body. Set `repeatable` if sending it twice is harmless."""
        request = self._request("POST", path, query, json, dryrun=dryrun)
        return self._send(request, check_done, READ if dryrun or repeatable else WRITE)

    def patch(self, path: str, *, json: Any) -> Awaitable[None]:
        """PATCH, and ignore the response body."""
        return self._send(self._request("PATCH", path, json=json), check_done, WRITE)

    def delete(self, path: str) -> Awaitable[None]:
        """DELETE, and ignore the response body."""
        return self._send(self._request("DELETE", path), check_done, WRITE)

    @property
    def late_effect_seconds(self) -> float:
        """Seconds to wait for the effect of a request whose response was lost."""
        return self._transport.late_effect_seconds

    def attempts(self, policy: RetryPolicy) -> Attempts:
        """The attempts of something that takes several requests to this API."""
        return self._transport.attempts(policy, Secret(URL(self._host())), is_api=True, tell=self._tell)

    def url(self, path: str) -> str:
        """The full URL of a path."""
        return f"{self._host().rstrip('/')}/{path}"

    def malformed(self, method: str, path: str, problem: str) -> MalformedAnswerError:
        """The error of a response that breaks the contract."""
        return self._malformed(method, self.url(path), [problem])

    def redact(self, text: str, *, length: int = ERROR_TEXT_LENGTH) -> str:
        """A text of the platform without secrets."""
        return self._transport.redactor(text, length=length)

    def _request(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        json: Any = None,
        *,
        dryrun: bool = False,
        gives_way: bool = False,
    ) -> Request:
        """A request to this API. Raises an InvalidError if JSON cannot express the body."""
        url, headers = URL(self.url(path)), self._transport.headers
        content = json if json is None or isinstance(json, bytes) else to_json(json)
        if content is not None:
            headers = {**headers, "Content-Type": "application/json"}
        return Request(
            method=method,
            url=Secret(url.with_query(pairs(query)) if query else url),
            headers={**headers, "X-Dryrun": ""} if dryrun else headers,
            data=content,
            is_api=True,
            needs_token=True,
            gives_way=gives_way,
        )

    def _send(self, request: Request, read: Callable[[Answer], T], policy: RetryPolicy) -> Awaitable[T]:
        return self._transport.send(request, read, self._policy or policy, self._tell)

    async def _read(
        self, request: Request, kind: type[T], policy: RetryPolicy = READ, pick: Callable[[Any], Any] = unwrap
    ) -> T:
        """Send a request, and decode what `pick` finds in the response."""
        try:
            return await self._send(request, partial(self._decode, kind, pick), policy)
        except DecodeError as error:
            failure = self._malformed(request.method, request.shown, error.problems)
        raise failure  # out here: the converter's error has all of the data

    def _decode(self, kind: type[T], pick: Callable[[Any], Any], answer: Answer) -> T:
        found, redactor = decode(pick(parse(answer)), kind), self._transport.redactor
        if isinstance(found, Page):
            return evolve(found, data=without_secrets(found.data, redactor))
        return without_secrets(found, redactor)

    def _malformed(self, method: str, url: str, problems: Sequence[str]) -> MalformedAnswerError:
        shown = [self.redact(problem, length=300) for problem in problems[:MAX_SHOWN_PROBLEMS]]
        message = f"unexpected response to {method} {url}: {'; '.join(shown)}"
        return MalformedAnswerError(message, method=method, url=url, problems=shown)
