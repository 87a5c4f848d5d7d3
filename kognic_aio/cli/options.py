"""Options that several commands have."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def slowness(*, api_latency: float, storage_latency: float, processing_time: float) -> Callable[[F], F]:
    """The options that slow an emulator down, with a command's own defaults in seconds."""

    def add(command: F) -> F:
        command = seconds("--processing-time", processing_time, "How long a scene is processed.")(command)
        command = seconds("--storage-latency", storage_latency, "How long the storage waits before it takes a file.")(
            command
        )
        return seconds("--api-latency", api_latency, "How long the APIs wait before they answer.")(command)

    return add


def seconds(name: str, default: float, text: str) -> Callable[[F], F]:
    """An option that takes seconds, 0 or more."""
    kind = click.FloatRange(min=0)
    return click.option(name, default=default, show_default=True, type=kind, metavar="SECONDS", help=text)
