"""What people have on disk, to the platform and back: manifests and folders, checks, uploads and reports.

from kognic_aio import KognicIOClient, bulk

async with KognicIOClient() as client:
    async for result in bulk.upload(client, "recordings", "my-project", journal="recordings.kognic-journal"):
        print(result.external_id, result.status)
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
