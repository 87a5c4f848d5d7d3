"""Settings of a client, as frozen values with named defaults: how much at once, how long, how often, and where."""

import socket
from contextlib import suppress
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from attrs import Attribute, field, frozen
from yarl import URL

from kognic_aio._validation.converters import count, seconds
from kognic_aio._validation.fields import Validated, with_converters
from kognic_aio.errors import InvalidError

DEFAULT_INPUT_API_HOST = "https://input.app.kognic.com"
DEFAULT_ORDER_EXECUTION_API_HOST = "https://order-execution.app.kognic.com"
DEFAULT_ANNOTATION_INTEGRATION_API_HOST = "https://annotation-integration.app.kognic.com"
DEFAULT_WORKSPACE_API_HOST = "https://workspace.app.kognic.com"
DEFAULT_PROJECT_MANAGEMENT_API_HOST = "https://project-management.app.kognic.com"
DEFAULT_AUTH_HOST = "https://auth.app.kognic.com"

DEFAULT_TIMEOUT = 60.0
"""Seconds that a request may take."""

DEFAULT_RETRY_ATTEMPTS = 23
"""Tries of an upload, the first included; the official client has as many."""

DEFAULT_RETRY_WAIT = 60.0
"""Seconds of the longest pause between two tries."""

DEFAULT_RETRY_TIME = 600.0
"""Seconds from the first try after which no new one begins."""

API_RETRY_ATTEMPTS = 10
"""Tries of a request to an API, the first included."""

DEFAULT_VISIBILITY_TIMEOUT = 30.0
"""Seconds for which "not found" counts as "not yet"."""

DEFAULT_WAIT_TIMEOUT = 1800.0
"""Seconds that a run waits for scenes after the last one was committed."""

DEFAULT_SLEEP_TIME = 1.0
"""Seconds between two questions for the status of scenes."""


@frozen(kw_only=True, field_transformer=with_converters)
class Limits(Validated):
    """How much a client does at once.

    Args:
        scene_jobs: Scenes between start and commit.
        uploads: Files that are being uploaded.
        in_flight: Scenes that have been taken from a source and have not settled. Most of them wait for the platform.
        inputs: Requests that create inputs and pre-annotations.
        downloads: Contents of annotations that are being downloaded.
        callbacks: Synchronous callbacks and generators that give the bytes of files, and reads of streams without a
            descriptor of their own, such as members of archives. They run one after another by default, as with the
            official client, because such code often shares state. Async callbacks always overlap.

    Raises:
        InvalidError: If a limit is not a whole number of at least 1, or there is none of this name.
    """

    scene_jobs: int = field(default=16, converter=count)
    uploads: int = field(default=32, converter=count)
    in_flight: int = field(default=5000, converter=count)
    inputs: int = field(default=16, converter=count)
    downloads: int = field(default=16, converter=count)
    callbacks: int = field(default=1, converter=count)


@frozen(kw_only=True, field_transformer=with_converters)
class Retry:
    """When to try again, bounded by count and by time.

    Args:
        attempts: Tries, the first included.
        max_wait: The longest pause between two tries, in seconds. A server may ask for a longer one.
        max_time: Seconds after the first try; no new one begins later.

    Raises:
        InvalidError: If a bound is not a number of tries or of seconds.
    """

    attempts: int = field(default=DEFAULT_RETRY_ATTEMPTS, converter=count)
    max_wait: float = field(default=DEFAULT_RETRY_WAIT, converter=seconds)
    max_time: float = field(default=DEFAULT_RETRY_TIME, converter=seconds)


TOKEN_RETRY = Retry(attempts=4, max_wait=5.0, max_time=30.0)
"""Bounds on requests for a token, unless the client's are lower. An application waits for it when it starts."""


ARGUMENTS = {
    "input": "host",
    "order_execution": "order_execution_api_host",
    "annotation_integration": "annotation_integration_api_host",
    "workspace": "workspace_api_host",
    "project_management": "project_management_api_host",
    "auth": "auth_host",
}
"""The client's argument for each field of `Hosts`."""


def _host(default: str) -> str:
    """A base URL to which credentials may be sent: https, or plain http on this machine."""
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
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise InvalidError(f"{argument}: credentials are not sent over plain http; use https:// for {value!r}")


def _is_loopback(hostname: str) -> bool:
    """Whether a host is this machine for sure."""
    try:
        return ip_address(hostname).is_loopback
    except ValueError:
        return hostname == "localhost"


OWN_NAMES = (
    *("localhost", "localhost4", "localhost6", "ip6-localhost", "ip6-loopback"),
    *("localhost.localdomain", "localhost4.localdomain4", "localhost6.localdomain6"),
)
"""What this machine is called in the `/etc/hosts` of Linux distributions."""


@lru_cache(1000)
def is_this_machine(hostname: str) -> bool:
    """Whether a host may be this machine, also in odd spellings: `127.1`, `0.0.0.0`, `api.localhost.`."""
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
