"""Checks positions and rotations in bodies."""

from typing import Any

from kognic_aio.emulator.state.body import Body


def check_position(position: Body) -> None:
    """Check a position of three numbers."""
    for coordinate in position.fields(("x", "y", "z")).values():
        coordinate.number()


def check_rotation(rotation: Body) -> None:
    """Check a rotation quaternion of four numbers."""
    for coordinate in rotation.fields(("w", "x", "y", "z")).values():
        coordinate.number()


def check_pose(pose: Body) -> None:
    """Check the pose of the ego vehicle."""
    fields = pose.fields(("position", "rotation"))
    check_position(fields["position"])
    check_rotation(fields["rotation"])


def origin_pose() -> dict[str, Any]:
    """The pose of an ego vehicle that has not moved."""
    return {"position": {"x": 0.0, "y": 0.0, "z": 0.0}, "rotation": {"w": 1.0, "x": 0.0, "y": 0.0, "z": 0.0}}
