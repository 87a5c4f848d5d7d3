"""The object storage behind the signed URLs."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import attrs

from kognic_aio.emulator.errors import StorageError
from kognic_aio.emulator.state.timing import Timing

HEAD_SIZE = 64


@attrs.define(kw_only=True)
class StoredObject:
    """What is remembered of a file that was put; the bytes themselves are not kept.

    Args:
        path: `<workspace>/<scene>/<resource id>`.
        size: bytes.
        sha256: hex digest of the bytes.
        content_type: the Content-Type that came with them.
        head: the first 64 bytes, for rules about how a file begins.
        puts: how many times it was put; size and digest are those of the last time.
    """

    path: str
    size: int
    sha256: str
    content_type: str
    head: bytes = attrs.field(repr=False)
    puts: int = 1


class Receiver:
    """Takes the chunks of a file as they come and keeps only what is remembered of it."""

    def __init__(self) -> None:
        self.size = 0
        self.head = b""
        self._sha256 = hashlib.sha256()

    def feed(self, chunk: bytes) -> None:
        """Take the next chunk."""
        if len(self.head) < HEAD_SIZE:
            self.head += chunk[: HEAD_SIZE - len(self.head)]
        self.size += len(chunk)
        self._sha256.update(chunk)

    def sha256(self) -> str:
        """The hex digest of all chunks."""
        return self._sha256.hexdigest()


class Storage:
    """Signs URLs, checks them, remembers what was put, and keeps the platform's own documents.

    Args:
        timing: the platform's clock and the lifetime of URLs.
    """

    def __init__(self, timing: Timing) -> None:
        self.base_url = ""
        self.objects: dict[str, StoredObject] = {}
        self._documents: dict[str, bytes] = {}
        self._timing = timing
        self._secret = secrets.token_bytes(32)

    def signed_url(self, path: str, method: str = "PUT") -> str:
        """A URL that permits one object to be put, or to be got, until it expires.

        Args:
            path: `<workspace>/<scene>/<resource id>`; the resource id may hold slashes.
            method: PUT or GET.
        """
        # Milliseconds of the platform's own clock: a wall clock that jumps must not expire URLs.
        expires = str(int((self._timing.clock() + self._timing.url_lifetime) * 1000))
        signature = self._signature(method, path, expires)
        escaped = "/".join(quote(part, safe="") for part in path.split("/", 2))
        return f"{self.base_url}/storage/{escaped}?X-Expires={expires}&X-Signature={signature}"

    def check(self, method: str, path: str, expires: str, signature: str) -> None:
        """Check the signature of a request, then its expiry.

        Raises:
            StorageError: the URL was not signed here for this method and object, or has expired.
        """
        # The signature covers the decoded path: clients differ in how they escape one.
        if not hmac.compare_digest(self._signature(method, path, expires).encode(), signature.encode()):
            raise StorageError(
                "SignatureDoesNotMatch", "the signature does not match the method, the path and the expiry", 403
            )
        if self._timing.clock() * 1000 >= int(expires):
            raise StorageError("ExpiredToken", "the signed URL has expired", 400)

    def _signature(self, method: str, path: str, expires: str) -> str:
        message = f"{method}\n{path}\n{expires}".encode()
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()

    def store(self, path: str, received: Receiver, content_type: str) -> StoredObject:
        """Remember a file that arrived whole, in place of what was there."""
        earlier = self.objects.get(path)
        self.objects[path] = StoredObject(
            path=path,
            size=received.size,
            sha256=received.sha256(),
            content_type=content_type,
            head=received.head,
            puts=1 if earlier is None else earlier.puts + 1,
        )
        return self.objects[path]

    def keep_document(self, path: str, content: Any) -> None:
        """Keep a document of the platform's own, as JSON, to be got through a signed URL."""
        self._documents[path] = json.dumps(content).encode()

    def document(self, path: str) -> bytes:
        """A document of the platform's own.

        Raises:
            StorageError: there is none; of uploaded files nothing is kept that could be got.
        """
        found = self._documents.get(path)
        if found is None:
            raise StorageError("NoSuchKey", "there is no such document", 404)
        return found

    def look_up(self, prefix: str, names: Iterable[str]) -> dict[str, StoredObject | None]:
        """The objects `<prefix>/<name>`, by name."""
        return {name: self.objects.get(f"{prefix}/{name}") for name in names}
