"""Task groups whose errors come out as they are."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import anyio

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

T = TypeVar("T")


@asynccontextmanager
async def task_group() -> AsyncGenerator["TaskGroup", None]:
    """An anyio task group that raises the first error of its tasks instead of an `ExceptionGroup`."""
    try:
        async with anyio.create_task_group() as group:
            yield group
    except BaseExceptionGroup as errors:
        first = _first(errors)
    else:
        return
    raise first  # out here, where the group does not become its context


async def for_each(items: Sequence[T], action: Callable[[T], Awaitable[object]], *, workers: int) -> None:
    """Do something with every item, several at once; the first error ends it all.

    Args:
        items: The items. None has a task of its own, so that a long list costs no more than a short one.
        action: What to do with an item.
        workers: How many items to work on at once.
    """
    if len(items) == 1:
        await action(items[0])
        return
    waiting = iter(items)

    async def work() -> None:
        for item in waiting:
            await action(item)

    async with task_group() as group:
        for _ in range(min(len(items), workers)):
            group.start_soon(work)


def _first(errors: BaseException) -> BaseException:
    """The first error at the bottom of nested groups; it keeps its own cause."""
    while isinstance(errors, BaseExceptionGroup):
        errors = errors.exceptions[0]
    return errors
