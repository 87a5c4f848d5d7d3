"""The signed URLs."""

import hashlib
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest

from kognic_aio.emulator import ANNOTATION_ID, WORKSPACE_ID, Emulator, Platform

from .support import CSV, Answer, Caller, Clock, image, patched, scene_body

pytestmark = pytest.mark.anyio


def code(answer: Answer) -> str:
    """The code of an error in XML."""
    return answer.text.partition("<Code>")[2].partition("</Code>")[0]


async def signed_url(caller: Caller) -> str:
    return str((await caller.create()).data["files"]["0.jpg"])


async def test_what_is_remembered(caller: Caller, platform: Platform) -> None:
    """Size, digest, type and the number of puts of each file are remembered."""
    created = (await caller.create()).data
    scene = platform.scene(created["internalId"])
    assert scene.files == {"0.jpg": None}
    url = created["files"]["0.jpg"]
    await caller.put(url, b"first")
    await caller.put(url, b"second one", {"Content-Type": "image/jpeg"})
    stored = scene.files["0.jpg"]
    assert stored is not None
    assert (stored.size, stored.sha256) == (10, hashlib.sha256(b"second one").hexdigest())
    assert (stored.content_type, stored.puts) == ("image/jpeg", 2)
    assert platform.objects == {f"{WORKSPACE_ID}/{scene.uuid}/0.jpg": stored}


async def test_chunked_upload(caller: Caller, platform: Platform) -> None:
    """A body of unknown length is taken chunk by chunk."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 100_000

    url = await signed_url(caller)
    assert (await caller.put(url, chunks())).status == 200
    (stored,) = platform.objects.values()
    assert (stored.size, stored.sha256) == (10_000_000, hashlib.sha256(b"x" * 10_000_000).hexdigest())


@pytest.mark.parametrize("resource_id", ["/data/my images/ö%2F.jpg", "a?b#c.jpg", "gs://bucket/a+b.jpg", "..jpg"])
async def test_odd_resource_ids(caller: Caller, platform: Platform, resource_id: str) -> None:
    """A resource id may hold any character."""
    body = patched(scene_body("cameras"), "frame.images", [image(resource_id)])
    uuid = await caller.make_scene(body=body)
    assert platform.scene(uuid).files[resource_id] is not None
    assert platform.scene(uuid).status == "created"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("X-Signature=", "X-Signature=0"),
        ("X-Signature=", "Signature="),
        ("X-Expires=", "X-Expires=9"),
        ("X-Expires=", "X-Expires=x"),
        ("0.jpg", "1.jpg"),
        (WORKSPACE_ID, quote("another workspace")),
    ],
)
async def test_forged_url(caller: Caller, platform: Platform, old: str, new: str) -> None:
    """A URL in which anything was changed is refused, and nothing is stored."""
    answer = await caller.put((await signed_url(caller)).replace(old, new))
    assert (answer.status, code(answer)) == (403, "SignatureDoesNotMatch")
    assert not platform.objects


async def test_url_expires(caller: Caller, platform: Platform, clock: Clock) -> None:
    """A URL works until its lifetime is over."""
    platform.timing.url_lifetime = 10
    url = await signed_url(caller)
    clock.advance(9.9)
    assert (await caller.put(url)).status == 200
    clock.advance(0.1)
    answer = await caller.put(url)
    assert (answer.status, code(answer)) == (400, "ExpiredToken")


async def test_authorization_is_refused(caller: Caller) -> None:
    """A signed request that carries a token as well is refused, as real stores do."""
    answer = await caller.put(await signed_url(caller), headers=caller.headers)
    assert (answer.status, code(answer)) == (400, "InvalidArgument")


async def test_urls_of_another_emulator(caller: Caller) -> None:
    """A URL that another emulator signed is worth nothing."""
    url = await signed_url(caller)
    async with Emulator() as other:
        answer = await caller.put(url.replace(caller.emulator.url, other.url))
    assert (answer.status, code(answer)) == (403, "SignatureDoesNotMatch")


async def test_checksum(caller: Caller, platform: Platform) -> None:
    """The answer to a PUT tells the CRC32C of what was stored, as Google's storage does."""
    url = await signed_url(caller)
    async with caller.session.put(url, data=b"123456789") as answer:
        # The check value of CRC-32C, e3069283, in base64.
        assert answer.headers["x-goog-hash"] == "crc32c=4waSgw=="
    (stored,) = platform.objects.values()
    assert stored.crc32c == "4waSgw=="


