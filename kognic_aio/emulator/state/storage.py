"""The object storage behind the signed URLs."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
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
    """Signs URLs, checks them, and remembers what was put.

    Args:
        timing: the platform's clock and the lifetime of URLs.
    """

    def __init__(self, timing: Timing) -> None:
        self.base_url = ""
        self.objects: dict[str, StoredObject] = {}
        self._timing = timing
        self._secret = secrets.token_bytes(32)

    def signed_url(self, path: str) -> str:
        """A URL that permits one object to be put until it expires.

        Args:
            path: `<workspace>/<scene>/<resource id>`; the resource id may hold slashes.
        """
        # Milliseconds of the platform's own clock: a wall clock that jumps must not expire URLs.
        expires = str(int((self._timing.clock() + self._timing.url_lifetime) * 1000))
        signature = self._signature("PUT", path, expires)
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

    def look_up(self, prefix: str, names: Iterable[str]) -> dict[str, StoredObject | None]:
        """The objects `<prefix>/<name>`, by name."""
        return {name: self.objects.get(f"{prefix}/{name}") for name in names}
