"""Shows a run while it goes on: on a terminal in place, elsewhere in plain lines, or as JSON for programs."""

import re
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from heapq import nlargest
from time import monotonic

import anyio
from attrs import define, field
from rich.console import Console, Group
from rich.filesize import decimal
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.text import Text

from kognic_aio._tasks import task_group
from kognic_aio._text import printable
from kognic_aio.cli.output import MAX_CELL, counted, plain, say, say_json
from kognic_aio.events import Event, PushedBack, SceneChecked, SceneSettled, SceneTaken
from kognic_aio.model.target import InputCreationStatus
from kognic_aio.pipeline.progress import Progress, SceneStage

LINE_EVERY = 10.0
"""Seconds between two plain lines."""

LAST_FAILURES = 3
"""Failures that the display shows."""

SLOWEST = 3
"""Slow scenes that a summary names."""

VARIABLE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|'[^']*'|/[^\s:,;]*|\d+")
"""What differs between two failures for one reason: uuids, names in quotes, paths from the first slash on, numbers."""

MOST_REASONS = 10
"""Reasons that a summary shows."""


@define
class Reason:
    """Why some scenes failed."""

    first: str  # the external id of the first one
    why: str
    count: int = 0


@define
class Story:
    """What has happened in a run so far: what its progress does not count.

    Args:
        progress: The progress of the run.
        total: Scenes in the source, None if that is unknown.
    """

    progress: Progress = field(factory=Progress)
    total: int | None = None
    began: float = field(factory=monotonic)
    checked: int = 0
    pushed_back: int = 0
    warnings: int = 0
    failures: deque[str] = field(factory=lambda: deque[str](maxlen=LAST_FAILURES))
    reasons: dict[str, Reason] = field(factory=dict[str, Reason])
    slowest: list[tuple[float, str]] = field(factory=list[tuple[float, str]])
    only_checked: int = 0
    were_there: list[str] | None = None  # external ids of scenes that were there already, if these are wanted
    _taken: dict[int, float] = field(factory=dict[int, float])
    _unchecked: set[int] = field(factory=set[int])

    def tell(self, event: Event) -> str | None:
        """Take note of an event. If a scene has failed, return the line that says so."""
        match event:
            case SceneTaken(number=number):
                self._taken[number] = monotonic()
                self._unchecked.add(number)
            case SceneChecked(number=number):
                self._note_checked(number)
            case PushedBack():
                self.pushed_back += 1
            case SceneSettled():
                return self._settled(event)
            case _:
                pass
        return None

    def _note_checked(self, number: int) -> None:
        if number in self._unchecked:
            self._unchecked.discard(number)
            self.checked += 1

    def _settled(self, event: SceneSettled) -> str | None:
        self._note_checked(event.number)  # it has failed at its check, or was created before
        if event.is_skipped and self.were_there is not None and event.external_id is not None:
            self.were_there.append(event.external_id)
        name = event.external_id or f"scene {event.number}"
        seconds = monotonic() - self._taken.pop(event.number, monotonic())
        if event.status is InputCreationStatus.CREATED and not event.is_skipped:
            self.slowest = nlargest(SLOWEST, [*self.slowest, (seconds, name)])
        if event.status is not InputCreationStatus.FAILED or event.is_skipped:
            return None
        why = event.why or "unknown"
        reason = self.reasons.setdefault(VARIABLE.sub("*", why), Reason(name, why))
        reason.count += 1
        self.failures.append(line := f"failed: {printable(name, MAX_CELL)}: {printable(why, MAX_CELL)}")
        return line

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return monotonic() - self.began

    def counts(self) -> str:
        """How many scenes have come how far."""
        now, of = self.progress, "" if self.total is None else f" of {self.total:,}"
        stages = now.in_stage
        skipped = f", {now.skipped:,} done before" if now.skipped else ""
        skipped += f", {self.only_checked:,} only checked, as their calibration is not there" * bool(self.only_checked)
        return (
            f"{self.checked + self.only_checked:,}{of} checked, {stages[SceneStage.UPLOADING]:,} uploading,"
            f" {stages[SceneStage.PROCESSING]:,} processing, {now.created + now.validated:,} "
            f"{'created' if not now.validated else 'validated'}, {now.failed:,} failed{skipped}"
        )

    def sent(self) -> str:
        """How much was sent, and how fast."""
        now = self.progress
        return f"{counted(now.files, 'file')}, {decimal(now.bytes)}, {decimal(int(now.bytes_per_second))}/s"

    def hosts(self) -> str:
        """How many requests at once the hosts take, and how often they pushed back."""
        found = ", ".join(f"{printable(host, MAX_CELL)} {limit}" for host, limit in self.progress.concurrency.items())
        pushed = f"; pushed back {self.pushed_back:,} times" if self.pushed_back else ""
        return f"requests at once: {found}{pushed}" if found or pushed else ""

    def ending(self) -> str:
        """What the run still does when all scenes have a result. It may take a grace period of the platform."""
        is_ending = self.total is not None and 0 < self.total <= self.progress.settled
        return "all scenes have a result; invalidating what interrupted runs have left of some" if is_ending else ""

    def summary(self) -> Iterator[str]:
        """The end of the story."""
        now = self.progress
        rate = f" ({decimal(int(now.bytes / max(self.seconds, 0.001)))}/s)" if now.bytes else ""
        yield f"{self.counts()}; {counted(now.files, 'file')}, {decimal(now.bytes)}{rate} in {_duration(self.seconds)}"
        if self.warnings:
            yield f"{counted(self.warnings, 'warning')}; see them with `kognicutil check`"
        if self.slowest and self.slowest[0][0] >= 1:
            slow = ", ".join(f"{printable(name, MAX_CELL)} {_duration(seconds)}" for seconds, name in self.slowest)
            yield f"slowest: {slow}"
        reasons = sorted(self.reasons.values(), key=lambda each: -each.count)
        for reason in reasons[:MOST_REASONS]:
            others = f" and {reason.count - 1:,} more" if reason.count > 1 else ""
            yield f"failed: {printable(reason.first, MAX_CELL)}{others}: {printable(reason.why, 2 * MAX_CELL)}"
        if len(reasons) > MOST_REASONS:
            yield f"and {len(reasons) - MOST_REASONS:,} other reasons; --report has them all"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{seconds:.1f} s" if seconds < 60 else f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


