"""`kognicutil wasm`: the modules of custom camera calibrations."""

import asyncio
from pathlib import Path

import click

from kognic_aio._http.wire import decode
from kognic_aio._json import read_json
from kognic_aio._regular import read_all
from kognic_aio.cli.output import say
from kognic_aio.model.calibration import TestCase
from kognic_aio.wasm import compile_to_wasm, validate_wasm_file

MAX_TEST_CASES_BYTES = 1 << 20
"""Bytes of a file of test cases. A test case takes about 100."""

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def read_test_cases(_: click.Context, __: click.Parameter, path: Path | None) -> list[TestCase]:
    """The test cases in a JSON file, in the form of calibrations."""
    if path is None:
        return []
    try:
        return decode(read_json(read_all(path, MAX_TEST_CASES_BYTES)), list[TestCase])
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"no test cases in {path}: {error}") from error


@click.group(epilog="Example: kognicutil wasm compile camera.c camera.wasm")
def wasm() -> None:
    """Compile and validate the WebAssembly modules of custom camera calibrations."""


@wasm.command("compile", epilog="Example: kognicutil wasm compile camera.c camera.wasm")
@click.argument("source", metavar="SRC", type=FILE)
@click.argument("output", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--skip-validation", is_flag=True, help="Write the module even if it is not valid.")
def compile_(source: Path, output: Path, skip_validation: bool) -> None:
    """Compile SRC to the WebAssembly module OUT.

    SRC is a .c, .cc or .cpp file, which takes emcc, a .rs file, which takes rustc, or a Cargo.toml, which takes cargo.
    """
    module = asyncio.run(compile_to_wasm(input_path=source, output_wasm=output, skip_validation=skip_validation))
    say(f"{source} is compiled to {output}, {len(module)} bytes")


@wasm.command(epilog="Example: kognicutil wasm validate camera.wasm")
@click.argument("file", metavar="FILE", type=FILE)
@click.option("--test-cases", type=FILE, callback=read_test_cases, help="Known projections: a JSON list of test cases.")
def validate(file: Path, test_cases: list[TestCase]) -> None:
    """Check that the WebAssembly module FILE can project points.

    A test case is {"point3d": {"x": 1, "y": 2, "z": 1}, "point2d": {"x": 420, "y": 440}}.
    """
    asyncio.run(validate_wasm_file(file, test_cases))
    say(f"{file} is valid{', and agrees with all test cases' if test_cases else ''}")
