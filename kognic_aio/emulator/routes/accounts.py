"""Tokens and workspaces."""

from typing import Any

from kognic_aio.emulator.routing import Bare, Call, Routes

routes = Routes()


@routes.post("v1/auth/oauth/token", access="open")
def issue_token(call: Call) -> Bare:
    """Issue a token for client credentials or a refresh token."""
    return Bare(call.platform.accounts.grant(call.form))


@routes.get("v1/workspaces")
def list_workspaces(call: Call) -> list[dict[str, Any]]:
    """List the workspaces in which the user has one of the roles."""
    roles = call.request.query.getall("anyRoleIn", [])
    organization_ids = call.request.query.getall("organizationIds", [])
    found = call.platform.accounts.list_workspaces(roles, organization_ids)
    return [workspace.to_json() for workspace in found]
