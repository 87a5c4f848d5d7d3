"""The emulator as a server: starts, says where it is, and stops."""

import asyncio
from collections.abc import Iterable
from ssl import SSLContext
from types import TracebackType
from typing import Any, Self

from kognic_aio.emulator.checks import check_flag, check_seconds, check_whole
from kognic_aio.emulator.connections import Server
from kognic_aio.emulator.faults import Faults
from kognic_aio.emulator.front_door import FrontDoor
from kognic_aio.emulator.guard import Guard, parse_allowed
from kognic_aio.emulator.rate_limit import RateLimit
from kognic_aio.emulator.recorder import KEEP_REQUESTS, Recorder
from kognic_aio.emulator.routes import ROUTES
from kognic_aio.emulator.routing import Router
from kognic_aio.emulator.state.platform import Platform
from kognic_aio.emulator.state.scenes import UnknownScenes
from kognic_aio.emulator.state.storage import Look, Sign

BACKLOG = 1024
"""Connections that may wait to be accepted."""

STOP_TIMEOUT = 0.2
"""Seconds that requests have to end when the emulator stops."""


class Emulator:
    """A local Kognic platform over HTTP: every API, the auth server and the file storage behind one URL.

    Use it as an async context manager, or call `start` and `stop`. It belongs to no event loop before it is started.
    After a stop it may be started again, with the same state.

    Options that are None leave the platform as it is.

    Args:
        host: The address to listen on.
        port: The port to listen on; 0 takes a free one.
        api_latency: Seconds to sleep before a request to an API or for a token is handled.
        storage_latency: Seconds to sleep before a request to a signed URL is handled.
        processing_time: Seconds from the commit of a scene until it is created; 0 in a new platform.
        url_lifetime: Seconds until a signed URL expires; 3600 in a new platform.
        token_lifetime: Seconds until a token expires; 3600 in a new platform.
        visibility_lag: Seconds from the creation of a scene until clients can see it; 0 in a new platform. Until then,
            requests that name the scene get a 404: status queries, summaries, ego poses, annotations, imports,
            invalidations, and the creation of pre-annotations and inputs. Lists of inputs leave it out. Only uploads
            and the commit work, because clients do them right after the creation.
        unknown_scenes: What a status query does about scenes that are unknown or not visible yet: `refuse` responds
            with 404, as a new platform does; `omit` leaves them out of the list. An invalidation gets a 404 with both.
        allowed_hosts: Names under which the emulator is reached beside its address and `localhost`, such as `emulator`
            or `emulator:8700`, as in a container or behind a proxy. A name without a port is allowed at any port.
            Requests for other hosts get a 421, so that no page in a browser gets in under a name that resolves
            to this machine.
        ssl: The context of a server with its certificate, to speak TLS; by default plain HTTP.
        platform: The state to serve; by default a new `Platform.seeded()`.
        keep_requests: How many of the latest requests the recorder keeps. They take at most 128 MiB.
        max_kept: How many bytes of bodies are kept, of scenes, calibrations, pre-annotations and reviews; 1 GiB in a
            new platform. Bodies beyond that get a 507.
        rate_limit: How many API requests per second are accepted, or a `RateLimit`; no limit in a new platform.
        checksums: Whether the response to a PUT has the CRC32C of what was stored; true in a new platform.
        reads_files: Whether files are read while they arrive, which costs a few kilobytes for each; false in a new
            platform. Files that are not what their names say then fail processing, with a message that says what was
            found and what was expected: images of another format, and point clouds with a broken header, unknown
            columns, or points that are missing or no numbers. Of a file in another store, only the first 64 bytes that
            `look` returns are read. If false, made-up bytes pass for any file but a CSV, which must have the right
            header.
        sign: Signs URLs of another store for the files, given the method `PUT` or `GET`, the path of the object, and
            the seconds until the URL expires. Where it returns None, the emulator signs a URL of its own.
        look: Returns the size and the first bytes of an object in that store, or None if there is none. Without it,
            files in that store are assumed to be there and correct.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        allowed_hosts: Iterable[str] = (),
        ssl: SSLContext | None = None,
        api_latency: float = 0.0,
        storage_latency: float = 0.0,
        processing_time: float | None = None,
        url_lifetime: float | None = None,
        token_lifetime: float | None = None,
        visibility_lag: float | None = None,
        unknown_scenes: UnknownScenes | None = None,
        platform: Platform | None = None,
        keep_requests: int = KEEP_REQUESTS,
        max_kept: int | None = None,
        rate_limit: float | RateLimit | None = None,
        checksums: bool | None = None,
        reads_files: bool | None = None,
        sign: Sign | None = None,
        look: Look | None = None,
    ) -> None:
        check_whole("port", port, maximum=65535)
        check_whole("keep_requests", keep_requests)
        check_seconds("api_latency", api_latency)
        check_seconds("storage_latency", storage_latency)
        check_flag("checksums", checksums)
        check_flag("reads_files", reads_files)
        self.platform = platform or Platform.seeded()
        self.platform.faults.routes = {route.name: route.access for route in ROUTES}
        self.recorder = Recorder(keep_requests)
        self._host = host
        self._port = port
        self._ssl = ssl
        self._front_door = FrontDoor(
            self.platform,
            self.recorder,
            Guard(host, parse_allowed(allowed_hosts)),
            Router(ROUTES),
            api_latency=api_latency,
            storage_latency=storage_latency,
        )
        self._listener: asyncio.Server | None = None
        self._server: Server | None = None
        _change(self.platform, rate_limit=_rate_limit(rate_limit))
        _change(self.platform.room, max_kept=max_kept)
        _change(self.platform.scenes, unknown_scenes=unknown_scenes)
        _change(self.platform.storage, checksums=checksums, reads_files=reads_files, sign=sign, look=look)
        durations = {"processing_time": processing_time, "url_lifetime": url_lifetime, "token_lifetime": token_lifetime}
        _change(self.platform.timing, visibility_lag=visibility_lag, **durations)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def faults(self) -> Faults:
        """The faults of the platform. A fresh one has none."""
        return self.platform.faults

    @property
    def url(self) -> str:
        """Its URL on this machine, such as `http://127.0.0.1:8700`.

        Raises:
            RuntimeError: If it is not started.
        """
        if self._listener is None:
            raise RuntimeError("the emulator is not started: use it inside `async with`, or call `start()`")
        scheme = "http" if self._ssl is None else "https"
        return f"{scheme}://{_reachable(self._host)}:{self._listener.sockets[0].getsockname()[1]}"

    def client_options(self) -> dict[str, Any]:
        """The keyword arguments for a `KognicIOClient`, ours or the official one, to use this emulator."""
        credentials = next(iter(self.platform.accounts.credentials.items()))
        hosts = (
            "host",
            "order_execution_api_host",
            "annotation_integration_api_host",
            "workspace_api_host",
            "project_management_api_host",
            "auth_host",
        )
        # One server plays all hosts, whose paths do not overlap.
        return {"auth": credentials, **dict.fromkeys(hosts, self.url)}

    async def start(self) -> None:
        """Start to listen. Does nothing if it is started.

        Raises:
            OSError: If the port is taken.
        """
        if self._listener is not None:
            return
        self._server = Server(self._front_door.handle, self.recorder)
        self._listener = await asyncio.get_running_loop().create_server(
            self._server, self._host, self._port, backlog=BACKLOG, ssl=self._ssl
        )
        self.platform.storage.base_url = self.url

    async def stop(self) -> None:
        """Stop to listen and close every connection, within a second. Does nothing if it is stopped."""
        if self._listener is None or self._server is None:
            return
        listener, self._listener = self._listener, None
        listener.close()
        self._server.pre_shutdown()  # closes idle connections
        await self._server.shutdown(STOP_TIMEOUT)


def _rate_limit(given: object) -> RateLimit | None:
    """The rate limit for an option of an emulator."""
    if given is None or isinstance(given, RateLimit):
        return given
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise TypeError(f"rate_limit: expected requests per second or a RateLimit, got {given!r}")
    if not given > 0:
        raise ValueError(f"rate_limit: expected more than 0 requests per second, got {given!r}")
    return RateLimit(given)


def _change(part: object, **settings: object) -> None:
    """Change settings of a part of the platform, except those that are None."""
    for name, value in settings.items():
        if value is not None:
            setattr(part, name, value)


def _reachable(host: str) -> str:
    """The host to connect to: the loopback address if it listens on all addresses; IPv6 in brackets."""
    host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # not bound to here
    return f"[{host}]" if ":" in host else host
