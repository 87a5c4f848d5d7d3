"""Checks that a response is about what was asked for."""

from kognic_aio._http.api import Api


def plain_uuid(uuid: str) -> str:
    """The canonical spelling of a uuid, for comparisons."""
    # Callers may write a uuid with or without dashes, in either case. The platform responds in its own spelling.
    return uuid.replace("-", "").lower()


def shown_id(api: Api, method: str, path: str, given: str) -> str:
    """Check and return the id that the platform gave to a new object.

    Args:
        api: The API that responded.
        method: The HTTP method.
        path: The path.
        given: The id.

    Raises:
        MalformedAnswerError: If the id contains a secret or characters that cannot be printed.
    """
    # The id goes into paths, logs and the journal, so it must be safe to show as it is.
    if api.redact(given) != given:
        raise api.malformed(method, path, f"an id that cannot be shown: {given!r}")
    return given


def check_is_about(api: Api, method: str, path: str, *, answered: str, asked: str) -> None:
    """Check that a response is about what was asked for.

    Args:
        api: The API that responded.
        method: The HTTP method.
        path: The path.
        answered: The id in the response.
        asked: The id that was asked for.

    Raises:
        MalformedAnswerError: If the response is about something else.
    """
    if plain_uuid(answered) != plain_uuid(asked):
        raise api.malformed(method, path, f"it is about {answered!r}, asked for was {asked!r}")
