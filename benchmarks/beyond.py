"""What one process can do on other networks: predicted from measured costs.

It is pure: costs in, rates out. `benchmarks/README.md` states the model.
"""

from math import ceil

from attrs import frozen

from benchmarks.cases import shown_size
from benchmarks.contenders import Contender
from benchmarks.figures import cpu
from benchmarks.results import Results
from kognic_aio import Limits

STEPS = 4
"""API requests of a scene: reserve, start, commit, create its input. A status query asks for many scenes."""

WINDOW = 4 << 20
"""Bytes that a connection has on the way at most: the default of `net.ipv4.tcp_wmem` on Linux."""

SOURCES = ("many", "large", "tls")
"""The benchmarks in which costs are measured: of a request, of a byte, and of an encrypted byte."""


@frozen(kw_only=True)
class Costs:
    """CPU seconds of a client.

    Args:
        request: Of a request, without the bytes of files.
        plain_byte: Of a byte of a file.
        encrypted_byte: Of a byte of a file over TLS.
    """

    request: float
    plain_byte: float
    encrypted_byte: float

    @classmethod
    def measured(cls, results: Results, contender: Contender) -> "Costs | None":
        """The costs of a contender; None if they were not measured."""
        sources = [results[name].outcomes[0] for name in SOURCES if name in results]
        ran = [outcome for outcome in sources if contender.name in outcome.runs]
        if len(ran) < len(SOURCES):
            return None
        many, large, tls = ran
        return cls(
            request=many.median(contender.name, lambda figures: figures.cpu / figures.all_requests),
            plain_byte=large.median(contender.name, cpu) / large.case.bytes,
            encrypted_byte=tls.median(contender.name, cpu) / tls.case.bytes,
        )


@frozen(kw_only=True)
class Load:
    """What each scene has.

    Args:
        files: How many files.
        size: Bytes of a file.
    """

    files: int
    size: int

    @property
    def requests(self) -> int:
        """Requests of a scene."""
        return STEPS + self.files

    @property
    def bytes(self) -> int:
        """Bytes of a scene."""
        return self.files * self.size

    def __str__(self) -> str:
        return f"{self.files} x {shown_size(self.size)}"


@frozen(kw_only=True)
class Network:
    """What lies between a process and the platform.

    Args:
        latency: Seconds from a request to its response.
        bandwidth: Bits per second, which all processes of a machine share.
        is_encrypted: Whether the platform speaks TLS.
    """

    latency: float
    bandwidth: float
    is_encrypted: bool = False


def bounds(load: Load, network: Network, costs: Costs, limits: Limits) -> dict[str, float]:
    """The scenes per second that each bound allows one process."""
    byte = costs.encrypted_byte if network.is_encrypted else costs.plain_byte
    upload = network.latency * (1 + load.size / WINDOW)
    return {
        "CPU": 1 / (load.requests * costs.request + load.bytes * byte),
        "network": network.bandwidth / (8 * load.bytes),
        "scene jobs": limits.scene_jobs / (3 * network.latency + upload),
        "uploads": limits.uploads / (load.files * upload),
        "inputs": limits.inputs / network.latency,
    }


@frozen
class Prediction:
    """What one process does.

    Args:
        rate: Scenes per second.
        bound: What allows no more.
        processes: How many processes fill the network.
    """

    rate: float
    bound: str
    processes: int

    @property
    def is_limited(self) -> bool:
        """Whether what allows no more is a limit, which may be wider."""
        return self.bound not in ("CPU", "network")

    @classmethod
    def of(cls, load: Load, network: Network, costs: Costs, limits: Limits) -> "Prediction":
        """Predict it."""
        allowed = bounds(load, network, costs, limits)
        bound = min(allowed, key=lambda name: allowed[name])
        return cls(allowed[bound], bound, ceil(allowed["network"] / allowed[bound]))
