"""The emulator in a process of its own, as its parent sees it."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import attrs
import psutil
import trustme

from benchmarks.cases import Platform
from benchmarks.child import child

HOST = "127.0.0.1"


class Server:
    """An emulator in another process.

    Args:
        pid: Its process.
        options: The keyword arguments of a client for it, as JSON.
        authority: Path of the certificate that signed its own, if it speaks TLS.
    """

    def __init__(self, pid: int, options: dict[str, Any], authority: str | None = None) -> None:
        self.options = options
        self.authority = authority
        self._process = psutil.Process(pid)
        self._cpu_at_start = self._cpu()

    def report(self) -> dict[str, Any]:
        """Return what the emulator saw of its clients. `cpu` is its own CPU time since it was ready."""
        cpu = self._cpu() - self._cpu_at_start
        connection = self._connect()
        try:
            connection.request("GET", "/emulator/report")
            report: dict[str, Any] = json.load(connection.getresponse())
        finally:
            connection.close()
        report["connections_opened"] -= 1  # without the connection of this request
        return report | {"cpu": cpu}

    def _connect(self) -> HTTPConnection:
        netloc = urlsplit(self.options["host"]).netloc
        if self.authority is None:
            return HTTPConnection(netloc, timeout=10)
        return HTTPSConnection(netloc, timeout=10, context=ssl.create_default_context(cafile=self.authority))

    def _cpu(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def emulator(platform: Platform) -> Iterator[Server]:
    """Start a fresh emulator. It ends with the context, or with this process if that ends first."""
    with TemporaryDirectory(prefix="benchmark-") as folder:
        authority = certificate = None
        if platform.is_encrypted:
            authority, certificate = _make_certificates(Path(folder))
        order = {"platform": attrs.asdict(platform), "certificate": certificate}
        with child("benchmarks.emulation", order) as running:
            yield Server(running.pid, running.answer, authority)


def _make_certificates(folder: Path) -> tuple[str, str]:
    """Make a certificate authority, and a certificate with its key. Return their paths."""
    authority, certificate = folder / "authority.pem", folder / "certificate.pem"
    made = trustme.CA()
    made.cert_pem.write_to_path(authority)
    made.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(certificate)
    return str(authority), str(certificate)
