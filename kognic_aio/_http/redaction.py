"""Cleans the texts of servers: short, on one line, and without the secrets of this client.

Every text of a server passes here on its way into an error, a log line, the journal or a display. It is cut first, to
bound the cost. Then its escapes are undone, and the result is compared with the secrets.
"""

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
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
    """Knows the secrets of one client, and removes them from the texts of servers."""

    def __init__(self) -> None:
        self._secrets = deque[Secret[str]](maxlen=MAX_SECRETS)
        self.session_secrets: Callable[[], Iterable[str]] = tuple[str, ...]  # of a caller's, such as its cookies

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
        return any(_is_in(plain, sought) for plain in _rounds(text.encode(errors="replace")))


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
    sought, raw = _sought(tuple(secrets)), text[: MAX_SEARCHED + MAX_SECRET].encode(errors="replace")
    hiding = [plain for plain in _rounds(raw, sought) if _is_in(plain, sought)]
    # Of several rounds that find secrets, the last finds all.
    clean = _cut_out(hiding[-1], sought) if hiding else raw
    if len(raw) >= MAX_SEARCHED + MAX_SECRET:
        clean = clean[:-MAX_SECRET]  # which may be the beginning of a secret
    shown = clean.decode(errors="replace")
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
    for written in (secret, secret.replace(" ", "+"), json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield from _rounds(written.encode(errors="replace"))


def _bare(text: bytes) -> bytes:
    """The visible ASCII of a text, whatever its encoding, line breaks and kind of base64."""
    return text.translate(_ALIKE, _PASSED_OVER)


def _rounds(text: bytes, sought: Sought = (set(), set())) -> Iterator[bytes]:
    """A text as it is, and after each round in which its escapes are undone, but for what is sought."""
    yield text
    for _ in range(3):  # for example of JSON in HTML in a URL
        if not (b"%" in text or b"\\" in text or b"&" in text):  # as most have none, and patterns cost more
            return
        before, text = text, _unescaped(text, sought)
        if text == before:
            return
        yield text


def _unescaped(text: bytes, sought: Sought) -> bytes:
    """A text without its escapes. What is sought stays: in `100%ab12`, an escape would take the first letters of it."""
    plain, position = bytearray(), 0
    for start, end in _places(text, sought):
        plain += _ESCAPE.sub(_character, text[position:start]) + text[start:end]
        position = end
    return bytes(plain + _ESCAPE.sub(_character, text[position:]))


def _is_in(text: bytes, sought: Sought) -> bool:
    exact, loose = sought
    bare = _bare(text)
    return any(form in text for form in exact) or any(form in bare for form in loose)


def _cut_out(text: bytes, sought: Sought) -> bytes:
    """Replace what is sought, and nothing else: the rest of a message still says what went wrong."""
    kept, position = bytearray(), 0
    for start, end in _places(text, sought):
        kept += text[position:start] + BLANK.encode()
        position = end
    return bytes(kept + text[position:])


def _places(text: bytes, sought: Sought) -> Iterator[tuple[int, int]]:
    """The start and end of each place where something is sought, in their order. Those that overlap are one."""
    if not _is_in(text, sought):
        return
    exact, loose = sought
    visible = [place for place, byte in enumerate(text) if byte not in _PASSED_OVER]
    spans = [*_spans(text, exact)]
    spans += [(visible[start], visible[end - 1] + 1) for start, end in _spans(_bare(text), loose)]
    # If it ends in an escape, as `a&` in `a&amp;`, it ends with that.
    ends = {place: each.end() for each in _ESCAPE.finditer(text) for place in range(each.start() + 1, each.end())}
    first, last = min(spans)
    for start, end in sorted(spans):
        if start >= last:
            yield first, last
            first = start
        last = max(last, ends.get(end, end))
    yield first, last


def _spans(text: bytes, secrets: Iterable[bytes]) -> Iterator[tuple[int, int]]:
    """The start and end of each secret."""
    for secret in secrets:
        start = text.find(secret)
        while start >= 0:
            yield start, start + len(secret)
            start = text.find(secret, start + len(secret))


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
