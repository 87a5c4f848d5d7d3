"""The proxy that the environment names, in all the forms that people write."""

import re
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from ipaddress import ip_address, ip_network
from urllib.parse import unquote_to_bytes

from attrs import frozen
from yarl import URL

from kognic_aio._secret import Secret
from kognic_aio.config import is_this_machine
from kognic_aio.errors import InvalidError

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?")


@frozen
class Proxy:
    """A proxy, which a variable of the environment names."""

    url: URL  # without user and password
    variable: str
    authorization: Secret[str] | None = None  # the value of `Proxy-Authorization`, None if it has no user

    def __str__(self) -> str:
        return str(self.url).rstrip("/")


class Proxies:
    """Chooses the proxy for a URL: none until the environment has been read.

    Plain http stays on this machine, which needs no proxy, so `http_proxy` is not read. aiohttp's own `trust_env` would
    also send passwords from .netrc to signed URLs, and takes a thread for every request.
    """

    def __init__(self) -> None:
        self._proxy: Proxy | None = None
        self._is_exempt: Callable[[str, int | None], bool]  # known once there is a proxy

    @property
    def host(self) -> str | None:
        """The host of the proxy, if there is one."""
        return None if self._proxy is None else self._proxy.url.raw_host

    def read_environment(self) -> None:
        """Read `https_proxy`, `all_proxy` and `no_proxy`, or the settings of the system. May block."""
        named = urllib.request.getproxies()
        name = "https" if named.get("https") else "all"
        self._is_exempt = lru_cache(1000)(partial(_is_exempt, re.split(r"[\s,]+", named.get("no", "").lower())))
        self._proxy = parse_proxy(f"{name}_proxy", named.get(name, ""))

    def of(self, url: URL) -> Proxy | None:
        """The proxy for a URL. There is none for this machine: `localhost` would mean the proxy itself."""
        if self._proxy is None or url.scheme != "https" or self._is_exempt((url.host or "").lower(), url.port):
            return None
        return self._proxy


def parse_proxy(name: str, value: str) -> Proxy | None:
    """Parse the value of a variable that names a proxy. As in curl, `http://` is the default.

    User and password may have any characters, as they are or percent-encoded: the last `@` ends them.
    """
    value = value.strip()
    if not value:
        return None
    has_scheme = _SCHEME.match(value)
    scheme, rest = (has_scheme[1].lower(), value[has_scheme.end() :]) if has_scheme else ("http", value)
    login, _, address = rest.rpartition("@")
    address = re.split(r"[/?#]", address)[0]
    found = _HOST_AND_PORT.fullmatch(address)
    is_supported = scheme in ("http", "https")
    if not is_supported or found is None or int(found[2] or 0) > 65535:
        shown = f"{scheme}://{address if found else address.partition(':')[0]}"  # the rest may be a password
        problem = "is not the URL of a proxy" if is_supported else "is not a supported kind of proxy"
        remedy = "use http:// or https://, or pass trust_env=False"
        raise InvalidError(f"{name}: {shown} {problem}; {remedy}")
    url = URL.build(scheme=scheme, host=found[1].strip("[]"), port=int(found[2]) if found[2] else None)
    user, _, password = login.partition(":")
    basic = b64encode(unquote_to_bytes(user) + b":" + unquote_to_bytes(password)).decode()
    return Proxy(url, name, Secret(f"Basic {basic}") if login else None)


def _is_exempt(exempt: Sequence[str], host: str, port: int | None) -> bool:
    if is_this_machine(host) or any(_covers(name, host, port) for name in exempt):
        return True
    return bool(urllib.request.proxy_bypass(host))  # the settings of the system


def _covers(name: str, host: str, port: int | None) -> bool:
    """Whether an entry of `no_proxy` covers a host: `*`, a domain with its subdomains, an address or a network."""
    if name == "*":
        return True
    with suppress(ValueError):
        return ip_address(host) in ip_network(name.strip("[]"), strict=False)
    domain = name.removeprefix("*").lstrip(".")
    return bool(domain) and any(f".{host}{suffix}".endswith(f".{domain}") for suffix in ("", f":{port}"))
