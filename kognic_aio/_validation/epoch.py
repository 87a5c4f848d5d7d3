"""The unit in which a Unix timestamp is likely to be."""

EARLIEST = 1_262_304_000 * 10**9
"""2010 in nanoseconds of Unix time. Recordings are newer, and the 1 s of a test, read in seconds, is in 2001."""

LATEST = 2_000_000_000 * 10**9
"""2033 in nanoseconds of Unix time. The 2 s of a test, read in seconds, are a later date."""

UNITS = {"seconds": 10**9, "milliseconds": 10**6, "microseconds": 10**3}
"""Nanoseconds of each unit that people mistake for nanoseconds."""


def is_date(nanoseconds: float) -> bool:
    """Whether a Unix timestamp is of the years in which scenes were recorded."""
    return EARLIEST <= nanoseconds < LATEST


def looks_like(*timestamps: float) -> str | None:
    """The unit other than nanoseconds in which all of some Unix timestamps are dates, None if there is none."""
    return next((unit for unit, factor in UNITS.items() if all(is_date(t * factor) for t in timestamps)), None)
