"""`kognicutil inputs`."""

import click

from kognic_aio.cli.looking import Look, looking

COLUMNS = ("scene_uuid", "external_id", "batch", "scene_type", "status", "view_link", "error_message")
LINK_COLUMNS = ("scene_uuid", "view_link")


@click.command()
@click.option("--project", help="External id of the project.")
@click.option("--batch", help="Only those of this batch.")
@click.option("--external-ids", metavar="ID", multiple=True, help="Only those of scenes with this external id. Repeat.")
@click.option("--include-invalidated", is_flag=True, help="Show the invalidated ones, instead of the valid ones.")
@click.option("--uuids", metavar="UUID,...", help="Not by project, but by the uuids of their scenes.")
@click.option("--view", is_flag=True, help="Show no more than the links at which to view them.")
@looking
async def inputs(
    look: Look,
    project: str | None,
    batch: str | None,
    external_ids: tuple[str, ...],
    include_invalidated: bool,
    uuids: str | None,
    view: bool,
) -> None:
    """Show the inputs of a project, or of some scenes."""
    if (project is None) == (uuids is None):
        raise click.UsageError("give either --project or --uuids")
    if uuids is not None and (batch is not None or external_ids or include_invalidated):
        raise click.UsageError("--batch, --external-ids and --include-invalidated go with --project")
    columns = LINK_COLUMNS if view else COLUMNS
    async with look.client() as client:
        if project is not None:
            # The older calls are the only ones to tell of status and batch, and of what failed or was invalidated.
            found = client.input.get_inputs(  # pyright: ignore[reportDeprecated]
                project, batch, include_invalidated, external_ids or None
            )
            await look.show(found, columns)
        if uuids is not None:
            wanted = [uuid.strip() for uuid in uuids.split(",")]
            entries = await client.input.get_inputs_by_uuids(wanted)  # pyright: ignore[reportDeprecated]
            unknown = set(wanted) - {entry.scene_uuid for entry in entries}
            if unknown:
                raise click.ClickException(f"no input of scene {', '.join(sorted(unknown))}")
            await look.show(entries, columns)
