"""Commands that look at the platform, and that create and publish batches."""

from collections import defaultdict
from collections.abc import Iterable

import click
from attrs import asdict, frozen

from kognic_aio.cli.display import Display, with_display
from kognic_aio.errors import NotFoundError
from kognic_aio.model import Input, InputEntry
from kognic_aio.util import get_view_links

PROJECT_COLUMNS = ("created", "project", "title", "description", "status")
BATCH_COLUMNS = ("created", "project", "batch", "title", "status", "updated")
CALIBRATION_COLUMNS = ("id", "external_id", "created")
SCENE_COLUMNS = ("uuid", "external_id", "scene_type", "status", "view_link", "error_message")
INPUT_COLUMNS = (
    "scene_uuid",
    "external_id",
    "batch",
    "scene_type",
    "status",
    "view_link",
    "input_uuids",
    "error_message",
)


@click.command(epilog="Example: kognicutil projects my-project")
@click.argument("project", required=False)
@click.option("--batches", "--get-batches", is_flag=True, help="Show the project's batches.")
@with_display
async def projects(display: Display, project: str | None, batches: bool) -> None:
    """Show all projects, or PROJECT, or the batches of PROJECT."""
    if batches and project is None:
        raise click.UsageError("--batches needs a PROJECT")
    async with display.client() as client:
        if project is None:
            display.show(await client.project.get_projects(), PROJECT_COLUMNS)
        elif batches:
            display.show(await client.project.get_project_batches(project), BATCH_COLUMNS)
        else:
            found = [each for each in await client.project.get_projects() if each.project == project]
            if not found:
                raise click.ClickException(f"project {project!r} is unknown, or not visible with these credentials")
            display.show_one(found[0], PROJECT_COLUMNS)


@click.group(epilog="Example: kognicutil batches list my-project")
def batches() -> None:
    """List, create and publish the batches of a project."""


@batches.command("list", epilog="Example: kognicutil batches list my-project")
@click.argument("project")
@with_display
async def list_(display: Display, project: str) -> None:
    """Show the batches of PROJECT."""
    async with display.client() as client:
        display.show(await client.project.get_project_batches(project), BATCH_COLUMNS)


@batches.command(epilog="Example: kognicutil batches create my-project week-12")
@click.argument("project")
@click.argument("batch")
@click.option("--publish-previous-batches", is_flag=True, help="Publish all open batches: they take no more inputs.")
@with_display
async def create(display: Display, project: str, batch: str, publish_previous_batches: bool) -> None:
    """Create the open batch BATCH in PROJECT, for the same annotations as its latest one."""
    async with display.client() as client:
        created = await client.project.create_batch(project, batch, publish_previous_batches)
        display.show_one(created, BATCH_COLUMNS)


@batches.command(epilog="Example: kognicutil batches publish my-project week-12")
@click.argument("project")
@click.argument("batch")
@with_display
async def publish(display: Display, project: str, batch: str) -> None:
    """Publish BATCH of PROJECT: it is ready for annotation and takes no new inputs."""
    async with display.client() as client:
        display.show_one(await client.project.publish_batch(project, batch), BATCH_COLUMNS)


@click.command(epilog="Example: kognicutil calibration --external-id my-car")
@click.option("--id", "calibration_id", metavar="ID", help="Only the one with this id.")
@click.option("--external-id", metavar="ID", help="Only those with this external id.")
@click.option("--raw", is_flag=True, help="With --id: also show the calibration of each sensor.")
@with_display
async def calibration(display: Display, calibration_id: str | None, external_id: str | None, raw: bool) -> None:
    """Show calibrations of sensors."""
    if calibration_id is not None and external_id is not None:
        raise click.UsageError("--id and --external-id cannot be combined")
    if raw and calibration_id is None:
        raise click.UsageError("--raw needs --id")
    async with display.client() as client:
        if calibration_id is not None:
            entry = await client.calibration.get_calibration(calibration_id)
            display.show_one(entry, CALIBRATION_COLUMNS)
            if raw:
                display.show_below(entry.calibration)
            return
        found = await client.calibration.get_calibrations(external_id)
        if external_id is not None and not found:
            raise click.ClickException(f"no calibration has the external id {external_id!r}")
        display.show(found, CALIBRATION_COLUMNS)


