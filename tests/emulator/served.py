"""An emulator in a process of its own: prints its port and, when its standard input ends, its peak memory in MiB."""

import asyncio
import sys

from kognic_aio.emulator import Emulator
from tests.cost import peak_memory


def say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


async def serve() -> None:
    async with Emulator() as emulator:
        say(emulator.url.rpartition(":")[2])
        await asyncio.to_thread(sys.stdin.read)
    say(peak_memory())


if __name__ == "__main__":
    asyncio.run(serve())
