"""Where inputs go: whether the project is there and its batch open, and what there is instead."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from difflib import get_close_matches

from kognic_aio._http.api import Api
from kognic_aio.errors import (
    BadRequestError,
    BatchClosedError,
    ConflictError,
    KognicError,
    NotFoundError,
    ProjectNotFoundError,
    RunError,
    UnknownBatchError,
    UnknownProjectError,
)
from kognic_aio.model import ProjectBatch, ProjectBatchStatus
from kognic_aio.resources.project import ProjectResource

MAX_NAMES = 10
"""How many projects or batches an error names at most."""


async def check_target(projects: ProjectResource, project: str, batch: str | None) -> None:
    """See that a project exists and a batch of it takes inputs.

    Args:
        projects: Asked for the project.
        project: Its external id.
        batch: External id of the batch, None for the latest open one.

    Raises:
        UnknownProjectError: If there is no such project.
        UnknownBatchError: If there is no such batch, or none was named and several are open.
        BatchClosedError: If the batch is closed for new inputs, or none was named and none is open.
    """
    try:
        batches = await projects.get_project_batches(project)
    except NotFoundError as error:
        there_are = await _other_projects(projects, project)
        raise UnknownProjectError(f"project {project!r} does not exist, or you may not see it{there_are}") from error
    if batch is None:
        _check_one_is_open(project, batches)
    else:
        _check_takes_inputs(project, batch, batches)


@asynccontextmanager
async def explaining_target(api: Api, project: str | None, batch: str | None) -> AsyncGenerator[None, None]:
    """If the platform refuses what is done in here because of the project or batch, the error says what there is.

    Args:
        api: The input API.
        project: External id of the project that is named in the request, if one is.
        batch: External id of the batch, if one is named.

    Raises:
        ProjectNotFoundError: In place of a `NotFoundError`, if it is the project or the batch that does not exist.
    """
    try:
        yield
    except (BadRequestError, ConflictError, NotFoundError) as error:
        problem = None if project is None else await _problem(ProjectResource(api), project, batch)
        if problem is None:
            raise
        error.explain(problem)
        if not isinstance(error, NotFoundError):
            raise
        refusal = error
    else:
        return
    raise ProjectNotFoundError(
        str(refusal.args[0]),
        status=refusal.status,
        method=refusal.method,
        url=refusal.url,
        request_id=refusal.request_id,
    ) from refusal


async def _problem(projects: ProjectResource, project: str, batch: str | None) -> str | None:
    """What is wrong with a project and batch, None if nothing is or nobody knows."""
    try:
        await check_target(projects, project, batch)
    except RunError as problem:
        return str(problem)
    except KognicError:
        return None
    return None


async def _other_projects(projects: ProjectResource, project: str) -> str:
    """The projects that there are, as the end of a sentence; nothing if the platform does not tell."""
    try:
        names = [found.project for found in await projects.get_projects()]
    except KognicError:
        return ""
    return (
        f"; there are: {_nearest(project, {name: repr(name) for name in names})}" if names else "; you see no project"
    )


def _check_one_is_open(project: str, batches: Sequence[ProjectBatch]) -> None:
    open_ones = _open_ones(batches)
    if not open_ones:
        raise BatchClosedError(f"project {project!r} has no open batch: {_listed(batches)}")
    if len(open_ones) > 1:
        names = _nearest("", {name: repr(name) for name in open_ones})
        raise UnknownBatchError(f"project {project!r} has several open batches, pass one as batch=: {names}")


def _check_takes_inputs(project: str, batch: str, batches: Sequence[ProjectBatch]) -> None:
    named = next((found for found in batches if found.batch == batch), None)
    if named is None:
        raise UnknownBatchError(f"project {project!r} has no batch {batch!r}: {_listed(batches, batch)}")
    if not named.takes_inputs:
        open_ones = _nearest(batch, {name: repr(name) for name in _open_ones(batches)}) or "none"
        raise BatchClosedError(
            f"batch {batch!r} of project {project!r} is {named.status.value}, closed for new inputs; open: {open_ones}"
        )


def _open_ones(batches: Sequence[ProjectBatch]) -> list[str]:
    """The open batches, each once."""
    return list(dict.fromkeys(found.batch for found in batches if found.status is ProjectBatchStatus.OPEN))


def _listed(batches: Sequence[ProjectBatch], near: str = "") -> str:
    shown = {batch.batch: f"{batch.batch} ({batch.status.value})" for batch in batches}
    return _nearest(near, shown) or "it has none"


def _nearest(name: str, shown: dict[str, str]) -> str:
    """Some of several names, as they are to be shown: those that are most like one name, and how many more there are.

    Args:
        name: What they are to be like; if it is empty, the last are taken, which are the newest.
        shown: The names, and how to show each.
    """
    nearest = get_close_matches(name, shown, n=MAX_NAMES, cutoff=0.0) if name else [*shown][-MAX_NAMES:]
    more = len(shown) - len(nearest)
    return ", ".join(shown[each] for each in nearest) + (f" and {more} more" if more else "")
