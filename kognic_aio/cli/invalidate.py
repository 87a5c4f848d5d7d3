"""`kognicutil invalidate`: invalidates scenes."""

import asyncio
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from attrs import frozen

from kognic_aio.bulk.report import Row, read_report
from kognic_aio.cli.display import Display, as_json_option, platform_options
from kognic_aio.cli.output import counted, say
from kognic_aio.client import KognicIOClient
from kognic_aio.model import Scene, SceneInvalidatedReason
from kognic_aio.model.target import InputCreationStatus

COLUMNS = ("uuid", "external_id", "status", "inputs")

DECLINED = 1

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
    "--status",
    type=click.Choice([each.value for each in InputCreationStatus]),
    default=InputCreationStatus.FAILED.value,
    show_default=True,
    help="Which scenes of a report: those that failed left no input.",
)
@click.option(
    "--reason",
    type=click.Choice([each.value for each in SceneInvalidatedReason]),
    default=SceneInvalidatedReason.INCORRECTLY_CREATED.value,
    show_default=True,
    help="Why.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@platform_options
@as_json_option
def invalidate(
    uuids: tuple[str, ...],
    external_ids: tuple[str, ...],
    report: Path | None,
    status: str,
    reason: str,
    yes: bool,
    env: str | None,
    organization: int | None,
    as_json: bool,
) -> int:
    """Invalidate scenes by uuid, external id, or from a report, and remove all their inputs.

    Shows them first, and asks. It cannot be undone. The exit code is 1 if the answer is no.
    """
    if not (uuids or external_ids or report):
        raise click.UsageError("pass UUIDS, --external-id or --report")
    display = Display(env=env, organization=organization, as_json=as_json)
    reported = [] if report is None else _of_report(read_report(report), status)
    doomed = asyncio.run(_find(display, list(dict.fromkeys([*uuids, *reported])), external_ids))
    if status == InputCreationStatus.FAILED.value:  # a report may lack the rows of inputs that were created
        spared = {each.uuid for each in doomed if each.inputs} & set(reported) - set(uuids)
        doomed = [each for each in doomed if each.uuid not in spared]
        if spared:
            say(f"left alone, as they have inputs: {', '.join(sorted(spared))}", err=True)
    if not doomed:
        say("nothing to invalidate", err=as_json)
        return 0
    display.show(doomed, COLUMNS)
    inputs = sum(each.inputs for each in doomed)
    what = f"{counted(len(doomed), 'scene')} and {counted(inputs, 'input')}"
    # The question is asked outside of the event loop, which would not let Ctrl-C through.
    if yes or _is_confirmed(what):
        asyncio.run(_invalidate(display, doomed, SceneInvalidatedReason(reason)))
        say(f"{what} invalidated", err=as_json)
    else:
        say("nothing was invalidated", err=True)
        return DECLINED
    return 0


def _is_confirmed(what: str) -> bool:
    try:
        return click.confirm(f"Invalidate {what}? It cannot be undone.", err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        say("", err=True)  # the question has no end of line
        raise click.ClickException("there is nobody to ask; to invalidate them, pass --yes") from None


async def _find(display: Display, uuids: Sequence[str], external_ids: Sequence[str]) -> list[Doomed]:
    async with display.client() as client:
        scenes = await _found(client, uuids, external_ids)
        return await _with_inputs(client, [each for each in scenes if not each.status.is_invalidated])


async def _invalidate(display: Display, doomed: Sequence[Doomed], reason: SceneInvalidatedReason) -> None:
    async with display.client() as client:
        for start in range(0, len(doomed), AT_ONCE):
            some = [each.uuid for each in doomed[start : start + AT_ONCE]]
            await client.scene.invalidate_scenes(some, reason)


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
