"""Whatever happens, no secret is to be seen: planted ones are looked for wherever we leave a trace."""

import asyncio
import gc
import html
import json
import logging
import math
import pickle
import socket
import threading
import warnings
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from copy import copy, deepcopy
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, unquote

import aiohttp
import anyio
import pytest
from aiohttp import web
from anyio import to_thread
from attrs import asdict, define, field
from yarl import URL

from kognic_aio import KognicIOClient, SceneWithPreAnnotation, create_inputs
from kognic_aio._http.api import PageMetadata
from kognic_aio._http.auth import Credentials, Token
from kognic_aio._http.protocol import Request
from kognic_aio._http.redaction import Redactor
from kognic_aio._secret import Secret
from kognic_aio.config import Environment
from kognic_aio.emulator import ANNOTATION_ID, CLIENT_ID, INPUT_UUIDS, Emulator, Platform, faults
from kognic_aio.emulator.faults import Fault
from kognic_aio.errors import ClosedError, InvalidError
from kognic_aio.model.annotation import PartialClientAnnotation
from kognic_aio.pipeline import Journal
from kognic_aio.scenes.job import AcceptedIMUData, AcceptedRequest, AcceptedScene
from tests.answers import answer_with
from tests.cli.support import kognicutil, variables_of
from tests.faults.ingestion import BATCH, OPENLABEL, PROJECT
from tests.faults.matrix import AT, EVERYWHERE
from tests.leaks import Seen
from tests.scenes import SOURCES, build
from tests.scripted import Server, Step, serving, text

pytestmark = pytest.mark.anyio


def secret(name: str) -> str:
    """A secret that stands nowhere by chance, with characters that URLs escape."""
    digest = sha256(name.encode()).digest()
    return b64encode(digest[:15] + b"\xfb\xff" + digest[15:]).decode()


def quoted(text: str) -> str:
    return quote(text, safe="")


CLIENT_SECRET, TOKEN, SIGNATURE, PASSWORD, COOKIE = map(secret, ("client", "token", "signature", "password", "cookie"))
QUERY = f"X-Goog-Signature={quoted(SIGNATURE)}&X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Expires=600"
SIGNED_URL = f"https://storage.invalid/bucket/file?{QUERY}"


@define
class Stage:
    """Where a scenario plays, and what is seen of it.

    Args:
        emulator: The platform, whose client secret is a planted one.
        server: Does what the platform cannot, and gives a planted token.
        folder: Has the journal and a credentials file.
        monkeypatch: Sets the environment.
        secrets: What must not be seen.
    """

    emulator: Emulator
    server: Server
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    secrets: dict[str, str]
    seen: Seen = field(factory=Seen)

    def let_urls_lead_to(self, base: str) -> None:
        """Have the platform sign URLs of another storage, with the planted signature."""
        self.emulator.platform.storage.sign = lambda method, path, seconds: f"{base}/bucket/{quote(path)}?{QUERY}"

    def client(self, **options: Any) -> KognicIOClient:
        """A client that soon gives up."""
        brisk: dict[str, Any] = {"max_retry_attempts": 2, "max_retry_wait_time": 0.001, "visibility_timeout": 0.2}
        return KognicIOClient(**self.emulator.client_options() | brisk | options)

    async def everything(self, **options: Any) -> str:
        """Do all that secrets have a part in, have it seen, and tell what went wrong."""
        client = self.client(**options)
        self._show(client)
        troubles = [await self.tried(self._open, client)]
        self._show(client)
        troubles += [await self.tried(self.ingest, client), await self.tried(self.download, client)]
        await client.aclose()
        self._show(client)
        return "\n".join(filter(None, troubles))

    async def tried(self, act: Callable[[KognicIOClient], Awaitable[object]], client: KognicIOClient) -> str:
        """Do something that may fail, and tell what went wrong."""
        try:
            return str(await act(client) or "")
        except Exception as error:
            self.seen.catch(error)
            return f"{type(error).__name__}: {error}"

    async def ingest(self, client: KognicIOClient) -> str:
        """Create inputs with a journal, and tell what went wrong."""
        path = self.folder / "journal"
        options: dict[str, Any] = {"sleep_time": 0.01, "journal": path, "on_event": self.seen.show}
        made = create_inputs(client, scenes(), PROJECT, batch=BATCH, **options)
        troubles: list[str] = []
        try:
            async for result in made:
                self.seen.show(made, made.progress, result)
                troubles += [result.error.message] if result.error else []
                if result.error is not None and result.error.exception is not None:
                    self.seen.catch(result.error.exception)
                await self.look_at_journal()
        finally:
            await self.look_at_journal()
        async with Journal(path) as journal:
            self.seen.show(journal, journal.destination, await journal.counts(), await journal.failures())
        return "\n".join(troubles)

    async def download(self, client: KognicIOClient) -> None:
        """Get annotations with their contents."""
        self.seen.show(await client.annotation.get_annotation_for_input(INPUT_UUIDS[0]))
        self.seen.show(await client.annotation.get_annotation_by_id(ANNOTATION_ID))

    async def look_at_journal(self) -> None:
        """Take in the journal and what SQLite has beside it, as they are now."""
        async for path in anyio.Path(self.folder).glob("journal*"):
            with suppress(FileNotFoundError):  # it was there just now
                self.seen.add(path.name, (await path.read_bytes()).decode("latin-1"))

    async def _open(self, client: KognicIOClient) -> None:
        await client.open()

    def _show(self, client: KognicIOClient) -> None:
        public = (name for name in dir(client) if not name.startswith("_") and name != "workspace_id")
        self.seen.show(client, vars(client), *vars(client).values(), *(getattr(client, name) for name in public))


