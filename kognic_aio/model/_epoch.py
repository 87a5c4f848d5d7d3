"""In which unit a Unix timestamp is likely to be."""

EARLIEST = 1_262_304_000 * 10**9
"""2010 in nanoseconds of Unix time. Before, nobody recorded what is annotated today; 1 s, as of tests, reads 2001."""

LATEST = 2_000_000_000 * 10**9
"""2033 in nanoseconds of Unix time. It ends before 2 s, as of tests, would read as a date in seconds."""

UNITS = {"seconds": 10**9, "milliseconds": 10**6, "microseconds": 10**3}
"""Nanoseconds of the units that are taken for nanoseconds."""


def is_date(nanoseconds: float) -> bool:
    """Whether a Unix timestamp is of the years in which scenes are recorded."""
    return EARLIEST <= nanoseconds < LATEST


def looks_like(*timestamps: float) -> str | None:
    """The unit in which all of some Unix timestamps are dates, None if there is none but nanoseconds."""
    return next((unit for unit, factor in UNITS.items() if all(is_date(t * factor) for t in timestamps)), None)
