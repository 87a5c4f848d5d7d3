"""How a client is made for a look at the platform."""

import logging
import os
import warnings

from kognic_aio import KognicIOClient
from kognic_aio.cli.say import say
from kognic_aio.environments import ENVIRONMENT_VARIABLE, default_environment

ATTEMPTS = 3
"""Tries of a request: fewer than the client's own default, for somebody is waiting."""

NO_WORKSPACE = "none"
"""Nothing is created in a workspace by looking. Without this, opening a client would look for the only workspace that
one may write to, and refuse those who may write to several or to none."""


def new_client(env: str | None, organization: int | None) -> KognicIOClient:
    """A client of an environment.

    Args:
        env: Name or URL of the environment. By default the default environment of `environments.json`.
        organization: The organization to act for.

    Raises:
        InvalidError: If the file that names environments is malformed.
    """
    _be_quiet()
    if organization is not None:
        say(f"Acting for organization {organization}", err=True)
    is_variable = bool(env) and env == os.environ.get(ENVIRONMENT_VARIABLE)
    return KognicIOClient(
        env=None if is_variable else env or default_environment(),  # it reads the variable too, and errors then name it
        client_organization_id=organization,
        write_workspace_id=NO_WORKSPACE,
        max_retry_attempts=ATTEMPTS,
    )


def _be_quiet() -> None:
    """Keep warnings for programmers, and log lines about further tries, off the terminal of somebody who looks."""
    warnings.simplefilter("ignore")
    logging.getLogger().addHandler(logging.NullHandler())
