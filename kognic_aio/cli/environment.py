"""Which platform, and with whose credentials: the named environments of kognic-auth, or a URL."""

from typing import Any

from kognic.auth.credentials import ApiCredentials
from kognic.auth.env_config import (
    DEFAULT_ENV_CONFIG_FILE_PATH,
    Environment,
    load_kognic_env_config,
    resolve_environment,
)

from kognic_aio._http.auth import Auth, resolve
from kognic_aio.errors import InvalidError

SUBDOMAINS = {
    "host": "input",
    "order_execution_api_host": "order-execution",
    "annotation_integration_api_host": "annotation-integration",
    "workspace_api_host": "workspace",
    "project_management_api_host": "project-management",
}
"""Where each API is below the host of an environment, by the client's name of it."""


def client_options(name: str | None) -> dict[str, Any]:
    """What makes a client talk to an environment.

    Args:
        name: The environment's name, or the URL of one server for everything, whose credentials are those of the
            process's environment. By default the file's default environment, else the platform itself.

    Raises:
        InvalidError: If there is no such environment, or the file that names them is malformed.
        CredentialsError: If its credentials cannot be used.
    """
    if name is not None and "://" in name:
        return {**_hosts(name), "auth_host": name}
    environment = _environment(name)
    return {**_hosts(environment.host), "auth_host": environment.auth_server, "auth": _auth(environment)}


def _hosts(host: str) -> dict[str, str]:
    """The host of each API: subdomains of a domain; a URL is one server for all, as an emulator is."""
    if "://" in host:
        return dict.fromkeys(SUBDOMAINS, host)
    return {option: f"https://{subdomain}.{host}" for option, subdomain in SUBDOMAINS.items()}


def _environment(name: str | None) -> Environment:
    try:
        config = load_kognic_env_config()
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise _malformed(f"it lacks {error}" if isinstance(error, KeyError) else str(error)) from error
    if name and name not in config.environments:
        known = ", ".join(map(repr, config.environments)) or "none"
        raise InvalidError(f"unknown environment {name!r}: {DEFAULT_ENV_CONFIG_FILE_PATH} has {known}")
    environment = resolve_environment(config, "", name)
    if not (_are_texts([environment.host, environment.auth_server]) and _are_texts(environment.scopes or [])):
        raise _malformed(f"in {environment.name!r}, host and auth_server have to be texts and scopes a list of them")
    return environment


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _malformed(problem: str) -> InvalidError:
    expected = '{"environments": {NAME: {"host": ..., "auth_server": ..., "credentials": ...}}}'
    return InvalidError(f"{DEFAULT_ENV_CONFIG_FILE_PATH} cannot be used: {problem}; expected {expected}")


def _auth(environment: Environment) -> Auth:
    """The environment's credentials; its scopes go before those of the credentials."""
    if not environment.scopes:
        return environment.credentials
    found = resolve(environment.credentials)
    return ApiCredentials(
        client_id=found.client_id,
        client_secret=found.client_secret,
        scopes=list(environment.scopes),
        email="",
        user_id=0,
        issuer="",
    )
