"""The semaphores behind `Limits`."""

from anyio import CapacityLimiter, Semaphore
from attrs import frozen

from kognic_aio.config import Limits
from kognic_aio.files import ReadPool


def places(number: int) -> Semaphore:
    """A semaphore for so many tasks.

    Args:
        number: How many tasks hold a place concurrently.
    """
    # A free place is taken without a checkpoint: a turn of a busy event loop costs as much as a request.
    return Semaphore(number, max_value=number, fast_acquire=True)


@frozen(eq=False)
class Limiters:
    """Bounds of concurrency. A task acquires them in this order, so that no deadlock is possible.

    Args:
        in_flight: Scenes that were taken from a source and have not settled.
        scene_jobs: Scenes between start and commit.
        uploads: Files that are being uploaded.
        inputs: Requests that create inputs and pre-annotations.
        downloads: Contents of annotations that are being downloaded.
        read_pool: Bounds how many of the caller's callbacks and streams run concurrently.
    """

    in_flight: Semaphore
    scene_jobs: Semaphore
    uploads: Semaphore
    inputs: Semaphore
    downloads: Semaphore
    read_pool: ReadPool

    @classmethod
    def of(cls, limits: Limits, read_pool: ReadPool | None = None) -> "Limiters":
        """Make limiters from limits.

        Args:
            limits: The limits.
            read_pool: The client's pool. It is shared if the number of callbacks is the same.
        """
        # Callbacks take turns because they may share an object, such as an archive. Runs on one client may share it
        # too, so a run has turns of its own only if it asks for another number.
        if read_pool is None or read_pool.callbacks.total_tokens != limits.callbacks:
            read_pool = ReadPool(CapacityLimiter(limits.callbacks))
        return cls(
            in_flight=places(limits.in_flight),
            scene_jobs=places(limits.scene_jobs),
            uploads=places(limits.uploads),
            inputs=places(limits.inputs),
            downloads=places(limits.downloads),
            read_pool=read_pool,
        )
