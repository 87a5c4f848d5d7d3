"""A compiler that tells what it knows: its environment, and which `helper` it would start."""

import json
import os
import shutil
import sys
from pathlib import Path

known = {"variables": dict(os.environ), "helper": shutil.which("helper")}
Path(os.environ["RECORD"]).write_text(json.dumps(known))
sys.stderr.write(os.environ.get("WORDS", ""))
sys.exit(1 if "WORDS" in os.environ else 0)