def scenes() -> Iterator[SceneWithPreAnnotation]:
    """Images; a sequence of point clouds with IMU data and a pre-annotation."""
    for kind, pre_annotation in (("Cameras", None), ("LidarsSequence", OPENLABEL)):
        yield SceneWithPreAnnotation(build(kind, SOURCES["bytes"], Path()).scene, pre_annotation)


@pytest.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    planted = {"client secret": CLIENT_SECRET, "token": TOKEN, "signature": SIGNATURE, "password": PASSWORD}
    async with Emulator() as emulator, serving() as server:
        stage = Stage(emulator, server, tmp_path, monkeypatch, planted | {"cookie": COOKIE})
        emulator.platform.accounts.credentials = {CLIENT_ID: CLIENT_SECRET}
        note_secrets(emulator.platform, stage.secrets)
        server.token = answering(json.dumps({"access_token": TOKEN}))
        yield stage


def note_secrets(platform: Platform, secrets: dict[str, str]) -> None:
    """Note every token that a platform gives, and how it signs each URL."""
    grant, signed_url = platform.accounts.grant, platform.storage.signed_url

    def granted(form: dict[str, str]) -> dict[str, Any]:
        answer = grant(form)
        secrets.update({f"{name} {len(secrets)}": answer[name] for name in ("access_token", "refresh_token")})
        return answer

    def signed(*arguments: Any) -> str:
        url = signed_url(*arguments)
        _, is_its_own, signature = url.partition("&X-Signature=")
        secrets.update({f"signature of {arguments}": signature} if is_its_own else {})
        return url

    vars(platform.accounts)["grant"] = granted
    vars(platform.storage)["signed_url"] = signed


def answering(body: str | bytes) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=body)

    return answer


