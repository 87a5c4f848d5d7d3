"""What the platform asks of a module."""

FUNCTION_NAME = "project_point_to_image"
"""The function that it exports."""

SIGNATURE = "(f64, f64, f64) -> (f64, f64)"
"""From x, y and z in metres to u and v in pixels."""

BASE_POINT = (1.0, 2.0, 1.0)
"""A point that every module can project."""

TOLERANCE = 1e-5
"""How near a projection has to be to that of a test case, in pixels."""

USUAL_SIZE = 1000
"""Bytes that a module rarely exceeds, unless its compiler has put into it what it does not need."""
