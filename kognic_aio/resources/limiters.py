"""The limits at work."""

from anyio import CapacityLimiter
from attrs import frozen

from kognic_aio.limits import Limits


@frozen(eq=False)
class Limiters:
    """What holds tasks back. A task that needs several takes them in this order, so that none waits in a circle.

    Args:
        in_flight: Scenes that have been taken from a source and have not settled.
        scene_jobs: Scenes between start and commit.
        uploads: Files on their way to storage.
        inputs: Requests that create inputs and pre-annotations.
        downloads: Contents of annotations on their way from storage.
    """

    in_flight: CapacityLimiter
    scene_jobs: CapacityLimiter
    uploads: CapacityLimiter
    inputs: CapacityLimiter
    downloads: CapacityLimiter

    @classmethod
    def of(cls, limits: Limits) -> "Limiters":
        """Limiters with the sizes of the limits."""
        return cls(
            in_flight=CapacityLimiter(limits.in_flight),
            scene_jobs=CapacityLimiter(limits.scene_jobs),
            uploads=CapacityLimiter(limits.uploads),
            inputs=CapacityLimiter(limits.inputs),
            downloads=CapacityLimiter(limits.downloads),
        )