def credentials(**more: Any) -> str:
    """The content of a credentials file."""
    known = {"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET, "email": "a@b", "userId": 1, "issuer": "emulator"}
    return json.dumps(known | more)


def apis(url: str) -> dict[str, str]:
    """One server for all APIs."""
    names = ("host", "order_execution_api_host", "annotation_integration_api_host", "workspace_api_host")
    return dict.fromkeys((*names, "project_management_api_host"), url)


@asynccontextmanager
async def talking(answer: Callable[[bytes], bytes | None]) -> AsyncGenerator[str, None]:
    """A server that sends whatever it likes after what it hears first, and hangs up; or listens for ever."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = answer(await reader.read(2**16))
        if said is None:
            await reader.read()
        else:
            writer.write(said)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


SCENARIOS: dict[str, Callable[[Stage], Awaitable[None]]] = {}


def scenario(
    cases: Mapping[str, tuple[Any, ...]] | None = None,
) -> Callable[[Callable[..., Awaitable[None]]], Callable[..., Awaitable[None]]]:
    """Take in a scenario; of several cases, each with its arguments."""

    def add(function: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        name = function.__name__.replace("_", " ")
        for case, arguments in (cases or {"": ()}).items():
            SCENARIOS[f"{name}: {case}" if case else name] = partial(function, *arguments)
        return function

    return add


@scenario()
async def healthy(stage: Stage) -> None:
    """Nothing goes wrong; the credentials come from a file."""
    path = stage.folder / "credentials.json"
    await anyio.Path(path).write_text(credentials())
    assert not await stage.everything(auth=path)
    async with stage.client(auth=json.loads(credentials())) as client:
        await client.input.get_inputs_by_uuids([INPUT_UUIDS[0]])  # pyright: ignore[reportDeprecated]  # which warns


STEPS = {"token": faults.TOKENS, "start": "POST v1/inputs/*-*", "upload": faults.UPLOADS, "download": faults.DOWNLOADS}
FAULTS = {
    name: fault
    for name, fault in EVERYWHERE.items()
    if "Retry-After" not in name and ("after the effect" not in name or "dropped" in name)
}


@scenario(
    {f"{name} @ {step}": (FAULTS[name], on) for name, (step, on) in product(FAULTS, STEPS.items())}
    | {name: (wrong, wrong.on) for name, (wrong, _) in AT.items()}
)
async def fault(wrong: Fault, on: str, stage: Stage) -> None:
    """The same goes wrong again and again."""
    planned = stage.emulator.faults.add(wrong, on=on, times=math.inf)
    await stage.everything(timeout=0.1 if isinstance(wrong, faults.SlowAnswer | faults.StopReading) else 10.0)
    assert planned.injected


FORMS: dict[str, Callable[[str], str]] = {
    "HTML": lambda words: f"<html><pre>{html.escape(words)}</pre></html>",
    "text": str,
    "escaped": lambda words: quote(words, safe="\n "),
    "message": lambda words: json.dumps({"message": words}),
    "JSON": lambda words: json.dumps({"error": {"details": words.split()}}),
    "XML": lambda words: (
        f"<Error><Code>No</Code><Message>{html.escape(words)}</Message><Signed>{words}</Signed></Error>"
    ),
}
"""How servers write what they were sent into their answers."""


def refusals(*statuses: int) -> dict[str, tuple[Any, ...]]:
    """Every form with every status, and what is no JSON with 200."""
    cases = [*product(FORMS, statuses), ("HTML", 200), ("text", 200), ("escaped", 200)]
    return {f"{form} {status}": (FORMS[form], status) for form, status in cases}


def sent(request: web.BaseRequest, body: str = "") -> str:
    """What a server was sent, as it may have it in an error."""
    proofs = [request.headers.get(name, "") for name in ("Authorization", "Cookie", "Proxy-Authorization")]
    return "\n".join([*proofs, body, unquote(body), request.query_string, str(request.url), unquote(str(request.url))])


def quoting(form: Callable[[str], str], status: int) -> Step:
    """An answer that quotes the request, sends somewhere else and sets a cookie."""
    headers = {"Location": SIGNED_URL, "Set-Cookie": f"ses(sion={COOKIE}"}
    return lambda request: web.Response(text=form(sent(request)), status=status, headers=headers)


@scenario(refusals(307, 403))
async def storage_that_quotes(form: Callable[[str], str], status: int, stage: Stage) -> None:
    """A storage has the signed URL in its answers."""
    stage.let_urls_lead_to(stage.server.url)
    stage.server.always = quoting(form, status)
    assert "bucket" in await stage.everything()
    assert quoted(SIGNATURE) in str(stage.server.requests)


@scenario(refusals(302, 401, 500))
async def api_that_quotes(form: Callable[[str], str], status: int, stage: Stage) -> None:
    """An API has the token in its answers, and the cookies of a session of the caller's."""
    stage.server.always = quoting(form, status)
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookies={"session": COOKIE}, cookie_jar=jar) as session:
        url = stage.server.url
        said = "status 200, not JSON" if status == 200 else f"{status} "
        assert said in await stage.everything(**apis(url), auth_host=url, session=session)
    assert COOKIE in str(stage.server.requests)
    assert TOKEN in str(stage.server.requests)


