"""How much a platform keeps of what clients send."""

import attrs

from kognic_aio.emulator.errors import FullError

MAX_KEPT = 2**30


@attrs.define
class Room:
    """Counts the bytes of the bodies that are kept, in whichever form: of scenes, calibrations, annotations, reviews.

    Of uploaded files next to nothing is kept, so that they may be of any size.

    Args:
        most: how many bytes are kept at most.
        taken: how many there are.
    """

    most: int = MAX_KEPT
    taken: int = 0

    def check(self, size: int) -> None:
        """Check that a body still fits.

        Raises:
            FullError: it does not.
        """
        if self.taken + size > self.most:
            raise FullError(
                f"the emulator keeps {self.taken:,} bytes of bodies already, and {self.most:,} at most: start a new "
                "one, or one that keeps more, with Emulator(max_kept=...)"
            )
