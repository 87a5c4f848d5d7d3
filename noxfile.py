"""The checks: `nox` runs lint, types, layers and tests. The other sessions run on request."""

import nox

nox.options.sessions = ["lint", "types", "layers", "tests"]
nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = True

PYPROJECT = nox.project.load_toml("pyproject.toml")


def group(name: str) -> tuple[str, ...]:
    """Return the requirements of a dependency group in pyproject.toml."""
    return nox.project.dependency_groups(PYPROJECT, name)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting with ruff."""
    session.install(*group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types with mypy strict and pyright strict."""
    session.install("-e", ".[cli,openlabel,wasm]", "nox", *group("types"))
    session.run("mypy")
    session.run("pyright")


@nox.session
def layers(session: nox.Session) -> None:
    """Check that dependencies point down through the layers."""
    session.install("-e", ".", *group("layers"))
    session.run("lint-imports")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests against the emulator, in three processes; arguments go to pytest."""
    session.install("-e", ".[cli,openlabel,wasm]", *group("test"))
    # `loadfile`, because the tests of a file share fixtures that start slowly, such as an object store. Three processes
    # even on two cores, because most tests wait more than they compute.
    # No new process for one that a hanging test has ended: with `loadfile` it would begin with the same test.
    options = ("--numprocesses", "3", "--dist", "loadfile", "--max-worker-restart", "0")
    session.run("pytest", *options, *session.posargs)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Measure kognic_aio beside kognic-io and bare sockets, which takes over an hour; arguments go to the command."""
    session.install("-e", ".", *group("benchmarks"))
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def faults(session: nox.Session) -> None:
    """Run every fault at every step, a hundred kills, and kognic-io under the same faults; arguments go to pytest."""
    session.install("-e", ".[cli,openlabel,wasm]", *group("test"))
    session.run("pytest", "tests/faults", "--whole", *session.posargs)


@nox.session(python="3.11")
def fuzz(session: nox.Session) -> None:
    """Fuzz every parser of outside data for 20 minutes, guided by coverage; `--seconds` sets another time."""
    session.install("-e", ".", *group("fuzz"))
    session.run("python", "-m", "tests.fuzz.coverage_guided", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """Ingest under faults for 30 minutes, and check that nothing grows; `--minutes` sets another time."""
    session.install("-e", ".", *group("test"))
    session.run("python", "-m", "tests.faults.soak", *session.posargs)
