"""Hostile servers: whatever they answer, a call ends soon, takes little memory, and fails by an error of ours."""

import json
import subprocess
import sys
from itertools import groupby
from pathlib import Path

import pytest

from tests.cost import MEGABYTES, SECONDS
from tests.http.attacks import KINDS

ROOT = Path(__file__).parents[2]


KINDS_OF = {answer: [*kinds] for answer, kinds in groupby(sorted(KINDS), lambda kind: kind.partition(",")[0])}
"""The kinds of attack by what is answered: they are tried one after another."""


@pytest.mark.parametrize("answer", KINDS_OF)
def test_a_hostile_server(answer: str) -> None:
    """No answer costs more than seconds, or 300 MB, and what cannot be read is an error."""
    command = [sys.executable, "-m", "tests.http.attacks", *KINDS_OF[answer]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
    assert not done.returncode, done.stderr[-3000:]
    ended, megabytes = json.loads(done.stdout)
    assert megabytes < MEGABYTES, ended
    assert {name: told for name, (told, seconds) in ended.items() if seconds > SECONDS or len(told) > 5000} == {}
    assert done.stderr == ""
