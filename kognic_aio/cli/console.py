"""Where the output goes."""

import os

from rich.console import Console

PLAIN_WIDTH = 160
"""Columns of a file or pipe, which has no width of its own."""


def open_console() -> Console:
    """The standard output. Names of files and words of the platform are printed as they are, never as markup."""
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PLAIN_WIDTH
    return console
