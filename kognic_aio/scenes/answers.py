"""Whether an answer is about what was asked for."""

from kognic_aio._http.api import Api


def plain_uuid(uuid: str) -> str:
    """A uuid in the one of its spellings by which it is compared."""
    return uuid.replace("-", "").lower()


def shown_id(api: Api, method: str, path: str, given: str) -> str:
    """The id that a platform gives to something new. It goes into paths, logs and journals.

    Args:
        api: What was asked.
        method: The HTTP method.
        path: The path.
        given: The id.

    Raises:
        MalformedAnswerError: If it has something secret in it, or cannot be shown.
    """
    if api.told(given) != given:
        raise api.malformed(method, path, f"an id that cannot be shown: {given!r}")
    return given


def check_is_about(api: Api, method: str, path: str, *, answered: str, asked: str) -> None:
    """See that an answer is about what was asked for, and not about something else.

    Args:
        api: What was asked.
        method: The HTTP method.
        path: The path.
        answered: The id in the answer.
        asked: The id that was asked for.

    Raises:
        MalformedAnswerError: If it is about something else.
    """
    if plain_uuid(answered) != plain_uuid(asked):
        raise api.malformed(method, path, f"it is about {answered!r}, asked for was {asked!r}")
