"""`kognicutil progress`: how far the batches of projects are."""

import click

from kognic_aio.bulk.batches import batch_progress
from kognic_aio.cli.display import Display, with_display

COLUMNS = ("project", "batch", "status", "scenes", "inputs", "by_status")


@click.command(epilog="Example: kognicutil progress my-project")
@click.argument("project", required=False)
@with_display
async def progress(display: Display, project: str | None) -> None:
    """Show the batches of PROJECT, or of all projects, with their scenes by status and their inputs."""
    async with display.client() as client:
        projects = [each.project for each in await client.project.get_projects()] if project is None else [project]
        found = [each for name in projects for each in await batch_progress(client, name)]
    display.show(found, COLUMNS)
