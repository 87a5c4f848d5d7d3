"""Every fault, and every step that it can hit."""

from collections.abc import Iterator, Mapping
from itertools import count

from attrs import frozen

from kognic_aio.emulator import faults
from kognic_aio.emulator.faults import Fault

STEPS = {
    "token": faults.TOKENS,
    "batches": "GET v1/projects/{project}/batches",
    "initialize": "POST v1/inputs/initialize",
    "imu": "POST v1/imu",
    "start": "POST v1/inputs/[acl]*",  # aggregated..., cameras..., lidars...
    "upload": faults.UPLOADS,
    "commit": faults.COMMIT,
    "status": faults.STATUS_QUERY,
    "pre-annotate": "POST v1/pre-annotations",
    "create-input": "POST v1/inputs",
}

STEPS_OF_TARGETS = STEPS | {"create-input": "POST v2/inputs"}
"""The steps of a run with targets."""

EVERYWHERE: dict[str, Fault] = {
    "429": faults.Status(429),
    "429, Retry-After": faults.Status(429, retry_after=0),
    "503": faults.Status(503),
    "503, Retry-After": faults.Status(503, retry_after=1),
    "500": faults.Status(500),
    "503 after the effect": faults.Status(503, after_effect=True),
    "500 after the effect": faults.Status(500, after_effect=True),
    "504 after the effect": faults.Status(504, after_effect=True),
    "HTML": faults.Html(),
    "HTML after the effect": faults.Html(after_effect=True),
    "HTML 502": faults.Html(502),
    "redirected": faults.Redirect(),
    "redirected after the effect": faults.Redirect(status=307, after_effect=True),
    "long header": faults.LongHeader(60_000),
    "too long a header": faults.LongHeader(100_000),
    "dropped": faults.Drop(),
    "dropped after the effect": faults.Drop(after_effect=True),
    "reset while sending": faults.ResetRequest(),
    "stops reading": faults.StopReading(),
    "reset in the answer": faults.ResetAnswer(),
    "truncated": faults.TruncatedJson(),
    "slow": faults.SlowAnswer(5.0),
}
AT: dict[str, tuple[Fault, tuple[str, ...]]] = {
    "expired": (faults.ExpiredUrl(), ("upload",)),
    "refused": (faults.ExpiredUrl(403), ("upload",)),
    "corrupted": (faults.CorruptUpload(), ("upload",)),
    "late": (faults.LateEffect(0.02), ("start", "commit", "pre-annotate", "create-input")),
    "token revoked": (faults.RevokeTokens(), tuple(step for step in STEPS if step not in ("token", "upload"))),
}
NO_JSON = ("truncated",)
IN_A_ROW = ("429", "429, Retry-After", "503", "503, Retry-After", "503 after the effect", "expired", "refused")
"""Faults that make a client slower, so that a random one in seven would leave nothing of its speed, and those that a
scene survives once."""
ONCE = ("token", "batches")
"""Steps that a run takes once, or nearly so."""


@frozen
class Run:
    """One run of the matrix: a fault at a step."""

    fault_name: str
    fault: Fault
    step: str
    seed: int
    endpoint: str

    def __str__(self) -> str:
        return f"{self.fault_name} @ {self.step}"

    def plan(self, planned: faults.Faults) -> faults.Planned[Fault]:
        """Let it go wrong: at first for what happens once, five times in a row, or one time in seven."""
        if self.step in ONCE:
            return planned.add(self.fault, on=self.endpoint, times=2)
        if self.fault_name in IN_A_ROW:
            return planned.add(self.fault, on=self.endpoint, times=5, skip=20)
        times = 5 if self.fault_name == "token revoked" else None  # each strikes all that is on its way
        return planned.add(self.fault, on=self.endpoint, probability=1 / 7, times=times, seed=self.seed)


def runs(seed: int, endpoints: Mapping[str, str] = STEPS) -> Iterator[Run]:
    """All runs of the matrix. The storage's answers have no body, so that there is nothing in them to go wrong."""
    seeds = count(seed)
    for name, fault in EVERYWHERE.items():
        for step, endpoint in endpoints.items():
            if step != "upload" or name not in NO_JSON:
                yield Run(name, fault, step, next(seeds), endpoint)
    for name, (fault, steps) in AT.items():
        for step in steps:
            yield Run(name, fault, step, next(seeds), endpoints[step])
