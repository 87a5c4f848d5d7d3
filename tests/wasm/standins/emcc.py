"""An emcc that compiles with zig, which has the same clang: its own options are put in the linker's words."""

import json
import subprocess
import sys

EXPORTED = "-sEXPORTED_FUNCTIONS="
TARGET = ("-target", "wasm32-freestanding")


def translated(argument: str) -> list[str]:
    if argument.startswith(EXPORTED):
        return [f"-Wl,--export={name.removeprefix('_')}" for name in json.loads(argument.removeprefix(EXPORTED))]
    return [] if argument == "-sSTANDALONE_WASM" else [argument]


tool = "cc" if any(argument.endswith(".c") for argument in sys.argv) else "c++"
arguments = [word for argument in sys.argv[1:] for word in translated(argument)]
sys.exit(subprocess.call([sys.executable, "-m", "ziglang", tool, *TARGET, *arguments]))
