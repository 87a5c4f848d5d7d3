"""The client: opens the connections, composes the resources, closes everything."""

import asyncio
from collections.abc import Callable
from importlib import import_module
from ssl import SSLContext
from typing import TYPE_CHECKING, Generic, Self, TypeVar, cast

import aiohttp
import anyio
from anyio import CancelScope
from attrs import evolve, fields

from kognic_aio._frames import hide_frames, without_frames
from kognic_aio._http.api import Api
from kognic_aio._http.auth import Auth
from kognic_aio._http.protocol import given
from kognic_aio._http.storage import Storage
from kognic_aio._http.transport import Transport
from kognic_aio._secret import Secret
from kognic_aio._threads import in_thread
from kognic_aio._validation.converters import argument, seconds
from kognic_aio.config import (
    API_RETRY_ATTEMPTS,
    ARGUMENTS,
    DEFAULT_RETRY_ATTEMPTS,
    DEFAULT_RETRY_WAIT,
    DEFAULT_TIMEOUT,
    DEFAULT_VISIBILITY_TIMEOUT,
    Environment,
    Hosts,
    Limits,
    Retry,
    find_environment,
)
from kognic_aio.errors import ClosedError, InvalidError, KognicError, WorkspaceError
from kognic_aio.model import (
    AggregatedLidarsAndCamerasSequence,
    Cameras,
    CamerasSequence,
    Lidars,
    LidarsAndCameras,
    LidarsAndCamerasSequence,
    LidarsSequence,
)
from kognic_aio.scenes.backend import Backend, Limiters
from kognic_aio.scenes.visibility import Visibility

if TYPE_CHECKING:
    from kognic_aio.resources.annotation import AnnotationResource
    from kognic_aio.resources.calibration import CalibrationResource
    from kognic_aio.resources.input import InputResource
    from kognic_aio.resources.pre_annotation import PreAnnotationResource
    from kognic_aio.resources.project import ProjectResource
    from kognic_aio.resources.request import RequestResource
    from kognic_aio.resources.review import ReviewResource
    from kognic_aio.resources.scene import SceneResource
    from kognic_aio.resources.scene_creation import SceneCreator
    from kognic_aio.resources.task import TaskResource
    from kognic_aio.resources.workspace import WorkspaceResource

R = TypeVar("R")

CREATOR = "scene_creation.SceneCreator"

CLOSING_TIME = 1.0
"""Seconds that tasks have to end when the client closes."""


class _Lazy(Generic[R]):
    """An attribute of the client, whose module is imported on first access.

    Importing all resources with their models takes longer than opening a client, and few programs use all of them. This
    is not a `cached_property`, which would need a method for each resource.
    """

    def __init__(self, path: str, *arguments: object) -> None:
        self._path = path  # the module in `kognic_aio.resources`, and the class in it
        self._arguments = arguments  # of the class, after the backend

    def __set_name__(self, owner: type["KognicIOClient"], name: str) -> None:
        self._name = name

    def __get__(self, client: "KognicIOClient | None", owner: type["KognicIOClient"]) -> R:
        if client is None:
            return cast("R", self)  # for `help()` and others that look at the class
        module, _, name = self._path.partition(".")
        make: Callable[..., R] = getattr(import_module(f"kognic_aio.resources.{module}"), name)
        resource = make(backend_of(client), *self._arguments)
        vars(client)[self._name] = resource  # shadows this descriptor, which has no __set__, from now on
        return resource


