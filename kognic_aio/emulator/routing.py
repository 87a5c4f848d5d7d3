"""Routes, the calls that their handlers get, and the router that finds them."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

import attrs
from aiohttp import web

from kognic_aio.emulator.bodies import MAX_FORM, MAX_JSON, parse_json
from kognic_aio.emulator.errors import BadRequestError, MethodNotAllowedError, NotFoundError
from kognic_aio.emulator.faults import Access
from kognic_aio.emulator.numbers import whole_number
from kognic_aio.emulator.recorder import RecordedRequest
from kognic_aio.emulator.state.body import Body
from kognic_aio.emulator.state.platform import Platform

TARGET = re.compile(r"(?:[!-$&-~]|%[0-9a-fA-F]{2})*")
"""A path and a query: visible ASCII and complete escapes."""
FLAGS = {"true": True, "false": False}


@attrs.define
class Call:
    """A request, as a handler sees it.

    Args:
        platform: The state to act on.
        request: The HTTP request. Only handlers of signed URLs read its body.
        params: The variable segments of the path, unescaped.
        record: The record of this request, with its raw body.
    """

    platform: Platform
    request: web.BaseRequest
    params: dict[str, str]
    record: RecordedRequest

    @property
    def body(self) -> Body:
        """The JSON body.

        Raises:
            BadRequestError: If it is not JSON.
        """
        return Body(parse_json(self.record.content))

    @property
    def form(self) -> dict[str, str]:
        """The fields of a body that is an HTML form."""
        return dict(parse_qsl(self.record.content.decode(errors="replace")))

    @property
    def object_path(self) -> str:
        """The path in the storage of the object of a signed URL."""
        return f"{self.params['workspace']}/{self.params['scene']}/{self.params['resource']}"

    @property
    def dry_run(self) -> bool:
        """Whether to validate the request only."""
        return "X-Dryrun" in self.request.headers

    @property
    def cursor(self) -> str | None:
        """The next cursor of the previous page; None for the first page."""
        return self.request.query.get("cursorId")

    def query(self, key: str) -> str:
        """A required value of the query.

        Raises:
            BadRequestError: If it is missing.
        """
        value = self.request.query.get(key)
        if not value:
            raise BadRequestError(f"the query lacks {key}")
        return value

    def query_flag(self, key: str) -> bool:
        """A flag of the query, in upper or lower case; false if it is missing.

        Raises:
            BadRequestError: If it is something else.
        """
        value = self.request.query.get(key, "false")
        if value.lower() not in FLAGS:
            raise BadRequestError(f"{key} must be true or false, got {value!r}")
        return FLAGS[value.lower()]

    def query_number(self, key: str, default: int, minimum: int = 0, maximum: int | None = None) -> int:
        """An integer of the query from `minimum` to `maximum`.

        Raises:
            BadRequestError: If it is something else.
        """
        value = self.request.query.get(key)
        if value is None:
            return default
        number = whole_number(value)
        if number is None or number < minimum or (maximum is not None and number > maximum):
            wanted = f"{minimum} or more" if maximum is None else f"{minimum} to {maximum}"
            raise BadRequestError(f"{key} must be an integer of {wanted}, got {value!r}")
        return number


@attrs.frozen
class Bare:
    """A response without the platform's envelope."""

    value: Any


Handler = Callable[[Call], Any]


@attrs.frozen
class Route:
    """An endpoint.

    Args:
        method: The HTTP method.
        pattern: The path without its first slash; `{name}` stands for any segment.
        handler: A function whose result is the `data` of the response; for signed URLs a coroutine function that reads
            the body itself and returns the whole response.
        access: What a request needs: a token, nothing, or a signed URL.
        keeps: Whether the platform keeps the body in some form.
    """

    method: str
    pattern: str
    handler: Handler
    access: Access = "token"
    keeps: bool = False

    @property
    def name(self) -> str:
        """Method and pattern: the name of the endpoint in counters."""
        return f"{self.method} {self.pattern}"

    @property
    def max_body(self) -> int:
        """Bytes that a body may have. Uploads are not read through here."""
        return MAX_FORM if self.access == "open" else MAX_JSON

    def act(self, call: Call) -> Any:
        """Call the handler, if there is room for what it keeps.

        Raises:
            PlatformError: If the request is refused.
        """
        size = len(call.record.content) if self.keeps and not call.dry_run else 0
        room = call.platform.room
        room.check(size)
        answer = self.handler(call)
        room.taken += size  # not if the handler refused it
        return answer


