"""Compiles and validates the WebAssembly modules of custom camera calibrations, which project points to images.

The extra `wasm` installs wasmtime, which runs modules.
"""

from kognic_aio.wasm.compilation import compile_to_wasm
from kognic_aio.wasm.validation import (
    validate_custom_camera_calibration,
    validate_wasm_binary,
    validate_wasm_file,
)

__all__ = [
    "compile_to_wasm",
    "validate_custom_camera_calibration",
    "validate_wasm_binary",
    "validate_wasm_file",
]
