"""Whatever comes from outside, a parser has a value or an error of ours, and soon."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.cost import bounded_work
from tests.fuzz.targets import TARGETS, Target

SETTINGS = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
MANY, FEW = settings(SETTINGS, max_examples=300), settings(SETTINGS, max_examples=150)

FAST = {name: target for name, target in TARGETS.items() if not target.is_slow}
SLOW = {name: target for name, target in TARGETS.items() if target.is_slow}

BYTES = st.binary(max_size=40) | st.binary(min_size=40, max_size=400)


def checked(target: Target, data: bytes) -> None:
    """Give a parser bytes, and see that it has little work with them."""
    with bounded_work():
        target.check(data)


@pytest.mark.parametrize("name", FAST)
@MANY
@given(data=BYTES)
@example(data=b"")
def test_any_bytes(name: str, data: bytes) -> None:
    """Any bytes are a value or an error of ours."""
    checked(FAST[name], data)


@pytest.mark.parametrize("name", SLOW)
@FEW
@given(data=BYTES)
@example(data=b"")
def test_any_bytes_in_files_and_on_sockets(name: str, data: bytes) -> None:
    """The same if they are read from a file or a socket."""
    checked(SLOW[name], data)


@pytest.mark.parametrize("name", TARGETS)
def test_seeds(name: str) -> None:
    """What the coverage-guided fuzzer starts from passes."""
    for seed in TARGETS[name].seeds:
        checked(TARGETS[name], seed)