@scenario(refusals(401, 500))
async def auth_server_that_quotes(form: Callable[[str], str], status: int, stage: Stage) -> None:
    """An auth server has the client secret in its answers."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=form(sent(request, await request.text())), status=status)

    stage.server.token = answer
    assert "/token" in await stage.everything(auth_host=stage.server.url)


@scenario(
    {
        "truncated": (f'{{"access_token": "{TOKEN}',),
        "no text": (b'{"access_token": "' + TOKEN.encode() + b'\xff"}',),
        "no object": (json.dumps([TOKEN]),),
        "under another name": (json.dumps({"accessToken": TOKEN}),),
        "no life": (json.dumps({"access_token": TOKEN, "expires_in": TOKEN}),),
        "several lines": (json.dumps({"access_token": f"{TOKEN}\r\n{TOKEN}"}),),
    }
)
async def no_token(answer: str | bytes, stage: Stage) -> None:
    """The token that the auth server gives cannot be used."""
    stage.server.token = answering(answer)
    assert "Error" in await stage.everything(auth_host=stage.server.url)


MISFIT = {"uri": [SIGNED_URL], "sceneUuid": [SIGNED_URL], "internalId": {"a": SIGNED_URL}, "files": SIGNED_URL}


@scenario({"types": (json.dumps(MISFIT),), "truncated": (json.dumps(MISFIT)[:-1],)})
async def answer_that_does_not_fit(answer: str, stage: Stage) -> None:
    """An API answers with signed URLs where nobody expects them."""
    stage.server.always = text(answer)
    troubles = await stage.everything(**apis(stage.server.url), write_workspace_id="mine")
    assert "MalformedAnswerError" in troubles


@scenario(
    {
        "scheme": (f"gs://bucket/file?{QUERY}",),
        "host": (f"https:///file?{QUERY}",),
        "long host": (f"https://{'a' * 70}.invalid/file?{QUERY}",),
        "port": (f"https://storage.invalid:port/file?{QUERY}",),
        "bracket": (f"http://[storage/file?{QUERY}",),
        "path": (f"/bucket/file?{QUERY}",),
        "query": (QUERY,),
        "characters": (f"https://\udcff\0 /file?{QUERY}",),
        "fragment": (f"http://127.0.0.1:1/file#{QUERY}",),
        "password": (f"http://user:{quoted(PASSWORD)}@127.0.0.1:1/file?{QUERY}",),
        "scheme and password": (f"ftp://user:{quoted(PASSWORD)}@127.0.0.1:1/file?{QUERY}",),
    }
)
async def no_url(url: str, stage: Stage) -> None:
    """What the platform has signed cannot be used as a URL."""
    stage.emulator.platform.storage.sign = lambda method, path, seconds: url
    assert "Error" in await stage.everything()


@scenario()
async def nobody_listens(stage: Stage) -> None:
    """The storage is gone."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        stage.let_urls_lead_to(f"http://127.0.0.1:{bound.getsockname()[1]}")
        assert "no connection for PUT" in await stage.everything()


