# The names of the package, which `__init__.py` imports when they are used.

from .batches import BatchProgress, batch_progress
from .check import check_scene
from .downloads import Downloaded, download
from .online import check_online
from .problem import Problem, Severity
from .report import Row, check_report, read_report, write_report
from .schema import manifest_schema
from .source import Shard, count_scenes, read
from .surveys import survey
from .uploads import Upload, upload
from .verify import Presence, Verified, verify

__all__ = [
    "BatchProgress",
    "Downloaded",
    "Presence",
    "Problem",
    "Row",
    "Severity",
    "Shard",
    "Upload",
    "Verified",
    "batch_progress",
    "check_online",
    "check_report",
    "check_scene",
    "count_scenes",
    "download",
    "manifest_schema",
    "read",
    "read_report",
    "survey",
    "upload",
    "verify",
    "write_report",
]
