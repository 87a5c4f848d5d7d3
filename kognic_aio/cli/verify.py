"""`kognicutil verify`: what the platform has of a source."""

from collections import Counter

import click

from kognic_aio import bulk
from kognic_aio._text import printable
from kognic_aio.bulk import Presence
from kognic_aio.cli.display import Display, with_display
from kognic_aio.cli.output import say

DIFFERS = 3


@click.command(epilog="Example: kognicutil verify recordings/ --project my-project")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--project", required=True, metavar="P", help="External id of the project.")
@click.option("--batch", metavar="B", help="External id of its batch. By default the whole project.")
@with_display
async def verify(display: Display, sources: tuple[str, ...], project: str, batch: str | None) -> int:
    """Compare the scenes of SOURCE with what the platform has of them.

    Prints what is missing, has failed or is there twice. The exit code is 3 if anything is.
    """
    counts = Counter[Presence]()
    async with display.client() as client:
        async for scene in bulk.verify(client, sources, project, batch=batch):
            counts[scene.presence] += 1
            if display.as_json:
                display.show_line(scene)
            elif scene.presence is not Presence.THERE:
                states = ", ".join(f"{each.uuid} is {each.status.value}" for each in scene.scenes)
                say(f"{scene.presence.value}: {printable(scene.external_id)}{states and f': scene {states}'}")
    say(", ".join(f"{counts[presence]:,} {presence.value}" for presence in Presence), err=display.as_json)
    return 0 if counts.keys() <= {Presence.THERE} else DIFFERS
