"""`kognicutil schema`: the JSON Schema of a line of a manifest."""

import json

import click

from kognic_aio.bulk.schema import manifest_schema


@click.command(epilog="Example: kognicutil schema > manifest.schema.json")
def schema() -> None:
    """Print the JSON Schema of a line of a manifest, for editors and validators."""
    click.echo(json.dumps(manifest_schema(), indent=2))
