"""`kognicutil view`."""

import click
from attrs import frozen

from kognic_aio.cli.looking import Look, as_json_option
from kognic_aio.util import get_view_links


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
    link = ViewLink(input_uuid, get_view_links([input_uuid])[input_uuid])
    Look(as_json=as_json).show_one(link, ("uuid", "view_link"))
