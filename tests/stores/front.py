"""What stands in front of Google's storage: it tells checksums in headers, and may damage what passes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO

import aiohttp
from aiohttp import web
from attrs import define, field
from yarl import URL

from tests.scripted import listening
from tests.stores.stores import Store, sign_like_google


@define
class Front:
    """Passes uploads on to fake-gcs-server, and its checksums back as Google's own servers write them.

    Args:
        store: Where it passes them on to.
        session: With which.
        damage: How many of the next uploads get a byte changed.
        paths: The objects of the uploads that it has passed on, in order.
    """

    store: Store
    session: aiohttp.ClientSession
    damage: int = 0
    paths: list[str] = field(factory=list)
    origin: str = ""

    def sign(self, method: str, path: str, expires: float) -> str:
        """Sign a URL that leads here."""
        return sign_like_google(self.origin, method, path, expires)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path.split("/", 2)[2]
        content = bytearray(await request.content.read())
        if self.damage:
            self.damage -= 1
            content[len(content) // 2] ^= 1
        self.paths.append(path)
        url = URL(self.store.sign("PUT", path, 60), encoded=True)
        async with self.session.put(url, data=BytesIO(content), headers={"Content-Type": "image/jpeg"}) as response:
            stored = await response.json()
        answer = web.Response()
        answer.headers.add("X-Goog-Hash", f"crc32c={stored['crc32c']}")
        answer.headers.add("X-Goog-Hash", f"md5={stored['md5Hash']}")
        return answer


@asynccontextmanager
async def in_front_of(store: Store) -> AsyncIterator[Front]:
    """A running front."""
    async with aiohttp.ClientSession() as session:
        front = Front(store, session)
        async with listening(front.handle) as front.origin:
            yield front
