"""The time of `import kognic_aio`, compared with that of `import aiohttp`, which it needs."""

import os
import subprocess
import sys
from statistics import median
from tempfile import TemporaryDirectory

RUNS = 10
TARGET = 0.05
"""Seconds that we may add to aiohttp's import."""

UNWANTED = ("pydantic", "click", "rich")

# Only built-in modules are loaded before the clock starts.
PROGRAM = """
import sys, time
module, *unwanted = sys.argv[1:]
began = time.perf_counter()
__import__(module)
print(time.perf_counter() - began, *(name for name in unwanted if name in sys.modules))
"""


def report(runs: int = RUNS) -> str:
    """Import both modules in fresh processes, in turn, and report the medians."""
    times: dict[str, list[float]] = {"aiohttp": [], "kognic_aio": []}
    pulled_in: set[str] = set()
    with TemporaryDirectory(prefix="benchmark-") as bytecode:
        for module in times:
            _import(module, bytecode)  # not timed: compiles the bytecode, which happens once per installation
        for _ in range(runs):
            for module, seconds in times.items():
                took, found = _import(module, bytecode)
                seconds.append(took)
                pulled_in.update(found)
    base, whole = (median(seconds) * 1000 for seconds in times.values())
    return (
        f"import: medians of {runs}\n"
        f"  aiohttp           {base:7.0f} ms\n"
        f"  kognic_aio        {whole:7.0f} ms\n"
        f"  difference        {whole - base:7.0f} ms  (target {TARGET * 1000:.0f} ms)\n"
        f"  imported of {', '.join(UNWANTED)}: {', '.join(sorted(pulled_in)) or 'none'}  (target none)"
    )


def _import(module: str, bytecode: str) -> tuple[float, list[str]]:
    """Import a module in a fresh process.

    Args:
        module: Its name.
        bytecode: The folder for compiled modules. It overrides the environment.

    Returns:
        The seconds that it took, and the unwanted modules that it imported.
    """
    command = [sys.executable, "-c", PROGRAM, module, *UNWANTED]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": bytecode}
    took, *found = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.split()
    return float(took), found
