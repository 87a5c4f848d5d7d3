"""Checks that the sensors and frames of an annotation are those of its scene."""

import re

from kognic_aio.emulator.state.body import Body
from kognic_aio.emulator.state.openlabel.references import member
from kognic_aio.emulator.state.scene import Scene

NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?")


def check_fit(openlabel: Body, scene: Scene) -> None:
    """Check that streams are sensors of the scene, and timestamps those of its frames.

    Raises:
        BadRequestError: If one is not.
    """
    for name, stream in member(openlabel, "streams").items():
        _check_stream(name, stream, scene)
    if not scene.kind.sequence:
        return  # its only frame has no timestamp to compare with
    known = frozenset(scene.spec.relative_timestamps)
    for frame in member(openlabel, "frames").values():
        timestamp = member(frame, "frame_properties").get("timestamp")
        if timestamp is not None and timestamp.value is not None and _milliseconds(timestamp) not in known:
            raise timestamp.error(f"{timestamp.value!r} is not the relative timestamp of a frame of the scene")


def _check_stream(name: str, stream: Body, scene: Scene) -> None:
    """Check that a stream is a sensor of its type. Types that scenes do not have are not checked."""
    cameras, lidars = scene.spec.cameras, scene.spec.lidars
    match stream.value.get("type"):
        case "camera":
            known = cameras
        case "lidar":
            # The clouds of all lidars are annotated as one, so any name will do.
            known = lidars | {name} if lidars else lidars
        case None:
            known = cameras | lidars
        case _:
            return
    if name not in known:
        raise stream.error(f"is no sensor of the scene, which has {', '.join(sorted(cameras | lidars))}")


def _milliseconds(timestamp: Body) -> float:
    # In OpenLABEL, a timestamp is a number, or a string with one.
    if not isinstance(timestamp.value, str):
        return timestamp.number()
    if NUMBER.fullmatch(timestamp.value) is None:  # float() also takes spaces, underscores, words and any script
        raise timestamp.error(f"{timestamp.value!r} is not a number")
    return float(timestamp.value)
