"""Cleans the texts of servers: short, on one line, and without the secrets of this client.

Every text of a server passes here on its way into an error, a log line, the journal or a display. It is cut first, to
bound the cost. Then its escapes are undone, and the result is compared with the secrets.
"""

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from html.entities import html5
from itertools import islice

from yarl import URL

from kognic_aio._frames import hide_frames
from kognic_aio._secret import Secret
from kognic_aio._text import CUT, printable

MAX_SEARCHED = 4 << 10
"""Bytes of a text that are searched. Secrets that begin in them are found whole, up to `MAX_SECRET`."""

MAX_SECRET = 4 << 10
"""Bytes of the longest secret that is found where a text is cut."""

MIN_SECRET = 4
"""Characters of the shortest secret. A shorter one would be found in every second word."""

MAX_SECRETS = 16
"""Secrets of one client that are remembered: its credentials and its latest tokens."""

BLANK = CUT

NAMED = re.compile(
    r"(?i)(signature|credential|token|password|secret|accesskeyid|googleaccessid|\bsig)(=|\\u003d)[^&\s<\"'\\]+"
)
"""A name and its value, which is a secret, perhaps somebody else's."""

_ESCAPE = re.compile(
    rb"%(?:25)*([0-9A-Fa-f]{2})"
    rb"|\\++(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|(.?))"
    rb"|&(?:amp;)*+(?:#[xX]([0-9A-Fa-f]{1,6});|#([0-9]{1,7});|([A-Za-z]{2,8};)|)"
)
"""A character as URLs, JSON, Python and HTML escape it, once or several times."""

MAX_ROUNDS = 3
"""How often escapes are undone, for example of JSON in HTML in a URL."""

_PASSED_OVER = bytes({*range(256)} - {*range(0x21, 0x7F)}) + b"?="
"""Bytes that differ between encodings (`?` replaces what one lacks), line breaks, and padding."""

_ALIKE = bytes.maketrans(b"-_", b"+/")
"""The letters of URL-safe base64 become those of MIME's."""

_CARRYING = re.compile(r"(?i)auth|cookie|credential|token|password|secret|key|session")
"""Names of headers that carry secrets. A caller's session may have any."""

_HARMLESS = re.compile(
    r"(?i)^(?:x-(?:amz|goog)-)?(?:algorithm|content-sha256|date|expires|signedheaders)$|^uploads?$|^part-?number$"
)
"""Parameters of signed URLs that are not secret. All others may be."""

Sought = tuple[set[bytes], set[bytes]]


class Redactor:
    """Knows the secrets of one client, and removes them from the texts of servers.

    Attributes:
        session_secrets: Returns the secrets of a caller's session, such as its cookies.
    """

    def __init__(self) -> None:
        self._secrets = deque[Secret[str]](maxlen=MAX_SECRETS)
        self.session_secrets: Callable[[], Iterable[str]] = tuple[str, ...]

    def learn(self, secret: Secret[str]) -> None:
        """Remember a secret. If there are too many, forget the one learnt first: tokens expire."""
        if secret in self._secrets:
            self._secrets.remove(secret)
        self._secrets.append(secret)

    def known(self) -> tuple[str, ...]:
        """The secrets."""
        learnt = [*self._secrets]  # copied: large responses are cleaned in a thread, while others are learnt
        return (*(secret.reveal() for secret in learnt), *islice(self.session_secrets(), MAX_SECRETS))

    def __call__(self, text: str, *, length: int) -> str:
        """A text of a server without secrets."""
        return redacted(text, self.known(), length=length)

    def clean(self, value: str) -> str:
        """A value to keep or display: unchanged, unless it contains a secret."""
        # With a secret cut out, it is only a text for display, so it may be cut short as well.
        return self(value, length=MAX_SEARCHED) if self.knows(value) else value

    @hide_frames
    def knows(self, text: str) -> bool:
        """Whether a text of any length contains a secret."""
        sought = _sought(self.known())
        plain = text.encode(errors="replace")
        for _ in range(MAX_ROUNDS + 1):
            if _is_in(plain, sought):
                return True
            if not _may_have_escapes(plain):
                break
            plain, before = _ESCAPE.sub(_character, plain), plain
            if plain == before:
                break
        return False


def secrets_of_request(
    headers: Mapping[str, str], url: URL, form: Mapping[str, str] | None, redactor: Redactor
) -> tuple[str, ...]:
    """The secrets that a response may quote: the client's, and those in the request's headers, signed URL or form."""
    secrets = [*redactor.known(), *secrets_in_headers(headers)]
    if "Authorization" not in headers:
        parameters = (part.partition("=") for part in url.raw_query_string.split("&"))
        secrets += [value for name, _, value in parameters if not _HARMLESS.search(name)]
    secrets += [] if form is None else [form["client_secret"]]
    return tuple(word for word in secrets if word.lower() not in ("", "basic", "bearer"))  # the names of schemes


