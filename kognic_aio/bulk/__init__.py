"""What people have on disk, to the platform and back: manifests and folders, checks, uploads and reports.

from kognic_aio import KognicIOClient, bulk

async with KognicIOClient() as client:
    async for result in bulk.upload(client, "recordings", "my-project", journal="recordings.kognic-journal"):
        print(result.external_id, result.status)
"""

from kognic_aio.bulk.check import check_scene
from kognic_aio.bulk.problem import Problem, Severity
from kognic_aio.bulk.report import check_report, write_report
from kognic_aio.bulk.source import Shard, count_scenes, read
from kognic_aio.bulk.surveys import survey
from kognic_aio.bulk.uploads import Upload, upload

__all__ = [
    "Problem",
    "Severity",
    "Shard",
    "Upload",
    "check_report",
    "check_scene",
    "count_scenes",
    "read",
    "survey",
    "upload",
    "write_report",
]
