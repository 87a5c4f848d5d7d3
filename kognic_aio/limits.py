"""How much at once, how long, how often, and where: frozen values with named defaults."""

from attrs import field, frozen, validators

DEFAULT_INPUT_API_HOST = "https://input.app.kognic.com"
DEFAULT_ORDER_EXECUTION_API_HOST = "https://order-execution.app.kognic.com"
DEFAULT_ANNOTATION_INTEGRATION_API_HOST = "https://annotation-integration.app.kognic.com"
DEFAULT_WORKSPACE_API_HOST = "https://workspace.app.kognic.com"
DEFAULT_PROJECT_MANAGEMENT_API_HOST = "https://project-management.app.kognic.com"
DEFAULT_AUTH_HOST = "https://auth.app.kognic.com"

DEFAULT_TIMEOUT = 60.0
DEFAULT_RETRY_ATTEMPTS = 23
DEFAULT_RETRY_WAIT = 60.0
DEFAULT_RETRY_TIME = 600.0

DEFAULT_WAIT_TIMEOUT = 1800.0
DEFAULT_SLEEP_TIME = 1.0

OTHER_CONNECTIONS = 8
"""Connections beyond those that the limits count: token, status queries, lists."""


def _count(default: int) -> int:
    return field(default=default, validator=[validators.instance_of(int), validators.ge(1)])


@frozen(kw_only=True)
class Limits:
    """How much a client does at once.

    Args:
        scene_jobs: Scenes between start and commit.
        uploads: Files on their way to storage.
        in_flight: Scenes that are committed and whose input has not settled.
        inputs: Requests that create inputs and pre-annotations.

    Raises:
        ValueError: If a limit is not a whole number of at least 1.
    """

    scene_jobs: int = _count(16)
    uploads: int = _count(32)
    in_flight: int = _count(5000)
    inputs: int = _count(16)

    @property
    def connections(self) -> int:
        """The most connections that work within these limits can use."""
        return self.scene_jobs + self.uploads + self.inputs + OTHER_CONNECTIONS


@frozen(kw_only=True)
class Retry:
    """When to try again, bounded by count and by time.

    Args:
        attempts: Tries altogether, the first included.
        max_wait: The longest pause between two tries, in seconds.
        max_time: No new try is made this many seconds after the first.
    """

    attempts: int = field(default=DEFAULT_RETRY_ATTEMPTS, validator=validators.ge(1))
    max_wait: float = field(default=DEFAULT_RETRY_WAIT, validator=validators.ge(0))
    max_time: float = field(default=DEFAULT_RETRY_TIME, validator=validators.ge(0))


@frozen(kw_only=True)
class Hosts:
    """Base URLs of the platform's APIs."""

    input: str = DEFAULT_INPUT_API_HOST
    order_execution: str = DEFAULT_ORDER_EXECUTION_API_HOST
    annotation_integration: str = DEFAULT_ANNOTATION_INTEGRATION_API_HOST
    workspace: str = DEFAULT_WORKSPACE_API_HOST
    project_management: str = DEFAULT_PROJECT_MANAGEMENT_API_HOST
    auth: str = DEFAULT_AUTH_HOST
