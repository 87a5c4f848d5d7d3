"""Answers as they would have been read, without a server."""

from collections.abc import Iterable, Mapping

from yarl import URL

from kognic_aio._http.protocol import Answer, Request
from kognic_aio._secret import Secret


def answer_with(
    body: bytes,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
    url: str = "https://host/path",
    secrets: Iterable[str] = (),
) -> Answer:
    return Answer(
        request=Request(method=method, url=Secret(URL(url)), headers={}),
        status=status,
        headers=Secret(headers or {}),
        body=Secret(body),
        secrets=Secret(lambda: secrets),
    )
