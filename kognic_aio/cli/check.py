"""`kognicutil check`: finds what is wrong with scenes before they are uploaded."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import click
from attrs import asdict, define, field

from kognic_aio import bulk
from kognic_aio.bulk.problem import Problem, Severity
from kognic_aio.cli.display import Display, platform_options
from kognic_aio.cli.output import counted, say, say_json, say_marked

HAS_ERRORS = 3

MOST_ALIKE = 5
"""Problems of a scene with the same code that are shown one by one."""

STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


@click.command(epilog="Example: kognicutil check recordings/")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option(
    "--motion-compensation/--no-motion-compensation",
    default=True,
    help="Whether points are to be moved, for which IMU data must span the time of each.",
)
@click.option("--online", is_flag=True, help="Also check calibrations that are named by their id, and what is there.")
@click.option("--project", metavar="P", help="With --online: external id of the project that the scenes are for.")
@click.option("--batch", metavar="B", help="With --online: external id of its batch. By default the open one.")
@platform_options
@click.option("--json", "as_json", is_flag=True, help="Print each problem as a JSON object on a line.")
def check(
    sources: tuple[str, ...],
    motion_compensation: bool,
    online: bool,
    project: str | None,
    batch: str | None,
    env: str | None,
    organization: int | None,
    as_json: bool,
) -> int:
    """Check the scenes of SOURCE, and print all that is wrong with them. Nothing is sent.

    SOURCE is a manifest, - for standard input, or a folder of scenes. The exit code is 3 if there are errors. With
    --online, the platform is asked for what is there.
    """
    if not online and (project or batch):
        raise click.UsageError("--project and --batch need --online")
    if batch and not project:
        raise click.UsageError("--batch needs --project")
    told = _Told(as_json=as_json)
    if online:
        display = Display(env=env, organization=organization, as_json=as_json)
        asyncio.run(_check_online(told, display, sources, project, batch, motion_compensation=motion_compensation))
    else:
        for scene in bulk.survey(sources, motion_compensation=motion_compensation):
            told.tell(scene.problems)
    return told.end()


async def _check_online(
    told: "_Told",
    display: Display,
    sources: tuple[str, ...],
    project: str | None,
    batch: str | None,
    *,
    motion_compensation: bool,
) -> None:
    async with display.client() as client:
        async for scene in bulk.check_online(
            client, sources, project, batch=batch, motion_compensation=motion_compensation
        ):
            told.tell(scene.problems)


@define
class _Told:
    """What was told of the scenes."""

    as_json: bool
    scenes: int = field(default=0, init=False)
    flawed: int = field(default=0, init=False)
    severities: Counter[Severity] = field(factory=Counter[Severity], init=False)

    def tell(self, problems: Sequence[Problem]) -> None:
        """Print what is wrong with a scene."""
        self.scenes += 1
        self.flawed += bool(problems)
        codes = Counter[str]()
        for problem in problems:
            self.severities[problem.severity] += 1
            codes[problem.code] += 1
            if self.as_json:
                say_json(asdict(problem))
            elif codes[problem.code] <= MOST_ALIKE:
                show(problem)
        for code, count in codes.items():
            if count > MOST_ALIKE and not self.as_json:
                say(f"{problems[0].scene}: {count - MOST_ALIKE:,} more like this [{code}]")

    def end(self) -> int:
        """Print a summary, and return the exit code."""
        errors, warnings = self.severities[Severity.ERROR], self.severities[Severity.WARNING]
        found = f"{counted(errors, 'error')} and {counted(warnings, 'warning')} in {counted(self.flawed, 'scene')}"
        checked = f"{counted(self.scenes, 'scene')} checked"
        say(f"{checked}: {found if self.flawed else 'all in order'}", err=self.as_json)
        return HAS_ERRORS if errors else 0


def show(problem: Problem) -> None:
    """Print a problem on one line, as compilers do: how bad it is, where it is, what it is."""
    text, scene = str(problem), f"{problem.scene}: "
    line = f"{text if text.startswith(scene) else scene + text} [{problem.code}]"
    say_marked(problem.severity.value, STYLES[problem.severity], line)
