"""What a server says costs no more than its length, and shows nothing of what lets this client in."""

import gzip
import json
import re
from collections.abc import Iterator
from html import escape
from importlib import import_module
from pkgutil import walk_packages
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from aiohttp import web

import kognic_aio
from kognic_aio._http.redaction import redacted
from kognic_aio.errors import KognicError, MalformedAnswerError
from tests.cost import bounded_work
from tests.scripted import Step, client_of, serving

pytestmark = pytest.mark.anyio

KIB = 1 << 10

LONG_TEXTS = {
    "one letter": "A" * 24_000,
    "one name": "signature" * 7_000,
    "a name with dashes": "-signature=" * 6_000,
    "codes without an end": "<Code>" * 10_000,
    "codes": "<Code>a</" * 7_000,
    "comments": "<!---->" * 9_000,
    "comments without an end": "<!--" * 15_000,
    "declarations": "<?xml?>" * 9_000,
    "percents": "%" * 60_000,
    "percents of percents": "%25" * 20_000,
    "escapes": "\\u002d" * 10_000,
    "entities": "&amp;" * 12_000,
    "entities without an end": "&" * 60_000,
    "backslashes": "\\" * 60_000,
    "spaces": " " * 60_000,
    "deep": "[" * 60_000,
    "deep objects": '{"message":' * 5_000,
    "a number": "9" * 60_000,
    "a large number": "1e" + "9" * 60_000,
}
"""What patterns that are written carelessly need hours for."""


def answering(text: str, status: int, **headers: str) -> Step:
    return lambda request: web.Response(status=status, body=text.encode(), headers=headers)


async def failure(step: Step, call: str = "get_projects") -> KognicError:
    """What a client raises of such an answer, after little work."""
    async with serving() as server, client_of(server, attempts=1) as client:
        server.always = step
        with bounded_work(), pytest.raises(KognicError) as caught:
            await getattr(client.project, call)()
        return caught.value


@pytest.mark.parametrize("status", [200, 302, 400, 404, 503])
@pytest.mark.parametrize("text", LONG_TEXTS)
async def test_long_texts(text: str, status: int) -> None:
    """An answer that is long and odd is a short error, at once."""
    error = await failure(answering(LONG_TEXTS[text], status, Location="http://elsewhere/" + "a" * 4000))
    assert len(str(error)) < 2 * KIB


@pytest.mark.parametrize("text", LONG_TEXTS)
@pytest.mark.parametrize("name", ["X-Request-Id", "Retry-After", "sunset-date", "Location", "Content-Type"])
async def test_long_headers(name: str, text: str) -> None:
    """A header that is long and odd is no reason to stop either."""
    value = re.sub(r"[^\x20-\x7e]", "", LONG_TEXTS[text])[: 60 * KIB]
    error = await failure(answering("no", 404, **{name: value}))
    assert len(str(error)) < 2 * KIB


@pytest.mark.parametrize(
    "value",
    [
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Mon, 99999999999999999999 Jan 2020 00:00:00 GMT",
        "Mon, 01 Jan 2020 99999999999999999999:00:00 +99999999999999999999",
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "9" * 5000,
        "\u0663",
        "-1",
        "nan",
        "inf",
        ",,,,",
    ],
)
@pytest.mark.parametrize("name", ["Retry-After", "sunset-date"])
async def test_odd_dates(name: str, value: str) -> None:
    """A date that is none is no date, and the answer's own error is raised."""
    error = await failure(answering('{"message": "not now"}', 503, **{name: value}))
    assert "not now" in str(error)


def patterns() -> Iterator[re.Pattern[Any]]:
    """All patterns of the modules that read what servers send."""
    for module in walk_packages(kognic_aio.__path__, "kognic_aio."):
        if ".emulator" not in module.name and not module.name.endswith("__main__"):
            yield from (each for each in vars(import_module(module.name)).values() if isinstance(each, re.Pattern))


PIECES = (
    "A",
    "-",
    "_",
    "%",
    "%25",
    "\\",
    "\\u002d",
    "&",
    "&amp;",
    "<",
    "<!--",
    "-->",
    " ",
    "\n",
    "=",
    "sig",
    "token",
    "0",
    ".",
    "/",
    ":",
    "@",
    "'",
)


def written(pattern: re.Pattern[Any]) -> str:
    return str(pattern.pattern)[:40]


PATTERNS: list[re.Pattern[Any]] = sorted(set(patterns()), key=written)


@pytest.mark.parametrize("pattern", PATTERNS, ids=written)
def test_patterns(pattern: re.Pattern[Any]) -> None:
    """No pattern takes long for what it may be given, whatever is repeated in it: 8 KiB of any server's text."""
    for piece in PIECES:
        for tail in ("", "!", "\0"):
            text = (piece * (8 * KIB))[: 8 * KIB] + tail
            given: Any = text if isinstance(pattern.pattern, str) else text.encode()
            with bounded_work():
                pattern.search(given)
                pattern.sub(given[:0], given)


