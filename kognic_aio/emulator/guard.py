"""Refuses requests that name another host, or come from a page of another origin.

The credentials of an emulator are public, and a browser on its machine can reach it. A page whose name resolves to
127.0.0.1 (DNS rebinding) counts as the same origin for the browser, but still sends its own name as `Host`. A page that
just posts here gives itself away by `Origin`, or by `Sec-Fetch-Site` where browsers send no `Origin`.
"""

import re
from collections.abc import Iterable
from ipaddress import AddressValueError, IPv6Address

import attrs
from aiohttp import web

from kognic_aio.emulator.errors import ForbiddenError, MisdirectedError

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
DEFAULT_PORTS = {"http": 80, "https": 443}
ORIGIN_SITES = {"same-origin", "none"}
"""Values of `Sec-Fetch-Site` for the emulator's own pages, and for addresses that people type."""

MAX_NAME = 253
"""Characters of a host name (RFC 1035, 2.3.4)."""
MAX_PORT = 65535
AUTHORITY = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[0-9a-zA-Z_.-]+)(?::(?P<port>[0-9]{1,5}))?")
LABEL = re.compile(r"[0-9a-zA-Z_](?:[0-9a-zA-Z_-]{0,61}[0-9a-zA-Z_])?")
"""A label of a host name. Names of containers may have underscores."""
MAX_SHOWN = 80


@attrs.frozen
class Authority:
    """A host and a port. The host is in lower case; an IPv6 address is in brackets, in its shortest form."""

    host: str
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Authority | None":
        """Parse a `Host` header or an option; None if it is no host name or address."""
        found = AUTHORITY.fullmatch(text)
        if found is None:
            return None
        host, port = _normal(found["name"]), found["port"]
        if host is None or (port is not None and int(port) > MAX_PORT):
            return None
        return cls(host, None if port is None else int(port))

    def __str__(self) -> str:
        return self.host if self.port is None else f"{self.host}:{self.port}"


def _normal(name: str) -> str | None:
    """A host in the form in which hosts are compared, or None if it is none."""
    if name.startswith("["):
        try:
            return f"[{IPv6Address(name[1:-1])}]"
        except AddressValueError:
            return None
    name = name.lower().removesuffix(".")
    labels = name.split(".")
    return name if len(name) <= MAX_NAME and all(map(LABEL.fullmatch, labels)) else None


def parse_allowed(names: Iterable[object]) -> tuple[Authority, ...]:
    """Parse the option `allowed_hosts`.

    Raises:
        TypeError: If it is a string, or contains something other than strings.
        ValueError: If one of them is no host name.
    """
    wanted = "expected host names such as 'emulator' or 'emulator:8700'"
    if isinstance(names, str):
        raise TypeError(f"allowed_hosts: {wanted} in a list, got {names!r}")
    allowed: list[Authority] = []
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"allowed_hosts: {wanted}, got {name!r}")
        authority = Authority.parse(name)
        if authority is None:
            raise ValueError(f"allowed_hosts: {wanted}, got {name!r}")
        allowed.append(authority)
    return tuple(allowed)


class Guard:
    """Refuses requests for other hosts and from other origins, before anything is read, kept or done.

    Args:
        host: What the emulator listens on.
        allowed: Further hosts that it serves. One without a port is allowed at any port, because containers and
            proxies map ports.
    """

    def __init__(self, host: str, allowed: Iterable[Authority] = ()) -> None:
        bound = Authority.parse(_bracketed(host))
        self._own = dict.fromkeys((*LOOPBACK, *([] if bound is None else [bound.host])))
        self._allowed = tuple(allowed)

    def check(self, request: web.BaseRequest) -> None:
        """Check the host that a request is for, and the origin that it comes from.

        Raises:
            MisdirectedError: If it is for another host.
            ForbiddenError: If it comes from another origin.
            ConnectionError: If its client has gone.
        """
        address = request.get_extra_info("sockname")
        if address is None:
            raise ConnectionAbortedError("the client has gone")
        hosts = request.headers.getall("Host", [])
        host = Authority.parse(hosts[0]) if len(hosts) == 1 else None
        if host is None or not self._is_own(host, DEFAULT_PORTS[request.scheme], address):
            raise self._misdirected(hosts, host, address[1])
        self._check_origin(request, host, address)

    def _check_origin(self, request: web.BaseRequest, host: Authority, address: tuple[str, int]) -> None:
        for origin in request.headers.getall("Origin", []):
            scheme, _, rest = origin.partition("://")
            named = Authority.parse(rest) if scheme in DEFAULT_PORTS else None
            # A host may be allowed at any port, but only the port of this request makes the same origin.
            if named is None or not (named == host or self._is_bound(named, DEFAULT_PORTS[scheme], address)):
                raise ForbiddenError(
                    f"the emulator takes no requests from pages of another origin, which {_shown(origin)} is"
                )
        for site in request.headers.getall("Sec-Fetch-Site", []):
            if site not in ORIGIN_SITES:
                raise ForbiddenError(f"the emulator takes no requests from pages of another origin ({_shown(site)})")

    def _is_own(self, named: Authority, default_port: int, address: tuple[str, int]) -> bool:
        return self._is_bound(named, default_port, address) or any(
            named.host == allowed.host and allowed.port in (None, named.port or default_port)
            for allowed in self._allowed
        )

    def _is_bound(self, named: Authority, default_port: int, address: tuple[str, int]) -> bool:
        """Whether it has the port of the connection, and one of our names or the address of the connection.

        An address is safe whatever the emulator listens on: DNS rebinding needs a name in `Host`.
        """
        at = _bracketed(address[0])
        return (named.port or default_port) == address[1] and (named.host in self._own or named.host == at)

    def _misdirected(self, hosts: list[str], host: Authority | None, port: int) -> MisdirectedError:
        served = [*(f"{name}:{port}" for name in self._own), *map(str, self._allowed)]
        asked = "a request without exactly one Host" if len(hosts) != 1 else f"the host {_shown(hosts[0])}"
        name = "NAME" if host is None else host.host
        return MisdirectedError(
            f"the emulator does not serve {asked}, only the hosts {', '.join(served)}; to allow another, start it with "
            f"Emulator(allowed_hosts=[{name!r}]) or `kognicutil emulator --allow-host {name}`"
        )


def _bracketed(address: str) -> str:
    """An address as it stands in a URL."""
    return f"[{address.partition('%')[0]}]" if ":" in address else address


def _shown(text: str) -> str:
    return ascii(text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}...")
