"""A request as a value. Nothing shows its secrets."""

from collections.abc import AsyncIterable, Mapping

from attrs import field, frozen
from yarl import URL

from kognic_aio._secret import Secret
from kognic_aio._text import printable

TOKEN_PATH = "/v1/auth/oauth/token"  # noqa: S105 - a path
"""Where an auth server gives tokens."""

MAX_ANSWER = 32 << 20
"""Bytes that are read of an answer, lest a server fills the memory."""

MAX_URL_SHOWN = 500
"""Characters of a URL that errors show."""

Data = bytes | AsyncIterable[bytes] | Secret[dict[str, str]] | None
"""A body: bytes, what gives them in chunks, or the fields of a form that has a secret in it."""


def shown_url(url: URL) -> str:
    """A URL as errors have it: in its normal form, short, and without what may be secret."""
    return printable(str(url.with_user(None).with_query(None).with_fragment(None)), MAX_URL_SHOWN)


@frozen(kw_only=True)
class Request:
    """What is sent.

    Args:
        method: The HTTP method.
        url: The full URL, which may be a signed one.
        headers: The headers, without those of aiohttp and of every request of ours.
        data: The body.
        is_api: Whether it goes to an API, and not to storage.
        needs_token: Whether it says by a token who asks.
        max_answer: Bytes of a good answer that are read at most.
    """

    method: str
    url: Secret[URL]
    headers: Mapping[str, str]
    data: Data = field(default=None, repr=False)
    is_api: bool = False
    needs_token: bool = False
    max_answer: int = MAX_ANSWER

    @property
    def shown(self) -> str:
        """The URL as errors have it."""
        return shown_url(self.url.reveal())

    def __str__(self) -> str:
        return f"{self.method} {self.shown}"
