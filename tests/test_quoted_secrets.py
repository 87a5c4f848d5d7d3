"""A platform quotes secrets wherever it can: none of them gets into an error, a log line, a journal or a display."""

import html
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from hashlib import sha256
from http.cookies import Morsel
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import aiohttp
import anyio
import pytest
from aiohttp import web
from anyio import to_thread

from kognic_aio import KognicIOClient, create_inputs
from kognic_aio._http.redaction import Redactor
from kognic_aio._secret import Secret
from kognic_aio.errors import KognicError
from kognic_aio.pipeline import Journal
from tests.cli.support import kognicutil
from tests.leaks import Seen
from tests.scenes import SOURCES, build
from tests.scripted import Server, serving
from tests.waiting import GENEROUS

pytestmark = pytest.mark.anyio

CLIENT_ID = "somebody"
FILES = build("Cameras", SOURCES["bytes"], Path()).scene.resources
SCENE, INPUT, DATE = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222", "2026-01-31T12:00Z"


def secret(name: str, length: int, signs: str) -> str:
    """A secret that stands nowhere by chance, every second letter of which is a sign that is escaped somewhere."""
    letters = sha256(name.encode()).hexdigest()
    return "".join(letter + signs[place % len(signs)] for place, letter in enumerate(letters))[:length]


def secrets_of(length: int) -> dict[str, str]:
    """What lets the client in; tokens and cookies are ASCII."""
    return {
        "client secret": secret("client secret", length, "%é+/="),
        "token": secret("token", length, "=+/%"),
        "signature": secret("signature", length, "ü/%+="),
        "cookie": secret("cookie", length, "/%=+"),
    }


def quoted(secrets: Mapping[str, str]) -> str:
    """All secrets in all forms in which servers write what they were sent."""
    basic = b64encode(f"{CLIENT_ID}:{secrets['client secret']}".encode()).decode()
    forms: list[Callable[[str], str]] = [
        str,
        partial(quote, safe=""),
        lambda each: quote(quote(each, safe=""), safe=""),
        lambda each: json.dumps(each)[1:-1],
        html.escape,
    ]
    return " ".join([basic, *(form(each) for each in secrets.values() for form in forms)])


