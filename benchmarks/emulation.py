"""The program of the emulator's process. It does not measure anything: see `benchmarks.server`."""

import asyncio
import ssl

from benchmarks.cases import Platform
from benchmarks.child import give_answer, take_order
from kognic_aio.emulator import Emulator


async def serve(platform: Platform, certificate: str | None) -> None:
    """Run an emulator until the parent ends. It records no requests, because nobody reads them."""
    async with Emulator(
        api_latency=platform.api_latency,
        storage_latency=platform.storage_latency,
        processing_time=platform.processing_time,
        ssl=None if certificate is None else make_context(certificate),
        keep_requests=0,
    ) as running:
        give_answer(running.client_options())
        await asyncio.Event().wait()


def make_context(certificate: str) -> ssl.SSLContext:
    """Make the context of a server with a certificate and its key, which are in one file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def main() -> None:
    """Carry out the order."""
    order = take_order()
    asyncio.run(serve(Platform(**order["platform"]), order["certificate"]))


if __name__ == "__main__":
    main()
