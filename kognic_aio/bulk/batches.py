"""How far the batches of a project are."""

from collections import Counter, defaultdict
from collections.abc import Mapping

from attrs import frozen

from kognic_aio._tasks import map_in_order
from kognic_aio.client import KognicIOClient
from kognic_aio.model import ProjectBatch, ProjectBatchStatus

AT_ONCE = 8
"""Batches that are asked for at once."""

INVALIDATED = "invalidated"


@frozen(kw_only=True)
class BatchProgress:
    """How far a batch is.

    Args:
        project, batch: External ids of the project and the batch.
        status: The batch's status.
        scenes: Scenes that have or had inputs in it.
        inputs: Its inputs. A scene has one for each request.
        by_status: How many of the scenes have each status.
    """

    project: str
    batch: str
    status: ProjectBatchStatus
    scenes: int
    inputs: int
    by_status: Mapping[str, int]


async def batch_progress(client: KognicIOClient, project: str) -> list[BatchProgress]:
    """Find out how far the batches of a project are, in the order of the platform.

    Args:
        client: An open client.
        project: External id of the project.

    Raises:
        NotFoundError: If there is no such project.
        ApiError: If the platform refuses.

    Endpoints: `GET v1/projects/{project}/batches`, `POST v1/inputs/fetch`, `POST v2/inputs/query` for each batch
    """
    batches = await client.project.get_project_batches(project)
    statuses: dict[str, Counter[str]] = defaultdict(Counter)
    # Only the older call returns the statuses of scenes by batch.
    async for entry in client.input.get_inputs(project):  # pyright: ignore[reportDeprecated]
        statuses[entry.batch][entry.status.value] += 1
    async for entry in client.input.get_inputs(project, include_invalidated=True):  # pyright: ignore[reportDeprecated]
        statuses[entry.batch][INVALIDATED] += 1

    async def count(batch: ProjectBatch) -> BatchProgress:
        by_status = statuses[batch.batch]
        return BatchProgress(
            project=project,
            batch=batch.batch,
            status=batch.status,
            scenes=by_status.total(),
            inputs=len([each.uuid async for each in client.input.query_inputs(project=project, batch=batch.batch)]),
            by_status=dict(sorted(by_status.items())),
        )

    return await map_in_order(batches, count, workers=AT_ONCE)