async def test_no_checksum(caller: Caller, platform: Platform) -> None:
    """The checksum may be left out."""
    platform.storage.checksums = False
    async with caller.session.put(await signed_url(caller), data=b"123456789") as answer:
        assert "x-goog-hash" not in answer.headers


class Bucket:
    """A store that is not the emulator's."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.signed: list[tuple[str, str, float]] = []

    def sign(self, method: str, path: str, lifetime: float) -> str | None:
        self.signed.append((method, path, lifetime))
        return f"https://bucket.test/{path}?signature=x" if method == "PUT" else None

    def look(self, path: str) -> tuple[int, bytes] | None:
        content = self.files.get(path)
        return None if content is None else (len(content), content[:64])


async def test_urls_of_another_store(caller: Caller, platform: Platform) -> None:
    """The URLs of files may be signed by another store; what it holds is then taken for there and good."""
    bucket = Bucket()
    platform.storage.sign = bucket.sign
    created = (await caller.create("lidars")).data
    path = f"{WORKSPACE_ID}/{created['internalId']}/0.csv"
    assert created["files"] == {"0.csv": f"https://bucket.test/{path}?signature=x"}
    assert bucket.signed == [("PUT", path, 3600.0)]
    assert (await caller.post(f"v1/inputs/{created['internalId']}/actions/commit")).status == 200
    assert await caller.status(created["internalId"]) == "created"
    assert platform.scene(created["internalId"]).files == {"0.csv": None}


@pytest.mark.parametrize(("content", "status"), [(CSV, "created"), (b"a,b\n", "failed"), (b"", "failed")])
async def test_looking_into_another_store(caller: Caller, platform: Platform, content: bytes, status: str) -> None:
    """If the other store can be looked into, the rules for files hold there too."""
    bucket = Bucket()
    platform.storage.sign, platform.storage.look = bucket.sign, bucket.look
    created = (await caller.create("lidars")).data
    uuid = created["internalId"]
    answer = await caller.post(f"v1/inputs/{uuid}/actions/commit")
    assert (answer.status, answer.message) == (400, f"scene {uuid} lacks the files 0.csv")
    bucket.files[f"{WORKSPACE_ID}/{uuid}/0.csv"] = content
    assert (await caller.post(f"v1/inputs/{uuid}/actions/commit")).status == 200
    assert await caller.status(uuid) == status


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (CSV + b"1,2,3,4,5\n" * 10 + b"words", None),
        (CSV[:-1] + b",6\n", "file 0.csv has 6 values in line 2, must have 5 as its header"),
        (b"ts_gps,x,y,z,intensity" + b",red" * 100, "file 0.csv must begin with the header ts_gps,x,y,z,intensity"),
        (b"\x89PNG\r\n\x1a\n" + bytes(1000), "file 0.csv must begin with the header ts_gps,x,y,z,intensity"),
    ],
)
async def test_reading_what_is_known_of_another_store(
    caller: Caller, platform: Platform, content: bytes, fault: str | None
) -> None:
    """Of a file in another store the first bytes are read, and nothing is said of what lies behind them."""
    bucket = Bucket()
    platform.storage.sign, platform.storage.look, platform.storage.reads_files = bucket.sign, bucket.look, True
    uuid = (await caller.create("lidars")).data["internalId"]
    bucket.files[f"{WORKSPACE_ID}/{uuid}/0.csv"] = content
    assert (await caller.post(f"v1/inputs/{uuid}/actions/commit")).status == 200
    failure = platform.scene(uuid).failure
    assert (failure is None) == (fault is None)
    assert (fault or "") in (failure or "")


async def test_documents_stay_here(caller: Caller, platform: Platform) -> None:
    """Where the other store signs nothing the emulator does, so that annotations can be got."""
    bucket = Bucket()
    platform.storage.sign = bucket.sign
    url = (await caller.get(f"v1/annotations/{ANNOTATION_ID}")).data["signedUrl"]
    assert bucket.signed[0][0] == "GET"
    assert (await caller.request("GET", url)).status == 200


async def test_store_as_an_option() -> None:
    """An emulator takes its store as arguments."""
    bucket = Bucket()
    emulator = Emulator(sign=bucket.sign, look=bucket.look, checksums=False)
    storage = emulator.platform.storage
    assert (storage.sign, storage.look, storage.checksums) == (bucket.sign, bucket.look, False)
