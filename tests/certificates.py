"""Certificates for servers of tests, made by OpenSSL's command."""

import ssl
import subprocess
from pathlib import Path
from typing import Any


def _openssl(*arguments: Any) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Certificates:
    """A certificate authority, and servers with certificates of it.

    Args:
        folder: Where the files go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[tuple[str, bool], ssl.SSLContext] = {}
        self.authority, self._authority_key = folder / "authority.pem", folder / "authority.key"
        subject = ("-subj", "/CN=authority", "-addext", "keyUsage=critical,keyCertSign")
        _openssl("req", "-x509", *_key(self._authority_key), "-out", self.authority, "-days", 9, *subject)

    def client(self) -> ssl.SSLContext:
        """What trusts the authority."""
        return ssl.create_default_context(cafile=str(self.authority))

    def server(self, name: str, *, is_expired: bool = False) -> ssl.SSLContext:
        """A server's context with a certificate for a name or an address."""
        if (name, is_expired) not in self._made:
            self._made[name, is_expired] = self._make(name, is_expired)
        return self._made[name, is_expired]

    def _make(self, name: str, is_expired: bool) -> ssl.SSLContext:
        stem = f"{name}-{is_expired}"
        key, request, made = (self._folder / f"{stem}.{suffix}" for suffix in ("key", "csr", "pem"))
        extensions = self._folder / f"{stem}.ext"
        extensions.write_text(f"subjectAltName={'IP' if name[-1].isdigit() else 'DNS'}:{name}\n")
        _openssl("req", *_key(key), "-out", request, "-subj", f"/CN={name}")
        signing = ("-CA", self.authority, "-CAkey", self._authority_key, "-CAcreateserial", "-extfile", extensions)
        _openssl("x509", "-req", "-in", request, "-out", made, *signing, "-days", 0 if is_expired else 9)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(made, key)
        return context


def _key(path: Path) -> tuple[Any, ...]:
    return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path)
