"""A process that ingests scenes with a journal, says which result it has been given, and ends when it is told to."""

import asyncio
import json
import signal
import sys

from benchmarks.child import client_options
from kognic_aio import KognicIOClient
from tests.faults.ingestion import TARGETS, Ingestion


async def ingest(options: str, journal: str, count: str, several: str = "") -> None:
    """Run until all is done, or somebody kills the process or tells it to end."""
    this = asyncio.current_task()
    assert this is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    # This platform shows scenes at once, so that nobody has to wait for those that never came into being.
    async with KognicIOClient(**client_options(json.loads(options)), visibility_timeout=1.0) as client:
        ingestion = Ingestion(int(count), TARGETS if several else ())
        async for result in ingestion.created_by(client, sleep_time=0.02, journal=journal):
            print(result.external_id, result.status.value, flush=True)
    print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(ingest(*sys.argv[1:]))