@scenario()
async def silence(stage: Stage) -> None:
    """Nobody answers to the beginning of TLS."""
    async with talking(lambda heard: None) as url:
        tls = url.replace("http", "https")
        stage.let_urls_lead_to(tls)
        assert "no connection in time for PUT" in await stage.everything(timeout=0.1)
        assert "no connection in time for GET" in await stage.everything(timeout=0.1, **apis(tls))


@scenario()
async def no_tls(stage: Stage) -> None:
    """A storage and an API speak no TLS."""
    tls = stage.server.url.replace("http", "https")
    stage.let_urls_lead_to(tls)
    assert "no TLS connection for PUT" in await stage.everything()
    assert "no TLS connection for GET" in await stage.everything(**apis(tls))


@scenario()
async def no_http(stage: Stage) -> None:
    """A storage, an API and an auth server speak no HTTP, and send back what they hear."""
    async with talking(lambda heard: heard) as url:
        stage.let_urls_lead_to(url)
        for path, options in (("PUT", {}), ("GET", apis(url)), ("POST", {"auth_host": url})):
            assert f"the response to {path}" in (seen := await stage.everything(**options))
            assert "cannot be read: Bad status line" in seen


PROXIES = {
    "refuses": "HTTP/1.1 407 Proxy Authentication Required\r\nConnection: close\r\n\r\n",
    "fails": "HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n",
    "answers": "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    "speaks no HTTP": "",
}


def use_proxy(stage: Stage, url: str) -> None:
    """Have what does not go to this machine go through a proxy with a password."""
    stage.monkeypatch.setenv("https_proxy", url.replace("://", f"://user:{quoted(PASSWORD)}@"))


@scenario({name: (PROXIES[name],) for name in PROXIES})
async def proxy(answer: str, stage: Stage) -> None:
    """The storage is behind a proxy that is of no help, and sends back what it hears."""
    stage.let_urls_lead_to("https://storage.invalid")
    async with talking(lambda heard: answer.encode() + heard) as url:
        use_proxy(stage, url)
        assert "storage.invalid" in await stage.everything()


@scenario()
async def no_proxy(stage: Stage) -> None:
    """Nobody listens where the proxy should be."""
    stage.let_urls_lead_to("https://storage.invalid")
    use_proxy(stage, "http://127.0.0.1:1")
    assert "no connection to the proxy for PUT https://storage.invalid" in await stage.everything()


@scenario({url: (url,) for url in ("http://127.0.0.1:port", "socks5://127.0.0.1:1")})
async def bad_proxy(url: str, stage: Stage) -> None:
    """The environment names what is no proxy, or of a kind that is not supported."""
    use_proxy(stage, url)
    assert "InvalidError: https_proxy: " in await stage.everything()


@scenario(
    {
        "wrong": (("somebody", CLIENT_SECRET),),
        "three": (("somebody", CLIENT_SECRET, CLIENT_SECRET),),
        "list": (["somebody", CLIENT_SECRET],),
        "content": (credentials(),),
        "lacking": ({"clientSecret": CLIENT_SECRET},),
        "expired": (json.loads(credentials(expires="2020-01-01T00:00:00Z")),),
        "scopes": (json.loads(credentials(scopes=7)),),
    }
)
async def bad_credentials(auth: Any, stage: Stage) -> None:
    """Credentials that cannot be used are given."""
    assert "CredentialsError" in await stage.everything(auth=auth)


@scenario(
    {
        "truncated": (credentials()[:-1].encode(),),
        "no text": (credentials().encode() + b"\xff",),
        "no object": (json.dumps([CLIENT_SECRET]).encode(),),
        "lacking": (json.dumps({"clientSecret": CLIENT_SECRET}).encode(),),
    }
)
async def bad_credentials_file(content: bytes, stage: Stage) -> None:
    """A credentials file cannot be used; the environment has its content where its path should be."""
    path = stage.folder / "credentials.json"
    await anyio.Path(path).write_bytes(content)
    assert "CredentialsError" in await stage.everything(auth=path)
    stage.monkeypatch.setenv("KOGNIC_CREDENTIALS", content.decode("latin-1"))
    assert "CredentialsError" in await stage.everything(auth=None)


