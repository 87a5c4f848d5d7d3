"""Parsers of what servers answer, each given bytes. Whatever these are, the parser has a value or an error of ours."""

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any
from unicodedata import category

from multidict import CIMultiDict

from kognic_aio._http.api import Page
from kognic_aio._http.auth import Token
from kognic_aio._http.exchange import MAX_HEADER
from kognic_aio._http.protocol import (
    Answer,
    api_error,
    parse,
    retry_after,
    shown_start,
    storage_error,
    sunset,
    unwrap,
    visible,
)
from kognic_aio._http.redaction import BLANK, Redactor
from kognic_aio._http.storage import checksums, is_page
from kognic_aio._http.wire import DecodeError, decode, read_pre_annotation
from kognic_aio._json import read_json
from kognic_aio._secret import Secret
from kognic_aio._text import ACTED_UPON
from kognic_aio.errors import KognicError, WasmError
from kognic_aio.model.annotation import (
    Annotation,
    ClientAnnotation,
    PartialAnnotation,
    PartialClientAnnotation,
    SignedAnnotation,
)
from kognic_aio.model.calibration import SensorCalibrationEntry
from kognic_aio.model.platform import (
    CreatedPreAnnotation,
    Input,
    InputEntry,
    Project,
    ProjectBatch,
    ResolvedPreAnnotation,
    Scene,
    SceneSummary,
    Workspace,
)
from kognic_aio.model.request import Request
from kognic_aio.model.request_input import RequestInput
from kognic_aio.model.review import Review, ReviewErrorType, ReviewResponse
from kognic_aio.resources.scene import EgoPoses
from kognic_aio.scenes.inputs import PreAnnotationPage
from kognic_aio.scenes.job import AcceptedIMUData, AcceptedRequest, AcceptedScene, ReservedScene
from kognic_aio.wasm.process import Ended
from kognic_aio.wasm.sandbox import FAILURES, Output
from tests.answers import answer_with
from tests.fuzz.pieces import Pieces

KINDS: tuple[Any, ...] = (
    *(Page[Input], Page[InputEntry], Page[RequestInput], Page[PartialClientAnnotation]),
    *(list[Scene], list[Input], list[InputEntry], list[Project], list[ProjectBatch], list[Workspace], list[str]),
    *(list[SensorCalibrationEntry], list[PartialAnnotation], list[Review], list[ReviewErrorType], list[Request]),
    *(SceneSummary, EgoPoses, Annotation, ClientAnnotation, SignedAnnotation, RequestInput, Input, ProjectBatch),
    *(Review, ReviewResponse, CreatedPreAnnotation, ResolvedPreAnnotation, PreAnnotationPage),
    *(AcceptedScene, AcceptedRequest, AcceptedIMUData, ReservedScene),
)
"""What the resources read answers as."""

STATUSES = (200, 400, 404, 503, 201, 204, 302, 401, 403, 409, 429, 500, 502, 599, 999)
NAMES = ("Retry-After", "sunset-date", "Location", "Content-Type", "X-Request-Id", "x-goog-hash", "X-Goog-Hash")
VALUES = (
    "text/html",
    "120",
    "Mon, 01 Jan 2035 00:00:00 GMT",
    "Mon, 01 Jan 2035 00:00:00 -0000",
    "Mon, 01 Jan 0001 00:00:00 +2359",
    "2035-01-01T00:00:00Z",
    "crc32c=AAAAAA==,md5=,,=,crc32c",
    "http://[::1",
    "https://user:password@[::1]:99999999/path?signature=0123456789#fragment",
)
STARTS = (b"", b"<html>", b"<!--<?xml ?>", b"<Error><Code>A</Code><Message>", b"\xef\xbb\xbf{}", b"\xff\xfe<\0", b"\0")

MAX_SHOWN = 2048
"""Characters of an error, which is for people."""

MAX_PROBLEMS_LENGTH = 100_000
"""Characters of what is wrong with an answer, of which people see the first few."""


def is_harmless(text: str) -> bool:
    """Whether a terminal does nothing but show it, in one line."""
    return not any(category(character) in ACTED_UPON for character in text)


def http_answer(pieces: Pieces) -> Answer:
    """An answer with anything in it that aiohttp lets through."""
    status = pieces.one_of(STATUSES)
    headers = CIMultiDict(pieces.several(lambda: (pieces.one_of(NAMES), _value(pieces)), 3))
    secrets = pieces.several(pieces.text, 2)
    return answer_with(body(pieces), status=status, headers=headers, secrets=secrets)


def body(pieces: Pieces, kind: Any = None) -> bytes:
    """A body: JSON of some shape, the start of something, or any bytes."""
    made = pieces.number(4)
    if made == 0:
        return pieces.shaped(pieces.one_of(KINDS) if kind is None else kind).encode(errors="surrogatepass")
    if made == 1:
        return f'{{"{pieces.one_of(("data", "message", "error"))}": {pieces.json()}}}'.encode(errors="surrogatepass")
    return (pieces.one_of(STARTS) if made == 2 else b"") + pieces.rest()


