"""A compiler that records how it was called, says what it is told to, and writes a module if it has an output."""

import json
import os
import sys
from pathlib import Path

Path(os.environ["RECORD"]).write_text(
    json.dumps({"arguments": sys.argv[1:], "folder": str(Path.cwd()), "flags": os.environ.get("RUSTFLAGS")})
)
for argument in sys.argv:
    if argument.startswith("-o"):
        Path(argument.removeprefix("-o")).write_bytes(Path(os.environ["MODULE"]).read_bytes())
sys.stdout.write(os.environ.get("MESSAGES", ""))