@scenario({name: (name,) for name in ("host", "auth_host")})
async def password_in_a_host(name: str, stage: Stage) -> None:
    """Somebody writes a password into the URL of an API."""
    with pytest.raises(InvalidError, match="must not contain a user and password") as caught:
        stage.client(**{name: f"https://user:{quoted(PASSWORD)}@platform.invalid"})
    stage.seen.catch(caught.value)


@scenario({"cancelled": (True,), "closed": (False,)})
async def ended_early(is_cancelled: bool, stage: Stage) -> None:
    """A run is cancelled while it uploads, or its client is closed then; and used once more."""
    has_begun = threading.Event()

    async def hold(request: web.BaseRequest) -> web.StreamResponse:
        has_begun.set()
        await anyio.sleep_forever()
        raise AssertionError

    stage.server.streaming = hold
    stage.let_urls_lead_to(stage.server.url)
    async with stage.client() as client:
        run = asyncio.create_task(stage.ingest(client))
        await to_thread.run_sync(has_begun.wait)
        stage.seen.look_at_tasks()
        run.cancel() if is_cancelled else await client.aclose()
        with pytest.raises((asyncio.CancelledError, ClosedError)) as caught:
            await run
    stage.seen.catch(caught.value)
    assert "ClosedError" in await stage.tried(stage.download, client)


@scenario({"a timeout": (asyncio.timeout,), "a group": (None,)})
async def cancelled_calls(timeout: Any, stage: Stage) -> None:
    """Calls are cancelled by a timeout, or by the failure of another one, at each of three servers in turn."""
    async with talking(lambda heard: None) as url:
        stage.let_urls_lead_to(url)
        for options in ({}, apis(url), {"auth_host": url}):
            async with stage.client() as healthy:
                client = stage.client(**options, write_workspace_id="mine") if options else healthy
                await client.open()
                with pytest.raises((TimeoutError, BaseExceptionGroup)) as caught:
                    if timeout:
                        async with timeout(0.1):
                            await stage.download(client)
                    else:
                        async with asyncio.TaskGroup() as group:
                            group.create_task(stage.download(client))
                            group.create_task(fail_soon())
                await client.aclose()
            stage.seen.catch(caught.value)


async def fail_soon() -> None:
    await asyncio.sleep(0.1)
    raise LookupError


@scenario()
async def wrong_arguments(stage: Stage) -> None:
    """A client is given something wrong beside its credentials and a session with a cookie."""
    async with aiohttp.ClientSession(cookies={"session": COOKIE}, headers={"Authorization": TOKEN}) as session:
        for wrong in ({"timeout": 0}, {"max_retry_attempts": -1}, {"host": "x"}, {"session": session, "ssl": True}):
            with pytest.raises(InvalidError) as caught:
                stage.client(auth=(CLIENT_ID, CLIENT_SECRET), **wrong)
            stage.seen.catch(caught.value)
        assert "has its own Authorization" in await stage.everything(session=session)


@scenario(
    {
        "content for a path": (
            {"environments": {"x": {"host": "h", "auth_server": "a", "credentials": credentials()}}},
        ),
        "an object for a path": ({"environments": {"x": {"host": "h", "credentials": json.loads(credentials())}}},),
        "half of it": (credentials()[:-1],),
    }
)
async def bad_environments(content: Any, stage: Stage) -> None:
    """The file that names environments has what belongs into another one."""
    path = stage.folder / "kognic" / "environments.json"
    await anyio.Path(path.parent).mkdir()
    await anyio.Path(path).write_text(content if isinstance(content, str) else json.dumps(content))
    stage.monkeypatch.setenv("XDG_CONFIG_HOME", str(stage.folder))
    assert await stage.tried(stage._open, KognicIOClient(env="x"))


@scenario()
async def never_closed(stage: Stage) -> None:
    """An open client is dropped."""
    client = await stage.client().open()
    del client
    gc.collect()
    assert "Unclosed" in str(stage.seen.places["log of asyncio"])