@asynccontextmanager
async def showing(story: Story, *, as_json: bool) -> AsyncGenerator[Callable[[Event], None], None]:
    """Show a run until the end of the block. It yields the function to call with each event, in any thread."""
    console = Console(stderr=as_json, markup=False, emoji=False, highlight=False)
    if as_json:
        yield lambda event: _print_json(story, event)
    elif console.is_interactive:
        bar = Bar(
            BarColumn(None, complete_style="green"),
            MofNCompleteColumn(),
            TextColumn("scenes"),
            TimeRemainingColumn(),
            console=console,
        )
        task = bar.add_task("scenes", total=story.total)

        def drawn() -> Group:
            bar.update(task, completed=story.progress.settled)
            lines = [story.counts(), story.sent(), story.hosts(), story.ending(), *story.failures]
            return Group(bar, *(Text(line, overflow="ellipsis", no_wrap=True) for line in lines if line))

        with Live(get_renderable=drawn, console=console, refresh_per_second=4, transient=True):
            yield lambda event: _ignore(story.tell(event))
    else:
        async with task_group() as group:
            group.start_soon(_say_lines, story)
            yield lambda event: _say_failure(story.tell(event))
            group.cancel_scope.cancel()


async def _say_lines(story: Story) -> None:
    while True:
        await anyio.sleep(LINE_EVERY)
        parts = [_duration(story.seconds), story.counts(), story.sent(), story.hosts(), story.ending()]
        say("; ".join(filter(None, parts)))


def _say_failure(line: str | None) -> None:
    if line is not None:
        say(line)


def _ignore(_: object) -> None:
    """The display shows the last failures by itself."""


def _print_json(story: Story, event: Event) -> None:
    story.tell(event)
    say_json({"event": type(event).__name__, **plain(event)})
