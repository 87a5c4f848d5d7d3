import json
import subprocess
from collections.abc import Callable

import pytest

from kognic_aio.emulator import CALIBRATION_EXTERNAL_ID, CALIBRATION_ID, CAMERAS, LIDARS
from tests.cli.support import table

Look = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.mark.parametrize("options", [[], ["--id", CALIBRATION_ID], ["--external-id", CALIBRATION_EXTERNAL_ID]])
def test_calibrations(look: Look, options: list[str]) -> None:
    """Calibrations, all or those that are named, are a table."""
    done = look("calibration", *options)

    assert done.returncode == 0
    header, row = table(done.stdout)
    assert header == ["id", "external_id", "created"]
    assert row[:2] == [CALIBRATION_ID, CALIBRATION_EXTERNAL_ID]


def test_json(look: Look) -> None:
    """As JSON, one calibration is an object, several are an array, and both have the calibration of every sensor."""
    one = json.loads(look("calibration", "--id", CALIBRATION_ID, "--json").stdout)
    several = json.loads(look("calibration", "--json").stdout)

    assert several == [one]
    assert one.keys() == {"id", "external_id", "created", "workspace_id", "calibration"}
    assert one["calibration"].keys() == {*CAMERAS, *LIDARS}
    assert one["calibration"]["lidar"]["calibration_type"] == "lidar"
    assert one["calibration"]["lidar"]["position"].keys() == {"x", "y", "z"}


def test_raw(look: Look) -> None:
    """With --raw the calibration of every sensor stands below the table."""
    head, _, calibration = look("calibration", "--id", CALIBRATION_ID, "--raw").stdout.partition("\n\n")

    assert table(head)[1][0] == CALIBRATION_ID
    assert json.loads(calibration).keys() == {*CAMERAS, *LIDARS}


@pytest.mark.parametrize("option", ["--id", "--external-id"])
def test_unknown(look: Look, option: str) -> None:
    """A calibration that is not there ends with 1 and one line."""
    done = look("calibration", option, "nowhere", "--json")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    assert "nowhere" in done.stderr
