"""`kognicutil emulator`: a local platform for other processes."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import click

from kognic_aio.cli.output import say
from kognic_aio.emulator import CALIBRATION_ID, Emulator
from kognic_aio.emulator.guard import parse_allowed

F = TypeVar("F", bound=Callable[..., Any])

WELCOME = """\
The emulator listens at {url}, until Ctrl-C.

open batch   batch-2 of project-a
calibration  {calibration_id}
kognicutil   in a shell with these variables, and clients without arguments:

{variables}

client       of these options:

from kognic_aio import KognicIOClient

client = KognicIOClient(
{options}
)
"""


SECONDS = {
    "--api-latency": "Delay of the responses of the APIs.",
    "--storage-latency": "Delay before the storage takes a file.",
    "--processing-time": "Time to process a scene.",
    "--visibility-lag": "Time for which a new scene is unknown to all requests but its commit.",
}


def seconds_option(name: str, default: float = 0.0) -> Callable[[F], F]:
    """One of the options in `SECONDS`, a number of 0 or more."""
    kind = click.FloatRange(min=0)
    return click.option(name, default=default, show_default=True, type=kind, metavar="SECONDS", help=SECONDS[name])


def _host_names(_: click.Context, __: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse malformed host names before anything starts."""
    try:
        parse_allowed(names)
    except ValueError as error:
        raise click.BadParameter(str(error).removeprefix("allowed_hosts: ")) from error
    return names


@click.command(epilog="Example: kognicutil emulator --processing-time 2")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8700, show_default=True, type=click.IntRange(0, 65535), help="0 picks a free port.")
@click.option(
    "--allow-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    callback=_host_names,
    help="Additional host name to respond to, such as the name of its container. Repeatable.",
)
@seconds_option("--api-latency")
@seconds_option("--storage-latency")
@seconds_option("--processing-time")
@seconds_option("--visibility-lag")
@click.option(
    "--unknown-scenes",
    default="refuse",
    show_default=True,
    type=click.Choice(["refuse", "omit"]),
    help="How a status query treats unknown scenes: respond with 404, or omit them.",
)
@click.option(
    "--reads-files/--no-reads-files",
    default=True,
    show_default=True,
    help="Whether processing fails for files whose content does not match their suffix.",
)
def emulator(host: str, port: int, **behaviour: Any) -> None:
    """Run a local emulator of the platform until Ctrl-C or SIGTERM.

    It keeps everything in memory and forgets it when it stops.
    """
    asyncio.run(_serve(Emulator(host=host, port=port, **behaviour), f"{host}:{port}"))


async def _serve(platform: Emulator, address: str) -> None:
    terminated = asyncio.Event()
    with suppress(NotImplementedError):  # Windows has no SIGTERM
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminated.set)
    try:
        await platform.start()
    except OSError as error:
        reason = str(error.strerror).rpartition(": ")[2]  # without the sentence that asyncio puts before it
        raise click.ClickException(f"cannot listen on {address}: {reason}") from error
    except UnicodeError as error:
        raise click.ClickException(f"cannot listen on {address}: it is not a host name") from error
    async with platform:  # it listens already; this stops it
        welcome = WELCOME.format(
            url=platform.url,
            calibration_id=CALIBRATION_ID,
            variables=_variables(platform),
            options="\n".join(f"    {name}={value!r}," for name, value in platform.client_options().items()),
        )
        say(*welcome.split("\n"))
        await terminated.wait()


def _variables(platform: Emulator) -> str:
    """The shell line that makes other commands use a running emulator."""
    client_id, client_secret = platform.client_options()["auth"]
    values = {
        "KOGNIC_ENV": platform.url,
        "KOGNIC_CREDENTIALS": "",  # the user's own would win over the next two
        "KOGNIC_CLIENT_ID": client_id,
        "KOGNIC_CLIENT_SECRET": client_secret,
    }
    return " ".join(["export", *(f"{name}={value}" for name, value in values.items())])
