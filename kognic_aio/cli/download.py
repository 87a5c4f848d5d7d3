"""`kognicutil download`: the annotations of a project, as files."""

from collections import Counter
from pathlib import Path

import click
from attrs import frozen

from kognic_aio import bulk
from kognic_aio._text import printable
from kognic_aio.bulk import Downloaded
from kognic_aio.cli.display import Display, with_display
from kognic_aio.cli.output import counted, say

SOME_FAILED = 3


@frozen(kw_only=True)
class Shown:
    """An annotation that was downloaded, as JSON shows it."""

    external_id: str
    path: str
    is_new: bool
    error: str | None

    @classmethod
    def of(cls, downloaded: Downloaded) -> "Shown":
        """Show an annotation."""
        error = None if downloaded.error is None else str(downloaded.error)
        return cls(external_id=downloaded.external_id, path=str(downloaded.path), is_new=downloaded.is_new, error=error)


@click.command(epilog="Example: kognicutil download --project my-project --annotation-type lanes --out annotations/")
@click.option("--project", required=True, metavar="P", help="External id of the project.")
@click.option("--annotation-type", required=True, metavar="T", help="The annotation type.")
@click.option("--batch", metavar="B", help="External id of a batch. By default the whole project.")
@click.option(
    "--scene", "scenes", multiple=True, metavar="X", help="Only this scene, by external id or uuid. Repeatable."
)
@click.option("--iso-rotated-cuboids", is_flag=True, help="Get cuboids in the format of ISO 8855.")
@click.option(
    "--out", "folder", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the files."
)
@with_display
async def download(
    display: Display,
    project: str,
    annotation_type: str,
    batch: str | None,
    scenes: tuple[str, ...],
    iso_rotated_cuboids: bool,
    folder: Path,
) -> int:
    """Download the annotations of a project as OpenLABEL files, many at once.

    What is there already and has not changed is skipped. A file is whole or not there, so the same command goes on
    after an interruption. The exit code is 3 if some could not be downloaded.
    """
    counts = Counter[str]()

    def count(downloaded: Downloaded) -> None:
        if display.as_json:
            display.show_line(Shown.of(downloaded))
        if downloaded.error is not None:
            counts["failed"] += 1
            say(f"failed: {printable(downloaded.external_id)}: {downloaded.error}", err=True)
        else:
            counts["new" if downloaded.is_new else "there"] += 1

    async with display.client() as client:
        await bulk.download(
            client,
            project,
            annotation_type,
            folder,
            batch=batch,
            scenes=scenes,
            iso_rotated_cuboids=iso_rotated_cuboids,
            on_file=count,
        )
    there, failed = (f", {counts[name]:,} {name}" if counts[name] else "" for name in ("there", "failed"))
    say(
        f"{counted(counts['new'], 'annotation')} downloaded to {folder}{there and f'{there} already'}{failed}",
        err=display.as_json,
    )
    return SOME_FAILED if counts["failed"] else 0
