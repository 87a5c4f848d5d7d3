import pytest

# Assertions in helpers explain themselves as well.
pytest.register_assert_rewrite("tests.emulator", "tests.faults", "tests.files", "tests.fuzz")
