"""Images, distinguished by their first bytes."""

from kognic_aio.emulator.files.incoming import Incoming, Reading
from kognic_aio.emulator.files.signatures import SIGNATURE_SIZE, format_of, not_a


def check_image(expected: str, image: Incoming) -> Reading[None]:
    """Check that an image has the format that its name says: AVIF, JPEG, PNG or WebP."""
    head = yield from image.take(SIGNATURE_SIZE)
    if format_of(head) != expected:
        raise not_a(expected, head)
