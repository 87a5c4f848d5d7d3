"""`kognicutil batches`."""

import click

from kognic_aio.cli.looking import Look, looking

COLUMNS = ("created", "project", "batch", "title", "status", "updated")


@click.group()
def batches() -> None:
    """List, create and publish the batches of a project."""


@batches.command("list")
@click.argument("project")
@looking
async def list_(look: Look, project: str) -> None:
    """Show the batches of PROJECT."""
    async with look.client() as client:
        await look.show(await client.project.get_project_batches(project), COLUMNS)


@batches.command()
@click.argument("project")
@click.argument("batch")
@click.option("--publish-previous-batches", is_flag=True, help="Publish all open ones, which then take no new inputs.")
@looking
async def create(look: Look, project: str, batch: str, publish_previous_batches: bool) -> None:
    """Create the open batch BATCH in PROJECT, for the same annotations as its latest one."""
    async with look.client() as client:
        created = await client.project.create_batch(project, batch, publish_previous_batches)
        look.show_one(created, COLUMNS)


@batches.command()
@click.argument("project")
@click.argument("batch")
@looking
async def publish(look: Look, project: str, batch: str) -> None:
    """Publish BATCH of PROJECT: it is ready for annotation and takes no new inputs."""
    async with look.client() as client:
        look.show_one(await client.project.publish_batch(project, batch), COLUMNS)
