"""The platform's APIs: JSON in, models out."""

from typing import Any, TypeVar

from kognic_aio._http.protocol import DRYRUN_HEADER, unwrap
from kognic_aio._http.transport import Query, Transport
from kognic_aio._http.wire import DecodeError, decode
from kognic_aio.errors import MalformedAnswerError

T = TypeVar("T")


class Api:
    """One API of the platform: JSON in, models out.

    Args:
        transport: Sends the requests.
        host: The API's base URL.
    """

    def __init__(self, transport: Transport, host: str) -> None:
        self._transport = transport
        self._host = host.rstrip("/")

    async def get(self, path: str, kind: type[T], *, query: Query | None = None) -> T:
        """What a GET answers."""
        url = self._url(path)
        return _decoded(await self._transport.call("GET", url, query=query, repeatable=True), kind, "GET", url)

    async def ask(self, path: str, kind: type[T], *, json: Any) -> T:
        """What a POST answers that only asks for something, so that it can be repeated at will."""
        url = self._url(path)
        return _decoded(await self._transport.call("POST", url, json=json, repeatable=True), kind, "POST", url)

    async def post(self, path: str, kind: type[T], *, json: Any, query: Query | None = None, dryrun: bool = False) -> T:
        """What a POST answers that creates something; with `dryrun`, the platform only validates."""
        url = self._url(path)
        headers = DRYRUN_HEADER if dryrun else None
        data = await self._transport.call("POST", url, query=query, json=json, headers=headers, repeatable=dryrun)
        return _decoded(data, kind, "POST", url)

    async def command(self, path: str, *, json: Any = None, query: Query | None = None, dryrun: bool = False) -> None:
        """A POST whose answer holds nothing of use; with `dryrun`, the platform only validates."""
        headers = DRYRUN_HEADER if dryrun else None
        await self._transport.call(
            "POST", self._url(path), query=query, json=json, headers=headers, repeatable=dryrun, discard=True
        )

    def _url(self, path: str) -> str:
        return f"{self._host}/{path}"


def _decoded(data: Any, kind: type[T], method: str, url: str) -> T:
    try:
        return decode(unwrap(data), kind)
    except DecodeError as error:
        message = f"{method} {url} answered what the contract does not say: {error}"
        raise MalformedAnswerError(message, method=method, url=url, problems=error.problems) from error
