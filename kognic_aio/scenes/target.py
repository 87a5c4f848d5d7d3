"""Checks projects and batches, and lists the alternatives in errors about them."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from difflib import get_close_matches
from typing import TypeAlias, TypeVar

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


def fetch_projects(api: Api) -> Awaitable[list[Project]]:
    """Fetch all projects."""
    return api.get("v1/projects", list[Project])


def fetch_batches(api: Api, project: str) -> Awaitable[list[ProjectBatch]]:
    """Fetch the batches of a project."""
    return api.get(f"v1/projects/{segment(project)}/batches", list[ProjectBatch])


async def check_target(api: Api, project: str, batch: str | None) -> None:
    """Check that a project exists and that its batch accepts inputs.

    Args:
        api: The input API.
        project: External id of the project.
        batch: External id of the batch, None for the only open one.

    Raises:
        UnknownProjectError: If there is no such project.
        UnknownBatchError: If there is no such batch, or none was named and several are open.
        BatchClosedError: If the batch is closed for new inputs, or none was named and none is open.
    """
    batches = await _batches_of(api, project)
    if batch is None:
        _check_one_is_open(api, project, batches)
    else:
        _check_takes_inputs(api, project, _named(api, project, batch, batches), batches)


async def check_exists(api: Api, project: str, batch: str | None) -> None:
    """Check that a project exists, and its batch if one is named.

    Raises:
        UnknownProjectError: If there is no such project.
        UnknownBatchError: If there is no such batch.
    """
    batches = await _batches_of(api, project)
    if batch is not None:
        _named(api, project, batch, batches)


Check: TypeAlias = Callable[[Api, str, str | None], Awaitable[None]]


@asynccontextmanager
async def explaining_target(
    api: Api, project: str | None, batch: str | None = None, check: Check = check_exists
) -> AsyncGenerator[None, None]:
    """Explain errors about a project or batch in the body of this context: list the alternatives.

    Args:
        api: The input API.
        project: External id of the project in the request, if any.
        batch: External id of the batch in the request, if any.
        check: The check that finds the problem: `check_exists`, or `check_target` if the request creates inputs.

    Raises:
        ProjectNotFoundError: Instead of a `NotFoundError`, if the project or the batch is what does not exist.
    """
    try:
        yield
    except (BadRequestError, ConflictError, NotFoundError) as error:
        # Checked only after a refusal: a check before each request would double the requests.
        problem = None if project is None else await _problem(check, api, project, batch)
        if problem is None:
            raise
        if not isinstance(error, NotFoundError):
            # If the platform has named the culprit, the alternatives alone are enough.
            says_so = repr(project if batch is None else batch) in error.message
            error.explain((says_so and problem.instead) or str(problem))
            raise
        refusal = error
    else:
        return
    raise ProjectNotFoundError(
        str(problem),  # says more than the platform's message
        status=refusal.status,
        method=refusal.method,
        url=refusal.url,
        request_id=refusal.request_id,
    ) from refusal


async def explained(api: Api, project: str | None, batch: str | None, send: Callable[[], Awaitable[T]]) -> T:
    """Send a request about a project or batch. Its errors list the alternatives."""
    async with explaining_target(api, project, batch):
        return await send()


async def _problem(check: Check, api: Api, project: str, batch: str | None) -> RunError | None:
    """Find what is wrong with a project and batch; None if nothing is, or the check fails."""
    try:
        await check(api, project, batch)
    except RunError as problem:
        return problem
    except KognicError:
        return None
    return None


async def _batches_of(api: Api, project: str) -> list[ProjectBatch]:
    try:
        return await fetch_batches(api, project)
    except NotFoundError as error:
        problem = f"project {project!r} does not exist, or you may not see it"
        raise UnknownProjectError(problem, instead=await _other_projects(api, project)) from error


async def _other_projects(api: Api, project: str) -> str:
    """List the projects for an error; empty if they cannot be fetched."""
    try:
        names = [found.project for found in await fetch_projects(api)]
    except KognicError:
        return ""
    if not names:
        return "you see no project"
    return f"there are: {_nearest(api, project, {name: repr(name) for name in names})}"


def _check_one_is_open(api: Api, project: str, batches: Sequence[ProjectBatch]) -> None:
    open_ones = _open_ones(batches)
    if not open_ones:
        raise BatchClosedError(f"project {project!r} has no open batch: {_listed(api, batches)}")
    if len(open_ones) > 1:
        names = _nearest(api, "", {name: repr(name) for name in open_ones})
        raise UnknownBatchError(f"project {project!r} has several open batches, pass one as batch=: {names}")


def _named(api: Api, project: str, batch: str, batches: Sequence[ProjectBatch]) -> ProjectBatch:
    named = next((found for found in batches if found.batch == batch), None)
    if named is None:
        raise UnknownBatchError(f"project {project!r} has no batch {batch!r}: {_listed(api, batches, batch)}")
    return named


def _check_takes_inputs(api: Api, project: str, named: ProjectBatch, batches: Sequence[ProjectBatch]) -> None:
    if named.takes_inputs:
        return
    open_ones = _nearest(api, named.batch, {name: repr(name) for name in _open_ones(batches)}) or "none"
    problem = f"batch {named.batch!r} of project {project!r} is {api.redact(named.status.value)}, closed for new inputs"
    raise BatchClosedError(problem, instead=f"open: {open_ones}")


def _open_ones(batches: Sequence[ProjectBatch]) -> list[str]:
    """The names of the open batches, without duplicates."""
    return list(dict.fromkeys(found.batch for found in batches if found.status is ProjectBatchStatus.OPEN))


def _listed(api: Api, batches: Sequence[ProjectBatch], near: str = "") -> str:
    shown = {batch.batch: f"{batch.batch} ({batch.status.value})" for batch in batches}
    return _nearest(api, near, shown) or "it has none"


def _nearest(api: Api, name: str, shown: dict[str, str]) -> str:
    """List the names that are most similar to a name, and the number of the others.

    Args:
        api: The API that the names came from.
        name: The name to compare with. If it is empty, the last names are listed, which are the newest.
        shown: The names, and how to show each.
    """
    compared = {each[:MAX_NAME]: shown[each] for each in [*shown][-MAX_COMPARED:]}
    if name:
        nearest = get_close_matches(name[:MAX_NAME], compared, n=MAX_NAMES, cutoff=0.0)
    else:
        nearest = [*compared][-MAX_NAMES:]
    more = len(shown) - len(nearest)
    names = ", ".join(api.redact(compared[each], length=MAX_NAME) for each in nearest)
    return f"{names} and {more} more" if more else names
