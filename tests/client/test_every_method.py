"""Every public method of kognic-io has its counterpart here, which sends the same and gives the same."""

import inspect
from collections.abc import Awaitable, Callable
from operator import attrgetter
from typing import Any

import pytest
from kognic.io.client import KognicIOClient as OfficialClient

from kognic_aio import KognicIOClient
from kognic_aio.emulator import ORGANIZATION_ID, Emulator
from kognic_aio.emulator.routes import ROUTES
from tests.client.calls import CALLS, NOT_TAKEN_OVER, OFFICIAL_WORDS, OUR_WORDS, Arguments, Call, public_methods
from tests.conversation import Conversation, listened, theirs

pytestmark = pytest.mark.anyio

OPTIONS: dict[str, Any] = {"client_organization_id": ORGANIZATION_ID}

DIFFERENT_RESULTS: dict[str, Callable[[Any], Any]] = {
    # typed in kognic-io, which leaves out what OpenLABEL does not know; ours is what the platform sent
    "pre_annotation.get_with_content": lambda result: result | {"content": None},
}
"""Where the results of both clients differ, what to leave out of them, and why."""


async def official(call: Call, emulator: Emulator) -> tuple[Conversation, Any]:
    """What the official client says and gets in a call."""
    given = call.arguments(emulator.platform, OFFICIAL_WORDS)

    def work(client: OfficialClient) -> Any:
        method = attrgetter(call.method)(client)
        if call.failure is not None:
            with pytest.raises(call.failure):
                method(*given.args, **given.kwargs)
            return None
        result = method(*given.args, **given.kwargs)
        return list(result) if inspect.isgenerator(result) else result

    return await theirs(emulator, work, **OPTIONS)


async def ours(call: Call, emulator: Emulator) -> tuple[Conversation, Any]:
    """What our client says and gets in the same call."""
    given = call.arguments(emulator.platform, OUR_WORDS)
    async with KognicIOClient(**emulator.client_options(), **OPTIONS) as client:
        method = attrgetter(call.method)(client)
        if not call.deprecated:
            return await listened(emulator, lambda: _called(method, given))
        with pytest.deprecated_call():
            return await listened(emulator, lambda: _called(method, given))


async def _called(method: Callable[..., Awaitable[Any]], given: Arguments) -> Any:
    return await method(*given.args, **given.kwargs)


@pytest.mark.parametrize("call", CALLS, ids=str)
async def test_a_call(call: Call) -> None:
    """The same call sends the same requests, whatever is in them, and its results are equal field by field."""
    async with Emulator() as emulator:
        expected, their_result = await official(call, emulator)
    async with Emulator() as emulator:
        sent, our_result = await ours(call, emulator)
    count = len(expected.calls)
    assert sent.calls[:count] == expected.calls
    assert sent.downloads == expected.downloads
    if call.failure is None:
        assert len(sent.calls) == count
        assert sent.uploads == expected.uploads
        same = DIFFERENT_RESULTS.get(call.method, lambda result: result)
        assert same(sent.plain(our_result)) == same(expected.plain(their_result))
    assert not any(authorized for *_, authorized in sent.uploads + sent.downloads)


async def test_every_method_is_called(emulator: Emulator, client: KognicIOClient) -> None:
    """There is a call for every public method that reflection finds in the official client, and we have them all."""
    (_, theirs_), ours_ = await theirs(emulator, public_methods), public_methods(client)
    assert {call.method for call in CALLS} | NOT_TAKEN_OVER.keys() == theirs_.keys()
    assert theirs_.keys() - NOT_TAKEN_OVER.keys() <= ours_.keys()


async def test_arguments_are_the_same(emulator: Emulator, client: KognicIOClient) -> None:
    """Arguments have the names and order of the official client's, save for the scene of `create`."""
    _, theirs_ = await theirs(emulator, public_methods)
    ours_ = public_methods(client)
    for name in theirs_.keys() - NOT_TAKEN_OVER.keys():
        names = list(inspect.signature(theirs_[name]).parameters)
        if name.endswith(".create") and "scene_uuid" not in names:
            names[0] = "scene"
        if "args" not in names:  # kognic-io hides the arguments of those that have older names
            assert list(inspect.signature(ours_[name]).parameters) == names, name


async def test_the_official_client_passes_through_every_endpoint() -> None:
    """The calls of the table take the official client through all of the emulator."""
    reached: set[str] = set()
    for call in CALLS:
        async with Emulator() as emulator:
            await official(call, emulator)
            reached |= {request.endpoint for request in emulator.recorder.requests()}
    assert {route.name for route in ROUTES} - reached == set()
