"""Custom camera calibrations: WebAssembly modules that project points to images."""
