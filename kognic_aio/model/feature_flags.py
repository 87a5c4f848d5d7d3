"""Optional features of scene creation."""

from enum import Enum

from attrs import frozen

from kognic_aio._validation.converters import argument, member_of


@frozen(init=False)
class FeatureFlags:
    """The features that are on; all others are off.

    Args:
        flags: The features to turn on; `FeatureFlags()` turns all off. Where none are given, `FeatureFlags.defaults()`
            applies.

    Raises:
        InvalidError: If one is not a feature.
    """

    class PointCloudFeatures(Enum):
        """What the platform may do to point clouds.

        Motion compensation moves points to where they were at the `unix_timestamp` of their frame, or else at the
        median of their own times. IMU data must then span the times of all points.
        """

        MOTION_COMPENSATION = "shouldMotionCompensate"

    flags: frozenset[PointCloudFeatures]

    def __init__(self, *flags: PointCloudFeatures) -> None:
        feature = member_of(self.PointCloudFeatures)
        object.__setattr__(self, "flags", frozenset(argument("FeatureFlags", flag, feature) for flag in flags))

    @classmethod
    def defaults(cls) -> "FeatureFlags":
        """Motion compensation on."""
        return cls(cls.PointCloudFeatures.MOTION_COMPENSATION)

    def to_dict(self) -> dict[str, bool]:
        """Every known feature and whether it is on."""
        return {feature.value: feature in self.flags for feature in self.PointCloudFeatures}