class Platform:
    """Lets a scene become an input, and quotes secrets at one place.

    Args:
        server: Its server.
        secrets: Those of the client.
        change: What it does to its answers, by their endpoints.
    """

    def __init__(self, server: Server, secrets: Mapping[str, str], place: str) -> None:
        self._on, self._change = PLACES[place]
        self.words = quoted(
            {name: each for name, each in secrets.items() if name != "signature" or "storage" in self._on}
        )
        self._url = f"{server.url}/storage?X-Signature={quote(secrets['signature'], safe='')}&X-Expires=600"
        self.quoted = False
        server.always = self.answer

    def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to a request, which may be a changed one."""
        on = f"{request.method} {request.path}"
        body = self._body(on)
        if not on.startswith(self._on):
            return web.json_response(body)
        self.quoted = True
        changed = self._change(self.words, body)
        return changed if isinstance(changed, web.Response) else web.json_response(changed)

    def _body(self, on: str) -> Any:
        scene = {"uuid": SCENE, "workspaceId": "mine", "externalId": "scene-Cameras", "sceneType": "cameras"}
        made = {
            "uuid": INPUT,
            "sceneUuid": SCENE,
            "requestUid": "r",
            "sceneExternalId": "scene",
            "viewLink": "https://",
        }
        ours, dates = {"id": "mine", "name": "Mine", "organization": {"name": "Us"}}, {"created": DATE, "updated": DATE}
        bodies = {
            "GET /v1/workspaces": [ours | dates],
            "GET /v1/projects/": [{"project": "p", "batch": "b", "status": "open", "title": "b"} | dates],
            "GET /v1/projects": [{"project": "p", "title": "p", "status": "active", "description": ""} | dates],
            "POST /v1/inputs/initialize": {"sceneUuid": SCENE},
            "POST /v1/inputs/cameras": {"internalId": SCENE, "files": dict.fromkeys(FILES, self._url)},
            "POST /v2/scenes/query": [scene | {"status": "created", "created": DATE}],
            "POST /v1/inputs": [made],
            "POST /v2/inputs/query": {"data": [made], "metadata": {}},
            "GET /v2/inputs": {
                "inputUuid": INPUT, "sceneUuid": SCENE, "requestUid": "r", "created": DATE, "uri": self._url
            },
        }  # fmt: skip
        return next((body for start, body in bodies.items() if on.startswith(start)), {})


def refused(status: int = 400, **headers: str) -> Callable[[str, Any], web.Response]:
    """An error with a message and headers that quote."""

    def change(words: str, body: Any) -> web.Response:
        given = {name.replace("_", "-"): value.format(words) for name, value in headers.items()}
        return web.json_response({"message": f"what is {words}?"}, status=status, headers=given)

    return change


def member(*names: str | int) -> Callable[[str, Any], Any]:
    """The same answer with the words in the place of a member."""

    def change(words: str, body: Any) -> Any:
        inner = body
        for name in names[:-1]:
            inner = inner[name]
        inner[names[-1]] = words
        return body

    return change


def key(words: str, body: Any) -> Any:
    """An object of which a member that does not fit is named so."""
    return {"internalId": SCENE, "files": {words: [words]}}


SCENES, STORAGE, CREATE = "POST /v2/scenes/query", "PUT /storage", "POST /v1/inputs/cameras"
PLACES: dict[str, tuple[str, Callable[[str, Any], Any]]] = {
    "message": ("GET /v1/projects/", refused()),
    "id of a request": ("GET /v1/projects/", refused(404, X_Request_Id="id-{}")),
    "redirect": ("GET /v1/projects/", refused(302, Location="https://other.invalid/{0}?{0}")),
    "page": ("GET /v1/projects/", lambda words, body: web.Response(text=f"<html>{words}", content_type="text/html")),
    "sunset": ("POST /v1/inputs/initialize", refused(200, sunset_date="{}")),
    "date": ("GET /v1/projects/", member(0, "created")),
    "workspaces": (
        "GET /v1/workspaces",
        lambda words, body: [*body, *({**each, "id": words, "name": words} for each in body)],
    ),
    "one workspace": ("GET /v1/workspaces", member(0, "name")),
    "batches": ("GET /v1/projects/", member(0, "batch")),
    "status of a batch": ("GET /v1/projects/", member(0, "status")),
    "projects": ("GET /v1/projects", member(0, "title")),
    "id of a scene": ("POST /v1/inputs/initialize", member("sceneUuid")),
    "another scene": (CREATE, member("internalId")),
    "names of files": (CREATE, member("files", "x")),
    "key": (CREATE, key),
    "signed URL": (CREATE, lambda words, body: body | {"files": dict.fromkeys(FILES, f"gs://{words}")}),
    "host of a signed URL": (CREATE, lambda words, body: body | {"files": dict.fromkeys(FILES, f"http://a.b/{words}")}),
    "message of a storage": (STORAGE, refused(403)),
    "XML of a storage": (
        STORAGE,
        lambda words, body: web.Response(text=f"<Code>{html.escape(words)}</Code>", status=403),
    ),
    "checksum": (STORAGE, refused(200, x_goog_hash="crc32c={}")),
    "failure of a scene": (SCENES, lambda words, body: [body[0] | {"status": "failed", "errorMessage": words}]),
    "status of a scene": (SCENES, lambda words, body: [body[0] | {"status": f"invalidated:{words}"}]),
    "input": ("POST /v1/inputs", member(0, "viewLink")),
    "id of an input": ("POST /v1/inputs", member(0, "uuid")),
    "scene of an input": ("POST /v1/inputs", member(0, "sceneUuid")),
    "cursor": ("POST /v2/inputs/query", lambda words, body: body | {"metadata": {"nextCursorId": words}}),
    "long cursor": ("POST /v2/inputs/query", lambda words, body: body | {"metadata": {"nextCursorId": words * 99}}),
    "content": ("GET /storage", refused(404)),
    "content that is none": ("GET /storage", lambda words, body: web.Response(text=words)),
    "uri": ("GET /v2/inputs", member("uri")),
    "date of an annotation": ("GET /v2/inputs", member("created")),
}
"""Where a server can put what it likes, and how this one does."""


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        yield server


async def do_everything(client: KognicIOClient, folder: Path, seen: Seen) -> None:
    """Ingest a scene and look at what is there; what goes wrong is seen."""
    scene = build("Cameras", SOURCES["bytes"], folder).scene
    for act in (
        client.open,
        partial(ingest, client, scene, folder, seen),
        client.project.get_projects,
        lambda: client.input.query_inputs(project="p"),
        lambda: client.annotation.get_annotation_for_input(INPUT),
    ):
        try:
            await act()
        except KognicError as error:
            seen.catch(error)
    seen.show(client)


async def ingest(client: KognicIOClient, scene: Any, folder: Path, seen: Seen) -> None:
    """Create an input of a scene, with a journal."""
    path = folder / "journal"
    try:
        async for result in create_inputs(client, [scene], "p", sleep_time=0.01, journal=path, on_event=seen.show):
            seen.add("error of a result", str(result.error))
            if result.error is not None and result.error.exception is not None:
                seen.catch(result.error.exception)
            await look_at_journal(folder, seen)
    finally:
        with suppress(KognicError):
            async with Journal(path) as journal:
                seen.show(await journal.failures())
        await look_at_journal(folder, seen)


async def look_at_journal(folder: Path, seen: Seen) -> None:
    async for path in anyio.Path(folder).glob("journal*"):
        with suppress(FileNotFoundError):  # it was there just now
            seen.add("journal", (await path.read_bytes()).decode("latin-1"))


def options(server: Server, secrets: Mapping[str, str]) -> dict[str, Any]:
    names = ("host", "order_execution_api_host", "annotation_integration_api_host", "workspace_api_host")
    apis = dict.fromkeys((*names, "project_management_api_host", "auth_host"), server.url)
    brisk = {"max_retry_attempts": 2, "max_retry_wait_time": 0.001, "visibility_timeout": 0.1, "timeout": 5.0}
    return apis | brisk | {"auth": (CLIENT_ID, secrets["client secret"])}


def give(token: str) -> Callable[[web.BaseRequest], Any]:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"access_token": token})

    return answer


@pytest.mark.parametrize("length", [4, 16, 64])
@pytest.mark.parametrize("place", PLACES)
async def test_no_secret_is_seen(
    place: str, length: int, server: Server, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A secret of any length is not seen, wherever a server quotes it, in whatever form."""
    secrets, seen = secrets_of(length), Seen()
    server.token = give(secrets["token"])
    platform = Platform(server, secrets, place)
    jar = aiohttp.CookieJar(unsafe=True)
    with anyio.fail_after(GENEROUS), seen.listening():
        async with aiohttp.ClientSession(cookies={"session": secrets["cookie"]}, cookie_jar=jar) as session:
            client = KognicIOClient(**options(server, secrets), session=session)
            await do_everything(client, tmp_path, seen)
            await client.aclose()
    seen.add("output", *capfd.readouterr())
    assert platform.quoted
    assert seen.leaks(secrets) == []