@scenario()
async def values(stage: Stage) -> None:
    """What has secrets in it does not show them."""
    values: list[Any] = [
        AcceptedScene(internal_id="scene", files=Secret({"a.jpg": SIGNED_URL})),
        AcceptedIMUData(resource_id="imu", signed_url=Secret(SIGNED_URL)),
        AcceptedRequest(id="scene", signed_upload_urls=Secret((("a.jpg", SIGNED_URL),))),
        answer_with(TOKEN.encode(), headers={"a": COOKIE}, secrets=[TOKEN]),
        Credentials(CLIENT_ID, Secret(CLIENT_SECRET)),
        Token(Secret(TOKEN), 0.0),
        Request(
            method="GET",
            url=Secret(URL(SIGNED_URL)),
            headers={},
            data=Secret({"a": TOKEN}),
        ),
        PageMetadata(next_cursor_id=Secret(TOKEN)),
        PartialClientAnnotation(scene_uuid="", annotation_type="", created=datetime.now(UTC), uri=SIGNED_URL),
        Environment(credentials=Secret(credentials())),
    ]
    for value in values:
        stage.seen.show(value, asdict(value), copy(value), deepcopy(value))
        with pytest.raises(TypeError, match="a secret is not pickled"):
            pickle.dumps(value)
    redactor = Redactor()
    redactor.learn(Secret(TOKEN))
    stage.seen.show(redactor, vars(redactor))


def at_projects(wrong: Fault) -> Callable[[Stage], dict[str, str]]:
    def variables(stage: Stage) -> dict[str, str]:
        stage.emulator.faults.add(wrong, on="GET v1/projects", times=math.inf)
        return {}

    return variables


def at_a_server_that_quotes(stage: Stage) -> dict[str, str]:
    stage.server.always = quoting(FORMS["text"], 400)
    return {"KOGNIC_ENV": stage.server.url}


def with_half_a_file(stage: Stage) -> dict[str, str]:
    path = stage.folder / "credentials.json"
    path.write_text(credentials()[:-1])
    return {"KOGNIC_ENV": "", "KOGNIC_CREDENTIALS": str(path)}


@scenario(
    {
        "wrong credentials": (lambda stage: {"KOGNIC_CLIENT_ID": "somebody"},),
        "revoked tokens": (at_projects(faults.RevokeTokens()),),
        "HTML": (at_projects(faults.Html()),),
        "a server that quotes": (at_a_server_that_quotes,),
        "half a file": (with_half_a_file,),
        "content for a path": (lambda stage: {"KOGNIC_ENV": "", "KOGNIC_CREDENTIALS": credentials()},),
        "a password": (lambda stage: {"KOGNIC_ENV": f"https://user:{quoted(PASSWORD)}@platform.invalid"},),
    }
)
async def kognicutil_fails(trouble: Callable[[Stage], dict[str, str]], stage: Stage) -> None:
    """A command says in a line what is wrong."""
    variables = variables_of(stage.emulator) | trouble(stage)
    done = await to_thread.run_sync(partial(kognicutil, "projects", **variables))
    stage.seen.add("kognicutil", done.stdout, done.stderr)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")


@pytest.mark.parametrize("play", SCENARIOS.values(), ids=SCENARIOS)
async def test_no_secret_is_seen(
    play: Callable[[Stage], Awaitable[None]], stage: Stage, capfd: pytest.CaptureFixture[str]
) -> None:
    """No token, secret or signature is in a log line, an error, a repr, a journal, a warning or an output."""
    gc.freeze()  # so that only what comes from here on has to be collected
    with stage.seen.listening():
        await play(stage)
        gc.collect()
    gc.unfreeze()
    output = capfd.readouterr()
    stage.seen.add("output", output.out, output.err)
    assert stage.seen.leaks(stage.secrets) == []


