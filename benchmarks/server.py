"""The emulator in a process of its own."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import attrs
import psutil

from benchmarks.cases import Slowness
from benchmarks.child import child, give_answer, take_order
from kognic_aio.emulator import Emulator


class Server:
    """An emulator in another process.

    Args:
        pid: Its process.
        options: The keyword arguments of a client for it, as JSON.
    """

    def __init__(self, pid: int, options: dict[str, Any]) -> None:
        self.options = options
        self._process = psutil.Process(pid)
        self._cpu_at_start = self._cpu()

    def report(self) -> dict[str, Any]:
        """Return what the emulator saw of its clients. `cpu` is its own CPU time since it was ready."""
        cpu = self._cpu() - self._cpu_at_start
        connection = HTTPConnection(urlsplit(self.options["host"]).netloc, timeout=10)
        try:
            connection.request("GET", "/emulator/report")
            report: dict[str, Any] = json.load(connection.getresponse())
        finally:
            connection.close()
        report["connections_opened"] -= 1  # without the connection of this request
        return report | {"cpu": cpu}

    def _cpu(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def emulator(slowness: Slowness | None = None) -> Iterator[Server]:
    """Start a fresh emulator. It ends with the context, or with this process if that ends first."""
    with child("benchmarks.server", attrs.asdict(slowness or Slowness())) as running:
        yield Server(running.pid, running.answer)


async def serve(slowness: Slowness) -> None:
    """Run an emulator in the child, until the parent ends. It records no requests, because nobody reads them."""
    async with Emulator(
        api_latency=slowness.api,
        storage_latency=slowness.storage,
        processing_time=slowness.processing,
        keep_requests=0,
    ) as running:
        give_answer(running.client_options())
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Slowness(**take_order())))
