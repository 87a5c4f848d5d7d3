"""Certificates for servers of tests, and who trusts them."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme


class Certificates:
    """A certificate authority, and servers with certificates of it.

    Args:
        folder: Where the certificate of the authority goes.
    """

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        self._made: dict[tuple[str, bool], ssl.SSLContext] = {}
        self.authority = folder / "authority.pem"
        self._ca.cert_pem.write_to_path(self.authority)

    def client(self) -> ssl.SSLContext:
        """What trusts the authority."""
        return ssl.create_default_context(cafile=str(self.authority))

    def server(self, name: str, *, is_expired: bool = False) -> ssl.SSLContext:
        """A server's context with a certificate for a name or an address."""
        if (name, is_expired) not in self._made:
            end = datetime.now(UTC) + timedelta(days=-1 if is_expired else 9)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._ca.issue_cert(name, not_before=end - timedelta(days=30), not_after=end).configure_cert(context)
            self._made[name, is_expired] = context
        return self._made[name, is_expired]
