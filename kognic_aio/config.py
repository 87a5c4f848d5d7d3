"""Settings of a client: limits, timeouts and retries with named defaults, hosts, and environments that name them."""

import os
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache, partial
from ipaddress import ip_address
from math import inf
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attrs import Attribute, evolve, field, fields, frozen
from yarl import URL

from kognic_aio._frames import hide_frames
from kognic_aio._json import read_json
from kognic_aio._regular import read_all
from kognic_aio._secret import Secret
from kognic_aio._validation.converters import count, seconds
from kognic_aio._validation.fields import Validated, with_converters
from kognic_aio.errors import InvalidError

if sys.platform != "win32":
    import resource

DEFAULT_INPUT_API_HOST = "https://input.app.kognic.com"
DEFAULT_ORDER_EXECUTION_API_HOST = "https://order-execution.app.kognic.com"
DEFAULT_ANNOTATION_INTEGRATION_API_HOST = "https://annotation-integration.app.kognic.com"
DEFAULT_WORKSPACE_API_HOST = "https://workspace.app.kognic.com"
DEFAULT_PROJECT_MANAGEMENT_API_HOST = "https://project-management.app.kognic.com"
DEFAULT_AUTH_HOST = "https://auth.app.kognic.com"

DEFAULT_TIMEOUT = 60.0
"""Seconds to connect, and then the longest time without a byte."""

DEFAULT_RETRY_ATTEMPTS = 23
"""Attempts at an upload, including the first, as in the official client."""

DEFAULT_RETRY_WAIT = 60.0
"""Seconds of the longest pause between two attempts."""

DEFAULT_RETRY_TIME = 600.0
"""Seconds after the first attempt, after which no new one begins."""

API_RETRY_ATTEMPTS = 10
"""Attempts at an API request, including the first."""

DEFAULT_VISIBILITY_TIMEOUT = 30.0
"""Seconds for which "not found" counts as "not yet"."""

DEFAULT_WAIT_TIMEOUT = 1800.0
"""Seconds to wait for scenes after the last commit of a run."""

DESCRIPTORS = 1024
"""Files and sockets of a process that are enough for the default limits, as an upload may need two."""

DEFAULT_SLEEP_TIME = 1.0
"""Seconds of the longest pause between two status queries for a scene."""


def max_descriptors() -> float:
    """How many files and sockets the process may open; infinite if that is not bounded."""
    if sys.platform == "win32":
        return inf
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return inf if soft == resource.RLIM_INFINITY else soft


def _within_descriptors(number: int) -> int:
    """A default limit, or less if the process may not open enough files and sockets for all of them."""
    return max(1, int(number * min(1, max_descriptors() / DESCRIPTORS)))


@frozen(kw_only=True, field_transformer=with_converters)
class Limits(Validated):
    """Bounds of a client's concurrency. By default the client finds out how much of it pays; see `KognicIOClient`.

    The defaults are lower if the process may open fewer than 1024 files and sockets (`ulimit -n`).

    Args:
        scene_jobs: Scenes between start and commit.
        uploads: Files that are being uploaded.
        in_flight: Scenes that were taken from a source and have not settled. Most of them wait for the platform.
        inputs: Requests that create inputs and pre-annotations.
        downloads: Contents of annotations that are being downloaded.
        callbacks: Synchronous callbacks and generators that return the bytes of files, and reads of streams without
            their own descriptor, such as members of archives. By default they run one after another, as with the
            official client, because such code often shares state. Async callbacks always overlap.

    Raises:
        InvalidError: If a limit is not a whole number of at least 1, or there is none of this name.
    """

    # A run opens a connection for each job, upload and input at most, and 4 for status queries. A scene in flight that
    # the platform is processing costs a task and some memory, but no connection.
    scene_jobs: int = field(factory=partial(_within_descriptors, 160), converter=count)
    uploads: int = field(factory=partial(_within_descriptors, 256), converter=count)
    in_flight: int = field(default=5000, converter=count)
    inputs: int = field(factory=partial(_within_descriptors, 128), converter=count)
    downloads: int = field(default=16, converter=count)
    callbacks: int = field(default=1, converter=count)


@frozen(kw_only=True, field_transformer=with_converters)
class Retry:
    """Bounds of retries.

    Args:
        attempts: Attempts, including the first.
        max_wait: The longest pause between two attempts, in seconds. A server may ask for a longer one.
        max_time: Seconds after the first attempt, after which no new one begins.

    Raises:
        InvalidError: If a bound is not a number of attempts or seconds.
    """

    attempts: int = field(default=DEFAULT_RETRY_ATTEMPTS, converter=count)
    max_wait: float = field(default=DEFAULT_RETRY_WAIT, converter=seconds)
    max_time: float = field(default=DEFAULT_RETRY_TIME, converter=seconds)


TOKEN_RETRY = Retry(attempts=4, max_wait=5.0, max_time=30.0)
"""Bounds of requests for a token, unless the client's are lower. Applications block on the token at startup."""


def _host(default: str, argument: str) -> str:
    """A base URL that credentials may be sent to, https or plain http to this machine, by an argument of the client."""
    return field(default=default, validator=_check_host, metadata={"argument": argument})