class UnreadableJar(aiohttp.CookieJar):
    """A cookie jar of a caller's that fails when it is looked through, as while another thread changes it."""

    def __iter__(self) -> NoReturn:
        raise RuntimeError("dictionary changed size during iteration")


class ChangingJar(aiohttp.CookieJar):
    """A cookie jar that has changed while it is looked through, at the first look."""

    looks = 0

    def __iter__(self) -> Iterator[Morsel[str]]:
        self.looks += 1
        if self.looks == 1:
            raise RuntimeError("dictionary changed size during iteration")
        return super().__iter__()


async def test_a_jar_that_changes(server: Server) -> None:
    """A cookie that is set while an answer is cleaned does no harm."""
    secrets, jar = secrets_of(16), ChangingJar()
    server.token, platform = give(secrets["token"]), Platform(server, secrets, "message")
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        with anyio.fail_after(GENEROUS):
            async with KognicIOClient(**options(server, secrets), session=session, write_workspace_id="mine") as client:
                with pytest.raises(KognicError):
                    await client.project.get_project_batches("p")
    assert platform.quoted
    assert jar.looks > 1


async def test_no_secret_is_in_the_frames_of_what_cleans(server: Server) -> None:
    """An error while an answer is read or cleaned has none of it in the variables of its frames."""
    secrets, seen = secrets_of(16), Seen()
    server.token, platform = give(secrets["token"]), Platform(server, secrets, "message")
    async with aiohttp.ClientSession(cookie_jar=UnreadableJar()) as session:
        with anyio.fail_after(GENEROUS):
            async with KognicIOClient(**options(server, secrets), session=session, write_workspace_id="mine") as client:
                with pytest.raises(RuntimeError, match="changed size") as caught:
                    await client.project.get_project_batches("p")
    seen.catch(caught.value)
    assert platform.quoted
    assert seen.leaks(secrets) == []


