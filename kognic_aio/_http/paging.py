"""Results that come in pages, and objects for `await` and `async for` only."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, TypeVar

T = TypeVar("T")


def _instead(form: str) -> Callable[..., NoReturn]:
    def misused(self: "AsyncOnly", *_: object) -> NoReturn:
        what = type(self).__name__
        raise TypeError(f"{what} is asynchronous: write {form.format(self.as_list)}")

    return misused


class AsyncOnly:
    """Base of results that are fetched or made as they are consumed. Any other use raises an error with the remedy.

    Without this, `if` takes a forgotten `await` for true, and other errors would not say what to do. The methods that
    raise it are hidden from type checkers, which then report most misuse themselves.
    """

    as_list: ClassVar[str]
    """The expression that makes a list of all items."""

    def __bool__(self) -> NoReturn:  # noqa: PLE0304  # so that pyright refuses `if`
        _instead("`if {}:`")(self)

    if not TYPE_CHECKING:
        __await__ = _instead("`async for item in ...`, or `{}` for a list")
        __iter__ = _instead("`async for item in ...`, or `{}` for a list")
        __next__ = _instead("`await anext(aiter(...))`")
        __len__ = _instead("`len({})`")
        __contains__ = _instead("`item in {}`")
        __reversed__ = _instead("`reversed({})`")
        __getitem__ = _instead("`({})[...]`")


class Paged(AsyncOnly, Generic[T]):
    """The results of a query: `async for` fetches page by page, `await` returns the whole list.

    Nothing is fetched until then, and each use sends the query again. A page is kept only while it is read.

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
