"""What an emulator is told to be is looked at when it is told."""

import math
from typing import Any

import pytest

from kognic_aio.emulator import Emulator

SECONDS = [
    "api_latency",
    "storage_latency",
    "processing_time",
    "url_lifetime",
    "token_lifetime",
    "visibility_lag",
]
WRONG = [
    *[(name, -1, ValueError) for name in SECONDS if "lifetime" not in name],
    *[(name, math.nan, ValueError) for name in SECONDS],
    *[(name, value, TypeError) for name in SECONDS for value in ("1", True, [1])],
    ("unknown_scenes", "bogus", ValueError),
    ("unknown_scenes", 1, ValueError),
    ("allowed_hosts", "emulator", TypeError),
    ("allowed_hosts", [1], TypeError),
    *[("allowed_hosts", ["emulator", name], ValueError) for name in ("", "a b", "http://a", "*", "a..b", "a:b", "[:")],
    ("allowed_hosts", ["a:65536"], ValueError),
    ("allowed_hosts", ["a" * 64], ValueError),
    ("max_kept", -1, ValueError),
    ("max_kept", "1", TypeError),
    ("port", -1, ValueError),
    ("port", 65536, ValueError),
    ("port", 1.5, TypeError),
    ("keep_requests", -1, ValueError),
    ("keep_requests", "7", TypeError),
    ("rate_limit", 0, ValueError),
    ("rate_limit", math.nan, ValueError),
    ("rate_limit", "10", TypeError),
    ("rate_limit", True, TypeError),
    ("checksums", "no", TypeError),
    ("reads_files", 0, TypeError),
]


@pytest.mark.parametrize(("name", "value", "kind"), WRONG)
def test_an_option_that_makes_no_sense(name: str, value: object, kind: type[Exception]) -> None:
    """It is refused at once, by its name and with what is expected instead."""
    options: dict[str, Any] = {name: value}
    with pytest.raises(kind, match=rf"^{name}: expected .*, got "):
        Emulator(**options)


@pytest.mark.parametrize("name", ["processing_time", "url_lifetime", "token_lifetime", "visibility_lag"])
def test_a_duration_that_is_set_later(name: str) -> None:
    """What may be changed while the emulator runs is looked at as well; the value of before stays."""
    timing = Emulator(**{name: 5.0}).platform.timing  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"^{name}: expected seconds"):
        setattr(timing, name, math.nan)
    assert getattr(timing, name) == 5.0


def test_what_is_done_about_unknown_scenes() -> None:
    """So it is with the answer about unknown scenes."""
    scenes = Emulator(unknown_scenes="omit").platform.scenes
    with pytest.raises(ValueError, match="expected 'refuse' or 'omit', got 'ignore'"):
        scenes.unknown_scenes = "ignore"  # type: ignore[assignment]
    assert scenes.unknown_scenes == "omit"
