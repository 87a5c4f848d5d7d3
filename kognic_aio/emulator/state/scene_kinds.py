"""The seven types of scene, which differ in what their frames hold."""

import attrs

IMAGE_SUFFIXES = (".avif", ".jpeg", ".jpg", ".png", ".webp")
POINT_CLOUD_SUFFIXES = (".csv", ".las", ".laz", ".pcd")
MAX_IMAGES = 9
MAX_POINT_CLOUDS = 20


@attrs.frozen
class SceneKind:
    """A type of scene.

    Args:
        path: The last segment of the path that creates it.
        cameras: Its frames have images.
        lidars: Its frames have point clouds.
        sequence: It has `frames` with ids and timestamps rather than one `frame`.
        aggregated: Every frame has an ego pose, and frames after the first may lack point clouds.
    """

    path: str
    cameras: bool = False
    lidars: bool = False
    sequence: bool = False
    aggregated: bool = False

    @property
    def scene_type(self) -> str:
        """Its name in responses."""
        return self.path.replace("-", "_")

    @property
    def calibrated(self) -> bool:
        """Whether a scene of this type needs a calibration. With cameras alone, it may have one."""
        return self.cameras and self.lidars

    @property
    def moves(self) -> bool:
        """Whether the scene may have IMU data, and its frames Unix timestamps, to describe how the vehicle moved."""
        return self.lidars or self.sequence


KINDS = (
    SceneKind("cameras", cameras=True),
    SceneKind("cameras-sequence", cameras=True, sequence=True),
    SceneKind("lidars", lidars=True),
    SceneKind("lidars-sequence", lidars=True, sequence=True),
    SceneKind("lidars-and-cameras", cameras=True, lidars=True),
    SceneKind("lidars-and-cameras-sequence", cameras=True, lidars=True, sequence=True),
    SceneKind("aggregated-lidars-and-cameras-sequence", cameras=True, lidars=True, sequence=True, aggregated=True),
)
