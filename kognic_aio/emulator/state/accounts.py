"""Credentials, tokens, the organization and its workspaces."""

import secrets
import time
from collections.abc import Collection
from datetime import datetime
from typing import Any

import attrs

from kognic_aio.emulator.errors import GrantError, UnauthorizedError
from kognic_aio.emulator.state.lookup import known
from kognic_aio.emulator.state.seeds import ORGANIZATION_ID, WORKSPACE_ID
from kognic_aio.emulator.state.timing import Timing, utc_now, wire_date

CLIENT_ID = "emulator-client-id"
CLIENT_SECRET = "emulator-client-secret"  # noqa: S105  # public: it opens nothing but a local emulator

MAX_TOKENS = 10_000
"""Access tokens, and refresh tokens, that are remembered. The credentials are public, so anybody can ask for tokens."""


@attrs.frozen(kw_only=True)
class Organization:
    """The customer whose people and projects a platform holds."""

    id: int
    name: str


@attrs.frozen(kw_only=True)
class Workspace:
    """A place for scenes and calibrations, with the roles that the emulator's only user has in it."""

    id: str
    external_id: str
    name: str
    organization: Organization
    roles: frozenset[str] = frozenset({"developer"})
    created: datetime = attrs.field(factory=utc_now)

    def to_json(self) -> dict[str, Any]:
        """The workspace on the wire."""
        return {
            "id": self.id,
            "externalId": self.external_id,
            "name": self.name,
            "created": wire_date(self.created),
            "organization": {"id": self.organization.id, "name": self.organization.name},
        }


class Accounts:
    """Who may talk to the platform, and the workspaces they may write to.

    Args:
        timing: The platform's clock and the lifetime of tokens.
    """

    def __init__(self, timing: Timing) -> None:
        organization = Organization(id=ORGANIZATION_ID, name="organization")
        workspace = Workspace(id=WORKSPACE_ID, external_id="workspace", name="Workspace", organization=organization)
        self.credentials = {CLIENT_ID: CLIENT_SECRET}
        self.workspaces = {WORKSPACE_ID: workspace}
        self.tokens_issued = 0
        self._timing = timing
        self._expiries: dict[str, float] = {}
        self._refresh_tokens: dict[str, None] = {}

    def grant(self, form: dict[str, str]) -> dict[str, Any]:
        """Issue a token for an OAuth form.

        Raises:
            GrantError: If the credentials or the grant type are unknown, or the refresh token is not valid.
        """
        expected = self.credentials.get(form.get("client_id", ""))
        if expected is None or not secrets.compare_digest(expected.encode(), form.get("client_secret", "").encode()):
            raise GrantError("invalid_client", "the client id or the client secret is wrong")
        match form.get("grant_type"):
            case "client_credentials":
                pass
            case "refresh_token":
                # Not OAuth's word, but the one on which kognic-auth falls back to a fresh grant.
                if form.get("refresh_token") not in self._refresh_tokens:
                    raise GrantError("invalid_token", "the refresh token is not valid")
            case other:
                raise GrantError("unsupported_grant_type", f"grant_type {other!r} is not supported", 400)
        return self._issue()

    def _issue(self) -> dict[str, Any]:
        lifetime = self._timing.token_lifetime
        access_token, refresh_token = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self._expiries[access_token] = self._timing.clock() + lifetime
        self._refresh_tokens[refresh_token] = None
        for tokens in (self._expiries, self._refresh_tokens):
            if len(tokens) > MAX_TOKENS:
                del tokens[next(iter(tokens))]  # the oldest
        self.tokens_issued += 1
        return {
            "access_token": access_token,
            "token_type": "bearer",
            "expires_in": int(lifetime),
            "expires_at": int(time.time() + lifetime),
            "refresh_token": refresh_token,
        }

    def check_token(self, authorization: str) -> None:
        """Check the value of an Authorization header.

        Raises:
            UnauthorizedError: If there is no bearer token, or it is unknown, revoked or expired.
        """
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise UnauthorizedError("the request has no bearer token")
        expiry = self._expiries.get(token)
        if expiry is None:
            raise UnauthorizedError("the token is not valid")
        if self._timing.clock() >= expiry:
            raise UnauthorizedError("the token has expired")

    def revoke_tokens(self) -> None:
        """Make every token issued so far invalid, refresh tokens too."""
        self._expiries.clear()
        self._refresh_tokens.clear()

    def workspace(self, workspace_id: str) -> Workspace:
        """The workspace with an id.

        Raises:
            NotFoundError: If there is none.
        """
        return known(self.workspaces, workspace_id, "workspace")

    def list_workspaces(self, roles: Collection[str], organization_ids: Collection[str]) -> list[Workspace]:
        """The workspaces of some organizations in which the user has any of `roles`. An empty filter matches all."""
        return [
            workspace
            for workspace in self.workspaces.values()
            if (not roles or not workspace.roles.isdisjoint(roles))
            and (not organization_ids or str(workspace.organization.id) in organization_ids)
        ]