@pytest.mark.parametrize(
    "written",
    [
        SIGNATURE,
        SIGNATURE.lower(),
        quoted(SIGNATURE),
        quoted(SIGNATURE).lower(),
        QUERY,
        json.dumps({"url": SIGNED_URL}),
        b64encode(f"user:{SIGNATURE}".encode()).decode(),
        b64encode(f"users:{SIGNATURE}.".encode()).decode(),
        SIGNATURE[:25],
        SIGNATURE[-25:],
    ],
)
def test_every_form_is_found(written: str) -> None:
    """A secret is found however it is written, in part too, and another one is not."""
    seen = Seen()
    seen.add("place", f"before {written}, after")
    assert seen.leaks({"signature": SIGNATURE, "token": TOKEN}) == ["signature in place"]


def logged(stage: Stage) -> None:
    logging.getLogger("aiohttp.client").debug("got %s", {"url": SIGNED_URL})


def logged_beside(stage: Stage) -> None:
    logging.getLogger("stamina").info("again", extra={"stamina.caused_by": SIGNED_URL})


def logged_with_error(stage: Stage) -> None:
    error = LookupError("that")
    error.__cause__ = ValueError(SIGNED_URL)
    logging.getLogger("asyncio").error("what was that", exc_info=error)


def noted(stage: Stage) -> None:
    error = LookupError("that")
    error.add_note(SIGNED_URL)
    stage.seen.catch(error)


def suppressed(stage: Stage) -> None:
    error = LookupError("that")
    error.__context__, error.__suppress_context__ = ValueError(SIGNED_URL), True
    stage.seen.catch(error)


def attached(stage: Stage) -> None:
    error = LookupError("that")
    vars(error)["request"] = SimpleNamespace(info=[{"url": SIGNED_URL}])
    stage.seen.catch(error)


def undecodable(stage: Stage) -> None:
    with pytest.raises(UnicodeDecodeError) as caught:
        (SIGNED_URL.encode() + b"\xff").decode()
    stage.seen.catch(caught.value)


def in_a_frame(stage: Stage) -> None:
    namespace: dict[str, Any] = {"__name__": "kognic_aio.leaking", "Model": Model}
    exec("def fail(url):\n    kept = [{'model': Model(url)}]\n    raise LookupError", namespace)
    for url in (SIGNED_URL,):
        with pytest.raises(LookupError) as caught:
            namespace["fail"](url)
        stage.seen.catch(ExceptionGroup("several", [caught.value]))


def warned(stage: Stage) -> None:
    warnings.warn(SIGNED_URL, DeprecationWarning, stacklevel=1)


@define
class Model:
    url: str


def shown(stage: Stage) -> None:
    stage.seen.show(Model(SIGNED_URL))


async def in_a_task(stage: Stage) -> None:
    task = asyncio.create_task(asyncio.sleep(0), name=SIGNED_URL)
    stage.seen.look_at_tasks()
    await task


async def in_a_file(stage: Stage) -> None:
    await anyio.Path(stage.folder, "journal-wal").write_bytes(b"\xff\0" + SIGNED_URL.encode())
    await stage.look_at_journal()


@pytest.mark.parametrize(
    ("leak", "place"),
    [
        (logged, "log of aiohttp.client"),
        (logged_beside, "log of stamina"),
        (logged_with_error, "log of asyncio"),
        (noted, "LookupError that was raised"),
        (suppressed, "LookupError that was raised"),
        (attached, "LookupError that was raised"),
        (undecodable, "UnicodeDecodeError that was raised"),
        (in_a_frame, "`kept` of kognic_aio.leaking.fail"),
        (warned, "warning"),
        (shown, "Model"),
        (in_a_task, "task"),
        (in_a_file, "journal-wal"),
    ],
)
async def test_every_place_is_looked_at(
    leak: Callable[[Stage], Awaitable[None] | None], place: str, stage: Stage
) -> None:
    """What leaks into any place is found there."""
    with stage.seen.listening():
        leaking = leak(stage)
        if leaking is not None:
            await leaking
    assert f"signature in {place}" in stage.seen.leaks(stage.secrets)
