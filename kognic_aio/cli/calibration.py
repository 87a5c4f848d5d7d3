"""`kognicutil calibration`."""

import click

from kognic_aio.cli.looking import Look, looking

COLUMNS = ("id", "external_id", "created")


@click.command()
@click.option("--id", "calibration_id", metavar="ID", help="Only the one with this id.")
@click.option("--external-id", metavar="ID", help="Only those with this external id.")
@click.option("--raw", is_flag=True, help="With --id: show also how each sensor is calibrated.")
@looking
async def calibration(look: Look, calibration_id: str | None, external_id: str | None, raw: bool) -> None:
    """Show calibrations of sensors."""
    if calibration_id is not None and external_id is not None:
        raise click.UsageError("give either --id or --external-id")
    if raw and calibration_id is None:
        raise click.UsageError("--raw needs --id")
    async with look.client() as client:
        if calibration_id is not None:
            entry = await client.calibration.get_calibration(calibration_id)
            look.show_one(entry, COLUMNS)
            if raw:
                look.show_below(entry.calibration)
            return
        found = await client.calibration.get_calibrations(external_id)
        if external_id is not None and not found:
            raise click.ClickException(f"no calibration has the external id {external_id!r}")
        await look.show(found, COLUMNS)
