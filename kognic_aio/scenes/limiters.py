"""The limits at work."""

from anyio import CapacityLimiter, Semaphore
from attrs import frozen

from kognic_aio.files import Reading
from kognic_aio.limits import Limits


def places(number: int) -> Semaphore:
    """Places for so many tasks. One that is free is taken at once; a turn of the event loop costs as much as a request.

    Args:
        number: How many tasks hold a place at once.
    """
    return Semaphore(number, max_value=number, fast_acquire=True)


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

    in_flight: Semaphore
    scene_jobs: Semaphore
    uploads: Semaphore
    inputs: Semaphore
    downloads: Semaphore
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
            in_flight=places(limits.in_flight),
            scene_jobs=places(limits.scene_jobs),
            uploads=places(limits.uploads),
            inputs=places(limits.inputs),
            downloads=places(limits.downloads),
            reading=reading,
        )
