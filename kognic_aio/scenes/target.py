"""Checks projects and batches, and lists the alternatives in errors about them."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from difflib import get_close_matches
from typing import TypeVar

from kognic_aio._http.api import Api
from kognic_aio._http.protocol import segment
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
from kognic_aio.model import Project, ProjectBatch, ProjectBatchStatus

T = TypeVar("T")

MAX_NAMES = 10
"""How many projects or batches an error lists."""

MAX_NAME = 100
"""Characters of each name that are compared and shown. A comparison takes time quadratic in the length."""

MAX_COMPARED = 1_000
"""How many names are compared: the newest."""


async def check_target(api: Api, project: str, batch: str | None, *, creates_inputs: bool = True) -> None:
    """Check that a project exists, its batch if one is named, and that inputs can be created in it, by default.

    Raises:
        UnknownProjectError: If there is no such project.
        UnknownBatchError: If there is no such batch, or none was named and several are open.
        BatchClosedError: If the batch is closed for new inputs, or none was named and none is open.
    """
    try:
        batches = await api.get(f"v1/projects/{segment(project)}/batches", list[ProjectBatch])
    except NotFoundError as error:
        problem = f"project {project!r} does not exist, or you may not see it"
        raise UnknownProjectError(problem, instead=await _other_projects(api, project)) from error
    named = next((found for found in batches if found.batch == batch), None)
    if batch is not None and named is None:
        raise UnknownBatchError(f"project {project!r} has no batch {batch!r}: {_listed(api, batches, batch)}")
    if creates_inputs:
        _check_takes_inputs(api, project, named, batches)


def _check_takes_inputs(api: Api, project: str, named: ProjectBatch | None, batches: Sequence[ProjectBatch]) -> None:
    open_ones = {found.batch: repr(found.batch) for found in batches if found.status is ProjectBatchStatus.OPEN}
    if named is None and not open_ones:
        raise BatchClosedError(f"project {project!r} has no open batch: {_listed(api, batches)}")
    if named is None and len(open_ones) > 1:
        names = _nearest(api, "", open_ones)
        raise UnknownBatchError(f"project {project!r} has several open batches, pass one as batch=: {names}")
    if named is not None and not named.takes_inputs:
        status = api.redact(named.status.value)
        problem = f"batch {named.batch!r} of project {project!r} is {status}, closed for new inputs"
        takes = {each.batch: f"{each.batch!r} ({each.status.value})" for each in batches if each.takes_inputs}
        raise BatchClosedError(problem, instead=f"these take inputs: {_nearest(api, named.batch, takes) or 'none'}")


async def _other_projects(api: Api, project: str) -> str:
    """List the projects for an error; empty if they cannot be fetched."""
    try:
        names = [found.project for found in await api.get("v1/projects", list[Project])]
    except KognicError:
        return ""
    if not names:
        return "no project is visible with these credentials"
    return f"visible projects: {_nearest(api, project, {name: repr(name) for name in names})}"


@asynccontextmanager
async def explaining_target(
    api: Api, project: str | None, batch: str | None = None, *, creates_inputs: bool = False
) -> AsyncGenerator[None, None]:
    """Explain errors about a project or batch, if any is named, in the body of this context: list the alternatives.

    Raises:
        ProjectNotFoundError: Instead of a `NotFoundError`, if the project or the batch is what does not exist.
    """
    try:
        yield
    except (BadRequestError, ConflictError, NotFoundError) as error:
        # Checked only after a refusal: a check before each request would double the requests.
        problem = None if project is None else await _problem(api, project, batch, creates_inputs)
        if problem is None:
            raise
        if isinstance(error, NotFoundError):
            raise ProjectNotFoundError(
                str(problem),  # says more than the platform's message
                status=error.status,
                method=error.method,
                url=error.url,
                request_id=error.request_id,
            ) from error
        # If the platform has named the culprit, the alternatives alone are enough.
        is_named = repr(project if batch is None else batch) in error.message
        error.explain((is_named and problem.instead) or str(problem))
        raise


async def explained(api: Api, project: str | None, batch: str | None, send: Callable[[], Awaitable[T]]) -> T:
    """Send a request about a project or batch. Its errors list the alternatives."""
    async with explaining_target(api, project, batch):
        return await send()


async def _problem(api: Api, project: str, batch: str | None, creates_inputs: bool) -> RunError | None:
    """Find what is wrong with a project and batch; None if nothing is, or the check fails."""
    try:
        await check_target(api, project, batch, creates_inputs=creates_inputs)
    except RunError as problem:
        return problem
    except KognicError:
        return None
    return None


def _listed(api: Api, batches: Sequence[ProjectBatch], near: str = "") -> str:
    shown = {batch.batch: f"{batch.batch} ({batch.status.value})" for batch in batches}
    return _nearest(api, near, shown) or "it has none"


def _nearest(api: Api, name: str, shown: dict[str, str]) -> str:
    """List the names that are most similar to a name, or the newest if it is empty, and the number of the others.

    `shown` has the names, the newest last, and how to show each.
    """
    compared = {each[:MAX_NAME]: shown[each] for each in [*shown][-MAX_COMPARED:]}
    if name:
        nearest = get_close_matches(name[:MAX_NAME], compared, n=MAX_NAMES, cutoff=0.0)
    else:
        nearest = [*compared][-MAX_NAMES:]
    more = len(shown) - len(nearest)
    names = ", ".join(api.redact(compared[each], length=MAX_NAME) for each in nearest)
    return f"{names} and {more} more" if more else names
