"""Shared by the commands that look at the platform: their options, their client, and their output."""

import asyncio
import json
import logging
import os
import warnings
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import click

from kognic_aio._text import printable
from kognic_aio.cli.output import MAX_CELL, plain, print_rows, say
from kognic_aio.config import ENVIRONMENT_VARIABLE, default_environment

if TYPE_CHECKING:
    from kognic_aio import KognicIOClient

T = TypeVar("T")

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON with all fields, for programs.")


@attrs.define(kw_only=True)
class Display:
    """Shows data of an environment, for an organization, as a table or as JSON."""

    env: str | None = None
    organization: int | None = None
    as_json: bool
    _redacted: Callable[[str], str] = attrs.field(default=str, init=False)
    """Removes secrets from a text. Set by `client`."""

    def client(self) -> "KognicIOClient":
        """Make a client, to be opened. What is shown then has none of its secrets."""
        from kognic_aio import KognicIOClient  # noqa: PLC0415  # help must not wait for these imports

        warnings.simplefilter("ignore")  # warnings are for programmers
        logging.getLogger().addHandler(logging.NullHandler())
        if self.organization is not None:
            say(f"Acting for organization {self.organization}", err=True)
        client = KognicIOClient(
            env=environment(self.env),
            client_organization_id=self.organization,
            # Looking writes to no workspace. Without a name, opening would need exactly one that the user may write to.
            write_workspace_id="none",
            max_retry_attempts=3,  # fewer than by default, because somebody is waiting
        )
        self._redacted = client.redacted
        return client

    def show(self, models: Iterable[Any], columns: Sequence[str]) -> None:
        """Show columns of models, or all fields as a JSON array with a model on each line."""
        if self.as_json:
            lines = [self._json(model) for model in models]
            print("[\n" + ",\n".join(lines) + "\n]" if lines else "[]")
        else:
            print_rows(columns, [[self._cell(getattr(model, column)) for column in columns] for model in models])

    def show_one(self, model: Any, columns: Sequence[str]) -> None:
        """Show columns of one model, or all fields as a JSON object."""
        if self.as_json:
            print(self._json(model))
        else:
            self.show([model], columns)

    def show_line(self, model: Any) -> None:
        """Show all fields of a model as a JSON object on a line."""
        print(self._json(model), flush=True)

    def show_below(self, model: Any) -> None:
        """Show all fields of a part of a model below it. JSON already has them."""
        if not self.as_json:
            print("", self._json(model, indent=2), sep="\n")

    def _json(self, model: Any, indent: int | None = None) -> str:
        """A model as JSON in ASCII, with control characters escaped."""
        return json.dumps(plain(model, self._redacted), indent=indent)

    def _cell(self, value: object) -> str:
        match value:
            case None:
                return ""
            case datetime():
                return value.isoformat(" ", "seconds")
            case tuple():
                return ", ".join(map(self._cell, value))
            case dict():
                return ", ".join(f"{self._cell(each)} {self._cell(name)}" for name, each in value.items())
            case _:
                return printable(self._redacted(str(value)), MAX_CELL)


def environment(given: str | None) -> str | None:
    """The environment for a client, from an option. With None it takes that of the variable, and errors name this."""
    is_variable = bool(given) and given == os.environ.get(ENVIRONMENT_VARIABLE)
    return None if is_variable else given or default_environment()


def platform_options(command: Callable[..., T]) -> Callable[..., T]:
    """Add the options that say which platform it is, and for whom."""
    env = click.option(
        "--env",
        envvar="KOGNIC_ENV",
        show_envvar=True,
        metavar="NAME|URL",
        help="Environment of kognic/environments.json, or the URL of a server such as an emulator.",
    )
    organization = click.option(
        "--organization",
        envvar="KOGNIC_CLIENT_ORGANIZATION_ID",
        show_envvar=True,
        type=int,
        metavar="ID",
        help="Organization to act for, as only Kognic users can.",
    )
    return env(organization(command))


def with_display(command: Callable[..., Coroutine[Any, Any, int | None]]) -> Callable[..., int | None]:
    """Add the options for looking at the platform to a command, and call it with a `Display`."""

    @platform_options
    @as_json_option
    @wraps(command)
    def run(env: str | None, organization: int | None, as_json: bool, **arguments: Any) -> int | None:
        display = Display(env=env, organization=organization, as_json=as_json)
        return asyncio.run(command(display, **arguments))

    return run
