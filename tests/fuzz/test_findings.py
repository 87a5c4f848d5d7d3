"""What fuzzing has found, each as the kind that it stands for."""

import json
import subprocess
import sys
import zlib
from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from sqlite3 import connect
from typing import Any
from unicodedata import category

import pytest

from kognic_aio import KognicIOClient, create_inputs
from kognic_aio._http.auth import Token, resolve
from kognic_aio._http.protocol import MAX_RETRY_AFTER, Answer, api_error, retry_after
from kognic_aio._http.redaction import redacted
from kognic_aio._http.wire import DecodeError, decode, encode_pre_annotation
from kognic_aio._json import read_json
from kognic_aio._secret import Secret
from kognic_aio._text import ACTED_UPON
from kognic_aio.config import find_environment
from kognic_aio.emulator import Emulator
from kognic_aio.errors import CredentialsError, InvalidError, JournalError, MalformedAnswerError
from kognic_aio.model import Cameras, FileData, Image, Input
from kognic_aio.model.calibration import SensorCalibrationEntry
from kognic_aio.model.platform import Project
from kognic_aio.model.review import AddFeedbackItemPin
from kognic_aio.model.target import InputCreationStatus
from kognic_aio.pipeline.content import COMMON
from kognic_aio.pipeline.journal import Destination, Step
from kognic_aio.pipeline.result import InputCreationResult
from tests.answers import answer_with
from tests.pipeline.journals import Journal

pytestmark = pytest.mark.anyio

DEEP = {
    "lists": "[" * 100_000 + "]" * 100_000,
    "objects": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "an open end": "[" * 100_000,
    "as deep as can just be read": "[" * 900 + "]" * 900,
    "a number": "9" * 5000,
}
"""JSON that is none for Python, or for what is done with it."""


def answer(body: str, status: int = 200) -> Answer:
    return answer_with(body.encode(), status=status)


