"""`kognicutil schema`."""

import json
from pathlib import Path

from kognic_aio import bulk
from tests.cli.support import kognicutil


def test_it_is_the_one_that_is_checked_in() -> None:
    """It prints the schema that the package has as a file, and needs neither credentials nor a platform."""
    done = kognicutil("schema", HOME="/nonexistent")
    assert done.returncode == 0
    checked_in = Path(bulk.__file__).with_name("manifest.schema.json")
    assert json.loads(done.stdout) == json.loads(checked_in.read_text())
