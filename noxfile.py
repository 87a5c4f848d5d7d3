"""What is checked, and how: `nox` runs lint, types, layers and tests; the other sessions run when asked for."""

import nox

nox.options.sessions = ["lint", "types", "layers", "tests"]
nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = True

PYPROJECT = nox.project.load_toml("pyproject.toml")


def group(name: str) -> tuple[str, ...]:
    """The requirements of one dependency group of pyproject.toml."""
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
    """Run the tests against the emulator, on two processes; arguments go to pytest."""
    session.install("-e", ".[cli,openlabel,wasm]", *group("test"))
    # A file's tests share what is slow to start, such as a store. Most tests wait more than they compute.
    session.run("pytest", "--numprocesses", "2", "--dist", "loadfile", *session.posargs)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Time kognic_aio beside kognic-io on the same scenes; arguments go to the benchmark."""
    session.install("-e", ".", *group("test"))
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def faults(session: nox.Session) -> None:
    """Run every fault at every step, a hundred kills, and kognic-io beside; arguments such as --seed go to pytest."""
    session.install("-e", ".[cli,openlabel,wasm]", *group("test"))
    session.run("pytest", "tests/faults", "--whole", *session.posargs)


@nox.session(python="3.11")
def fuzz(session: nox.Session) -> None:
    """Fuzz every parser of what comes from outside for 20 minutes, guided by coverage; `--seconds` takes others."""
    session.install("-e", ".", *group("fuzz"))
    session.run("python", "-m", "tests.fuzz.coverage_guided", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """Ingest under faults for 30 minutes, and see that nothing grows; `--minutes` takes another time."""
    session.install("-e", ".", *group("test"))
    session.run("python", "-m", "tests.faults.soak", *session.posargs)
