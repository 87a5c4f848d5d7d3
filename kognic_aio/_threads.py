"""Threads of our own, apart from the application's. Blocking calls here do not starve it, and keep no process alive.

The loop's executor belongs to the application, which may have filled it. The standard library's pools are joined when
the interpreter exits, however long that takes.
"""

import asyncio
import errno
import os
import random
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import Executor, Future
from contextlib import asynccontextmanager
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

import anyio

from kognic_aio.errors import KognicError

P = ParamSpec("P")
T = TypeVar("T")

MAX_WORKERS = 512
"""Threads in all loops together. The limits of their users bound how many are needed concurrently."""

MAX_PAUSE = 0.5
"""Seconds between two attempts while the process has no more descriptors or threads."""

MAX_SHORTAGE = 60.0
"""Seconds for all of these attempts."""


class Worker(Executor):
    """A daemon thread that runs one job after another."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        self._submitted = self._finished = 0
        threading.Thread(target=self._work, name="kognic_aio", daemon=True).start()

    @property
    def is_busy(self) -> bool:
        """Whether it has a job."""
        return self._submitted != self._finished

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Run a function when all earlier jobs have ended."""
        context, future = copy_context(), Future[T]()
        self._submitted += 1
        self._jobs.put((future, lambda: context.run(function, *args, **kwargs)))
        return future

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run a function that may block. A cancelled task does not wait for it; the call still runs to its end."""
        return await asyncio.wrap_future(self.submit(function, *arguments))

    def _work(self) -> None:
        while True:
            future, job = self._jobs.get()
            if future.set_running_or_notify_cancel():
                self._do(future, job)
            else:
                self._finished += 1
            del future, job  # or they would be kept alive until the next job

    def _do(self, future: "Future[Any]", job: Callable[[], Any]) -> None:
        try:
            result = job()
        except StopIteration as error:  # a future cannot raise it
            self._finished += 1
            future.set_exception(RuntimeError(f"StopIteration was raised: {error}"))
        except BaseException as error:  # for the one who waits for the future
            self._finished += 1
            future.set_exception(error)
            del future  # or the frames of its error would refer to it, a cycle that keeps all that they have
        else:
            self._finished += 1
            future.set_result(result)


_idle: list[Worker] = []
"""Idle workers. The one that was used last is taken next, so that few are used at all."""

_started: list[Worker] = []
"""All workers. They live as long as the process."""

_shared: list[Worker] = []
"""The worker of `one_at_a_time`, once there is one."""


def _forget_all() -> None:
    """A forked process has none of its parent's threads."""
    for workers in (_idle, _started, _shared):
        workers.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


async def _taken() -> Worker:
    """An idle worker."""
    return _idle.pop() if _idle else await with_descriptors(_started_worker)


async def _started_worker() -> Worker:
    if len(_started) >= MAX_WORKERS:
        raise RuntimeError(f"can't start new thread: {MAX_WORKERS} of kognic_aio are blocked")
    _started.append(Worker())
    return _started[-1]


def _give_back(worker: Worker) -> None:
    if worker.is_busy:
        worker.submit(_idle.append, worker)  # a busy worker returns itself when it finishes
    else:
        _idle.append(worker)


@asynccontextmanager
async def leased_worker() -> AsyncGenerator[Worker, None]:
    """A thread for the caller alone, for sources that must be read by one thread from beginning to end."""
    worker = await _taken()
    try:
        yield worker
    finally:
        _give_back(worker)


async def in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Run a function that may block. A cancelled task does not wait for it. Callers bound how many run concurrently."""
    worker = await _taken()
    try:
        return await worker.run(function, *arguments)
    finally:
        _give_back(worker)


async def one_at_a_time(function: Callable[..., T], *arguments: Any) -> T:
    """Like `in_thread`, for functions that need much memory: one shared thread, as each would keep its own arena."""
    if not _shared:
        worker = await _taken()
        if _shared:  # another task was faster
            _give_back(worker)
        else:
            _shared.append(worker)
    return await _shared[0].run(function, *arguments)


def thread_hint(error: BaseException) -> str:
    """The remedy for an error of an object that is used in another thread than it was made in, else empty."""
    if "thread" not in str(error).lower() or is_shortage(error):
        return ""
    hint = "create the objects that it uses inside the generator or callback, or pass an async generator"
    return f": it runs in another thread; {hint}"


def is_shortage(error: BaseException) -> bool:
    """Whether the process currently has no more file descriptors or cannot start more threads."""
    if isinstance(error.__cause__, OSError | RuntimeError):  # the error is one of ours
        error = error.__cause__
    if isinstance(error, OSError):
        return error.errno in (errno.EMFILE, errno.ENFILE)
    return isinstance(error, RuntimeError) and "can't start new thread" in str(error)


async def with_descriptors(operation: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Repeat an operation while the process lacks file descriptors or threads.

    Raises:
        KognicError: If there are none for `MAX_SHORTAGE` seconds.
    """
    attempts, began = 0, asyncio.get_running_loop().time()
    while True:
        try:
            return await operation(*args, **kwargs)
        except Exception as error:
            if not is_shortage(error):
                raise
            if asyncio.get_running_loop().time() > began + MAX_SHORTAGE:
                problem = "no file descriptor or thread available"
                hint = "raise the limit (ulimit -n, ulimit -u), or lower Limits(uploads=, scene_jobs=)"
                raise KognicError(f"{problem} for {MAX_SHORTAGE:g} s: {error}; {hint}") from error
        attempts += 1
        await anyio.sleep(random.uniform(0, min(MAX_PAUSE, 0.01 * 2**attempts)))  # noqa: S311  # spreads load
