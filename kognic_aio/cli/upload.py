"""`kognicutil upload`: creates the scenes that people have on disk, and their inputs."""

import asyncio
import shlex
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress

import click
from attrs import define, field, frozen

from kognic_aio import InputCreationResult, InputCreationStatus, InputTarget, Journal, KognicIOClient, Limits, bulk
from kognic_aio._threads import in_thread
from kognic_aio.bulk import Problem, Shard
from kognic_aio.cli import INTERRUPTED, program_name
from kognic_aio.cli.display import environment, platform_options
from kognic_aio.cli.live import Story, showing
from kognic_aio.cli.output import say
from kognic_aio.errors import (
    InvalidError,
    KognicError,
    RequestError,
    ServerError,
    TooManyRequestsError,
    UnavailableError,
)
from kognic_aio.pipeline.creation import OnFailure
from kognic_aio.pipeline.existing import Existing

NOT_RUN, SOME_FAILED, GO_ON = 1, 3, 4
"""Exit codes: the run could not begin or go on; some scenes failed; the same command goes on."""

TEMPORARY = (RequestError, ServerError, TooManyRequestsError, UnavailableError)
"""Errors after which the same command may go on."""

STANDARD_INPUT = "-"


class TargetType(click.ParamType):  # type: ignore[type-arg]  # click before 8.4 has no argument
    """`PROJECT[/BATCH][=PRE_ANNOTATION]`."""

    name = "target"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> InputTarget:
        """Read a target."""
        if isinstance(value, InputTarget):
            return value
        place, _, pre_annotation = str(value).partition("=")
        project, _, batch = place.partition("/")
        try:
            return InputTarget(project, batch or None, pre_annotation or None)
        except InvalidError as error:
            self.fail(f"{value!r}: {error}", param, ctx)


class ShardType(click.ParamType):  # type: ignore[type-arg]  # as above
    """`I/N`."""

    name = "shard"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Shard:
        """Read a shard."""
        try:
            return value if isinstance(value, Shard) else Shard.of(str(value))
        except InvalidError as error:
            self.fail(str(error).removeprefix("shard: "), param, ctx)


@frozen(kw_only=True)
class Order:
    """What is to be uploaded, where to, and how."""

    sources: tuple[str, ...]
    project: str | None
    batch: str | None
    targets: tuple[InputTarget, ...]
    journal: str | None
    report: str | None
    dry_run: bool
    retry_failed: bool
    max_failures: int | None
    existing: Existing
    on_failure: OnFailure
    shard: Shard | None
    motion_compensation: bool
    workspace: str | None
    organization: int | None
    env: str | None
    as_json: bool
    limits: Limits

    def client(self) -> KognicIOClient:
        """Make a client, to be opened."""
        return KognicIOClient(
            env=environment(self.env),
            client_organization_id=self.organization,
            write_workspace_id=self.workspace,
            limits=self.limits,
        )


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
@click.option("--max-failures", type=click.IntRange(min=0), metavar="N", help="Take no more scenes after N failures.")
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
@click.option("--shard", type=ShardType(), metavar="I/N", help="Upload only the part I, from 0, of N parts.")
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
    targets: tuple[InputTarget, ...],
    journal: str | None,
    report: str | None,
    shard: Shard | None,
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
    bounds = {"scene_jobs": scene_jobs, "uploads": uploads, "inputs": inputs, "in_flight": in_flight}
    order = Order(
        sources=sources,
        targets=targets,
        journal=_in_shard(journal or _default_journal(sources, dry_run=bool(given["dry_run"])), shard),
        report=_in_shard(report, shard),
        shard=shard,
        limits=Limits(**{name: bound for name, bound in bounds.items() if bound is not None}),
        **given,  # type: ignore[arg-type]  # click has checked them
    )
    if order.report is not None:
        bulk.check_report(order.report)
    return _Command(order).run()


