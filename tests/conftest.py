"""What all tests share: an emulator, a client of it, and a watch over what blocks or leaks."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx

from kognic_aio import KognicIOClient
from kognic_aio.emulator import Emulator
from tests.waiting import HOUR


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--whole", action="store_true", help="Run the whole fault matrix, not a sample of it.")
    parser.addoption("--seed", type=int, default=1, help="What the faults of the matrix are drawn with.")


def pytest_configure() -> None:
    """Have Ctrl-C reach the processes that tests start, though a shell has us run in its background, deaf to it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def anyio_backend() -> str:
    """aiohttp runs on asyncio only."""
    return "asyncio"


@pytest.fixture(autouse=True)
def nothing_blocks() -> Iterator[BlockBuster]:
    """Whatever of ours blocks the event loop, by reading a file or sleeping, raises."""
    with blockbuster_ctx("kognic_aio") as blockbuster:
        yield blockbuster


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """A platform with the seeds' projects, and a little latency, so that requests overlap on the server's side."""
    async with Emulator(api_latency=0.001, storage_latency=0.002) as running:
        yield running


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[KognicIOClient]:
    """An open client of the emulator, whose grace periods last: a test in which it waits for the end of one hangs.

    When it has closed, nothing that it started is left.
    """
    before = asyncio.all_tasks()
    async with KognicIOClient(**emulator.client_options(), visibility_timeout=HOUR) as client:
        yield client
    others = ("RequestHandler", "TestRunner")  # the emulator's connections, and what runs this fixture
    left = [task for task in asyncio.all_tasks() - before if not any(name in repr(task.get_coro()) for name in others)]
    assert not left, f"tasks left behind: {left}"
