"""The limits at work."""

from anyio import CapacityLimiter
from attrs import frozen

from kognic_aio.files import Reading
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
        reading: Bounds how much of the caller's own code runs at once.
    """

    in_flight: CapacityLimiter
    scene_jobs: CapacityLimiter
    uploads: CapacityLimiter
    inputs: CapacityLimiter
    downloads: CapacityLimiter
    reading: Reading

    @classmethod
    def of(cls, limits: Limits, reading: Reading | None = None) -> "Limiters":
        """Limiters with the sizes of the limits.

        Args:
            limits: The limits.
            reading: What others read with. It is shared unless the limits let more, or fewer, callbacks run at once.
        """
        if reading is None or reading.callbacks.total_tokens != limits.callbacks:
            reading = Reading(CapacityLimiter(limits.callbacks))
        return cls(
            in_flight=CapacityLimiter(limits.in_flight),
            scene_jobs=CapacityLimiter(limits.scene_jobs),
            uploads=CapacityLimiter(limits.uploads),
            inputs=CapacityLimiter(limits.inputs),
            downloads=CapacityLimiter(limits.downloads),
            reading=reading,
        )
