"""Helpers that need neither a client nor the network."""

from collections.abc import Iterable
from urllib.parse import quote

from kognic_aio.errors import InvalidError


def get_view_links(input_uuids: Iterable[str]) -> dict[str, str]:
    """The link at which each input can be viewed, by its uuid.

    No request is made, so inputs that do not exist have a link too.

    Args:
        input_uuids: The uuids of the inputs.

    Raises:
        InvalidError: If it is a string instead of a list.
    """
    if isinstance(input_uuids, str):
        raise InvalidError(f"input_uuids: expected a list of strings, got {input_uuids!r}")
    return {
        uuid: f"https://app.kognic.com/view/input/{quote(uuid, safe='', errors='replace')}"
        for uuid in map(str, input_uuids)
    }
