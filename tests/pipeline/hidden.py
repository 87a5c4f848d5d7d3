"""New scenes that the platform does not show yet, and how often it is asked for them."""

import math

from kognic_aio.emulator import Emulator
from kognic_aio.emulator.state.scene import Scene
from kognic_aio.scenes.visibility import FIRST_PAUSE, GROWTH, MAX_PAUSE


def ours(emulator: Emulator) -> list[Scene]:
    """The scenes that clients have created; the seeds were there before."""
    return [scene for scene in emulator.platform.scenes.by_uuid.values() if scene.visible_at > -math.inf]


def statuses(emulator: Emulator) -> list[str]:
    return sorted(scene.status for scene in ours(emulator))


def show(emulator: Emulator) -> None:
    """Have the platform show all scenes that it has."""
    for scene in ours(emulator):
        scene.visible_at = 0.0


def most_requests(seconds: float) -> int:
    """The most requests for a scene within some seconds: a busy machine makes them fewer, as the pauses stay.

    The last but one may come when the clock has not quite reached the end.
    """
    passed, pause, requests = 0.0, FIRST_PAUSE, 1
    while passed < seconds:
        passed += min(pause, seconds - passed)
        pause = min(pause * GROWTH, MAX_PAUSE)
        requests += 1
    return requests + 1
