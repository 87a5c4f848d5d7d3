"""`kognicutil projects`, also under the name `project`."""

import click

from kognic_aio.cli.batches import COLUMNS as BATCH_COLUMNS
from kognic_aio.cli.looking import Look, looking

COLUMNS = ("created", "project", "title", "description", "status")


@click.command()
@click.argument("project", required=False)
@click.option("--batches", "--get-batches", is_flag=True, help="Show the project's batches.")
@looking
async def projects(look: Look, project: str | None, batches: bool) -> None:
    """Show all projects, or PROJECT, or the batches of PROJECT."""
    if batches and project is None:
        raise click.UsageError("--batches needs PROJECT, whose batches to show")
    async with look.client() as client:
        if project is None:
            await look.show(await client.project.get_projects(), COLUMNS)
        elif batches:
            await look.show(await client.project.get_project_batches(project), BATCH_COLUMNS)
        else:
            found = [each for each in await client.project.get_projects() if each.project == project]
            if not found:
                raise click.ClickException(f"project {project!r} is unknown, or not visible with these credentials")
            look.show_one(found[0], COLUMNS)
