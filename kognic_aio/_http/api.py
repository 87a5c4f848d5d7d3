"""The platform's APIs: JSON in, models out."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

import anyio
from attrs import asdict, astuple, evolve, field, frozen

from kognic_aio._http.paging import Paged
from kognic_aio._http.protocol import DRYRUN_HEADER, ERROR_TEXT_LENGTH, Answer, check_done, parse, unwrap
from kognic_aio._http.retries import may_come_late, may_have_had_effect, may_repeat, one_try_each
from kognic_aio._http.transport import Query, Transport, Value, pairs
from kognic_aio._http.wire import DecodeError, decode
from kognic_aio._secret import Secret
from kognic_aio.errors import InvalidError, MalformedAnswerError
from kognic_aio.model import CreatedPreAnnotation, Input, InputEntry, Scene, SceneStatus

T = TypeVar("T")

MOST_PROBLEMS = 5
MOST_OF_A_PROBLEM = 300
"""How much of what is wrong with an answer is told."""

MOST_OF_A_CURSOR = 2_000
"""Characters of a cursor, which goes into a URL."""

MOST_EMPTY_PAGES = 100
"""Pages without items, one after another, each of which names a next one."""


def _check_length(_: object, __: object, cursor: Secret[str | int] | None) -> None:
    if cursor is not None and len(str(cursor.reveal())) > MOST_OF_A_CURSOR:
        raise InvalidError(f"a cursor of more than {MOST_OF_A_CURSOR:,} characters")


@frozen(kw_only=True)
class PageMetadata:
    """How to get the next page: `next_cursor_id` is None on the last. It gives access to what is on that page."""

    next_cursor_id: Secret[str | int] | None = field(default=None, validator=_check_length)


@frozen(kw_only=True)
class Page(Generic[T]):
    """One page of an answer."""

    data: tuple[T, ...]
    metadata: PageMetadata = PageMetadata()


def _whole(data: Any) -> Any:
    """An answer with the envelope around its `data`."""
    return data


def _items(data: Any) -> list[Any]:
    """The items of an answer that gives an only item without a list around it."""
    items = unwrap(data)
    return items if isinstance(items, list) else [items]


class Api:
    """One API of the platform: JSON in, models out.

    Args:
        transport: Sends the requests.
        host: Tells the API's base URL, which is known when the client has opened.
    """

    def __init__(self, transport: Transport, host: Callable[[], str]) -> None:
        self._transport = transport
        self._host = host

    async def get(self, path: str, kind: type[T], *, query: Query | None = None) -> T:
        """What a GET answers."""
        return await self._read("GET", path, kind, unwrap, query=query, repeatable=True)

    async def get_whole(self, path: str, kind: type[T], *, query: Query | None = None) -> T:
        """What a GET answers, with the envelope around its `data`."""
        return await self._read("GET", path, kind, query=query, repeatable=True)

    async def get_list(self, path: str, kind: type[T], *, query: Query | None = None) -> list[T]:
        """What a GET answers that gives an only item without a list around it; `kind` is that of an item."""
        several: type[list[T]] = list[kind]  # type: ignore[valid-type]  # known only here
        return await self._read("GET", path, several, _items, query=query, repeatable=True)

    def get_paged(self, path: str, kind: type[T], *, query: Query | None = None) -> Paged[T]:
        """What a GET answers in pages; `kind` is that of an item."""
        return Paged(lambda: self._pages("GET", path, kind, query=query))

    def ask_paged(self, path: str, kind: type[T], *, json: Any) -> Paged[T]:
        """What a POST answers in pages that only asks for something; `kind` is that of an item."""
        return Paged(lambda: self._pages("POST", path, kind, json=json))

    async def _pages(
        self, method: str, path: str, kind: type[T], *, query: Query | None = None, json: Any = None
    ) -> AsyncIterator[Sequence[T]]:
        """Ask for page after page, each with the cursor that the one before has named."""
        url = self.url(path)
        kind_of_page: type[Page[T]] = Page[kind]  # type: ignore[valid-type]  # known only here
        cursor, seen, empty = None, set[int](), 0
        while True:
            named: list[tuple[str, Value]] = [] if cursor is None else [("cursorId", cursor)]
            full = [*pairs(query), *named]
            page = await self._read(method, path, kind_of_page, _whole, query=full, json=json, repeatable=True)
            yield page.data
            cursor = page.metadata.next_cursor_id
            if cursor is None:
                return
            empty = 0 if page.data else empty + 1
            del page
            if empty > MOST_EMPTY_PAGES:
                raise self._malformed(method, url, [f"{empty} empty pages, and after them another one"])
            if hash(cursor) in seen:
                shown = self.told(repr(cursor.reveal()))
                problem = f"it has the page {shown} as the one after itself, or after a later one"
                raise self._malformed(method, url, [problem])
            seen.add(hash(cursor))  # not the cursor: there may be a million of them

    async def ask(self, path: str, kind: type[T], *, json: Any, query: Query | None = None) -> T:
        """What a POST answers that only asks for something, so that it can be repeated at will."""
        return await self._read("POST", path, kind, unwrap, query=query, json=json, repeatable=True)

    async def post(self, path: str, kind: type[T], *, json: Any, query: Query | None = None, dryrun: bool = False) -> T:
        """What a POST answers that creates something; with `dryrun`, the platform only validates."""
        headers = DRYRUN_HEADER if dryrun else None
        return await self._read("POST", path, kind, unwrap, query=query, json=json, headers=headers, repeatable=dryrun)

    async def command(
        self,
        path: str,
        *,
        json: Any = None,
        query: Query | None = None,
        dryrun: bool = False,
        repeatable: bool = False,
    ) -> None:
        """A POST whose answer holds nothing of use.

        Args:
            path: The path.
            json: The body.
            query: What to put into the query string.
            dryrun: Whether the platform only validates.
            repeatable: Whether it can be repeated at will, as its effect is the same once it is there.
        """
        url, headers = self.url(path), DRYRUN_HEADER if dryrun else None
        may_repeat = dryrun or repeatable
        await self._transport.call(
            "POST", url, query=query, json=json, headers=headers, repeatable=may_repeat, read=check_done
        )

    async def once(self, act: Callable[[], Awaitable[T]], look: Callable[[], Awaitable[T | None]]) -> T:
        """Do what must not happen twice. After a failure that may have had its effect, the platform is asked.

        Args:
            act: What to do.
            look: What has come of it: its result if it has happened, None if it has not, and is to be done again.

        Raises:
            Exception: What the last try raised, if nothing has come of it.
        """
        uncertain = late = False

        async def attempt() -> T:
            nonlocal uncertain, late
            with one_try_each():
                if uncertain and (found := await (self.look_late(look) if late else look())) is not None:
                    return found
                uncertain = False
                try:
                    return await act()
                except Exception as error:
                    uncertain, late = may_have_had_effect(error), may_come_late(error)
                    raise

        try:
            return await self._transport.repeating(may_repeat, attempt)
        except Exception as error:  # if it was the last of several, what came of it is still to be found out
            if uncertain and may_repeat(error) and (found := await look()) is not None:
                return found
            raise

    async def look_late(self, look: Callable[[], Awaitable[T | None]]) -> T | None:
        """What has come of a request whose answer was lost just now: the platform may still be about to do it."""
        if (found := await look()) is not None:
            return found
        await anyio.sleep(self.grace)
        return await look()

    async def patch(self, path: str, *, json: Any) -> None:
        """A PATCH, whose answer holds nothing of use."""
        await self._transport.call("PATCH", self.url(path), json=json, repeatable=False, read=check_done)

    async def delete(self, path: str) -> None:
        """A DELETE, whose answer holds nothing of use."""
        await self._transport.call("DELETE", self.url(path), repeatable=False, read=check_done)

    @property
    def grace(self) -> float:
        """Seconds to wait for an effect whose answer was lost."""
        return self._transport.grace

    def url(self, path: str) -> str:
        """The full URL of a path."""
        return f"{self._host().rstrip('/')}/{path}"

    def malformed(self, method: str, path: str, *problems: str) -> MalformedAnswerError:
        """The error of an answer that is not what the contract says.

        Args:
            method: The HTTP method.
            path: The path that was asked.
            problems: What is wrong with the answer.
        """
        return self._malformed(method, self.url(path), problems)

    def told(self, text: str, *, length: int = ERROR_TEXT_LENGTH) -> str:
        """A text of the platform as others may see it."""
        return self._transport.redactor(text, length=length)

    def clean(self, value: str) -> str:
        """A value of the platform's as it can be kept: as it is, unless it has a secret in it."""
        return self._transport.redactor.clean(value)

    async def _read(
        self, method: str, path: str, kind: type[T], pick: Callable[[Any], Any] = _whole, **request: Any
    ) -> T:
        """What a request answers; `pick` tells where in there it is, and the rest is what `Transport.call` takes."""
        url = self.url(path)

        def read(answer: Answer) -> T:
            return self._as_told(decode(pick(parse(answer)), kind))

        try:
            return await self._transport.call(method, url, **request, read=read)
        except DecodeError as error:
            failure = self._malformed(method, url, error.problems)
        raise failure  # out here: the converter's error has all of the data

    def _as_told(self, found: T) -> T:
        """What was found, with the platform's words as others may see them, and what is kept without secrets."""
        told: Any = found
        match told:
            case list():
                told = [self._as_told(each) for each in told]
            case Page():
                told = evolve(told, data=tuple(map(self._as_told, told.data)))
            case Scene() | InputEntry():
                told = self._scene_as_told(told)
            case Input() | CreatedPreAnnotation() if self._transport.redactor.knows("\n".join(astuple(told))):
                told = type(told)(**{name: self.clean(value) for name, value in asdict(told).items()})
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
        told = [self.told(problem, length=MOST_OF_A_PROBLEM) for problem in problems[:MOST_PROBLEMS]]
        message = f"{method} {url} answered what the contract does not say: {'; '.join(told)}"
        return MalformedAnswerError(message, method=method, url=url, problems=told)
