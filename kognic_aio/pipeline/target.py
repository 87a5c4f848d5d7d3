"""Where a run's inputs go, looked at before anything is uploaded."""

from collections.abc import Sequence

from kognic_aio.client import KognicIOClient
from kognic_aio.errors import BatchClosedError, NotFoundError, UnknownBatchError, UnknownProjectError
from kognic_aio.model import ProjectBatch, ProjectBatchStatus


async def check_target(client: KognicIOClient, project: str, batch: str | None) -> None:
    """See that the project exists and the batch takes inputs.

    Raises:
        UnknownProjectError: If there is no such project.
        UnknownBatchError: If there is no such batch, or none was named and several are open.
        BatchClosedError: If the batch is closed for new inputs, or none was named and none is open.
    """
    try:
        batches = await client.project.get_project_batches(project)
    except NotFoundError as error:
        raise UnknownProjectError(f"project {project!r} does not exist, or you may not see it") from error
    if batch is None:
        _check_one_is_open(project, batches)
    else:
        _check_takes_inputs(project, batch, batches)


def _check_one_is_open(project: str, batches: Sequence[ProjectBatch]) -> None:
    open_ones = [found.batch for found in batches if found.status is ProjectBatchStatus.OPEN]
    if not open_ones:
        raise BatchClosedError(f"project {project!r} has no open batch: {_listed(batches)}")
    if len(open_ones) > 1:
        raise UnknownBatchError(f"project {project!r} has several open batches, pass one as batch=: {open_ones}")


def _check_takes_inputs(project: str, batch: str, batches: Sequence[ProjectBatch]) -> None:
    named = next((found for found in batches if found.batch == batch), None)
    if named is None:
        raise UnknownBatchError(f"project {project!r} has no batch {batch!r}: {_listed(batches)}")
    if not named.takes_inputs:
        raise BatchClosedError(f"batch {batch!r} of project {project!r} is {named.status.value}, closed for new inputs")


def _listed(batches: Sequence[ProjectBatch]) -> str:
    return ", ".join(f"{batch.batch} ({batch.status.value})" for batch in batches) or "it has none"
