"""`kognicutil invalidate`: invalidates scenes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from attrs import frozen

from kognic_aio.bulk.report import Row, read_report
from kognic_aio.cli.display import Display, with_display
from kognic_aio.cli.output import counted, say
from kognic_aio.client import KognicIOClient
from kognic_aio.model import Scene, SceneInvalidatedReason

COLUMNS = ("uuid", "external_id", "status", "inputs")

AT_ONCE = 100
"""Scenes in one request."""


@frozen(kw_only=True)
class Doomed:
    """A scene that is to be invalidated, and how many inputs it has."""

    uuid: str
    external_id: str
    status: str
    inputs: int


@click.command(epilog="Example: kognicutil invalidate --report report.tsv")
@click.argument("uuids", nargs=-1)
@click.option(
    "--external-id", "external_ids", metavar="ID", multiple=True, help="All with this external id. Repeatable."
)
@click.option(
    "--report",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Those in a report of `kognicutil upload` of which every row has the status of --status.",
)
@click.option(
    "--status", default="failed", show_default=True, help="Which scenes of a report: those that failed left no input."
)
@click.option(
    "--reason",
    type=click.Choice([each.value for each in SceneInvalidatedReason]),
    default=SceneInvalidatedReason.INCORRECTLY_CREATED.value,
    show_default=True,
    help="Why.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_display
async def invalidate(
    display: Display,
    uuids: tuple[str, ...],
    external_ids: tuple[str, ...],
    report: Path | None,
    status: str,
    reason: str,
    yes: bool,
) -> None:
    """Invalidate scenes by uuid, external id, or from a report, and remove all their inputs.

    Shows them first, and asks. It cannot be undone.
    """
    if not (uuids or external_ids or report):
        raise click.UsageError("pass UUIDS, --external-id or --report")
    async with display.client() as client:
        wanted = [*uuids, *(() if report is None else _of_report(read_report(report), status))]
        scenes = await _found(client, list(dict.fromkeys(wanted)), external_ids)
        doomed = await _with_inputs(client, [each for each in scenes if not each.status.is_invalidated])
        display.show(doomed, COLUMNS)
        if not doomed:
            return
        inputs = sum(each.inputs for each in doomed)
        what = f"{counted(len(doomed), 'scene')} and {counted(inputs, 'input')}"
        if not yes:
            click.confirm(f"Invalidate {what}? It cannot be undone.", abort=True, err=True)
        for start in range(0, len(doomed), AT_ONCE):
            some = [each.uuid for each in doomed[start : start + AT_ONCE]]
            await client.scene.invalidate_scenes(some, SceneInvalidatedReason(reason))
    say(f"{what} invalidated", err=display.as_json)


def _of_report(rows: Iterable[Row], status: str) -> list[str]:
    """The scenes of which every row has a status: to invalidate one would remove the inputs of its other rows."""
    statuses = defaultdict[str, set[str]](set)
    for row in rows:
        if row.scene_uuid is not None:
            statuses[row.scene_uuid].add(row.status)
    return [uuid for uuid, found in statuses.items() if found == {status}]


async def _found(client: KognicIOClient, uuids: Sequence[str], external_ids: Sequence[str]) -> list[Scene]:
    scenes = [
        scene
        for start in range(0, len(uuids), AT_ONCE)
        for scene in await client.scene.get_scenes_by_uuids(uuids[start : start + AT_ONCE])
    ]
    if external_ids:
        scenes += await client.scene.get_scenes_by_external_ids(external_ids)
    return list({scene.uuid: scene for scene in scenes}.values())


async def _with_inputs(client: KognicIOClient, scenes: Sequence[Scene]) -> list[Doomed]:
    inputs = defaultdict[str, int](int)
    for start in range(0, len(scenes), AT_ONCE):
        some = [scene.uuid for scene in scenes[start : start + AT_ONCE]]
        async for each in client.input.query_inputs(scene_uuids=some):
            inputs[each.scene_uuid] += 1
    return [
        Doomed(uuid=each.uuid, external_id=each.external_id, status=each.status.value, inputs=inputs[each.uuid])
        for each in scenes
    ]