@click.command(epilog="Example: kognicutil scenes --external-ids crossing-1")
@click.argument("uuids", nargs=-1)
@click.option("--external-ids", metavar="ID", multiple=True, help="Find by external id instead of uuid. Repeatable.")
@click.option("--view", is_flag=True, help="Show only the links at which to view them.")
@click.option("--status", is_flag=True, help="Show only their status.")
@with_display
async def scenes(
    display: Display, uuids: tuple[str, ...], external_ids: tuple[str, ...], view: bool, status: bool
) -> None:
    """Show scenes by their uuids or external ids."""
    if bool(uuids) == bool(external_ids):
        raise click.UsageError("pass exactly one of UUIDS and --external-ids")
    if view and status:
        raise click.UsageError("--view and --status cannot be combined")
    async with display.client() as client:
        find = client.scene.get_scenes_by_uuids if uuids else client.scene.get_scenes_by_external_ids
        found = await find(uuids or external_ids)
        columns = ("uuid", "view_link") if view else ("uuid", "status", "error_message") if status else SCENE_COLUMNS
        display.show(found, columns)


@frozen(kw_only=True)
class ListedInput(InputEntry):
    """An entry of the older calls, with the uuids of the inputs of its scene, which these calls do not return."""

    input_uuids: tuple[str, ...]


@click.command(epilog="Example: kognicutil inputs --project my-project --batch week-12")
@click.option("--project", help="External id of the project.")
@click.option("--batch", help="Only those of this batch.")
@click.option(
    "--external-ids", metavar="ID", multiple=True, help="Only those of this scene, by external id. Repeatable."
)
@click.option("--include-invalidated", is_flag=True, help="Show the invalidated ones, instead of the valid ones.")
@click.option("--uuids", metavar="UUID,...", help="Find by the uuids of their scenes instead of by project.")
@click.option("--view", is_flag=True, help="Show only the links at which to view them.")
@with_display
async def inputs(
    display: Display,
    project: str | None,
    batch: str | None,
    external_ids: tuple[str, ...],
    include_invalidated: bool,
    uuids: str | None,
    view: bool,
) -> None:
    """Show the inputs of a project, or of some scenes."""
    if (project is None) == (uuids is None):
        raise click.UsageError("pass exactly one of --project and --uuids")
    if uuids is not None and (batch is not None or external_ids or include_invalidated):
        raise click.UsageError("--batch, --external-ids and --include-invalidated need --project")
    async with display.client() as client:
        # Only the older calls return status and batch, and find inputs that failed or were invalidated. Only the newer
        # ones return the uuids of inputs.
        if uuids is None:
            found = await client.input.get_inputs(  # pyright: ignore[reportDeprecated]
                str(project), batch, include_invalidated, external_ids or None
            )
            valid = await client.input.query_inputs(project=project, batch=batch, external_ids=external_ids or None)
        else:
            wanted = [uuid.strip() for uuid in uuids.split(",")]
            found = await client.input.get_inputs_by_uuids(wanted)  # pyright: ignore[reportDeprecated]
            if unknown := set(wanted) - {entry.scene_uuid for entry in found}:
                raise click.ClickException(f"no input of scene {', '.join(sorted(unknown))}")
            valid = await client.input.query_inputs(scene_uuids=wanted)
        display.show(_listed(found, valid), ("scene_uuid", "view_link") if view else INPUT_COLUMNS)


def _listed(entries: Iterable[InputEntry], inputs: Iterable[Input]) -> list[ListedInput]:
    uuids: dict[str, list[str]] = defaultdict(list)
    for each in inputs:
        uuids[each.scene_uuid].append(each.uuid)
    return [
        ListedInput(**asdict(entry, recurse=False), input_uuids=tuple(uuids[entry.scene_uuid])) for entry in entries
    ]


@frozen
class ViewLink:
    """Where an input or a scene can be viewed."""

    uuid: str
    view_link: str


@click.command(epilog="Example: kognicutil view --scene crossing-1")
@click.argument("input_uuid", required=False)
@click.option("--scene", metavar="X", help="Show the link of a scene instead, by its uuid or external id.")
@with_display
async def view(display: Display, input_uuid: str | None, scene: str | None) -> None:
    """Show the link at which an input or a scene can be viewed.

    For an input it makes no request, so it also prints a link for one that does not exist.
    """
    if (input_uuid is None) == (scene is None):
        raise click.UsageError("pass exactly one of INPUT_UUID and --scene")
    if scene is None:
        link = ViewLink(str(input_uuid), get_view_links([str(input_uuid)])[str(input_uuid)])
        display.show_one(link, ("uuid", "view_link"))
        return
    async with display.client() as client:
        try:
            found = await client.scene.get_scenes_by_uuids([scene])
        except NotFoundError:
            found = await client.scene.get_scenes_by_external_ids([scene])
        display.show([ViewLink(each.uuid, each.view_link or "") for each in found], ("uuid", "view_link"))
