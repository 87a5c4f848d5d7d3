"""The journal of a run: the state of each scene, in a file that survives the process."""

from kognic_aio.pipeline.journal.facts import Destination, Entry, Failure, Step, set_aside_key
from kognic_aio.pipeline.journal.journal import Journal

__all__ = ["Destination", "Entry", "Failure", "Journal", "Step", "set_aside_key"]
