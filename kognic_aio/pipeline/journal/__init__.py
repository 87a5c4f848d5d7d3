"""The journal of a run: what has become of each scene, in a file that survives the process."""

from kognic_aio.pipeline.journal.facts import Destination, Entry, Failure, Step, aside, kin_of
from kognic_aio.pipeline.journal.journal import Journal

__all__ = ["Destination", "Entry", "Failure", "Journal", "Step", "aside", "kin_of"]
