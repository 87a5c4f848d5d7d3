"""The soak, for as long as a test may take."""

import pytest

from tests.faults.soak import MAX_GROWTH, soak


def test_a_few_seconds_of_chaos(capsys: pytest.CaptureFixture[str], pytestconfig: pytest.Config) -> None:
    """Everything goes wrong now and then, and each scene becomes one input; what is held is told.

    Whether it grows can only be told after a longer time.
    """
    wrong = [complaint for complaint in soak(4, pytestconfig.getoption("seed")) if "grew by" not in complaint]
    assert wrong == []
    said = capsys.readouterr().out
    assert said.count(" settled ") == 12
    assert all(name in said for name in MAX_GROWTH)
