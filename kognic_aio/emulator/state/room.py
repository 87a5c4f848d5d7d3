"""How much a platform keeps of what clients send."""

import attrs

from kognic_aio.emulator.checks import check_whole
from kognic_aio.emulator.errors import FullError

MAX_KEPT = 2**30


def _is_whole(_: object, attribute: "attrs.Attribute[int]", value: object) -> None:
    check_whole(attribute.name, value)


@attrs.define
class Room:
    """Counts the bytes of the bodies that are kept, in whichever form: of scenes, calibrations, annotations, reviews.

    Of uploaded files next to nothing is kept, so that they may be of any size.

    Args:
        max_kept: how many bytes are kept at most.
        taken: how many there are.
    """

    max_kept: int = attrs.field(default=MAX_KEPT, validator=_is_whole)
    taken: int = 0

    def check(self, size: int) -> None:
        """Check that a body still fits.

        Raises:
            FullError: it does not.
        """
        if self.taken + size > self.max_kept:
            raise FullError(
                f"the emulator keeps {self.taken:,} bytes of bodies already, and {self.max_kept:,} at most: start a "
                "new one, or one that keeps more, with Emulator(max_kept=...)"
            )
