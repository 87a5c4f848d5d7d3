"""Objects for `await` and `async for` only: any other use raises an error that says what to write."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, NoReturn


def _instead(form: str) -> Callable[..., NoReturn]:
    def misused(self: "AsyncOnly", *_: object) -> NoReturn:
        what = type(self).__name__
        raise TypeError(f"{what} is asynchronous: write {form.format(self.as_list)}")

    return misused


class AsyncOnly:
    """Base of what is fetched or made as it is consumed.

    Without this, `if` takes a forgotten `await` for true, and the rest is an error that does not say what to do. Type
    checkers find most of it themselves, as long as they see no methods for it.
    """

    as_list: ClassVar[str]
    """What to write for a list of it all."""

    def __bool__(self) -> NoReturn:  # noqa: PLE0304 - so that pyright refuses `if`
        _instead("`if {}:`")(self)

    if not TYPE_CHECKING:
        __await__ = _instead("`async for item in ...`, or `{}` for a list")
        __iter__ = _instead("`async for item in ...`, or `{}` for a list")
        __next__ = _instead("`await anext(aiter(...))`")
        __len__ = _instead("`len({})`")
        __contains__ = _instead("`item in {}`")
        __reversed__ = _instead("`reversed({})`")
        __getitem__ = _instead("`({})[...]`")
