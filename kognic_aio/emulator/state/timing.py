"""The clock and the durations of a platform."""

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime

import attrs

from kognic_aio.emulator.checks import check_seconds

PROCESSING_TIME = 0.0
URL_LIFETIME = 3600.0
TOKEN_LIFETIME = 3600.0
VISIBILITY_LAG = 0.0
FOREVER = 100 * 365 * 86400.0
"""The longest lifetime in seconds."""


def _is_seconds(_: object, attribute: "attrs.Attribute[float]", value: object) -> None:
    check_seconds(attribute.name, value)


def _is_lifetime(_: object, attribute: "attrs.Attribute[float]", value: object) -> None:
    """A lifetime below 0 is allowed: then all is expired from the start."""
    check_seconds(attribute.name, value, minimum=-math.inf)


def _lifetime(value: float) -> float:
    """Cap a lifetime at `FOREVER`, because dates cannot hold longer ones."""
    try:
        return max(min(value, FOREVER), -FOREVER)  # in this order, which keeps NaN
    except TypeError:
        return value  # for the validator to refuse


@attrs.define
class Timing:
    """The clock and the durations that all parts of a platform share. They may change while it runs.

    Args:
        processing_time: Seconds from the commit of a scene until it is created.
        url_lifetime: Seconds until a signed URL expires.
        token_lifetime: Seconds until a token expires.
        visibility_lag: Seconds from the creation of a scene until clients can see it.
        clock: Returns the time in seconds. Tests pass one that they can move.
    """

    processing_time: float = attrs.field(default=PROCESSING_TIME, validator=_is_seconds)
    url_lifetime: float = attrs.field(default=URL_LIFETIME, validator=_is_lifetime, converter=_lifetime)
    token_lifetime: float = attrs.field(default=TOKEN_LIFETIME, validator=_is_lifetime, converter=_lifetime)
    visibility_lag: float = attrs.field(default=VISIBILITY_LAG, validator=_is_seconds)
    clock: Callable[[], float] = time.monotonic


def utc_now() -> datetime:
    """The current date, as for `created`."""
    return datetime.now(UTC)


def wire_date(date: datetime) -> str:
    """A date as the platform writes it, always with microseconds."""
    return date.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
