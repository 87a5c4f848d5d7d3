"""The stores, each a process that lives as long as the tests of this folder."""

import ssl
from collections.abc import AsyncIterator, Iterator

import pytest
import trustme

from kognic_aio.emulator import Emulator
from tests.stores.stores import Store, fake_gcs, seaweedfs


@pytest.fixture(scope="package")
def private_ca() -> trustme.CA:
    """A CA that no system knows."""
    return trustme.CA()


@pytest.fixture(scope="package")
def trusting(private_ca: trustme.CA) -> ssl.SSLContext:
    """A context that trusts the private CA, and no other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    private_ca.configure_trust(context)
    return context


@pytest.fixture(scope="package")
def seaweedfs_ports(tmp_path_factory: pytest.TempPathFactory, private_ca: trustme.CA) -> Iterator[tuple[Store, Store]]:
    """SeaweedFS, in clear and over TLS."""
    folder = tmp_path_factory.mktemp("seaweedfs")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    issued = private_ca.issue_cert("127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(str(certificate))
    issued.private_key_pem.write_to_path(str(key))
    with seaweedfs(folder, certificate, key) as ports:
        yield ports


@pytest.fixture(scope="package")
def s3(seaweedfs_ports: tuple[Store, Store]) -> Store:
    """SeaweedFS in clear."""
    return seaweedfs_ports[0]


@pytest.fixture(scope="package")
def s3_tls(seaweedfs_ports: tuple[Store, Store]) -> Store:
    """SeaweedFS over TLS, with a certificate of the private CA."""
    return seaweedfs_ports[1]


@pytest.fixture(scope="package")
def gcs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """fake-gcs-server."""
    with fake_gcs(tmp_path_factory.mktemp("gcs")) as store:
        yield store


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """A platform that has to be told of a store, as `emulator.platform.storage.sign`, to keep files elsewhere."""
    async with Emulator() as running:
        yield running
