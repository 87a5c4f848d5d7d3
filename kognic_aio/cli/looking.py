"""What commands that look at the platform have in common: where they look, as whom, and how they show what is there."""

import asyncio
import logging
import os
import warnings
from collections.abc import AsyncIterable, Callable, Coroutine, Iterable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

import click
from attrs import define, field

from kognic_aio.cli import output
from kognic_aio.cli.output import say
from kognic_aio.environments import ENVIRONMENT_VARIABLE, default_environment

if TYPE_CHECKING:
    from kognic_aio import KognicIOClient

ATTEMPTS = 3
"""Tries of a request: fewer than the client's own default, for somebody is waiting."""

NO_WORKSPACE = "none"
"""Nothing is created in a workspace by looking. Without this, opening a client would look for the only workspace that
one may write to, and refuse those who may write to several or to none."""

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON with all fields, for programs.")


@define(kw_only=True)
class Look:
    """A look at the platform.

    Args:
        env: The environment to look at.
        organization: The organization to act for.
        as_json: Whether to show JSON, not a table.
    """

    env: str | None = None
    organization: int | None = None
    as_json: bool
    _redacted: Callable[[str], str] = field(default=str, init=False)

    def client(self) -> "KognicIOClient":
        """A client to open.

        Raises:
            InvalidError: If the file that names environments is malformed.
        """
        from kognic_aio import KognicIOClient  # noqa: PLC0415 - help does not wait for what only a look needs

        warnings.simplefilter("ignore")  # they are for programmers
        logging.getLogger().addHandler(logging.NullHandler())
        if self.organization is not None:
            say(f"Acting for organization {self.organization}", err=True)
        is_variable = bool(self.env) and self.env == os.environ.get(ENVIRONMENT_VARIABLE)
        client = KognicIOClient(
            env=None if is_variable else self.env or default_environment(),  # then errors name the variable
            client_organization_id=self.organization,
            write_workspace_id=NO_WORKSPACE,
            max_retry_attempts=ATTEMPTS,
        )
        self._redacted = client.redacted
        return client

    async def show(self, models: Iterable[Any] | AsyncIterable[Any], columns: Sequence[str]) -> None:
        """Show models: these columns of them, or all as a JSON array."""
        if self.as_json:
            await output.print_json_array(models, self._redacted)
        else:
            output.print_rows(columns, [self._row(model, columns) async for model in output.each(models)])

    def show_one(self, model: Any, columns: Sequence[str]) -> None:
        """Show one model: these columns of it, or all as a JSON object."""
        if self.as_json:
            output.print_json(model, self._redacted)
        else:
            output.print_rows(columns, [self._row(model, columns)])

    def _row(self, model: Any, columns: Sequence[str]) -> list[str]:
        return output.row(model, columns, self._redacted)

    def show_below(self, model: Any) -> None:
        """Show a part of what was shown with all that is in it; JSON has had that already."""
        if not self.as_json:
            say("")
            output.print_json(model, self._redacted, indent=2)


def looking(command: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Let a command look at the platform: add the options for that, and run it with a `Look` as first argument."""

    @click.option(
        "--env",
        envvar="KOGNIC_ENV",
        show_envvar=True,
        metavar="NAME|URL",
        help="Environment of kognic/environments.json, or the URL of a server such as an emulator.",
    )
    @click.option(
        "--organization",
        envvar="KOGNIC_CLIENT_ORGANIZATION_ID",
        show_envvar=True,
        type=int,
        metavar="ID",
        help="Organization to act for, as only Kognic users can.",
    )
    @as_json_option
    @wraps(command)
    def run(env: str | None, organization: int | None, as_json: bool, **arguments: Any) -> None:
        look = Look(env=env, organization=organization, as_json=as_json)
        asyncio.run(command(look, **arguments))

    return run
