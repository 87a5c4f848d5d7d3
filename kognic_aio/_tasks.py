"""Task groups that raise errors as they are, and never end half-done without one."""

import asyncio
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from kognic_aio.errors import KognicError

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

T = TypeVar("T")
R = TypeVar("R")


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
    """Call an action with every item, several concurrently. The first error ends all of them."""
    waiting = iter(items)  # shared by the workers: a task for each item of a long list would cost too much
    done = 0

    async def work() -> None:
        nonlocal done
        for item in waiting:
            await action(item)
            done += 1

    if len(items) <= 1:
        await work()
        return
    async with task_group() as group:
        for _ in range(min(len(items), workers)):
            group.start_soon(work)
    if done < len(items):  # a group ignores a task that raises CancelledError, as if it had cancelled that itself
        raise KognicError(f"a task was cancelled by other code; {done} of {len(items)} items were processed")


async def map_in_order(items: Sequence[T], action: Callable[[T], Awaitable[R]], *, workers: int) -> list[R]:
    """Return the result of an action for every item, in the order of the items. Several run concurrently."""
    results: dict[int, R] = {}

    async def act(index: int) -> None:
        results[index] = await action(items[index])

    await for_each(range(len(items)), act, workers=workers)
    return [results[index] for index in range(len(items))]


def retrieve_exception(ended: "asyncio.Future[Any]") -> None:
    """Retrieve the exception of a future that nobody may wait for, or asyncio would log it as never retrieved."""
    if not ended.cancelled():
        ended.exception()


def is_being_cancelled() -> bool:
    """Whether the current task is being cancelled. If not, a CancelledError comes from somewhere else."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def is_async_callable(function: Callable[..., object]) -> bool:
    """Whether calling something gives an awaitable: a coroutine function, or an object with an async `__call__`."""
    if isinstance(function, partial):
        return is_async_callable(function.func)
    is_async = inspect.iscoroutinefunction
    return is_async(function) or is_async(getattr(function, "__call__", None))  # noqa: B004  # an object with one


def _first(errors: BaseException) -> BaseException:
    """The first error at the bottom of nested groups; it keeps its own cause."""
    while isinstance(errors, BaseExceptionGroup):
        errors = errors.exceptions[0]
    return errors