def answers(data: bytes) -> None:
    """The answer of an API, and that of a storage."""
    answer = http_answer(Pieces(data))
    with suppress(KognicError):
        unwrap(parse(answer))
    for error in (api_error(answer), storage_error(answer, "upload of 'a.jpg'")):
        assert len(str(error)) < MAX_SHOWN
        assert is_harmless(str(error))
        assert error.request_id is None or is_harmless(error.request_id)
        assert error.retry_after is None or 0 <= error.retry_after < float("inf")
    assert is_harmless(shown_start(answer))
    is_page(answer)
    visible(answer)
    checksums(answer)


def headers(data: bytes) -> None:
    """The dates of headers."""
    value = data.decode(errors="surrogateescape")[:MAX_HEADER]
    now = datetime.now(UTC)
    asked = retry_after({"Retry-After": value}, now)
    assert asked is None or (isfinite(asked) and asked >= 0)
    if (date := sunset({"sunset-date": value})) is not None:
        assert (date - now).days <= (date - now) / timedelta(days=1)  # whoever warns of it computes with it


def tokens(data: bytes) -> None:
    """The answer of an auth server."""
    pieces = Pieces(data)
    answer = http_answer(pieces) if pieces.is_odd() else _token(pieces)
    with suppress(KognicError):
        token = Token.parse(answer, 1000.0)
        assert 1000 <= token.renew_at <= token.ends_at
        assert token.access_token.reveal().isprintable()


def models(data: bytes) -> None:
    """JSON as each of the models that answers are read as."""
    pieces = Pieces(data)
    kind = pieces.one_of(KINDS)
    with suppress(ValueError):  # of what is no JSON
        assert sum(map(len, _problems(read_json(pieces.shaped(kind)), kind))) < MAX_PROBLEMS_LENGTH


def redaction(data: bytes) -> None:
    """A text with secrets in it."""
    pieces = Pieces(data)
    redactor = Redactor()
    secrets = ["s3cr", "a+b/", "%41bcd", *pieces.several(pieces.text, 3)]
    for secret in secrets:
        redactor.learn(Secret(secret))
    most = pieces.one_of((500, 60, 0, 5000))
    filler = "x" * pieces.number(9000)
    told = redactor(filler + pieces.text() + pieces.rest().decode(errors="surrogateescape"), length=most)
    assert len(told) <= most + len(BLANK)
    assert is_harmless(told)
    assert not any(secret in told for secret in ("s3cr", "a+b/", "%41bcd"))


def openlabel(data: bytes) -> None:
    """The content of a pre-annotation, as text or read already."""
    pieces = Pieces(data)
    text = pieces.json()
    with suppress(KognicError):
        read_pre_annotation(text)
    with suppress(ValueError):
        read = read_json(text)
        if isinstance(read, dict):
            _read(read)


def wasm(data: bytes) -> None:
    """What the process of a WebAssembly module has written."""
    pieces = Pieces(data)
    lines = b"".join(pieces.several(lambda: _line(pieces), 5)) + pieces.rest()
    points = [(0.0, 0.0, 1.0)] * pieces.number(3)
    code = pieces.one_of((0, 1, -9, -24, None))
    outcome = Output(points).outcome(Ended(code, lines, b"", pieces.is_odd(), said_too_much=False))
    assert outcome.failure is None or isinstance(outcome.failure, WasmError)
    assert len(outcome.pixels) <= len(points)
    assert outcome.failure is None or len(str(outcome.failure)) < 20_000


def _problems(read: Any, kind: Any) -> Sequence[str]:
    try:
        decode(read, kind)
    except DecodeError as error:
        return error.problems
    return ()


def _token(pieces: Pieces) -> Answer:
    life = pieces.shaped(float)
    content = f'{{"access_token":{pieces.shaped(str)},"expires_in":{life}}}' if pieces.number(8) else pieces.json()
    return answer_with(content.encode(errors="surrogatepass"), method="POST")


def _value(pieces: Pieces) -> str:
    """The value of a header, which ends no line and has a bound."""
    value = pieces.text() if pieces.is_odd() else pieces.one_of(VALUES)
    return value.translate(dict.fromkeys(map(ord, "\r\n\0")))[:MAX_HEADER]


def _line(pieces: Pieces) -> bytes:
    words = ['["loaded"]', f'["projected", {pieces.shaped(float)}, {pieces.shaped(float)}]']
    words += [f'["failed", {json.dumps(kind)}, {pieces.json()}]' for kind in (*FAILURES, "projection")]
    return pieces.one_of(words).encode(errors="surrogatepass") + b"\n"


def _read(content: dict[str, Any]) -> None:
    with suppress(KognicError):
        read_pre_annotation(content)