def _default_journal(sources: Sequence[str], *, dry_run: bool) -> str | None:
    if dry_run or STANDARD_INPUT in sources:
        return None
    if len(sources) > 1:
        raise click.UsageError("several sources need --journal")
    return f"{sources[0].rstrip('/')}.kognic-journal"


def _in_shard(path: str | None, shard: Shard | None) -> str | None:
    return path if path is None or shard is None else shard.path(path)


@define
class _Command:
    """One run of the command."""

    order: Order
    story: Story = field(factory=Story, init=False)
    others: list[InputCreationResult] = field(factory=list[InputCreationResult], init=False)
    has_given_up: bool = field(default=False, init=False)

    def run(self) -> int:
        """Run it to its exit code."""
        try:
            asyncio.run(self._run())
        except KeyboardInterrupt:
            self._say_how_to_go_on("interrupted")
            return INTERRUPTED
        except asyncio.CancelledError:  # by SIGTERM
            self._say_how_to_go_on("terminated")
            return GO_ON
        except TEMPORARY as error:
            say(f"Error: {error}", err=True)
            self._say_how_to_go_on("the platform cannot be reached now")
            return GO_ON
        return self._ended()

    def _ended(self) -> int:
        now = self.story.progress
        for line in self.story.summary():
            say(line, err=self.order.as_json)
        if now.processing:
            self._say_how_to_go_on(f"{now.processing:,} scenes are still being processed")
            return GO_ON
        if now.failed or now.skipped_failed or self.has_given_up:
            if self.order.journal is not None:
                say(f"mend them, then run: {_command('--retry-failed')}", err=True)
            return SOME_FAILED
        return 0

    def _say_how_to_go_on(self, why: str) -> None:
        hint = f"; to go on, run: {_command()}" if self.order.journal is not None else ""
        say(f"{why}{hint}", err=True)

    async def _run(self) -> None:
        task = asyncio.current_task()
        with suppress(NotImplementedError):  # Windows has no SIGTERM
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel if task else print)
        counting = asyncio.create_task(self._count())
        async with self.order.client() as client:
            await self._upload(client)
        counting.cancel()
        if self.order.report is not None:
            await self._report(self.order.report)

    async def _count(self) -> None:
        """Find out how many scenes there are, for the display."""
        if self.order.shard is None and STANDARD_INPUT not in self.order.sources:
            with suppress(KognicError, OSError):  # the run will say so
                self.story.total = await in_thread(bulk.count_scenes, self.order.sources)

    async def _upload(self, client: KognicIOClient) -> None:
        order = self.order
        async with showing(self.story, as_json=order.as_json) as tell:
            run = bulk.upload(
                client,
                order.sources,
                order.project,
                batch=order.batch,
                targets=order.targets or None,
                journal=order.journal,
                dryrun=order.dry_run,
                motion_compensation=order.motion_compensation,
                shard=order.shard,
                retry_failed=order.retry_failed,
                on_failure=order.on_failure,
                existing=order.existing,
                on_event=tell,
                on_problem=self._note,
            )
            self.story.progress = run.progress
            async with run:
                async for result in run:
                    self._take(result)
                    if order.max_failures is not None and run.progress.failed > order.max_failures:
                        self.has_given_up = True
                        run.drain()

    def _note(self, problem: Problem) -> None:
        self.story.warnings += not problem.is_error

    def _take(self, result: InputCreationResult) -> None:
        """Keep a result for the report that the journal may not have."""
        if self.order.report is not None and result.status is not InputCreationStatus.CREATED:
            self.others.append(result)

    async def _report(self, path: str) -> None:
        if self.order.journal is None:
            await bulk.write_report(path, _nothing(), self.others)
            return
        async with Journal(self.order.journal) as journal:
            await bulk.write_report(path, journal.results(), self.others)


async def _nothing() -> AsyncGenerator[InputCreationResult, None]:
    """No results."""
    return
    yield


def _command(*more: str) -> str:
    """The command that was given, with more options."""
    return " ".join([program_name(), *map(shlex.quote, [*(each for each in sys.argv[1:] if each not in more), *more])])
