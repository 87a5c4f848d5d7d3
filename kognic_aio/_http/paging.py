"""Answers that come in pages."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from kognic_aio._http.async_only import AsyncOnly

T = TypeVar("T")


class Paged(AsyncOnly, Generic[T]):
    """What a query finds, page by page: `async for` fetches each page when it gets there, `await` gives the whole list.

    Nothing is fetched before, and each use asks anew. A page is kept only as long as it is being read.

    Args:
        pages: Begins to fetch pages, from the first on.
    """

    as_list: ClassVar[str] = "await ..."

    def __init__(self, pages: Callable[[], AsyncIterator[Sequence[T]]]) -> None:
        self._pages = pages

    def pages(self) -> AsyncIterator[Sequence[T]]:
        """The pages themselves."""
        return self._pages()

    async def __aiter__(self) -> AsyncGenerator[T, None]:
        async for page in self._pages():
            for item in page:
                yield item

    def __await__(self) -> Generator[Any, None, list[T]]:
        return self._all().__await__()

    async def _all(self) -> list[T]:
        return [item async for item in self]
