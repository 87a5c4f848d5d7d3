"""`kognicutil scenes`."""

import click

from kognic_aio.cli.looking import Look, looking

COLUMNS = ("uuid", "external_id", "scene_type", "status", "view_link", "error_message")
LINK_COLUMNS = ("uuid", "view_link")
STATUS_COLUMNS = ("uuid", "status", "error_message")


@click.command()
@click.argument("uuids", nargs=-1)
@click.option("--external-ids", metavar="ID", multiple=True, help="Not by uuid, but by this external id. Repeat.")
@click.option("--view", is_flag=True, help="Show no more than the links at which to view them.")
@click.option("--status", is_flag=True, help="Show no more than what has become of them.")
@looking
async def scenes(look: Look, uuids: tuple[str, ...], external_ids: tuple[str, ...], view: bool, status: bool) -> None:
    """Show scenes by their uuids or external ids."""
    if bool(uuids) == bool(external_ids):
        raise click.UsageError("give either UUIDS or --external-ids")
    if view and status:
        raise click.UsageError("give either --view or --status")
    async with look.client() as client:
        if uuids:
            found = await client.scene.get_scenes_by_uuids(uuids)
        else:
            found = await client.scene.get_scenes_by_external_ids(external_ids)
        await look.show(found, LINK_COLUMNS if view else STATUS_COLUMNS if status else COLUMNS)
