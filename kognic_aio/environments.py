"""Which platform, and with whose credentials: a named environment of `environments.json`, or a URL."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, field, fields, frozen

from kognic_aio._frames import hide_frames
from kognic_aio._json import read_json
from kognic_aio._regular import read_all
from kognic_aio._secret import Secret
from kognic_aio.errors import InvalidError
from kognic_aio.limits import Hosts

ENVIRONMENT_VARIABLE = "KOGNIC_ENV"
MAX_CONFIG_BYTES = 1 << 20
"""Bytes of the file that names environments. Each takes a few hundred."""
EXPECTED = '{"environments": {NAME: {"host": ..., "auth_server": ..., "credentials": ..., "scopes": [...]}}}'


@frozen(kw_only=True)
class Environment:
    """Where the platform is, and who one is there.

    Args:
        hosts: Base URLs of its APIs.
        credentials: Path of a credentials file, or `keyring://profile`; None looks for those of the process. It is a
            secret, because people put other things here by mistake.
        scopes: What to ask tokens for, instead of the scopes of the credentials.
        named_by: What has named it: `env` or `KOGNIC_ENV`; None if nothing has.
    """

    hosts: Hosts = field(factory=Hosts)
    credentials: Secret[str] | None = None
    scopes: tuple[str, ...] = ()
    named_by: str | None = None


@hide_frames  # a URL may have a password, and the file anything
def find_environment(env: str | None = None) -> Environment:
    """The environment of a name or URL. Reads a file.

    Args:
        env: The environment's name, or the URL of one server for everything. By default what KOGNIC_ENV names, else the
            platform itself.

    Raises:
        InvalidError: If there is no such environment, or the file that names them is malformed.
    """
    name, source = (env, "env") if env else (os.environ.get(ENVIRONMENT_VARIABLE), ENVIRONMENT_VARIABLE)
    if not name:
        return Environment()
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidError(f"{source}: expected the name of an environment or a URL, got {type(name).__name__}")
    if "://" in name:
        try:
            return Environment(hosts=_hosts(name, name), named_by=source)
        except InvalidError as error:
            raise InvalidError(f"{source}: {error}") from error
    environments = _member(_read(), "environments", dict, {})
    if name not in environments:
        has = "has " + (", ".join(map(repr, environments)) or "none") if config_path().exists() else "does not exist"
        raise InvalidError(f"{source}: unknown environment {name!r}: {config_path()} {has}")
    try:
        return evolve(_parsed(environments[name]), named_by=source)
    except InvalidError as error:
        raise InvalidError(f"{config_path()}, environment {name!r}: {error}") from error


@hide_frames
def default_environment() -> str | None:
    """The name of the file's default environment, which the command line looks at. Reads a file.

    Raises:
        InvalidError: If the file is malformed.
    """
    name: str | None = _member(_read(), "default_environment", str, None)
    return name


def config_path() -> Path:
    """The file that names environments, where kognic-auth has it."""
    folder = os.environ.get("XDG_CONFIG_HOME")
    return (Path(folder) if folder else Path.home() / ".config") / "kognic" / "environments.json"


def _read() -> dict[str, Any]:
    """The content of the file, empty if there is none."""
    problem = f"expected {EXPECTED}"
    try:
        content = read_json(read_all(config_path(), MAX_CONFIG_BYTES).decode())
        if isinstance(content, dict):
            return content
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        problem = str(error)
    raise InvalidError(f"{config_path()} cannot be used: {problem}")  # out here: the error may have all of the file


def _member(content: Mapping[str, Any], name: str, kind: type, default: Any) -> Any:
    """A member of the file's object."""
    value = content.get(name, default)
    if value is not default and not isinstance(value, kind):
        raise InvalidError(f"{config_path()} cannot be used: {name} is no {kind.__name__}; expected {EXPECTED}")
    return value


def _parsed(found: Any) -> Environment:
    if not isinstance(found, dict):
        raise InvalidError(f"expected an object, as in {EXPECTED}")
    scopes = found.get("scopes") or []
    if not isinstance(scopes, list):
        raise InvalidError("scopes: expected a list of strings")
    return Environment(
        hosts=_hosts(_text(found, "host"), _text(found, "auth_server")),
        credentials=Secret(_path(_text(found, "credentials"))) if found.get("credentials") else None,
        scopes=tuple(map(str, scopes)),
    )


def _text(found: Mapping[str, Any], name: str) -> str:
    if name not in found:
        raise InvalidError(f"it lacks {name!r}")
    if not isinstance(found[name], str):
        raise InvalidError(f"{name}: expected a string")
    return str(found[name])


def _path(credentials: str) -> str:
    return credentials if credentials.startswith("keyring://") else str(Path(credentials).expanduser())


def _hosts(host: str, auth_server: str) -> Hosts:
    """The hosts of a domain, where each API has a subdomain, or of a URL, which is one server for all."""
    names = [api.name for api in fields(Hosts) if api.name != "auth"]
    if "://" in host:
        apis = dict.fromkeys(names, host)
    else:
        apis = {name: f"https://{name.replace('_', '-')}.{host}" for name in names}
    return Hosts(**apis, auth=auth_server)