@pytest.mark.parametrize("text", DEEP)
def test_deep_json(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON that Python cannot hold is an error of ours, wherever it is read."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = tmp_path / "kognic" / "environments.json"
    path.parent.mkdir()
    path.write_text(f'{{"environments": {DEEP[text]}}}')
    with pytest.raises(InvalidError):
        find_environment("a")
    for around in ("{}", '{{"access_token": {}}}', '{{"access_token": "a", "expires_in": {}}}'):
        with pytest.raises(MalformedAnswerError):
            Token.parse(answer(around.format(DEEP[text])), 0)
    for around in ("{}", '{{"frames": {}}}'):
        with pytest.raises(InvalidError, match="pre_annotation"):
            encode_pre_annotation(around.format(DEEP[text]))
    assert len(str(api_error(answer(f'{{"message": {DEEP[text]}}}', 400)))) < 1000


GOOD_CREDENTIALS = {"clientId": "a", "clientSecret": "a", "email": "", "userId": 0, "issuer": ""}
ODD_CREDENTIALS = {
    "deep": DEEP["lists"],
    "an id that is a list": json.dumps(GOOD_CREDENTIALS | {"clientId": ["a"]}),
    "no secret": json.dumps(GOOD_CREDENTIALS | {"clientSecret": None}),
    "scopes that are numbers": json.dumps(GOOD_CREDENTIALS | {"scopes": [1]}),
    "scopes that are a text": json.dumps(GOOD_CREDENTIALS | {"scopes": "a b"}),
}


@pytest.mark.parametrize("content", ODD_CREDENTIALS)
def test_odd_credentials(content: str, tmp_path: Path) -> None:
    """Credentials that are none are an error when they are read, and not when they are used."""
    path = tmp_path / "credentials.json"
    path.write_text(ODD_CREDENTIALS[content])
    with pytest.raises(CredentialsError, match="cannot be used"):
        resolve(Secret(path))


def test_no_document_in_an_error() -> None:
    """Python's errors have all of the document, with the secrets in it; ours do not."""
    for text in ('{"client_secret": "s3cr", }', b'{"client_secret": "s3cr\xff"}'):
        with pytest.raises(ValueError, match=r"line 1|utf-8") as caught:
            read_json(text)
        assert caught.value.__context__ is None
        assert "s3cr" not in repr(vars(caught.value)) + repr(caught.value.args)


def test_too_large_for_the_memory() -> None:
    """JSON that takes more memory than there is ends nobody."""
    code = """
import resource
from kognic_aio._json import read_json
body = b"[" + b"{}," * 5_000_000 + b"{}]"
resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))
try:
    read_json(body)
except ValueError as error:
    print(error)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == "it is too large for the memory\n"


def test_a_pre_annotation_within_itself() -> None:
    """What has itself in it is an error that says so."""
    around: dict[str, Any] = {}
    around["a"] = [around]
    with pytest.raises(InvalidError, match="has itself in it"):
        encode_pre_annotation(around)


LIVES = ["NaN", "Infinity", "1e999", "9" * 400, "-1", '"nan"', '"inf"', "-1e999", "null", "[]"]


@pytest.mark.parametrize("life", LIVES)
def test_the_life_of_a_token(life: str) -> None:
    """A token that ends before it begins, or at no time at all, is none."""
    with pytest.raises(MalformedAnswerError, match="did not return a token"):
        Token.parse(answer(f'{{"access_token": "a", "expires_in": {life}}}'), 0)


def test_how_long_to_wait() -> None:
    """However long a server wants to be left alone, it is a number."""
    assert retry_after({"Retry-After": "9" * 5000}, datetime.now(UTC)) == MAX_RETRY_AFTER < inf


def test_numbers_that_are_no_floats() -> None:
    """A number that is too large for a float is named as what it is."""
    with pytest.raises(DecodeError) as caught:
        decode({"x": 10**400, "y": 1}, AddFeedbackItemPin)
    assert caught.value.problems == ["expected float, got a number that is too large for one @ $.x"]


def test_dates_that_are_long() -> None:
    """What is no date is not repeated beyond what is looked at for secrets."""
    for created in ("x" * 10**7, [["x" * 10**7]], {"\U0001f600" * 10**6: 0}):
        with pytest.raises(DecodeError) as caught:
            decode({"created": created}, Project)
        assert sum(map(len, caught.value.problems)) < 20_000


def test_names_that_are_long() -> None:
    """The names in a path that leads to what is wrong are not repeated beyond that either."""
    entry = {"id": "1", "externalId": "2", "created": "2026-01-01", "calibration": {"x" * 10**7: 0, "y" * 10**7: 0}}
    with pytest.raises(DecodeError) as caught:
        decode(entry, SensorCalibrationEntry)
    assert sum(map(len, caught.value.problems)) < 20_000


def test_letters_that_are_acted_upon() -> None:
    """No letter that is invisible, or turns what is around it, gets into an error."""
    for letter in filter(lambda letter: category(letter) in ACTED_UPON, map(chr, range(sys.maxunicode))):
        assert letter not in redacted(f"a{letter}b", length=10)


def deflated(content: bytes) -> str:
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS, zdict=COMMON)
    return b64encode(deflate.compress(content) + deflate.flush()).decode()


OUTLINES = {
    "no base64": "?",
    "not compressed": "AAAA",
    "no JSON": deflated(b"{"),
    "no content": deflated(b"{}"),
    "no object": deflated(b"[1]"),
    "no depth": deflated(b'{"content": {}, "depth": []}'),
    "deep": deflated(DEEP["lists"].encode()),
    "too large": deflated(b'{"depth": 6, "content": {"a": "' + b"a" * 20_000_000 + b'"}}'),
}
"""What others may write where a journal has how the content of a scene was."""


def scene(name: str) -> Cameras:
    image = Image(filename=name, sensor_name=name, file_data=FileData(format="jpg", data=b"image"))
    return Cameras(external_id="a", frame=Cameras.Frame(images=[image]))


@pytest.mark.parametrize("outline", OUTLINES)
async def test_outlines(outline: str, emulator: Emulator, client: KognicIOClient, tmp_path: Path) -> None:
    """An outline that is none of ours is an error that names the journal and the scene."""
    journal = tmp_path / "a.journal"
    async for _ in create_inputs(client, [scene("b.jpg")], project="project-a", batch="batch-2", journal=journal):
        pass
    with closing(connect(journal)) as file, file:
        file.execute("UPDATE fact SET content = json_set(content, '$.outline', ?)", [OUTLINES[outline]])
    again = create_inputs(client, [scene("c.jpg")], project="project-a", batch="batch-2", journal=journal)
    with pytest.raises(JournalError, match=r"a.journal is damaged: the entry of 'a' cannot be read"):
        async for _ in again:
            pass


LONG = Input(uuid="u", scene_uuid="s", request_uid="r", scene_external_id="e", view_link="x" * 1_000_000)
TOO_LARGE: Sequence[Callable[[Journal], Awaitable[None]]] = (
    lambda journal: journal.record("a", Step.STARTING, scene_uuid="x" * 1_000_000),
    lambda journal: journal.record("a", Step.PRE_ANNOTATED, preannotation_uuid="x" * 1_000_000),
    lambda journal: journal.settle("a", InputCreationResult(status=InputCreationStatus.CREATED, inputs=(LONG,))),
)


@pytest.mark.parametrize("record", TOO_LARGE)
async def test_answers_too_large_for_a_journal(record: Callable[[Journal], Awaitable[None]], tmp_path: Path) -> None:
    """An answer that a journal could not read again is not recorded; the journal stays as it is, and of use."""
    here = Destination("https://input.app.kognic.com", "workspace-1", "project-a", "batch-1")
    async with Journal(tmp_path / "a.journal", here) as journal:
        await journal.record("a", Step.STARTING, scene_uuid="scene-1")
        with pytest.raises(JournalError, match=r"scene 'a': too large for a journal"):
            await record(journal)
        await journal.record("a", Step.COMMITTED)
    async with Journal(tmp_path / "a.journal", here) as journal:
        entry = await journal.recall("a")
    assert entry is not None
    assert (entry.step, entry.scene_uuid) == (Step.COMMITTED, "scene-1")
