"""Answers deciphered, without a socket."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from kognic_aio import errors
from kognic_aio._http.protocol import Answer, api_error, parse, retry_after, segment, storage_error, sunset, unwrap
from kognic_aio._http.retry import had_no_effect, may_repeat
from tests.answers import answer_with

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def answer(body: Any = b"", status: int = 200, **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return answer_with(content, status=status, headers=headers)


@pytest.mark.parametrize(
    ("data", "content"),
    [([1], [1]), ({"a": 1}, {"a": 1}), ({"data": [1]}, [1]), ({"data": None}, {"data": None}), (None, None)],
)
def test_envelopes(data: Any, content: Any) -> None:
    """What lies under `data` is the content, and so is an answer without it."""
    assert unwrap(data) == content


def test_no_body() -> None:
    """An answer without a body is None."""
    assert parse(answer(b"")) is None


@pytest.mark.parametrize("body", [b'{"data": [1, 2', b"<html>sorry</html>", b"\xff\xfe"])
def test_what_is_no_json(body: bytes) -> None:
    """An answer that is not JSON is an error that shows its beginning."""
    with pytest.raises(errors.MalformedAnswerError, match="not JSON"):
        parse(answer(body))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, errors.ApiError),
        (400, errors.BadRequestError),
        (401, errors.UnauthorizedError),
        (403, errors.ForbiddenError),
        (404, errors.NotFoundError),
        (409, errors.ConflictError),
        (418, errors.ApiError),
        (429, errors.TooManyRequestsError),
        (500, errors.ServerError),
        (599, errors.ServerError),
    ],
)
def test_statuses(status: int, kind: type[Exception]) -> None:
    """Each status is an error of its own kind."""
    assert type(api_error(answer({"message": "no"}, status))) is kind


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"message": "no such scene"}, "no such scene"),
        ({"error": "no"}, "{'error': 'no'}"),
        (["no"], "['no']"),
        (b"plain text", "plain text"),
        (b"", "no explanation"),
        (b"x" * 600, "x" * 500 + "..."),
    ],
)
def test_explanations(body: Any, words: str) -> None:
    """The platform's message is the explanation, else the JSON, else the text, cut to a readable length."""
    error = api_error(answer(body, 400, **{"X-Request-Id": "abc"}))
    assert error.message == words
    assert error.request_id == "abc"
    assert str(error) == f"{words} (400 from GET https://host/path)"


def test_a_refused_upload_names_the_file() -> None:
    """A storage's error names the file."""
    assert "upload of 'a.jpg' was refused: <Error/>" in str(
        storage_error(answer(b"<Error/>", 403), "upload of 'a.jpg'")
    )


@pytest.mark.parametrize(
    "body",
    [
        b"<Error><Code>SignatureDoesNotMatch</Code><CanonicalRequest>PUT /a?X-Goog-Signature=SECRET</CanonicalRequest>",
        b"SignatureDoesNotMatch for https://host/a?X-Amz-Credential=SECRET&X-Amz-Signature=SECRET",
    ],
    ids=["xml", "text"],
)
def test_a_storage_that_quotes_the_signature(body: bytes) -> None:
    """What a storage quotes of the signed URL does not get into the error."""
    error = storage_error(answer(body, 403), "upload of 'a.jpg'")
    assert "SignatureDoesNotMatch" in str(error)
    assert "SECRET" not in str(error) + repr(error)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        (format_datetime(NOW + timedelta(seconds=90)), 90.0),
        (format_datetime(NOW - timedelta(seconds=90)), 0.0),
        ("soon", None),
        ("-1", None),
        ("", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    """Retry-After is understood in seconds and as a date."""
    assert retry_after({"Retry-After": value}, NOW) == seconds


@pytest.mark.parametrize("value", ["2026-12-01T00:00:00.000000Z", "2026-12-01T00:00:00Z", "2026-12-01T00:00:00"])
def test_sunset(value: str) -> None:
    """A sunset date is understood with and without its fraction and zone."""
    assert sunset({"sunset-date": value}) == datetime(2026, 12, 1, tzinfo=UTC)
    assert sunset({}) is None
    assert sunset({"sunset-date": "some day"}) is None


def test_segments() -> None:
    """A name stays one segment of a path, whatever is in it."""
    assert segment("a/b c?d") == "a%2Fb%20c%3Fd"


def _status(status: int) -> Exception:
    return api_error(answer(b"", status))


REQUEST = {"method": "POST", "url": "https://host"}


@pytest.mark.parametrize(
    ("error", "read", "post"),
    [
        (errors.ConnectError("", **REQUEST), True, True),
        (errors.CertificateError("", **REQUEST), False, False),
        (errors.LostAnswerError("", **REQUEST), True, False),
        (errors.TimedOutError("", **REQUEST), True, False),
        (errors.MalformedAnswerError("", **REQUEST), True, False),
        (_status(429), True, True),
        (_status(503), True, True),
        (_status(500), True, False),
        (_status(408), True, False),
        (_status(400), False, False),
        (_status(404), False, False),
        (errors.DataError("", filename="a"), False, False),
        (ValueError(), False, False),
    ],
    ids=lambda value: str(value) if isinstance(value, bool) else type(value).__name__,
)
def test_what_may_be_repeated(error: Exception, read: bool, post: bool) -> None:
    """Reads repeat after what may pass; what creates repeats only if it has provably done nothing."""
    assert may_repeat(error) is read
    assert had_no_effect(error) is post
