"""Cleans the texts of servers: short, on one line, and without the secrets of this client.

Every text of a server passes here on its way into an error, a log line, the journal or a display. It is cut first, so
that none costs more than its length. Then its escapes are undone, and it is compared with the secrets as they are.
"""

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from html.entities import html5
from itertools import islice

from yarl import URL

from kognic_aio._frames import discreet
from kognic_aio._secret import Secret
from kognic_aio._text import CUT, printable

MAX_LOOKED_AT = 4 << 10
"""Bytes of a text that are looked at. Secrets that begin in them are found whole, up to `MAX_SECRET`."""

MAX_SECRET = 4 << 10
"""Bytes of a secret that are found where a text is cut."""

MIN_SECRET = 4
"""Characters of the shortest secret; a shorter one would be found in every second word."""

MAX_SECRETS = 16
"""Secrets of one client that are remembered: its credentials, and the last of its tokens."""

BLANK = CUT

NAMED = re.compile(
    r"(?i)(signature|credential|token|password|secret|accesskeyid|googleaccessid|\bsig)(=|\\u003d)[^&\s<\"'\\]+"
)
"""What follows such a name is a secret, perhaps somebody else's."""

_ESCAPE = re.compile(
    rb"%(?:25)*([0-9A-Fa-f]{2})"
    rb"|\\++(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|(.?))"
    rb"|&(?:amp;)*+(?:#[xX]([0-9A-Fa-f]{1,6});|#([0-9]{1,7});|([A-Za-z]{2,8};)|)"
)
"""A character as URLs, JSON, Python and HTML escape it, once or several times."""

MAX_ROUNDS = 3
"""How often escapes are undone, as of JSON in HTML in a URL."""

_PASSED_OVER = bytes({*range(256)} - {*range(0x21, 0x7F)}) + b"?="
"""Bytes that differ between encodings (`?` replaces what one lacks), line breaks, and padding."""

_ALIKE = bytes.maketrans(b"-_", b"+/")
"""Letters of the base64 of URLs, and those of MIME's."""

_CARRYING = re.compile(r"(?i)auth|cookie|credential|token|password|secret|key|session")
"""Names of headers that carry secrets, as those of a caller's session may."""

_HARMLESS = re.compile(
    r"(?i)^(?:x-(?:amz|goog)-)?(?:algorithm|content-sha256|date|expires|signedheaders)$|^uploads?$|^part-?number$"
)
"""Parameters of signed URLs that are no secrets. All others may be."""

Sought = tuple[set[bytes], set[bytes]]


class Redactor:
    """Knows the secrets of one client, and those that `beside` gives, as of cookies. Cleans the texts of servers."""

    def __init__(self) -> None:
        self._secrets = deque[Secret[str]](maxlen=MAX_SECRETS)
        self.beside: Callable[[], Iterable[str]] = tuple[str, ...]

    def learn(self, secret: Secret[str]) -> None:
        """Remember a secret. The least recently learnt is forgotten if there are too many: tokens end."""
        if secret in self._secrets:
            self._secrets.remove(secret)
        self._secrets.append(secret)

    def known(self) -> tuple[str, ...]:
        """The secrets."""
        learnt = [*self._secrets]  # at once: large answers are cleaned in a thread, while others are learnt
        return (*(secret.reveal() for secret in learnt), *islice(self.beside(), MAX_SECRETS))

    def __call__(self, text: str, *, length: int) -> str:
        """A text of a server without secrets."""
        return redacted(text, self.known(), length=length)

    def clean(self, value: str) -> str:
        """A value to keep or display: unchanged, unless it contains a secret."""
        return self(value, length=MAX_LOOKED_AT) if self.knows(value) else value

    @discreet
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


