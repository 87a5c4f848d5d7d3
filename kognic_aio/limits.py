"""How much at once, how long, how often, and where: frozen values with named defaults."""

import socket
from contextlib import suppress
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from attrs import Attribute, field, frozen
from yarl import URL

from kognic_aio._plain import plain
from kognic_aio.errors import InvalidError

DEFAULT_INPUT_API_HOST = "https://input.app.kognic.com"
DEFAULT_ORDER_EXECUTION_API_HOST = "https://order-execution.app.kognic.com"
DEFAULT_ANNOTATION_INTEGRATION_API_HOST = "https://annotation-integration.app.kognic.com"
DEFAULT_WORKSPACE_API_HOST = "https://workspace.app.kognic.com"
DEFAULT_PROJECT_MANAGEMENT_API_HOST = "https://project-management.app.kognic.com"
DEFAULT_AUTH_HOST = "https://auth.app.kognic.com"

DEFAULT_TIMEOUT = 60.0
DEFAULT_RETRY_ATTEMPTS = 23
DEFAULT_RETRY_WAIT = 60.0
DEFAULT_RETRY_TIME = 600.0
API_RETRY_ATTEMPTS = 10

DEFAULT_VISIBILITY_TIMEOUT = 30.0
DEFAULT_WAIT_TIMEOUT = 1800.0
DEFAULT_SLEEP_TIME = 1.0


def _check_count(instance: object, attribute: "Attribute[int]", value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        name = f"{type(instance).__name__}.{attribute.name}"
        raise InvalidError(f"{name}: expected a whole number of at least 1, got {value!r}")


def seconds_of(name: str, value: object) -> float:
    """A number of seconds, as Python's own.

    Raises:
        InvalidError: If it is none, or negative.
    """
    given = plain(value)
    if isinstance(given, bool) or not isinstance(given, int | float) or not given >= 0:
        raise InvalidError(f"{name}: expected seconds, got {value!r}")
    return given


def _check_seconds(instance: object, attribute: "Attribute[float]", value: object) -> None:
    seconds_of(f"{type(instance).__name__}.{attribute.name}", value)


def _count(default: int) -> int:
    return field(default=default, converter=plain, validator=_check_count)


def _seconds(default: float) -> float:
    return field(default=default, converter=plain, validator=_check_seconds)


@frozen(kw_only=True)
class Limits:
    """How much a client does at once.

    Args:
        scene_jobs: Scenes between start and commit.
        uploads: Files on their way to storage.
        in_flight: Scenes that have been taken from a source and have not settled: most of them wait to be processed.
        inputs: Requests that create inputs and pre-annotations.
        downloads: Contents of annotations on their way from storage.
        callbacks: Synchronous callbacks and generators that give the bytes of files, and reads of streams without a
            descriptor of their own, such as members of archives. One after another is what the official client does,
            and what code is made for that shares something; async callbacks always overlap.

    Raises:
        InvalidError: If a limit is not a whole number of at least 1.
    """

    scene_jobs: int = _count(16)
    uploads: int = _count(32)
    in_flight: int = _count(5000)
    inputs: int = _count(16)
    downloads: int = _count(16)
    callbacks: int = _count(1)


@frozen(kw_only=True)
class Retry:
    """When to try again, bounded by count and by time.

    Args:
        attempts: Tries altogether, the first included.
        max_wait: The longest pause between two tries, in seconds, unless the server asks for a longer one.
        max_time: No new try is made this many seconds after the first.

    Raises:
        InvalidError: If a bound is not one.
    """

    attempts: int = _count(DEFAULT_RETRY_ATTEMPTS)
    max_wait: float = _seconds(DEFAULT_RETRY_WAIT)
    max_time: float = _seconds(DEFAULT_RETRY_TIME)


TOKEN_RETRY = Retry(attempts=4, max_wait=5.0, max_time=30.0)
"""Tokens are what an application waits for when it starts: it should soon hear that nobody answers."""


ARGUMENTS = {
    "input": "host",
    "order_execution": "order_execution_api_host",
    "annotation_integration": "annotation_integration_api_host",
    "workspace": "workspace_api_host",
    "project_management": "project_management_api_host",
    "auth": "auth_host",
}
"""What the client calls the fields of `Hosts`."""


def _host(default: str) -> str:
    """A base URL that credentials may be sent to: https, or plain http on this machine."""
    return field(default=default, validator=_check_host)


def _check_host(_: object, attribute: "Attribute[str]", value: object) -> None:
    argument = ARGUMENTS[attribute.name]
    if "@" in str(value):
        raise InvalidError(f"{argument}: no user and password belong in there; pass credentials as auth=")
    expected = f"expected a URL such as {attribute.default}, got {value!r}"
    if not isinstance(value, str) or any(character.isspace() or character == "\\" for character in value):
        raise InvalidError(f"{argument}: {expected}")
    try:
        parts = urlsplit(value)
        _ = parts.port  # looked at only when it is asked for
        _ = (URL(value).raw_host or "").encode("idna")  # as it is when the name is looked up
    except ValueError as error:
        raise InvalidError(f"{argument}: {error}: {value!r}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidError(f"{argument}: {expected}")
    if parts.path.strip("/") or "?" in value or "#" in value:
        base = f"{parts.scheme}://{parts.netloc}"
        raise InvalidError(f"{argument}: paths are added to the URL of a host: give {base!r}, not {value!r}")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise InvalidError(f"{argument}: credentials are not sent over plain http; use https:// for {value!r}")


def is_loopback(hostname: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ip_address(hostname).is_loopback
    except ValueError:
        return hostname == "localhost"


OWN_NAMES = frozenset(
    {
        *("localhost", "localhost4", "localhost6", "ip6-localhost", "ip6-loopback"),
        *("localhost.localdomain", "localhost4.localdomain4", "localhost6.localdomain6"),
    }
)
"""What this machine is called in the `/etc/hosts` of Linux distributions."""


@lru_cache(1000)
def is_this_machine(hostname: str) -> bool:
    """Whether a host may be this machine, however oddly it is written: `127.1`, `0.0.0.0`, `api.localhost.`."""
    name = hostname
    with suppress(UnicodeError):  # as such a name cannot be looked up
        name = name.encode("idna").decode()  # as it is looked up: there are other digits and dots
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

    input: str = _host(DEFAULT_INPUT_API_HOST)
    order_execution: str = _host(DEFAULT_ORDER_EXECUTION_API_HOST)
    annotation_integration: str = _host(DEFAULT_ANNOTATION_INTEGRATION_API_HOST)
    workspace: str = _host(DEFAULT_WORKSPACE_API_HOST)
    project_management: str = _host(DEFAULT_PROJECT_MANAGEMENT_API_HOST)
    auth: str = _host(DEFAULT_AUTH_HOST)

    @property
    def is_local(self) -> bool:
        """Whether the platform is on this machine, as an emulator is."""
        return is_this_machine(urlsplit(self.input).hostname or "")
