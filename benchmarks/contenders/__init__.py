"""The contenders. Each run of one is a fresh process, whose program is one of the modules here.

`ours`, `official` and `prototype` create inputs with kognic_aio, kognic-io and bare aiohttp. `protocol`, `puts` and
`curl` are lower bounds. `order` is what a process is told to do, `stopwatch` what it reports, `sockets` and `wire` are
what the lower bounds are made of.
"""

from attrs import frozen


@frozen(kw_only=True)
class Settings:
    """How kognic_aio is run.

    Args:
        uvloop: Whether on uvloop, or on asyncio's own loop.
        journal: Whether with a journal.
        limits: Fixed `scene_jobs`, `uploads` and `inputs`, instead of adapting below the defaults.
    """

    uvloop: bool = False
    journal: bool = False
    limits: tuple[int, int, int] | None = None


@frozen
class Contender:
    """A contender.

    Args:
        name: Its name on the command line and in tables.
        program: The module here that it runs.
        settings: How that is run, if it is kognic_aio.
    """

    name: str
    program: str
    settings: Settings = Settings()

    def __str__(self) -> str:
        return self.name


OURS = Contender("kognic_aio", "ours")
UVLOOP = Contender("kognic_aio-uvloop", "ours", Settings(uvloop=True))
JOURNAL = Contender("kognic_aio-journal", "ours", Settings(journal=True))
OFFICIAL = Contender("kognic-io", "official")
PROTOTYPE = Contender("bare-aiohttp", "prototype")
FLOOR = Contender("floor", "protocol")
PUTS = Contender("floor-puts", "puts")
CURL = Contender("curl", "curl")

FIXED = tuple(
    Contender("/".join(map(str, limits)), "ours", Settings(limits=limits))
    for limits in ((10, 20, 8), (16, 32, 16), (64, 128, 64), (160, 256, 128))
)
"""kognic_aio with fixed limits of scene jobs, uploads and inputs."""
