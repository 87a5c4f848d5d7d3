import json
import subprocess
from collections.abc import Callable
from datetime import datetime

import pytest

from tests.cli.support import table

Look = Callable[..., "subprocess.CompletedProcess[str]"]


def test_projects(look: Look) -> None:
    """All projects are a table."""
    done = look("projects")

    assert done.returncode == 0
    assert done.stderr == ""
    header, *rows = done.stdout.splitlines()
    assert header.split() == ["created", "project", "title", "description", "status"]
    assert [row.split()[2] for row in rows] == ["project-a", "project-b"]


def test_json(look: Look) -> None:
    """As JSON, all projects are an array of objects with every field; a moment is ISO 8601 with its offset."""
    done = look("projects", "--json")

    assert done.returncode == 0
    projects = json.loads(done.stdout)
    assert [project["project"] for project in projects] == ["project-a", "project-b"]
    assert projects[0].keys() == {"created", "title", "description", "status", "project"}
    assert datetime.fromisoformat(projects[0]["created"]).tzinfo is not None


def test_one_project(look: Look) -> None:
    """As JSON, a project that is named is an object."""
    done = look("projects", "project-b", "--json")

    assert json.loads(done.stdout)["project"] == "project-b"


@pytest.mark.parametrize(
    "command",
    [
        ["projects", "project-a", "--get-batches"],
        ["project", "project-a", "--batches"],
        ["batches", "list", "project-a"],
    ],
)
def test_batches(look: Look, command: list[str]) -> None:
    """The batches of a project are a table, under the official command's name and the guide's."""
    done = look(*command)

    assert done.returncode == 0
    header, *rows = table(done.stdout)
    assert header == ["created", "project", "batch", "title", "status", "updated"]
    assert [row[1:5] for row in rows] == [
        ["project-a", "batch-1", "batch-1", "completed"],
        ["project-a", "batch-2", "batch-2", "open"],
        ["project-a", "batch-3", "batch-3", "pending"],
    ]


def test_batch_from_open_to_ready(look: Look) -> None:
    """A batch is created open, after publishing the previous ones if one says so, and published."""
    first = json.loads(look("batches", "create", "project-b", "batch-2", "--json").stdout)
    assert (first["batch"], first["status"]) == ("batch-2", "open")

    created = table(look("batches", "create", "project-b", "batch-3", "--publish-previous-batches").stdout)
    assert created[1][2:5] == ["batch-3", "batch-3", "open"]

    published = json.loads(look("batches", "publish", "project-b", "batch-3", "--json").stdout)
    assert (published["batch"], published["status"]) == ("batch-3", "ready")

    batches = json.loads(look("batches", "list", "project-b", "--json").stdout)
    assert {batch["batch"]: batch["status"] for batch in batches} == {
        "batch-1": "ready",
        "batch-2": "ready",
        "batch-3": "ready",
    }


@pytest.mark.parametrize(
    "command",
    [
        ["projects", "nowhere"],
        ["project", "nowhere", "--batches"],
        ["batches", "publish", "project-a", "nowhere"],
        ["batches", "create", "project-a", "batch-1"],
    ],
)
def test_refused(look: Look, command: list[str]) -> None:
    """An unknown project or batch, and one that is there already, end with 1 and one line, and nothing is shown."""
    done = look(*command, "--json")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    assert ("nowhere" if "nowhere" in command else "batch-1") in done.stderr