def quotable(
    headers: Mapping[str, str], url: URL, form: Mapping[str, str] | None, redactor: Redactor
) -> tuple[str, ...]:
    """The secrets that an answer may quote: the client's, and those in its request's headers, signed URL or form."""
    secrets = [*redactor.known(), *carried(headers)]
    if "Authorization" not in headers:
        parameters = (part.partition("=") for part in url.raw_query_string.split("&"))
        secrets += [value for name, _, value in parameters if not _HARMLESS.search(name)]
    secrets += [] if form is None else [form["client_secret"]]
    return tuple(word for word in secrets if word.lower() not in ("", "basic", "bearer"))  # the words beside them


def carried(headers: Mapping[str, str]) -> Iterator[str]:
    """The secrets in headers: the values of cookies, else what follows a scheme, and each word of it."""
    for name, value in headers.items():
        if name.lower() == "cookie":
            yield from (part.partition("=")[2].strip(' "') for part in value.split(";"))
        elif _CARRYING.search(name):
            yield from (value.partition(" ")[2] or value, *re.split(r'[\s;="]+', value))


@discreet
def redacted(text: str, secrets: Iterable[str] = (), *, length: int) -> str:
    """A text of a server without secrets, in whatever form it quotes them, and of limited length."""
    looked_at = text[: MAX_LOOKED_AT + MAX_SECRET]
    shown = _without(looked_at, _sought(tuple(secrets)))
    words = NAMED.sub(rf"\1\2{BLANK}", shown) if "=" in shown or "\\" in shown else shown  # which costs more
    return printable(" ".join(words.split()), length)


@lru_cache(MAX_SECRETS)
def _sought(secrets: tuple[str, ...]) -> Sought:
    """What to look for: the secrets themselves, and what all ways of writing them have in common."""
    exact = {form for secret in secrets if len(secret) >= MIN_SECRET for form in _forms(secret) if len(form) > 1}
    return exact, {form for form in map(_bare, exact) if len(form) >= MIN_SECRET}


def _forms(secret: str) -> Iterator[bytes]:
    """A secret as it is, and as it reads in a text whose escapes are undone, those of the secret too.

    JSON writes line ends as letters after backslashes, and then the letters are left.
    """
    for written in (secret, secret.replace(" ", "+")):
        yield written.encode(errors="replace")
    for written in (secret, json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield _ESCAPE.sub(_character, written.encode(errors="replace"))


def _bare(text: bytes) -> bytes:
    """The visible ASCII of a text, however it is encoded and broken into lines; both kinds of base64 alike."""
    return text.translate(_ALIKE, _PASSED_OVER)


def _without(text: str, sought: Sought) -> str:
    """A text with blanks for secrets, cut where a secret may begin that is not there as a whole."""
    raw = text.encode(errors="replace")
    if len(raw) < MAX_LOOKED_AT and not _may_have_escapes(raw) and not _is_in(raw, sought):
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
    end = len(raw) if len(raw) < MAX_LOOKED_AT + MAX_SECRET else MAX_LOOKED_AT
    return bytes(kept + raw[position:end]).decode(errors="replace")


def _may_have_escapes(text: bytes) -> bool:
    return b"%" in text or b"\\" in text or b"&" in text  # as most have none, and patterns cost more


def _is_in(text: bytes, sought: Sought) -> bool:
    exact, loose = sought
    bare = _bare(text)
    return any(form in text for form in exact) or any(form in bare for form in loose)


def _found(text: bytes, origins: Sequence[int], sought: Sought) -> Iterator[tuple[int, int]]:
    """Where secrets are, as places that the bytes of a text come from."""
    exact, loose = sought
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
    """A text without its escapes, and from where in the text each of its bytes comes, and its end."""
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
    """What an escape stands for."""
    percent, byte, unit, plain, hexadecimal, decimal, name = match.groups()
    if percent or byte:
        return bytes([int(percent or byte, 16)])
    if name:
        return html5.get(name.decode(), f"&{name.decode()}").encode()
    if unit or hexadecimal or decimal:
        number = int(unit or hexadecimal, 16) if unit or hexadecimal else int(decimal)
        return chr(number if number < 0x110000 else 0xFFFD).encode(errors="surrogatepass")
    return b"&" if plain is None else bytes(plain)
