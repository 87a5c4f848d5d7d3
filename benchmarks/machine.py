"""Where figures come from: the machine, the versions, the date. No name of a host, no path."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil
from attrs import frozen

from benchmarks.child import ROOT

PACKAGES = ("kognic-aio", "aiohttp", "uvloop", "kognic-io")


@frozen(kw_only=True)
class Origin:
    """Where figures come from.

    Args:
        processor: Its model.
        cores: How many of them the benchmarks may use.
        memory: Bytes of memory.
        system: The kernel.
        python: The version of Python.
        packages: The versions of the contenders' packages.
        date: The day.
        commit: The commit of this repository, with `+` if files differ from it; None outside of git.
    """

    processor: str
    cores: int
    memory: int
    system: str
    python: str
    packages: dict[str, str]
    date: str
    commit: str | None

    @classmethod
    def here(cls) -> "Origin":
        """This machine, now."""
        return cls(
            processor=_processor(),
            cores=os.cpu_count() or 1,
            memory=psutil.virtual_memory().total,
            system=f"{platform.system()} {platform.release()}",
            python=f"{platform.python_implementation()} {platform.python_version()}",
            packages={name: version(name) for name in PACKAGES},
            date=datetime.now(UTC).date().isoformat(),
            commit=_commit(),
        )

    def __str__(self) -> str:
        machine = f"{self.processor}, {self.cores} cores, {self.memory / 1e9:.0f} GB, {self.system}, {self.python}"
        packages = ", ".join(f"{name} {number}" for name, number in self.packages.items())
        return f"{machine}; {packages}; {self.date}" + (f", commit {self.commit}" if self.commit else "")


def _processor() -> str:
    """The model of the processor, as the kernel names it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def _commit() -> str | None:
    command = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    try:
        described = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return described.stdout.strip()
