"""The parts of a platform, put together."""

from typing import Any

from kognic_aio.emulator.faults import Faults
from kognic_aio.emulator.rate_limit import RateLimit
from kognic_aio.emulator.state.accounts import Accounts
from kognic_aio.emulator.state.annotations import Annotations
from kognic_aio.emulator.state.calibrations import Calibrations
from kognic_aio.emulator.state.inputs import Inputs
from kognic_aio.emulator.state.pre_annotations import PreAnnotations
from kognic_aio.emulator.state.projects import Projects
from kognic_aio.emulator.state.refusals import Refusals
from kognic_aio.emulator.state.reviews import Reviews
from kognic_aio.emulator.state.room import Room
from kognic_aio.emulator.state.scenes import Scenes
from kognic_aio.emulator.state.storage import Storage
from kognic_aio.emulator.state.timing import Timing
from kognic_aio.emulator.state.workflow import Workflow

PAGE_SIZE = 1000


class Parts:
    """One of each part, empty; a part that needs others is given them.

    Args:
        timing: clock and durations; by default the monotonic clock and no processing time.
        page_size: how many items a page of an answer has at most, unless its request says.
    """

    def __init__(self, timing: Timing | None = None, *, page_size: int = PAGE_SIZE) -> None:
        self.timing = timing or Timing()
        self.page_size = page_size
        self.refusals = Refusals()
        self.faults = Faults()
        self.room = Room()
        self.rate_limit: RateLimit | None = None
        self.accounts = Accounts(self.timing)
        self.projects = Projects()
        self.calibrations = Calibrations()
        self.storage = Storage(self.timing)
        self.scenes = Scenes(self.timing, self.accounts, self.calibrations, self.storage, self.refusals, self.faults)
        self.pre_annotations = PreAnnotations(self.timing, self.scenes, self.refusals)
        self.inputs = Inputs(self.scenes, self.projects, self.pre_annotations, self.refusals)
        self.workflow = Workflow(self.projects, self.inputs)
        self.annotations = Annotations(self.timing, self.storage, self.scenes, self.projects, self.inputs)
        self.reviews = Reviews(self.annotations, self.inputs, self.workflow)

    def summary(self) -> dict[str, Any]:
        """How much there is of everything, as plain JSON."""
        objects = self.storage.objects
        return {
            "tokens_issued": self.accounts.tokens_issued,
            "scenes": self.scenes.count_by_status(),
            "inputs": sum(1 for _ in self.inputs),
            "pre_annotations": len(self.pre_annotations.by_id),
            "objects": len(objects),
            "faults": dict(self.faults.injected),
            "stored_bytes": sum(stored.size for stored in objects.values()),
        }
