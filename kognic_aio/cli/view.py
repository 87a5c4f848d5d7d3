"""`kognicutil view`."""

from urllib.parse import quote

import click
from attrs import frozen

from kognic_aio.cli.looking import Look, as_json_option


@frozen
class ViewLink:
    """Where an input can be viewed."""

    uuid: str
    view_link: str


@click.command()
@click.argument("input_uuid")
@as_json_option
def view(input_uuid: str, as_json: bool) -> None:
    """Show the link at which an input can be viewed.

    It asks nobody: there is a link for an input that does not exist, too.
    """
    link = ViewLink(input_uuid, f"https://app.kognic.com/view/input/{quote(input_uuid, safe='')}")
    Look(as_json=as_json).show_one(link, ("uuid", "view_link"))
