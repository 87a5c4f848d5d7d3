"""Threads of our own, apart from the application's: what blocks in them starves nobody else and keeps no process alive.

The loop's executor belongs to the application, which may have filled it, and the standard library's pools are joined
when the interpreter exits, however long that takes.
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
"""Threads in all loops together. The limits of their users bound how many are needed at once."""

MAX_PAUSE = 0.5
"""Seconds between two tries while the process has no more descriptors or threads."""

PATIENCE = 60.0
"""Seconds for all of these tries."""


class Worker(Executor):
    """One daemon thread, which does one thing after another."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        self._submitted = self._finished = 0
        threading.Thread(target=self._work, name="kognic_aio", daemon=True).start()

    @property
    def is_busy(self) -> bool:
        """Whether it has something to do."""
        return self._submitted != self._finished

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Have something done when all before it has been."""
        context, future = copy_context(), Future[T]()
        self._submitted += 1
        self._jobs.put((future, lambda: context.run(function, *args, **kwargs)))
        return future

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Do something that may block. A cancelled task does not wait for it; it is done all the same."""
        return await asyncio.wrap_future(self.submit(function, *arguments))

    def _work(self) -> None:
        while True:
            future, job = self._jobs.get()
            if future.set_running_or_notify_cancel():
                self._do(future, job)
            else:
                self._finished += 1
            del future, job  # while it waits for the next one, it keeps nothing alive

    def _do(self, future: "Future[Any]", job: Callable[[], Any]) -> None:
        try:
            result = job()
        except StopIteration as error:  # which cannot be raised out of a future
            self._finished += 1
            future.set_exception(RuntimeError(f"StopIteration was raised: {error}"))
        except BaseException as error:  # is for the one who waits for it
            self._finished += 1
            future.set_exception(error)
            del future  # which would be in the frames of its own error, and keep all that they have
        else:
            self._finished += 1
            future.set_result(result)


_idle: list[Worker] = []
"""Workers that have nothing to do. The one that was used last is taken next, so that few are used at all."""

_started: list[Worker] = []
"""All workers. They live as long as the process."""

_in_turn: list[Worker] = []
"""The worker that does one thing after another, once there is one."""


def _forget_all() -> None:
    """A forked process has none of the threads of the one that it comes from."""
    for workers in (_idle, _started, _in_turn):
        workers.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


async def _taken() -> Worker:
    """A worker that has nothing to do."""
    return _idle.pop() if _idle else await patiently(_started_worker)


async def _started_worker() -> Worker:
    if len(_started) >= MAX_WORKERS:
        raise RuntimeError(f"can't start new thread: {MAX_WORKERS} of kognic_aio are blocked")
    _started.append(Worker())
    return _started[-1]


def _give_back(worker: Worker) -> None:
    if worker.is_busy:
        worker.submit(_idle.append, worker)  # by itself, should it ever be done
    else:
        _idle.append(worker)


@asynccontextmanager
async def leased_worker() -> AsyncGenerator[Worker, None]:
    """A thread for oneself: what is read in it is read by one thread from beginning to end."""
    worker = await _taken()
    try:
        yield worker
    finally:
        _give_back(worker)


async def in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Run something that may block; a cancelled task does not wait for it. Callers bound how many run at once."""
    worker = await _taken()
    try:
        return await worker.run(function, *arguments)
    finally:
        _give_back(worker)


async def in_turn(function: Callable[..., T], *arguments: Any) -> T:
    """As `in_thread`, one thing after another: each thread would keep the memory of what takes much of it."""
    if not _in_turn:
        worker = await _taken()
        if _in_turn:  # others have been faster
            _give_back(worker)
        else:
            _in_turn.append(worker)
    return await _in_turn[0].run(function, *arguments)


def thread_hint(error: BaseException) -> str:
    """What to do about an error of something that is used in another thread than it was made in."""
    if "thread" not in str(error).lower() or is_shortage(error):
        return ""
    return ": it is read in a thread of its own; open what it uses in there, or give an async generator"


def is_shortage(error: BaseException) -> bool:
    """Whether the process has no more file descriptors, or can start no more threads, for the time being."""
    if isinstance(error.__cause__, OSError | RuntimeError):  # of one of our own errors
        error = error.__cause__
    if isinstance(error, OSError):
        return error.errno in (errno.EMFILE, errno.ENFILE)
    return isinstance(error, RuntimeError) and "can't start new thread" in str(error)


async def patiently(operation: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Repeat an operation for which the process lacks descriptors or threads, until others have given some back.

    It raises a KognicError if there are none for 60 seconds.
    """
    tries, began = 0, asyncio.get_running_loop().time()
    while True:
        try:
            return await operation(*args, **kwargs)
        except Exception as error:
            if not is_shortage(error):
                raise
            if asyncio.get_running_loop().time() > began + PATIENCE:
                problem = "no file descriptor or thread to be had"
                hint = "raise the limit (ulimit -n, ulimit -u), or lower Limits(uploads=, scene_jobs=)"
                raise KognicError(f"{problem} for {PATIENCE:g} s: {error}; {hint}") from error
        tries += 1
        await anyio.sleep(random.uniform(0, min(MAX_PAUSE, 0.01 * 2**tries)))  # noqa: S311  # spreads load