class Routes:
    """The routes of one subject. The methods are decorators for their handlers."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def add(
        self, method: str, pattern: str, handler: Handler, access: Access = "token", *, keeps: bool = False
    ) -> None:
        """Add a route."""
        self._routes.append(Route(method, pattern, handler, access, keeps))

    def get(self, pattern: str, access: Access = "token") -> Callable[[Handler], Handler]:
        """Respond to GET with the decorated function."""
        return self._decorator("GET", pattern, access)

    def post(self, pattern: str, access: Access = "token", *, keeps: bool = False) -> Callable[[Handler], Handler]:
        """Respond to POST with the decorated function."""
        return self._decorator("POST", pattern, access, keeps=keeps)

    def put(self, pattern: str, access: Access = "token") -> Callable[[Handler], Handler]:
        """Respond to PUT with the decorated function."""
        return self._decorator("PUT", pattern, access)

    def patch(self, pattern: str, access: Access = "token") -> Callable[[Handler], Handler]:
        """Respond to PATCH with the decorated function."""
        return self._decorator("PATCH", pattern, access)

    def delete(self, pattern: str, access: Access = "token") -> Callable[[Handler], Handler]:
        """Respond to DELETE with the decorated function."""
        return self._decorator("DELETE", pattern, access)

    def _decorator(
        self, method: str, pattern: str, access: Access, *, keeps: bool = False
    ) -> Callable[[Handler], Handler]:
        def decorate(handler: Handler) -> Handler:
            self.add(method, pattern, handler, access, keeps=keeps)
            return handler

        return decorate


class _Node:
    """A node in the tree of path segments."""

    __slots__ = ("children", "routes", "variable")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.variable: _Node | None = None
        self.routes: dict[str, tuple[Route, list[str]]] = {}


class Router:
    """Finds the route of a request with one dictionary look-up per segment of its path.

    Args:
        routes: All routes. A fixed segment takes precedence over a variable one.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        for route in routes:
            self._add(route)

    def _add(self, route: Route) -> None:
        node = self._root
        names: list[str] = []
        for segment in route.pattern.split("/"):
            if segment.startswith("{"):
                names.append(segment.strip("{}"))
                node.variable = node.variable or _Node()
                node = node.variable
            else:
                node = node.children.setdefault(segment, _Node())
        node.routes[route.method] = route, names

    def find(self, method: str, raw_path: str) -> tuple[Route, dict[str, str]]:
        """The route of a request and the values of its variable segments.

        Args:
            method: The HTTP method.
            raw_path: The path as it was sent, still escaped; a query is ignored.

        Raises:
            BadRequestError: If an escape in the path or the query is malformed, or not UTF-8.
            NotFoundError: If no route has this path.
            MethodNotAllowedError: If no route with this path has this method.
        """
        _check_target(raw_path)
        node = self._root
        values: list[str] = []
        path = raw_path.partition("?")[0]
        for segment in path.removeprefix("/").split("/"):
            child = node.children.get(segment)
            if child is None:
                child = node.variable
                if child is None or not segment:
                    raise NotFoundError(f"there is no {path}")
                values.append(unquote_to_bytes(segment).decode())
            node = child
        found = node.routes.get(method)
        if found is None:
            if not node.routes:
                raise NotFoundError(f"there is no {path}")
            raise MethodNotAllowedError(f"{path} does not take {method}, only {', '.join(node.routes)}")
        route, names = found
        return route, dict(zip(names, values, strict=True))


def _check_target(target: str) -> None:
    """Check that a path and its query are unambiguous."""
    if TARGET.fullmatch(target) is None:
        raise BadRequestError("the URL cannot be read: a character is not escaped, or an escape is not whole")
    try:
        unquote_to_bytes(target).decode()
    except UnicodeDecodeError as error:
        raise BadRequestError(f"the URL cannot be read: {error}") from error
