"""The platform's APIs: JSON in, models out."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from attrs import asdict, astuple, evolve, field, frozen
from yarl import URL

from kognic_aio._http.paging import Paged
from kognic_aio._http.protocol import ERROR_TEXT_LENGTH, Answer, Query, Request, Value, check_done, pairs, parse, unwrap
from kognic_aio._http.reading import parsed
from kognic_aio._http.retry import READ, WRITE, Attempts, RetryPolicy
from kognic_aio._http.transport import Transport
from kognic_aio._http.wire import DecodeError, decode, to_json
from kognic_aio._secret import Secret
from kognic_aio.errors import InvalidError, MalformedAnswerError
from kognic_aio.model import CreatedPreAnnotation, Input, InputEntry, Scene, SceneStatus

T = TypeVar("T")

MAX_PROBLEMS = 5
"""Problems of an answer that an error tells."""

MAX_CURSOR = 2_000
"""Characters of a cursor, which goes into a URL."""

MAX_EMPTY_PAGES = 100
"""Pages without items, one after another, each of which names a next one."""


def _check_length(_: object, __: object, cursor: Secret[str | int] | None) -> None:
    if cursor is not None and len(str(cursor.reveal())) > MAX_CURSOR:
        raise InvalidError(f"a cursor of more than {MAX_CURSOR:,} characters")


@frozen(kw_only=True)
class PageMetadata:
    """How to get the next page. The cursor gives access to what is there; it is None on the last page."""

    next_cursor_id: Secret[str | int] | None = field(default=None, validator=_check_length)


@frozen(kw_only=True)
class Page(Generic[T]):
    """One page of an answer."""

    data: tuple[T, ...]
    metadata: PageMetadata = PageMetadata()


def _whole(data: Any) -> Any:
    return data


def _items(data: Any) -> list[Any]:
    """The items of an answer. A single one may have no list around it."""
    items = unwrap(data)
    return items if isinstance(items, list) else [items]


@frozen
class Api:
    """One API of the platform: JSON in, models out.

    Args:
        transport: Sends the requests.
        host: Tells the API's base URL, which is known when the client has opened.
        policy: When to send requests again. By default reads at will, others if they have provably done nothing.
    """

    _transport: Transport
    _host: Callable[[], str]
    _policy: RetryPolicy | None = None

    def with_policy(self, policy: RetryPolicy) -> "Api":
        """The same API with another policy for all its requests."""
        return Api(self._transport, self._host, policy)

    def get(self, path: str, kind: type[T], *, query: Query | None = None) -> Awaitable[T]:
        """What a GET answers."""
        return self._read(self._request("GET", path, query), kind)

    def get_whole(self, path: str, kind: type[T], *, query: Query | None = None) -> Awaitable[T]:
        """What a GET answers, with the envelope around its `data`."""
        return self._read(self._request("GET", path, query), kind, pick=_whole)

    def get_list(self, path: str, kind: type[T], *, query: Query | None = None) -> Awaitable[list[T]]:
        """What a GET answers if a single item may have no list around it; `kind` is that of an item."""
        several: type[list[T]] = list[kind]  # type: ignore[valid-type]  # known only here
        return self._read(self._request("GET", path, query), several, pick=_items)

    def get_paged(self, path: str, kind: type[T], *, query: Query | None = None) -> Paged[T]:
        """What a GET answers in pages; `kind` is that of an item."""
        return Paged(lambda: self._pages("GET", path, kind, query, None))

    def ask_paged(self, path: str, kind: type[T], *, json: Any) -> Paged[T]:
        """What a POST answers in pages if it only asks for something; `kind` is that of an item."""
        return Paged(lambda: self._pages("POST", path, kind, None, json))

    async def _pages(
        self, method: str, path: str, kind: type[T], query: Query | None, json: Any
    ) -> AsyncIterator[Sequence[T]]:
        """Ask for page after page, each with the cursor from the page before."""
        kind_of_page: type[Page[T]] = Page[kind]  # type: ignore[valid-type]  # known only here
        cursor, seen, empty = None, set[int](), 0
        while True:
            named: list[tuple[str, Value]] = [] if cursor is None else [("cursorId", cursor)]
            page = await self._read(
                self._request(method, path, [*pairs(query), *named], json), kind_of_page, pick=_whole
            )
            yield page.data
            cursor = page.metadata.next_cursor_id
            if cursor is None:
                return
            empty = 0 if page.data else empty + 1
            del page
            if empty > MAX_EMPTY_PAGES:
                raise self.malformed(method, path, f"{empty} empty pages, and after them another one")
            if hash(cursor) in seen:
                shown = self.told(repr(cursor.reveal()))
                problem = f"it has the page {shown} as the one after itself, or after a later one"
                raise self.malformed(method, path, problem)
            seen.add(hash(cursor))  # not the cursor: there may be a million of them

    def ask(self, path: str, kind: type[T], *, json: Any, query: Query | None = None) -> Awaitable[T]:
        """What a POST answers if it only asks for something, so that it may be repeated at will."""
        return self._read(self._request("POST", path, query, json), kind)

    def post(
        self, path: str, kind: type[T], *, json: Any, query: Query | None = None, dryrun: bool = False
    ) -> Awaitable[T]:
        """What a POST answers if it creates something. With `dryrun`, the platform only validates."""
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
        """A POST whose answer holds nothing of use. It is `repeatable` if the second one changes nothing."""
        request = self._request("POST", path, query, json, dryrun=dryrun)
        return self._send(request, check_done, READ if dryrun or repeatable else WRITE)

    def patch(self, path: str, *, json: Any) -> Awaitable[None]:
        """A PATCH, whose answer holds nothing of use."""
        return self._send(self._request("PATCH", path, json=json), check_done, WRITE)

    def delete(self, path: str) -> Awaitable[None]:
        """A DELETE, whose answer holds nothing of use."""
        return self._send(self._request("DELETE", path), check_done, WRITE)

    @property
    def grace(self) -> float:
        """Seconds to wait for an effect whose answer was lost."""
        return self._transport.grace

    def attempts(self, policy: RetryPolicy) -> Attempts:
        """The attempts of something that takes several requests to this API."""
        return self._transport.attempts(policy, Secret(URL(self._host())), is_api=True)

    def url(self, path: str) -> str:
        """The full URL of a path."""
        return f"{self._host().rstrip('/')}/{path}"

    def malformed(self, method: str, path: str, *problems: str) -> MalformedAnswerError:
        """The error of an answer that breaks the contract."""
        return self._malformed(method, self.url(path), problems)

    def told(self, text: str, *, length: int = ERROR_TEXT_LENGTH) -> str:
        """A text of the platform without secrets."""
        return self._transport.redactor(text, length=length)

    def _request(
        self, method: str, path: str, query: Query | None = None, json: Any = None, *, dryrun: bool = False
    ) -> Request:
        """A request to this API; an InvalidError if the body is no JSON."""
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
        )

    def _send(self, request: Request, parse: Callable[[Answer], T], policy: RetryPolicy) -> Awaitable[T]:
        """What a function makes of the answer to a request, in a thread if that is large."""
        return self._transport.send(request, partial(parsed, parse), self._policy or policy)

    async def _read(
        self, request: Request, kind: type[T], policy: RetryPolicy = READ, pick: Callable[[Any], Any] = unwrap
    ) -> T:
        """The model in the answer to a request; `pick` finds it there."""

        def read(answer: Answer) -> T:
            return self._as_told(decode(pick(parse(answer)), kind))

        try:
            return await self._send(request, read, policy)
        except DecodeError as error:
            failure = self._malformed(request.method, request.shown, error.problems)
        raise failure  # out here: the converter's error has all of the data

    def _as_told(self, found: T) -> T:
        """What was found, without secrets in the platform's words and in what is kept."""
        told: Any = found
        match told:
            case list():
                told = [self._as_told(each) for each in told]
            case Page():
                told = evolve(told, data=tuple(map(self._as_told, told.data)))
            case Scene() | InputEntry():
                told = self._scene_as_told(told)
            case Input() | CreatedPreAnnotation() if self._transport.redactor.knows("\n".join(astuple(told))):
                clean = self._transport.redactor.clean
                told = type(told)(**{name: clean(value) for name, value in asdict(told).items()})
            case _:
                pass
        return told  # type: ignore[no-any-return]  # of the kind that was found

    def _scene_as_told(self, found: Scene | InputEntry) -> Scene | InputEntry:
        words, status = found.error_message, found.status
        if words is None and status.name in SceneStatus.__members__:
            return found
        return evolve(
            found,
            status=status if status.name in SceneStatus.__members__ else SceneStatus(self.told(status.value)),
            error_message=None if words is None else self.told(words),
        )

    def _malformed(self, method: str, url: str, problems: Sequence[str]) -> MalformedAnswerError:
        told = [self.told(problem, length=300) for problem in problems[:MAX_PROBLEMS]]
        message = f"{method} {url} answered what the contract does not say: {'; '.join(told)}"
        return MalformedAnswerError(message, method=method, url=url, problems=told)
