"""An event loop whose clock is fast, for tests of what waits by it for seconds."""

import asyncio
import selectors
from typing import Any

import pytest

SPEED = 10


class Quick(asyncio.SelectorEventLoop):
    """An event loop in which a second passes in a tenth of one."""

    def __init__(self) -> None:
        super().__init__(_Hurrying())

    def time(self) -> float:
        return SPEED * super().time()


class _Hurrying(selectors.DefaultSelector):  # type: ignore[misc, valid-type, unused-ignore]
    def select(self, timeout: float | None = None) -> Any:
        return super().select(timeout and timeout / SPEED)


quick = pytest.mark.parametrize("anyio_backend", [("asyncio", {"loop_factory": Quick})], ids=["quick"])
"""Runs a test in such a loop."""
