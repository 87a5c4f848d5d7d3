"""Bounds how much a platform keeps of what clients send."""

import attrs

from kognic_aio.emulator.checks import check_whole
from kognic_aio.emulator.errors import FullError

MAX_KEPT = 2**30


def _is_whole(_: object, attribute: "attrs.Attribute[int]", value: object) -> None:
    check_whole(attribute.name, value)


@attrs.define
class Room:
    """Counts the bytes of bodies that are kept in some form: of scenes, calibrations, annotations and reviews.

    Uploaded files do not count. Almost nothing of them is kept, so they may have any size.

    Args:
        max_kept: Bytes that may be kept.
        taken: Bytes that are kept.
    """

    max_kept: int = attrs.field(default=MAX_KEPT, validator=_is_whole)
    taken: int = 0

    def check(self, size: int) -> None:
        """Check that a body still fits.

        Raises:
            FullError: If it does not.
        """
        if self.taken + size > self.max_kept:
            raise FullError(
                f"the emulator keeps {self.taken:,} bytes of bodies already, and {self.max_kept:,} at most: start a "
                "new one, or one that keeps more, with Emulator(max_kept=...)"
            )