def _check_host(_: object, attribute: "Attribute[str]", value: object) -> None:
    argument = attribute.metadata["argument"]
    if "@" in str(value):
        raise InvalidError(f"{argument}: must not contain a user and password; pass credentials as auth=")
    expected = f"expected a URL such as {attribute.default}, got {value!r}"
    if not isinstance(value, str) or any(character.isspace() or character == "\\" for character in value):
        raise InvalidError(f"{argument}: {expected}")
    try:
        parts = urlsplit(value)
        _ = parts.port  # parsed only when it is accessed
        _ = (URL(value).raw_host or "").encode("idna")  # as when the name is looked up
    except ValueError as error:
        raise InvalidError(f"{argument}: {error}: {value!r}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidError(f"{argument}: {expected}")
    if parts.path.strip("/") or "?" in value or "#" in value:
        base = f"{parts.scheme}://{parts.netloc}"
        raise InvalidError(f"{argument}: must not have a path: pass {base!r}, not {value!r}")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise InvalidError(f"{argument}: credentials are not sent over plain http; use https:// for {value!r}")


def _is_loopback(hostname: str) -> bool:
    """Whether a host is certainly this machine."""
    try:
        return ip_address(hostname).is_loopback
    except ValueError:
        return hostname == "localhost"


OWN_NAMES = (
    *("localhost", "localhost4", "localhost6", "ip6-localhost", "ip6-loopback"),
    *("localhost.localdomain", "localhost4.localdomain4", "localhost6.localdomain6"),
)
"""Names of this machine in the `/etc/hosts` of Linux distributions."""


@lru_cache(1000)
def is_this_machine(hostname: str) -> bool:
    """Whether a host may be this machine, also in odd spellings: `127.1`, `0.0.0.0`, `api.localhost.`."""
    name = hostname
    with suppress(UnicodeError):  # of names that cannot be looked up
        name = name.encode("idna").decode()  # other scripts have digits and dots of their own
    name = name.lower().rstrip(".")
    try:
        address = ip_address(name)
    except ValueError:
        try:
            address = ip_address(socket.inet_aton(name))
        except (OSError, ValueError):
            return name in OWN_NAMES or name.endswith(".localhost")
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified)


@frozen(kw_only=True)
class Hosts:
    """Base URLs of the platform's APIs.

    Raises:
        InvalidError: If one is not a URL, has a path, or is plain http to another machine.
    """

    input: str = _host(DEFAULT_INPUT_API_HOST, "host")
    order_execution: str = _host(DEFAULT_ORDER_EXECUTION_API_HOST, "order_execution_api_host")
    annotation_integration: str = _host(DEFAULT_ANNOTATION_INTEGRATION_API_HOST, "annotation_integration_api_host")
    workspace: str = _host(DEFAULT_WORKSPACE_API_HOST, "workspace_api_host")
    project_management: str = _host(DEFAULT_PROJECT_MANAGEMENT_API_HOST, "project_management_api_host")
    auth: str = _host(DEFAULT_AUTH_HOST, "auth_host")

    @property
    def is_local(self) -> bool:
        """Whether the platform is on this machine, as an emulator is."""
        return is_this_machine(urlsplit(self.input).hostname or "")


ARGUMENTS: Mapping[str, str] = {host.name: host.metadata["argument"] for host in fields(Hosts)}
"""The client's argument for each field of `Hosts`."""


ENVIRONMENT_VARIABLE = "KOGNIC_ENV"

MAX_CONFIG_BYTES = 1 << 20
"""Bytes of the environments file. Each environment takes a few hundred."""

EXPECTED = '{"environments": {NAME: {"host": ..., "auth_server": ..., "credentials": ..., "scopes": [...]}}}'


@frozen(kw_only=True)
class Environment:
    """The hosts of a platform, and the credentials for it.

    Args:
        hosts: Base URLs of its APIs.
        credentials: Path of a credentials file, or `keyring://profile`. By default those of the process. It is a
            secret, because people put other things here by mistake.
        scopes: Scopes to request tokens for, instead of those of the credentials.
        named_by: The setting that named it: `env` or `KOGNIC_ENV`; None if there was none.
    """

    hosts: Hosts = field(factory=Hosts)
    credentials: Secret[str] | None = None
    scopes: tuple[str, ...] = ()
    named_by: str | None = None


@hide_frames  # a URL may have a password, and the file anything
def find_environment(env: str | None = None) -> Environment:
    """The environment of a name or URL. It reads a file.

    Args:
        env: The environment's name, or the URL of one server for everything. By default KOGNIC_ENV, else the platform
            itself.

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
    """The name of the file's default environment, which the command line uses. It reads a file.

    Raises:
        InvalidError: If the file is malformed.
    """
    name: str | None = _member(_read(), "default_environment", str, None)
    return name


def config_path() -> Path:
    """The environments file, at the path of kognic-auth."""
    folder = os.environ.get("XDG_CONFIG_HOME")
    return (Path(folder) if folder else Path.home() / ".config") / "kognic" / "environments.json"


def _read() -> dict[str, Any]:
    """The content of the environments file, empty if there is none."""
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
        raise InvalidError(f"{config_path()} cannot be used: {name} is not a {kind.__name__}; expected {EXPECTED}")
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