SECRETS = (
    "s3cr",
    "%41bc",
    "a+b/",
    "p=q&",
    "köln",
    "ab'\"",
    "a-b_c.d~e/f+g=h%",
    "%C3%A9t%C3%A9-%2F%2B",
    "0123456789abcdef" * 4,
    "+/=%&" * 12 + "wxyz",
    "äöü€" * 16,
)
"""Of 4, 16 and 64 characters, with all that is escaped somewhere."""

FORMS = {
    "plain": str,
    "quoted": lambda secret: quote(secret, safe=""),
    "quoted for forms": quote_plus,
    "quoted twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "quoted in small letters": lambda secret: re.sub("%..", lambda found: found[0].lower(), quote(secret, safe="")),
    "JSON": lambda secret: json.dumps(secret)[1:-1],
    "JSON with letters": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1].replace("/", "\\/"),
    "HTML": escape,
    "HTML by numbers": lambda secret: "".join(f"&#{ord(letter)};" for letter in secret),
    "HTML by hexadecimal numbers": lambda secret: "".join(f"&#x{ord(letter):x};" for letter in secret),
    "Python": lambda secret: repr(secret)[1:-1],
}
"""How servers quote what they were sent."""


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", SECRETS)
def test_secrets(secret: str, form: str) -> None:
    """A secret is found in whatever form it is quoted, and nothing else is taken away."""
    quoted = FORMS[form](secret)  # type: ignore[operator]  # of strings
    told = redacted(f"you sent {quoted} as key", [secret], length=500)
    assert told == "you sent ... as key"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("before", ["100%", "\\", "\\x", "\\u00", "&#"])
def test_secrets_after_half_an_escape(before: str, form: str) -> None:
    """What looks like an escape takes no letters from a secret, however that is quoted elsewhere."""
    secret = "ab12cd34ef56"
    told = redacted(f"{before}{secret} and {FORMS[form](secret)}", [secret], length=500)  # type: ignore[operator]
    assert told.endswith("... and ...")
    assert "cd34" not in told


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_at_the_end_of_what_is_looked_at(secret: str) -> None:
    """No half of a secret is left where a text is cut, however often it stands before."""
    for filler in range(0, 80, 3):
        told = redacted("x" * filler + secret * 9000, [secret], length=100_000)
        assert secret[:3] not in told.replace("x", "")


def test_texts_without_secrets() -> None:
    """What is no secret stays as it is, in one line."""
    text = 'Scene "köln" <b>was</b> 50% done & \\ lost:\n\tcost=3, x\x1b[31m\u202e'
    assert (
        redacted(text, ["secret"], length=500)
        == 'Scene "köln" <b>was</b> 50% done & \\ lost: cost=3, x\\x1b[31m\\u202e'
    )


WRONG = {
    "a list": [0] * 200_000,
    "objects": [{}] * 200_000,
    "a list of lists": [[[]]] * 200_000,
    "a mapping": {str(number): 0 for number in range(100_000)},
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_many_wrong_items(wrong: str) -> None:
    """Of an answer that is wrong throughout, a few problems are told, at once."""
    packed = gzip.compress(json.dumps({"data": WRONG[wrong]}).encode())
    error = await failure(lambda request: web.Response(body=packed, headers={"Content-Encoding": "gzip"}))
    assert isinstance(error, MalformedAnswerError)
    assert len(error.problems) <= 5


async def test_empty_pages() -> None:
    """Pages without items that always name another one come to an end."""
    pages = iter(range(10**9))
    async with serving() as server, client_of(server, attempts=1) as client:
        server.always = lambda _: web.json_response({"data": [], "metadata": {"nextCursorId": next(pages)}})
        with pytest.raises(MalformedAnswerError, match="empty pages"):
            await client.input.query_inputs(project="project")


@pytest.mark.parametrize("secret", ["the-token", "secret"])
async def test_secrets_of_the_client(secret: str) -> None:
    """Neither the token nor the credentials are in an error, wherever a server puts them."""
    places: list[Step] = [
        answering(json.dumps({"message": f"bad {secret}"}), 400),
        answering("no", 404, **{"X-Request-Id": f"id-{secret}"}),
        answering("no", 302, Location=f"http://other/{secret}/path?{secret}"),
        answering(f"<html>{secret}", 200),
        answering(json.dumps({"data": [{secret: 1, "id": [secret]}]}), 200),
        answering(json.dumps({"data": [{"created": secret}]}), 200),
    ]
    for place in places:
        error = await failure(place)
        assert secret not in f"{error} {vars(error)!r}"


def test_modules_are_looked_at() -> None:
    """The patterns that are timed are those of the package, not none."""
    assert len({each.pattern for each in patterns()}) > 5
