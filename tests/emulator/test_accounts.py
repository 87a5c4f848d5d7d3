"""Tokens and workspaces."""

import pytest

from kognic_aio.emulator import ORGANIZATION_ID, WORKSPACE_ID, Platform

from .support import Caller, Clock

pytestmark = pytest.mark.anyio


async def test_token(caller: Caller, platform: Platform) -> None:
    """A token comes with its type, its lifetime and a refresh token, and is counted."""
    answer = await caller.token()
    assert answer.status == 200
    assert answer.json.keys() == {"access_token", "token_type", "expires_in", "expires_at", "refresh_token"}
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("bearer", 3600)
    assert platform.accounts.tokens_issued == 2


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"grant_type": "refresh_token"}, 401, "invalid_token"),
        ({"grant_type": "refresh_token", "refresh_token": "stale"}, 401, "invalid_token"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
async def test_refused_grant(caller: Caller, fields: dict[str, str], status: int, error: str) -> None:
    """Wrong credentials, a stale refresh token and an unknown grant are refused in OAuth's own form."""
    answer = await caller.token(**fields)
    assert (answer.status, answer.json["error"]) == (status, error)
    assert answer.json["message"] == answer.json["error_description"]


async def test_refresh(caller: Caller) -> None:
    """A refresh token gives a new token that works."""
    refresh_token = (await caller.token()).json["refresh_token"]
    renewed = await caller.token(grant_type="refresh_token", refresh_token=refresh_token)
    caller.headers = {"Authorization": f"Bearer {renewed.json['access_token']}"}
    assert (await caller.get("v1/projects")).status == 200


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic x"}])
async def test_token_is_needed(caller: Caller, headers: dict[str, str]) -> None:
    """An API answers 401 to a request without a valid token."""
    caller.headers = headers
    for answer in (await caller.get("v1/projects"), await caller.post("v1/inputs", {})):
        assert answer.status == 401
        assert "token" in answer.message


async def test_token_expires(caller: Caller, clock: Clock) -> None:
    """A token works until its lifetime is over."""
    clock.advance(3599)
    assert (await caller.get("v1/projects")).status == 200
    clock.advance(1)
    answer = await caller.get("v1/projects")
    assert (answer.status, answer.message) == (401, "the token has expired")


async def test_revoked_tokens(caller: Caller, platform: Platform) -> None:
    """A revoked token is not valid any more, a new one is."""
    platform.revoke_tokens()
    assert (await caller.get("v1/projects")).message == "the token is not valid"
    await caller.log_in()
    assert (await caller.get("v1/projects")).status == 200


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 1),
        ("?anyRoleIn=developer", 1),
        ("?anyRoleIn=viewer&anyRoleIn=developer", 1),
        ("?anyRoleIn=viewer", 0),
        (f"?anyRoleIn=developer&organizationIds={ORGANIZATION_ID}", 1),
        ("?organizationIds=77", 0),
    ],
)
async def test_workspaces(caller: Caller, query: str, found: int) -> None:
    """Workspaces can be filtered by role and by organization."""
    workspaces = (await caller.get(f"v1/workspaces{query}")).data
    assert [workspace["id"] for workspace in workspaces] == [WORKSPACE_ID] * found
