"""`kognicutil check`: finds what is wrong with scenes before they are uploaded."""

import json
from collections import Counter

import click
from attrs import asdict

from kognic_aio._text import printable
from kognic_aio.bulk import Problem, Severity, survey
from kognic_aio.cli.output import counted, say

HAS_ERRORS = 3

STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


@click.command(epilog="Example: kognicutil check recordings/")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option(
    "--motion-compensation/--no-motion-compensation",
    default=True,
    help="Whether points are to be moved, for which IMU data must span the time of each.",
)
@click.option("--json", "as_json", is_flag=True, help="Print each problem as a JSON object on a line.")
def check(sources: tuple[str, ...], motion_compensation: bool, as_json: bool) -> int:
    """Check the scenes of SOURCE, and print all that is wrong with them. Nothing is sent.

    SOURCE is a manifest, - for standard input, or a folder of scenes. The exit code is 3 if there are errors.
    """
    severities = Counter[Severity]()
    scenes = flawed = 0
    for scene in survey(sources, motion_compensation=motion_compensation):
        scenes += 1
        flawed += bool(scene.problems)
        for problem in scene.problems:
            severities[problem.severity] += 1
            click.echo(json.dumps(asdict(problem))) if as_json else show(problem)
    errors, warnings = severities[Severity.ERROR], severities[Severity.WARNING]
    found = f"{counted(errors, 'error')} and {counted(warnings, 'warning')} in {counted(flawed, 'scene')}"
    say(f"{counted(scenes, 'scene')} checked: {found if flawed else 'all in order'}", err=as_json)
    return HAS_ERRORS if errors else 0


def show(problem: Problem) -> None:
    """Print a problem on one line, as compilers do: how bad it is, where it is, what it is."""
    severity = click.style(problem.severity.value, fg=STYLES[problem.severity], bold=True)
    click.echo(f"{severity}: {printable(f'{problem.scene}: {problem} [{problem.code}]')}")
