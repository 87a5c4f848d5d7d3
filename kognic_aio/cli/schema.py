"""`kognicutil schema`: the JSON Schema of a line of a manifest."""

import click

from kognic_aio.bulk.schema import manifest_schema
from kognic_aio.cli.output import say_json


@click.command(epilog="Example: kognicutil schema > manifest.schema.json")
def schema() -> None:
    """Print the JSON Schema of a line of a manifest, for editors and validators."""
    say_json(manifest_schema(), indent=2)
