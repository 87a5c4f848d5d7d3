"""The emulator as a server: it starts, tells where it is, and stops."""

import asyncio
from collections.abc import Iterable
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
STOP_TIMEOUT = 0.2


class Emulator:
    """A local Kognic platform over HTTP: every API, the auth server and the file storage behind one URL.

    Use it as an async context manager, or call `start` and `stop`. It belongs to no event loop before it is
    started, and may be started again after a stop with everything it knew.

    Args:
        host: the address to listen on.
        port: the port to listen on; 0 takes a free one.
        api_latency: seconds slept before a request to an API or for a token is handled.
        storage_latency: seconds slept before a request to a signed URL is handled.
        processing_time: seconds from the commit of a scene until it is created; None leaves it as the platform
            has it, which is 0 unless it was changed.
        url_lifetime: seconds until a signed URL expires; None as above, 3600.
        token_lifetime: seconds until a token expires; None as above, 3600.
        visibility_lag: seconds from the creation of a scene until clients can see it; None as above, 0. Until then
            all that names it is answered as if there was no such scene (404): status queries, summaries, ego poses,
            annotations, imports, invalidations, and what is to be made of it, pre-annotations and inputs. Lists of
            inputs leave it out. Only uploads and the commit work: clients do them right after the creation.
        unknown_scenes: what a status query does about scenes that are unknown or not visible yet: `refuse` answers
            404, `omit` leaves them out of the list, though an invalidation is still answered 404; None leaves it
            as the platform has it in `platform.scenes.unknown_scenes`, which is `refuse`.
        allowed_hosts: the hosts in whose name requests may come, such as `emulator` or `emulator:8700`, beside what
            it is bound to and `localhost`. A container or a proxy has a name of its own. All else is answered 421, so
            that no page in a browser gets in under a name that resolves to this machine. Without a port, any will do.
        platform: the state to serve; by default a new `Platform.seeded()`.
        keep_requests: how many requests the recorder keeps, the latest, as long as they take no more than 128 MiB.
        max_kept: how many bytes of bodies are kept, of scenes, calibrations, pre-annotations and reviews. What is
            beyond is answered 507. None leaves it as the platform has it, which is 1 GiB unless it was changed.
        rate_limit: how many API requests per second are taken, or a whole `RateLimit`; None leaves it as the
            platform has it in `platform.rate_limit`, which is without limit unless it was changed.
        checksums: whether the answer to a PUT tells the CRC32C of what was stored; None as above, true.
        reads_files: whether files are read while they arrive. Those which are not what their names say then let
            processing fail, with a message that says what was found and what was expected: images of another format,
            point clouds whose header is broken, whose columns are unknown or whose points are not numbers or not all
            there. Of a file in another store, only the first 64 bytes that `look` tells are read. It costs a few
            kilobytes for each file that is arriving. None as above, false: then made-up bytes will do for any file
            but a CSV, which must have the right header.
        sign: what signs URLs of another store for the files, given the method `PUT` or `GET`, the path of the
            object and the seconds until the URL expires; where it returns None, the emulator signs its own.
        look: what tells size and first bytes of an object in that store, or None if there is none; without it,
            files that are put there are taken for there and good.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        allowed_hosts: Iterable[str] = (),
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
        check_whole("port", port, most=65535)
        check_whole("keep_requests", keep_requests)
        if max_kept is not None:
            check_whole("max_kept", max_kept)
        check_seconds("api_latency", api_latency)
        check_seconds("storage_latency", storage_latency)
        for name, flag in {"checksums": checksums, "reads_files": reads_files}.items():
            if flag is not None:
                check_flag(name, flag)
        self.platform = platform or Platform.seeded()
        self.platform.faults.routes = {route.name: route.access for route in ROUTES}
        self.recorder = Recorder(keep_requests)
        self._host = host
        self._port = port
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
        _change(self.platform.room, most=max_kept)
        _change(self.platform.scenes, unknown_scenes=unknown_scenes)
        _change(self.platform.storage, checksums=checksums, reads_files=reads_files, sign=sign, look=look)
        _change(
            self.platform.timing,
            processing_time=processing_time,
            url_lifetime=url_lifetime,
            token_lifetime=token_lifetime,
            visibility_lag=visibility_lag,
        )

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def faults(self) -> Faults:
        """What goes wrong, and when: nothing, until a fault is added."""
        return self.platform.faults

    @property
    def url(self) -> str:
        """Where it is reached from this machine, such as `http://127.0.0.1:8700`.

        Raises:
            RuntimeError: it is not started.
        """
        if self._listener is None:
            raise RuntimeError("the emulator is not started: use it inside `async with`, or call `start()`")
        return f"http://{_reachable(self._host)}:{self._listener.sockets[0].getsockname()[1]}"

    def client_options(self) -> dict[str, Any]:
        """The keyword arguments that make a `KognicIOClient` talk to this emulator, ours and the official one."""
        credentials = next(iter(self.platform.accounts.credentials.items()))
        hosts = (
            "host",
            "order_execution_api_host",
            "annotation_integration_api_host",
            "workspace_api_host",
            "project_management_api_host",
            "auth_host",
        )
        return {"auth": credentials, **dict.fromkeys(hosts, self.url)}

    async def start(self) -> None:
        """Start to listen; does nothing if it listens already.

        Raises:
            OSError: the port is taken.
        """
        if self._listener is not None:
            return
        self._server = Server(self._front_door.handle, self.recorder)
        self._listener = await asyncio.get_running_loop().create_server(
            self._server, self._host, self._port, backlog=BACKLOG
        )
        self.platform.storage.base_url = self.url

    async def stop(self) -> None:
        """Close every connection and stop to listen, within a second; does nothing if it is stopped."""
        if self._listener is None or self._server is None:
            return
        listener, self._listener = self._listener, None
        listener.close()
        self._server.pre_shutdown()
        await self._server.shutdown(STOP_TIMEOUT)


def _rate_limit(given: object) -> RateLimit | None:
    """A rate limit of what an emulator was given."""
    if given is None or isinstance(given, RateLimit):
        return given
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise TypeError(f"rate_limit: expected requests per second or a RateLimit, got {given!r}")
    if not given > 0:
        raise ValueError(f"rate_limit: expected more than 0 requests per second, got {given!r}")
    return RateLimit(given)


def _change(part: object, **settings: object) -> None:
    """Change the settings of a part of the platform; None leaves one as it is."""
    for name, value in settings.items():
        if value is not None:
            setattr(part, name, value)


def _reachable(host: str) -> str:
    """A host to connect to for one to listen on: the loopback address for all addresses, IPv6 in brackets."""
    host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound to here
    return f"[{host}]" if ":" in host else host
