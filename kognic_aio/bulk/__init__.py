"""What people have on disk, to the platform and back: manifests and folders, checks, uploads and reports.

from kognic_aio import KognicIOClient, bulk

async with KognicIOClient() as client:
    async for result in bulk.upload(client, "recordings", "my-project", journal="recordings.kognic-journal"):
        print(result.external_id, result.status)
"""

from kognic_aio.bulk.batches import BatchProgress, batch_progress
from kognic_aio.bulk.check import check_scene
from kognic_aio.bulk.downloads import Downloaded, download
from kognic_aio.bulk.online import check_online
from kognic_aio.bulk.problem import Problem, Severity
from kognic_aio.bulk.report import Row, check_report, read_report, write_report
from kognic_aio.bulk.schema import manifest_schema
from kognic_aio.bulk.source import Shard, count_scenes, read
from kognic_aio.bulk.surveys import survey
from kognic_aio.bulk.uploads import Upload, upload
from kognic_aio.bulk.verify import Presence, Verified, verify

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
