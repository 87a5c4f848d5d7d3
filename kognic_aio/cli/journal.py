"""`kognicutil journal`: shows what a journal has recorded."""

import asyncio

import click

from kognic_aio import Journal, bulk
from kognic_aio.cli.output import counted, print_rows, say


@click.command(epilog="Example: kognicutil journal recordings.kognic-journal --report report.tsv")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--retry-failed", is_flag=True, help="Discard the failures, so that the next run starts these scenes afresh."
)
@click.option(
    "--report", metavar="FILE", help="Write a row per scene and target to FILE, which ends in .jsonl or .tsv."
)
def journal(file: str, retry_failed: bool, report: str | None) -> None:
    """Show how many scenes have come how far by the journal FILE, and which have failed and why."""
    if report is not None:
        bulk.check_report(report)
    asyncio.run(_show(file, retry_failed=retry_failed, report=report))


async def _show(file: str, *, retry_failed: bool, report: str | None) -> None:
    async with Journal(file) as opened:
        say(f"to {opened.destination}")
        counts = await opened.counts()
        print_rows(("step", "scenes"), [(step.value, f"{count:,}") for step, count in counts.items()])
        failures = await opened.failures()
        if failures:
            say("")
            print_rows(("scene", "stage", "why"), [(each.key, each.stage.value, each.message) for each in failures])
        if report is not None:
            rows = await bulk.write_report(report, opened.results())
            say(f"{counted(rows, 'row')} written to {report}")
        if retry_failed:
            say(f"{counted(await opened.retry_failed(), 'scene')} will be started afresh by the next run")
