"""`kognicutil upload`: creates the scenes that people have on disk, and their inputs."""

from typing import TYPE_CHECKING

import click

from kognic_aio.cli.display import platform_options
from kognic_aio.errors import InvalidError

if TYPE_CHECKING:
    from kognic_aio import InputTarget
    from kognic_aio.bulk import Shard


class TargetType(click.ParamType):  # type: ignore[type-arg]  # click before 8.4 has no argument
    """`PROJECT[/BATCH][=PRE_ANNOTATION]`."""

    name = "target"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> "InputTarget":
        """Read a target."""
        from kognic_aio import InputTarget  # noqa: PLC0415  # help does not wait for it

        if isinstance(value, InputTarget):
            return value
        place, has_name, pre_annotation = str(value).partition("=")
        project, has_batch, batch = place.partition("/")
        if (has_name and not pre_annotation) or (has_batch and not batch):
            self.fail(f"{value!r}: expected P[/B][=PRE_ANNOTATION], got an empty part", param, ctx)
        try:
            return InputTarget(project, batch or None, pre_annotation or None)
        except InvalidError as error:
            self.fail(f"{value!r}: {error}", param, ctx)


class ShardType(click.ParamType):  # type: ignore[type-arg]  # as above
    """`I/N`."""

    name = "shard"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> "Shard":
        """Read a shard."""
        from kognic_aio.bulk import Shard  # noqa: PLC0415  # as above

        try:
            return value if isinstance(value, Shard) else Shard.of(str(value))
        except InvalidError as error:
            self.fail(str(error).removeprefix("shard: "), param, ctx)


@click.command(epilog="Example: kognicutil upload recordings/ --project my-project --report report.tsv")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--project", metavar="P", help="External id of the project that gets an input of each scene.")
@click.option("--batch", metavar="B", help="External id of its batch. By default the open one, if there is only one.")
@click.option(
    "--target",
    "targets",
    multiple=True,
    type=TargetType(),
    metavar="P[/B][=PRE_ANNOTATION]",
    help="A project, its batch, and the name of the pre-annotation that its inputs start from. Repeatable.",
)
@click.option(
    "--journal",
    metavar="FILE",
    help="Records each step, so that the same command goes on after an interruption. [default: SOURCE.kognic-journal]",
)
@click.option(
    "--report", metavar="FILE", help="Write a row per scene and target to FILE, which ends in .jsonl or .tsv."
)
@click.option("--dry-run", is_flag=True, help="Let the platform validate the scenes, and create nothing.")
@click.option("--retry-failed", is_flag=True, help="Start scenes afresh that failed in an earlier run.")
@click.option("--max-failures", type=click.IntRange(min=1), metavar="N", help="Take no more scenes after N failures.")
@click.option(
    "--existing",
    type=click.Choice(["create", "skip", "fail"]),
    default="create",
    show_default=True,
    help="What to do with a scene of which the project or batch has an input.",
)
@click.option(
    "--on-failure",
    type=click.Choice(["keep", "invalidate"]),
    default="keep",
    show_default=True,
    help="What becomes of a scene that fails and has no input.",
)
@click.option(
    "--shard",
    type=ShardType(),
    metavar="I/N",
    help="Upload only the part I, from 0, of N parts. The names of journal and report get .I-of-N at their end.",
)
@click.option(
    "--motion-compensation/--no-motion-compensation",
    default=True,
    help="Whether points are moved to where they were at the time of their frame.",
)
@click.option("--workspace", metavar="ID", help="Workspace to create scenes in. By default the only one.")
@click.option("--scene-jobs", type=click.IntRange(min=1), metavar="N", help="At most N scenes are uploaded at once.")
@click.option("--uploads", type=click.IntRange(min=1), metavar="N", help="At most N files are uploaded at once.")
@click.option("--inputs", type=click.IntRange(min=1), metavar="N", help="At most N inputs are created at once.")
@click.option("--in-flight", type=click.IntRange(min=1), metavar="N", help="At most N scenes have begun and not ended.")
@platform_options
@click.option("--json", "as_json", is_flag=True, help="Print each event as a JSON object on a line.")
def upload(
    sources: tuple[str, ...],
    targets: "tuple[InputTarget, ...]",
    journal: str | None,
    report: str | None,
    shard: "Shard | None",
    scene_jobs: int | None,
    uploads: int | None,
    inputs: int | None,
    in_flight: int | None,
    **given: object,
) -> int:
    """Create the scenes of SOURCE and their inputs. Each is checked before anything of it is sent.

    SOURCE is a manifest, - for standard input, or a folder of scenes. The exit code is 0 if all inputs were created; 1
    if the run could not begin or go on; 3 if some scenes failed; 4 if the same command is to be run again, as when
    scenes are still being processed; and 130 after Ctrl-C.
    """
    if bool(given["project"]) == bool(targets):
        raise click.UsageError("pass exactly one of --project and --target")
    if given["batch"] and targets:
        raise click.UsageError("--batch needs --project; with --target, write --target PROJECT/BATCH")
    from kognic_aio.cli.uploading import run  # noqa: PLC0415  # help does not wait for it

    bounds = {"scene_jobs": scene_jobs, "uploads": uploads, "inputs": inputs, "in_flight": in_flight}
    return run(sources, targets, journal, report, shard, bounds, **given)