COMMANDS = {
    "projects": ("projects",),
    "projects as JSON": ("projects", "--json"),
    "batches": ("batches", "list", "p"),
    "scenes": ("scenes", SCENE),
    "scenes as JSON": ("scenes", SCENE, "--json"),
}
SHOWN = {
    "projects": ("GET /v1/projects", "title"),
    "batches": ("GET /v1/projects/", "batch"),
    "scenes": (SCENES, "viewLink"),
}


@pytest.mark.parametrize("command", COMMANDS)
async def test_no_secret_is_shown(command: str, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command shows of good answers has no secrets either."""
    secrets, seen = secrets_of(16), Seen()
    on, name = SHOWN[command.partition(" ")[0]]
    monkeypatch.setitem(PLACES, "shown", (on, member(0, name)))
    server.token, platform = (
        give(secrets["token"]),
        Platform(server, secrets | {"signature": "", "cookie": ""}, "shown"),
    )
    variables = {
        "KOGNIC_ENV": server.url,
        "KOGNIC_CLIENT_ID": CLIENT_ID,
        "KOGNIC_CLIENT_SECRET": secrets["client secret"],
    }
    done = await to_thread.run_sync(partial(kognicutil, *COMMANDS[command], **variables))
    assert platform.quoted
    assert done.returncode == 0
    seen.add("display", done.stdout, done.stderr)
    assert seen.leaks(secrets) == []


WRITTEN: dict[str, tuple[str, Callable[[str], str]]] = {
    "in UTF-16": ("Zq7R k2+Wm", lambda secret: secret.encode("utf-16").decode(errors="replace")),
    "in Latin-1": ("Zq7Ré k2+Wm", lambda secret: secret.encode("latin-1").decode(errors="replace")),
    "in a URL of Latin-1": ("Zq7Réék2+Wm", lambda secret: quote(secret.encode("latin-1"), safe="")),
    "by halves of letters": ("Zq7R\U0001f600k2Wm", json.dumps),
    "on several lines": ("Zq7Rk2Wm", lambda secret: f"{secret[:4]}\r\n  {secret[4:]}"),
    "with soft hyphens": ("Zq7Rk2Wm", lambda secret: f"{secret[:4]}\xad{secret[4:6]}&#8203;{secret[6:]}"),
    "without its end of a line": ("Zq7Rk2Wm\n", str.strip),
    "with an end of a line in JSON": ("Zq7R\nk2\tWm\n", json.dumps),
    "without padding": ("Zq7Rk2Wm==", lambda secret: secret.rstrip("=")),
    "in the base64 of URLs": ("Zq7R+k2/Wm==", lambda secret: secret.replace("+", "-").replace("/", "_")),
    "in Python": ("Zq7R\\x41k2\\nWm", repr),
}
"""Ways of writing that are no escapes, with a secret that they change."""


@pytest.mark.parametrize("way", WRITTEN)
def test_no_secret_is_recognized_by_people_only(way: str) -> None:
    """A secret that is written in another way than it is used is found, and what is around it stays."""
    secret, write = WRITTEN[way]
    redactor = Redactor()
    redactor.learn(Secret(secret))
    words = f"what is ({write(secret)})?"
    shown = redactor(words, length=100)
    assert redactor.knows(words)
    assert "k2" not in shown
    assert "Wm" not in shown.replace("\\x00", "")
    assert (shown[:9], shown[-2:]) == ("what is (", ")?")