class KognicIOClient:
    """A client of the Kognic platform: use it inside `async with`, or between `await open()` and `await aclose()`.

    One client serves one event loop, and any number of tasks in it. Creating it does no I/O and binds it to no loop:
    opening it does. Credentials are sent over https only, except to this machine.

    Args:
        auth: Path of a credentials file, `(client_id, client_secret)`, the content of a file as a dict, or
            `keyring://profile`. By default the credentials of the environment `env`, else KOGNIC_CREDENTIALS, else
            KOGNIC_CLIENT_ID and KOGNIC_CLIENT_SECRET, else the keyring.
        env: A name in `~/.config/kognic/environments.json`, or the URL of one server for everything. It sets all hosts
            and `auth`; those that are passed override it. By default KOGNIC_ENV, else the platform itself.
        host: Base URL of the input API.
        order_execution_api_host: Base URL of the order execution API.
        annotation_integration_api_host: Base URL of the annotation integration API.
        workspace_api_host: Base URL of the workspace API.
        project_management_api_host: Base URL of the project management API.
        auth_host: Base URL of the auth server.
        client_organization_id: The organization to act for. Only Kognic users can.
        max_retry_attempts: Attempts at an upload, including the first. An API request has 10 attempts at most, a
            request for a token 4. None begins later than 10 minutes after the first.
        max_retry_wait_time: The longest pause between two attempts, in seconds, unless the server asks for more.
            Between two requests for a token it is 5 seconds at most.
        timeout: Seconds to connect, and then the longest time without a byte in either direction. A server that reads
            or responds slowly but steadily is waited for.
        max_connections: Concurrent uploads; the same as `Limits(uploads=...)`.
        visibility_timeout: The grace period of a scene in seconds, during which "not found" counts as "not yet". It
            begins when this client creates the scene, or first asks for a scene that only a journal knows.
        write_workspace_id: The workspace to create scenes in. By default the only one in which you have the developer
            role.
        limits: Bounds of concurrency.
        adaptive: Whether to find out how many requests at once each host serves well, within the limits. If not, as
            many start at once as the limits allow. A host that pushes back gets fewer in any case.
        session: An aiohttp session of your own. It stays open.
        ssl: The context for TLS connections, as for a private CA. By default aiohttp's own.
        trust_env: Whether to use the proxy from the environment: `https_proxy`, else `all_proxy`, except for the hosts
            in `no_proxy` and this machine. Proxies may be `http://` (the default scheme) or `https://`. `http_proxy` is
            ignored, because plain http never leaves this machine.

    Raises:
        InvalidError: If a host is not a URL, has a path, or is plain http to another machine, or a number is invalid.
    """

    annotation: "_Lazy[AnnotationResource]" = _Lazy("annotation.AnnotationResource")
    calibration: "_Lazy[CalibrationResource]" = _Lazy("calibration.CalibrationResource")
    input: "_Lazy[InputResource]" = _Lazy("input.InputResource")
    pre_annotation: "_Lazy[PreAnnotationResource]" = _Lazy("pre_annotation.PreAnnotationResource")
    project: "_Lazy[ProjectResource]" = _Lazy("project.ProjectResource")
    request: "_Lazy[RequestResource]" = _Lazy("request.RequestResource")
    review: "_Lazy[ReviewResource]" = _Lazy("review.ReviewResource")
    scene: "_Lazy[SceneResource]" = _Lazy("scene.SceneResource")
    task: "_Lazy[TaskResource]" = _Lazy("task.TaskResource")
    workspace: "_Lazy[WorkspaceResource]" = _Lazy("workspace.WorkspaceResource")

    cameras: "_Lazy[SceneCreator[Cameras]]" = _Lazy(CREATOR, Cameras)
    cameras_sequence: "_Lazy[SceneCreator[CamerasSequence]]" = _Lazy(CREATOR, CamerasSequence)
    lidars: "_Lazy[SceneCreator[Lidars]]" = _Lazy(CREATOR, Lidars)
    lidars_sequence: "_Lazy[SceneCreator[LidarsSequence]]" = _Lazy(CREATOR, LidarsSequence)
    lidars_and_cameras: "_Lazy[SceneCreator[LidarsAndCameras]]" = _Lazy(CREATOR, LidarsAndCameras)
    lidars_and_cameras_sequence: "_Lazy[SceneCreator[LidarsAndCamerasSequence]]" = _Lazy(
        CREATOR, LidarsAndCamerasSequence
    )
    aggregated_lidars_and_cameras_seq: "_Lazy[SceneCreator[AggregatedLidarsAndCamerasSequence]]" = _Lazy(
        CREATOR, AggregatedLidarsAndCamerasSequence
    )

    @hide_frames  # its frame has the credentials, and hosts that are refused because they contain a password
    def __init__(
        self,
        *,
        auth: Auth = None,
        env: str | None = None,
        host: str | None = None,
        order_execution_api_host: str | None = None,
        annotation_integration_api_host: str | None = None,
        workspace_api_host: str | None = None,
        project_management_api_host: str | None = None,
        auth_host: str | None = None,
        client_organization_id: int | None = None,
        max_retry_attempts: int = DEFAULT_RETRY_ATTEMPTS,
        max_retry_wait_time: float = DEFAULT_RETRY_WAIT,
        timeout: float = DEFAULT_TIMEOUT,
        max_connections: int | None = None,
        visibility_timeout: float = DEFAULT_VISIBILITY_TIMEOUT,
        write_workspace_id: str | None = None,
        limits: Limits | None = None,
        adaptive: bool = True,
        session: aiohttp.ClientSession | None = None,
        ssl: SSLContext | None = None,
        trust_env: bool = True,
    ) -> None:
        self._auth = None if auth is None else Secret(auth)
        self._env = env
        self._given_hosts = given(
            input=host,
            order_execution=order_execution_api_host,
            annotation_integration=annotation_integration_api_host,
            workspace=workspace_api_host,
            project_management=project_management_api_host,
            auth=auth_host,
        )
        self.hosts = Hosts(**self._given_hosts)
        if (timeout := argument("timeout", timeout, seconds)) == 0:
            raise InvalidError("timeout: expected more than 0 seconds; math.inf is no bound")
        if session is not None and ssl is not None:
            raise InvalidError("ssl: cannot be combined with session=; configure TLS on the session's connector")
        self.limits = limits or Limits()
        if max_connections is not None:
            self.limits = evolve(self.limits, uploads=max_connections)
        self._organization_id = client_organization_id
        self._write_workspace_id = write_workspace_id
        self._workspace_id: str | None = None
        self._opening = anyio.Lock()
        # `max_retry_attempts` is for uploads. It can lower the attempts at API requests, but not raise them.
        uploads = Retry(attempts=max_retry_attempts, max_wait=max_retry_wait_time)
        self._transport = Transport(
            organization_id=client_organization_id,
            timeout=timeout,
            retry=evolve(uploads, attempts=min(uploads.attempts, API_RETRY_ATTEMPTS)),
            session=None if session is None else Secret(session),
            ssl=ssl,
            trust_env=trust_env,
            adaptive=adaptive,
        )
        # Hosts and workspace are passed as functions: they are known only once the client is open.
        self._backend = Backend(
            api=Api(self._transport, lambda: self.hosts.input),
            order_execution_api=Api(self._transport, lambda: self.hosts.order_execution),
            annotation_integration_api=Api(self._transport, lambda: self.hosts.annotation_integration),
            project_management_api=Api(self._transport, lambda: self.hosts.project_management),
            workspace_api=Api(self._transport, lambda: self.hosts.workspace),
            storage=Storage(self._transport, uploads, lambda: self.hosts.is_local),
            visibility=Visibility(argument("visibility_timeout", visibility_timeout, seconds)),
            limiters=Limiters(self.limits),
            workspace_id=lambda: self.workspace_id,
            listeners=self._transport.listeners,
            concurrency=lambda: self._transport.concurrency,
        )

    @property
    def workspace_id(self) -> str:
        """The workspace to create scenes in.

        Raises:
            ClosedError: If the client has not been opened.
        """
        if self._workspace_id is None:
            raise ClosedError("the client is not open: use it inside `async with client:`, or `await client.open()`")
        return self._workspace_id

    async def open(self) -> Self:
        """Open the client: find hosts, credentials and workspace. Opening an open client does nothing.

        Raises:
            InvalidError: If there is no such environment, the environments file is malformed, or the environment names
                a proxy that cannot be used.
            CredentialsError: If there are no usable credentials, or the auth server refuses them.
            WorkspaceError: If there is not exactly one workspace to write to, and none was named.
            RequestError: If a server cannot be reached. A host that has never responded is given up after 5 seconds.
        """
        async with self._opening:  # two tasks may open the same client
            if self._workspace_id is None:
                await self._open()
        return self

    async def _open(self) -> None:
        try:
            await self._open_transport()
            self._workspace_id = self._write_workspace_id or await self._find_workspace()
        except BaseException as error:
            await self.aclose()
            if isinstance(error, KognicError):
                without_frames(error)  # ours help nobody
            raise

    async def _open_transport(self) -> None:
        """Resolve the environment, and open the transport."""
        # If all hosts and the credentials were passed, the file is not even read: it may be missing or malformed.
        is_told_all = self._auth is not None and len(self._given_hosts) == len(fields(Hosts))
        environment = Environment() if is_told_all else await in_thread(find_environment, self._env)
        self.hosts = evolve(environment.hosts, **self._given_hosts)
        # The setting that an error names: the argument that set the host, or where the environment came from.
        settings = {
            name: argument if name in self._given_hosts else environment.named_by or argument
            for name, argument in ARGUMENTS.items()
        }
        if self._auth is None:
            await self._transport.open(environment.credentials, self.hosts, settings, environment.scopes)
        else:
            await self._transport.open(self._auth, self.hosts, settings)

    async def aclose(self) -> None:
        """End all runs on this client, and close its connections. Closing twice is harmless."""
        # A source may close the client from inside its run, whose task cannot wait for itself.
        tasks = [task for task in self._backend.tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        with CancelScope(shield=True):  # connections are closed even if the caller is cancelled
            try:
                if tasks:
                    await asyncio.wait(tasks, timeout=CLOSING_TIME)
            finally:
                self._workspace_id = None
                await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def redacted(self, value: str) -> str:
        """Redact the secrets of this client in a value of the platform, for a display or a log.

        Args:
            value: The value. It is returned unchanged if it contains no secret.
        """
        return self._transport.redactor.clean(value)

    async def _find_workspace(self) -> str:
        organizations = None if self._organization_id is None else [self._organization_id]
        found = await self.workspace.get_workspaces(organization_ids=organizations)
        workspaces = [*{workspace.id: workspace for workspace in found}.values()]  # each once, however often listed
        if len(workspaces) != 1:
            # An error lists at most 20 workspaces, with 200 characters of each.
            shown, count = [f"{each.name!r} ({each.id})" for each in workspaces[:20]], len(workspaces)
            named = ", ".join(self._backend.api.redact(each, length=200) for each in shown) or "none"
            del found, workspaces, shown  # texts of the platform, unredacted, which a traceback would show
            raise WorkspaceError(f"pass write_workspace_id: you have the developer role in {count} workspaces: {named}")
        return workspaces[0].id


def backend_of(client: KognicIOClient) -> Backend:
    """The backend of a client, for code that is built on the client. It is not public."""
    return client._backend  # pyright: ignore[reportPrivateUsage]  # its own module
