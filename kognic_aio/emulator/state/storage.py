"""The object storage behind the signed URLs."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Literal
from urllib.parse import quote

import attrs
from google_crc32c import extend

from kognic_aio.emulator.errors import StorageError
from kognic_aio.emulator.files import Inspection
from kognic_aio.emulator.state.timing import Timing

HEAD_SIZE = 64
MAX_OBJECT = 5 * 2**40
"""Bytes of an object, as in Google's and Amazon's storage."""

Method = Literal["PUT", "GET"]
Sign = Callable[[Method, str, float], str | None]
Look = Callable[[str], tuple[int, bytes] | None]


@attrs.define(kw_only=True)
class StoredObject:
    """What is kept of a stored file. Its bytes are not kept.

    Args:
        path: `<workspace>/<scene>/<resource id>`.
        size: Its size in bytes.
        sha256: Hex digest of the bytes; empty for a file in another store.
        crc32c: CRC32C of the bytes in base64, as Google's storage writes it; empty for a file in another store.
        content_type: The Content-Type of the PUT.
        head: The first 64 bytes.
        fault: What is wrong with the content; continues a sentence that begins with the file's name. None if nothing
            is, or if it was not inspected.
        puts: How many times it was put. Size and digests are those of the last time.
    """

    path: str
    size: int
    sha256: str = ""
    crc32c: str = ""
    content_type: str = ""
    head: bytes = attrs.field(repr=False)
    fault: str | None = None
    puts: int = 1


def check_object_size(size: int) -> None:
    """Check that a file is not too large for any store.

    Raises:
        StorageError: If it is too large.
    """
    if size > MAX_OBJECT:
        raise StorageError("EntityTooLarge", f"an object has at most {MAX_OBJECT:,} bytes", 400)


class Receiver:
    """Receives a file in chunks, and keeps only what `StoredObject` has.

    Args:
        inspection: The inspection of the file, if any.
    """

    def __init__(self, inspection: Inspection | None = None) -> None:
        self.size = 0
        self.head = b""
        self._inspection = inspection
        self._sha256 = hashlib.sha256()
        self._crc32c = 0

    def feed(self, chunk: bytes) -> None:
        """Receive the next chunk."""
        if len(self.head) < HEAD_SIZE:
            self.head += chunk[: HEAD_SIZE - len(self.head)]
        self.size += len(chunk)
        check_object_size(self.size)
        self._sha256.update(chunk)
        self._crc32c = extend(self._crc32c, chunk)
        if self._inspection is not None:
            self._inspection.feed(chunk)

    def fault(self) -> str | None:
        """What is wrong with the file, after its last chunk."""
        if self._inspection is None:
            return None
        self._inspection.finish()
        return self._inspection.fault

    def sha256(self) -> str:
        """The hex digest of all chunks."""
        return self._sha256.hexdigest()

    def crc32c(self) -> str:
        """The CRC32C of all chunks, in base64."""
        return base64.b64encode(self._crc32c.to_bytes(4, "big")).decode()


class Storage:
    """Signs URLs and checks them, remembers stored files, and keeps the platform's own documents.

    Files may go to another store, such as a bucket with presigned URLs. Then `sign` makes the URLs, and the emulator
    does not see the files. `look` describes them; without it, a commit assumes that they are there and correct.

    Args:
        timing: The platform's clock and the lifetime of URLs.
    """

    def __init__(self, timing: Timing) -> None:
        self.base_url = ""
        self.checksums = True
        """Whether the response to a PUT has the CRC32C of what was stored, in `x-goog-hash`."""

        self.reads_files = False
        """Whether files are read while they arrive. Those that are not what their names say then fail processing. If
        false, made-up bytes pass for any file but a CSV, which must have the right header."""

        self.sign: Sign | None = None
        """Signs URLs of another store, given the method, the path of the object and the seconds until the URL expires.
        Where it returns None, the emulator signs a URL of its own. It should for GET, because no other store has the
        platform's documents."""

        self.look: Look | None = None
        """Returns the size and the first 64 bytes of an object in the other store, given its path, or None if there is
        none. It is called in the event loop at every commit, once per file."""

        self.objects: dict[str, StoredObject] = {}
        self._elsewhere: set[str] = set()
        self._expired: dict[str, int] = {}
        self._documents: dict[str, bytes] = {}
        self._timing = timing
        self._secret = secrets.token_bytes(32)

    def signed_url(self, path: str, method: Method = "PUT") -> str:
        """A URL to put or get one object, until it expires.

        Args:
            path: `<workspace>/<scene>/<resource id>`; the resource id may hold slashes.
            method: PUT or GET.
        """
        foreign = self.sign and self.sign(method, path, self._timing.url_lifetime)
        if foreign:
            self._elsewhere.add(path)
            return foreign
        # In milliseconds of the platform's clock. A wall clock may jump, which must not expire URLs.
        expires = str(int((self._timing.clock() + self._timing.url_lifetime) * 1000))
        signature = self._signature(method, path, expires)
        # The resource id may hold slashes, which must be escaped.
        escaped = "/".join(quote(part, safe="") for part in path.split("/", 2))
        return f"{self.base_url}/storage/{escaped}?X-Expires={expires}&X-Signature={signature}"

    def check(self, method: str, path: str, expires: str, signature: str) -> None:
        """Check the signature of a request, then its expiry.

        Raises:
            StorageError: If the URL was not signed here for this method and object, or has expired.
        """
        # The signature covers the decoded path: clients differ in how they escape one.
        if not hmac.compare_digest(self._signature(method, path, expires).encode(), signature.encode()):
            raise StorageError(
                "SignatureDoesNotMatch", "the signature does not match the method, the path and the expiry", 403
            )
        if signature in self._expired:
            raise _expired(self._expired[signature])
        if self._timing.clock() * 1000 >= int(expires):
            raise _expired(400)

    def expire(self, signature: str, status: int) -> StorageError:
        """Expire a signed URL, and return the error for its requests."""
        self._expired[signature] = status
        return _expired(status)

    def _signature(self, method: str, path: str, expires: str) -> str:
        message = f"{method}\n{path}\n{expires}".encode()
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()

    def store(self, path: str, received: Receiver, content_type: str) -> StoredObject:
        """Remember a file that arrived whole, in place of an earlier one."""
        earlier = self.objects.get(path)
        self.objects[path] = StoredObject(
            path=path,
            size=received.size,
            sha256=received.sha256(),
            crc32c=received.crc32c(),
            content_type=content_type,
            head=received.head,
            fault=received.fault(),
            puts=1 if earlier is None else earlier.puts + 1,
        )
        return self.objects[path]

    def keep_document(self, path: str, content: Any) -> None:
        """Keep a document of the platform as JSON, for signed URLs."""
        self._documents[path] = json.dumps(content).encode()

    def document(self, path: str) -> bytes:
        """A document of the platform.

        Raises:
            StorageError: If there is none. Uploaded files cannot be downloaded.
        """
        found = self._documents.get(path)
        if found is None:
            raise StorageError("NoSuchKey", "there is no such document", 404)
        return found

    def look_up(self, prefix: str, files: Mapping[str, Inspection | None]) -> dict[str, StoredObject | None]:
        """The objects `<prefix>/<name>`, by name.

        Args:
            prefix: The path before their names.
            files: Their names, and the inspection of each, for files in another store.
        """
        return {name: self._find(f"{prefix}/{name}", inspection) for name, inspection in files.items()}

    def _find(self, path: str, inspection: Inspection | None) -> StoredObject | None:
        if self.look is None or path not in self._elsewhere:
            return self.objects.get(path)
        found = self.look(path)
        if found is None:
            return None
        size, head = found[0], found[1][:HEAD_SIZE]
        return StoredObject(path=path, size=size, head=head, fault=_fault_so_far(inspection, head, size))

    def can_see(self, path: str) -> bool:
        """Whether the emulator knows if an object is there. It cannot look into another store without `look`."""
        return self.look is not None or path not in self._elsewhere


def _fault_so_far(inspection: Inspection | None, head: bytes, size: int) -> str | None:
    """What is wrong with a file, judged by its first bytes."""
    if inspection is None:
        return None
    inspection.feed(head)
    if len(head) == size:
        inspection.finish()
    return inspection.fault


def _expired(status: int) -> StorageError:
    code = "ExpiredToken" if status == 400 else "AccessDenied"
    return StorageError(code, "the signed URL has expired", status)
