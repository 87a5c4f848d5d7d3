"""Custom camera calibrations: modules made here, and compilers as real processes."""
