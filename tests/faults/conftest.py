"""The table of runs, which is printed in the end."""

import pytest

TABLE = pytest.StashKey[list[tuple[object, ...]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TABLE] = []


@pytest.fixture
def table(request: pytest.FixtureRequest) -> list[tuple[object, ...]]:
    """Takes rows: the run, how often its fault was injected, how many results came, how many scenes were abandoned."""
    return request.config.stash[TABLE]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    rows = config.stash.get(TABLE, [])
    if rows:
        terminalreporter.section("faults")
        terminalreporter.write_line(f"{'fault @ step':44}{'injected':>9}{'results':>9}{'abandoned':>11}")
        for run, injected, results, abandoned in rows:
            terminalreporter.write_line(f"{run!s:44}{injected:>9}{results:>9}{abandoned:>11}")
