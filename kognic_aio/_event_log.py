"""Those who take events, and the log as one of them."""

import logging
from collections.abc import Callable
from typing import TypeAlias

from kognic_aio.events import CircuitClosed, CircuitOpened, Event, LimitsChanged, Retried, SceneRestarted

log = logging.getLogger("kognic_aio")

Tell: TypeAlias = Callable[[Event], object]
"""Takes an event, at once and without blocking."""

TellRetried: TypeAlias = Callable[[Retried], object]
"""Takes the retries of some requests."""


def log_event(event: Event) -> None:
    """Write a line about an event that somebody who reads a log wants to know."""
    match event:
        case SceneRestarted(external_id=name, why=why):
            log.info("scene %r is started afresh: %s", name, why)
        case Retried(seconds=seconds, why=why):
            log.info("trying again in %.2g s: %s", seconds, why)
        case LimitsChanged(why="", concurrency=limit):
            log.info("%s: %s requests at once", event.host, "any number of" if limit is None else f"up to {limit}")
        case LimitsChanged(concurrency=int(limit), rate=rate, pause=pause):
            log.log(
                logging.WARNING if event.is_first else logging.INFO,  # one warning for a time of push-back
                "%s is throttled (%s): at most %d concurrent request(s)%s%s; %d waiting",
                event.host,
                event.why,
                limit,
                "" if rate is None else f", {rate:.3g} per second",
                f", paused for {pause:.3g} s" if pause else "",
                event.waiting,
            )
        case CircuitOpened(host=host, failed=failed):
            log.warning("%s is unavailable: %d requests in a row failed after all retries", host, failed)
        case CircuitClosed(host=host):
            log.info("%s responds again", host)
        case _:
            pass
