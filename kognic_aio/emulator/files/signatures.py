"""Detects the format of a file by its first bytes, whatever its name says."""

from kognic_aio.emulator.files.incoming import BadFileError

SIGNATURE_SIZE = 64
"""Bytes that contain every signature."""
MAX_SHOWN = 24

PREFIXES = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"LASF": "LAS",
    b"PK\x03\x04": "ZIP",
    b"\x1f\x8b": "gzip",
    b"%PDF": "PDF",
}
AVIF_BRANDS = {b"avif", b"avis"}


def format_of(head: bytes) -> str | None:
    """The format of a file by its first bytes, or None if no signature matches."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head[4:8] == b"ftyp" and AVIF_BRANDS & _brands(head):
        return "AVIF"
    if head.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return "HTML"
    return next((name for prefix, name in PREFIXES.items() if head.startswith(prefix)), None)


def _brands(head: bytes) -> set[bytes]:
    """The brands that a file of ISO's base media format claims to follow (ISO/IEC 14496-12, 4.3)."""
    size = int.from_bytes(head[:4], "big")
    major, compatible = head[8:12], head[16:size]
    return {major, *(compatible[index : index + 4] for index in range(0, len(compatible), 4))}


def not_a(expected: str, head: bytes) -> BadFileError:
    """The error for a file of another format than expected; it names the format of the first bytes."""
    found = format_of(head)
    seen = f"begins with {head[:MAX_SHOWN]!r}" if found is None else f"is {found}"
    return BadFileError(f"must be {expected}, but {seen}")
