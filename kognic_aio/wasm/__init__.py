"""Custom camera calibrations: WebAssembly modules that project points to images, compiled and validated.

Modules are run by wasmtime, which comes with the extra `wasm`.
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