def secrets_in_headers(headers: Mapping[str, str]) -> Iterator[str]:
    """The secrets in headers: the values of cookies; of others, the part after the scheme and each word of it."""
    for name, value in headers.items():
        if name.lower() == "cookie":
            yield from (part.partition("=")[2].strip(' "') for part in value.split(";"))
        elif _CARRYING.search(name):
            yield from (value.partition(" ")[2] or value, *re.split(r'[\s;="]+', value))


@hide_frames
def redacted(text: str, secrets: Iterable[str] = (), *, length: int) -> str:
    """A text of a server, of limited length and without secrets in any form."""
    shown = _without(text[: MAX_SEARCHED + MAX_SECRET], _sought(tuple(secrets)))
    words = NAMED.sub(rf"\1\2{BLANK}", shown) if "=" in shown or "\\" in shown else shown  # a pattern costs more
    return printable(" ".join(words.split()), length)


@lru_cache(MAX_SECRETS)
def _sought(secrets: tuple[str, ...]) -> Sought:
    """The secrets as they are, and in the form that all encodings of them share."""
    exact = {form for secret in secrets if len(secret) >= MIN_SECRET for form in _forms(secret) if len(form) > 1}
    return exact, {form for form in map(_bare, exact) if len(form) >= MIN_SECRET}


def _forms(secret: str) -> Iterator[bytes]:
    """A secret as it is, and as it looks in a text whose escapes are undone, including those in the secret itself.

    JSON writes a line end as a backslash and a letter, of which the letter is left.
    """
    for written in (secret, secret.replace(" ", "+")):
        yield written.encode(errors="replace")
    for written in (secret, json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield _ESCAPE.sub(_character, written.encode(errors="replace"))


def _bare(text: bytes) -> bytes:
    """The visible ASCII of a text, whatever its encoding, line breaks and kind of base64."""
    return text.translate(_ALIKE, _PASSED_OVER)


def _without(text: str, sought: Sought) -> str:
    """Replace the secrets in a text. Cut it where the beginning of a secret may stand that is not there as a whole."""
    raw = text.encode(errors="replace")
    if len(raw) < MAX_SEARCHED and not _may_have_escapes(raw) and not _is_in(raw, sought):
        return raw.decode(errors="replace")  # as most are
    plain, origins = raw, [*range(len(raw) + 1)]
    spans = [*_found(plain, origins, sought)]
    for _ in range(MAX_ROUNDS):
        before = plain
        plain, of_this_round = _unescaped(before)
        if plain == before:
            break
        origins = [origins[place] for place in of_this_round]
        spans += _found(plain, origins, sought)
    kept, position = bytearray(), 0
    for start, end in sorted(spans):
        if start >= position:
            kept += raw[position:start] + BLANK.encode()
        position = max(position, end)
    end = len(raw) if len(raw) < MAX_SEARCHED + MAX_SECRET else MAX_SEARCHED
    return bytes(kept + raw[position:end]).decode(errors="replace")


def _may_have_escapes(text: bytes) -> bool:
    return b"%" in text or b"\\" in text or b"&" in text  # as most have none, and patterns cost more


def _is_in(text: bytes, sought: Sought) -> bool:
    exact, loose = sought
    bare = _bare(text)
    return any(form in text for form in exact) or any(form in bare for form in loose)


def _found(text: bytes, origins: Sequence[int], sought: Sought) -> Iterator[tuple[int, int]]:
    """The start and end of each secret in the original text, by the origins of the bytes."""
    exact, loose = sought
    # Secrets are cut out exactly. A message whose rest is kept still says what went wrong.
    places = [place for place, byte in enumerate(text) if byte not in _PASSED_OVER]
    for start, end in _spans(text, exact):
        yield origins[start], origins[end]
    for start, end in _spans(_bare(text), loose):
        yield origins[places[start]], origins[places[end - 1] + 1]


def _spans(text: bytes, secrets: Iterable[bytes]) -> Iterator[tuple[int, int]]:
    for secret in secrets:
        start = text.find(secret)
        while start >= 0:
            yield start, start + len(secret)
            start = text.find(secret, start + len(secret))


def _unescaped(raw: bytes) -> tuple[bytes, list[int]]:
    """Undo the escapes of a text. Also return the position that each byte and the end come from."""
    plain, origins, position = bytearray(), list[int](), 0
    for match in _ESCAPE.finditer(raw):
        plain += raw[position : match.start()]
        origins += range(position, match.start())
        character = _character(match)
        plain += character
        origins += [match.start()] * len(character)
        position = match.end()
    plain += raw[position:]
    return bytes(plain), [*origins, *range(position, len(raw) + 1)]


def _character(match: "re.Match[bytes]") -> bytes:
    """The character of an escape."""
    percent, byte, unit, plain, hexadecimal, decimal, name = match.groups()
    if percent or byte:
        return bytes([int(percent or byte, 16)])
    if name:
        return html5.get(name.decode(), f"&{name.decode()}").encode()
    if unit or hexadecimal or decimal:
        number = int(unit or hexadecimal, 16) if unit or hexadecimal else int(decimal)
        return chr(number if number < 0x110000 else 0xFFFD).encode(errors="surrogatepass")
    return b"&" if plain is None else bytes(plain)
