"""A forgotten `await` or `async`: the error says what to write instead."""

import gc
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from kognic_aio import InputCreation, KognicIOClient, Paged, create_inputs
from kognic_aio.emulator import Emulator
from kognic_aio.model import Input
from tests.scenes import cameras_scene
from tests.waiting import GENEROUS

pytestmark = pytest.mark.anyio


def what_mypy_finds(pages: Paged[Input]) -> None:
    """Is only checked, not run: each misuse is an error to mypy, or its comment would be one."""
    for _ in pages:  # type: ignore[attr-defined]
        pass
    _first, _second = pages  # type: ignore[misc]
    list(pages)  # type: ignore[call-overload]
    next(pages)  # type: ignore[call-overload]
    len(pages)  # type: ignore[arg-type]
    assert pages[0]  # type: ignore[index]
    assert "uuid" in pages  # type: ignore[operator]


def loop(items: Any) -> None:
    for _ in items:
        raise AssertionError


def unpack(items: Any) -> None:
    _first, _second = items


def condition(items: Any) -> None:
    if items:
        raise AssertionError


LIST = "`async for item in ...`, or `await ...` for a list"
OF_PAGES: dict[str, tuple[Callable[[Any], object], str]] = {
    "for": (loop, LIST),
    "list": (list, LIST),
    "unpacking": (unpack, LIST),
    "star": (lambda pages: [*pages], LIST),
    "sorted": (sorted, LIST),
    "sum": (sum, LIST),
    "zip": (lambda pages: dict(zip("ab", pages, strict=False)), LIST),
    "next": (next, "`await anext(aiter(...))`"),
    "len": (len, "`len(await ...)`"),
    "index": (lambda pages: pages[0], "`(await ...)[...]`"),
    "slice": (lambda pages: pages[:10], "`(await ...)[...]`"),
    "in": (lambda pages: "uuid" in pages, "`item in await ...`"),
    "if": (condition, "`if await ...:`"),
    "not": (lambda pages: not pages, "`if await ...:`"),
    "or": (lambda pages: pages or [], "`if await ...:`"),
    "bool": (bool, "`if await ...:`"),
    "reversed": (reversed, "`reversed(await ...)`"),
}


@pytest.mark.parametrize("use", OF_PAGES)
async def test_of_what_pages(use: str, emulator: Emulator, client: KognicIOClient) -> None:
    """Whatever takes pages for a list is a TypeError that says what to write, and nothing is fetched."""
    misuse, instead = OF_PAGES[use]
    before = len(emulator.recorder.requests())
    with pytest.raises(TypeError) as caught:
        misuse(client.input.query_inputs(project="project-a"))
    assert str(caught.value) == f"Paged is asynchronous: write {instead}"
    assert len(emulator.recorder.requests()) == before


RESULTS = "[result async for result in ...]"
OF_RUNS: dict[str, tuple[Callable[[Any], object], str]] = {
    "for": (loop, f"`async for item in ...`, or `{RESULTS}` for a list"),
    "list": (list, f"`async for item in ...`, or `{RESULTS}` for a list"),
    "next": (next, "`await anext(aiter(...))`"),
    "len": (len, f"`len({RESULTS})`"),
    "index": (lambda run: run[0], f"`({RESULTS})[...]`"),
    "in": (lambda run: None in run, f"`item in {RESULTS}`"),
    "if": (condition, f"`if {RESULTS}:`"),
}


@pytest.mark.parametrize("use", OF_RUNS)
async def test_of_a_run(use: str, emulator: Emulator, client: KognicIOClient) -> None:
    """Whatever takes a run for a list of results is a TypeError, and nothing is created."""
    misuse, instead = OF_RUNS[use]
    before = emulator.platform.summary()
    async with create_inputs(client, [cameras_scene("one")], "project-a") as run:
        with pytest.raises(TypeError) as caught:
            misuse(run)
    assert str(caught.value) == f"InputCreation is asynchronous: write {instead}"
    assert emulator.platform.summary() == before


async def test_await_of_a_run(emulator: Emulator, client: KognicIOClient) -> None:
    """A run cannot be awaited: the error says how to iterate over it, and nothing is created."""
    before = emulator.platform.summary()
    run: Any = create_inputs(client, [cameras_scene("one")], "project-a")
    async with run:
        with pytest.raises(TypeError, match=r"InputCreation is asynchronous: write `async for item in \.\.\.`"):
            await run
    assert emulator.platform.summary() == before


async def test_what_the_errors_advise_works(client: KognicIOClient) -> None:
    """What the errors say to write does what was meant."""
    pages = client.input.query_inputs(project="project-a")
    with anyio.fail_after(GENEROUS):
        first = await anext(aiter(pages))
        assert (await pages)[0] == first
        assert len(await pages) == 2
        assert first in await pages
        assert (await anext(aiter(a_run(client)))).input_uuid


def dropped(make: Callable[[], object]) -> list[str]:
    """What is warned of when nothing holds what was made any more."""
    with pytest.warns() as warned:  # noqa: PT031  # the collector may have to come for it
        make()
        gc.collect()
    return [f"{warning.category.__name__}: {warning.message}" for warning in warned]


def a_run(client: KognicIOClient) -> InputCreation:
    return create_inputs(client, [cameras_scene("one")], "project-a", sleep_time=0.01)


async def test_a_run_that_is_dropped_unused(emulator: Emulator, client: KognicIOClient) -> None:
    """It warns, saying what to write, and has done nothing."""
    before = len(emulator.recorder.requests())
    expected = "ResourceWarning: create_inputs(...) has done nothing: write `async for result in create_inputs(...)`"
    assert dropped(lambda: a_run(client)) == [expected]
    assert dropped(lambda: a_run(client).progress) == [expected]
    assert len(emulator.recorder.requests()) == before


async def test_runs_that_were_used_do_not_warn(emulator: Emulator, client: KognicIOClient) -> None:
    """One that was begun, entered or closed does not warn; as everywhere, warnings are errors in this test."""
    with anyio.fail_after(GENEROUS):
        async with a_run(client):
            pass
        await a_run(client).aclose()
        await anext(a_run(client))
        async for _ in a_run(client):
            break
    gc.collect()


async def test_a_call_without_await(client: KognicIOClient) -> None:
    """Python itself warns of a call that nobody awaits."""
    (warning,) = dropped(client.project.get_projects)
    assert warning.startswith("RuntimeWarning: coroutine 'ProjectResource.get_projects' was never awaited")
