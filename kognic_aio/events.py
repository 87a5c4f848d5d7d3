"""Events: what happens in a run of `create_inputs`, to each scene and to the hosts that it talks to.

    def show(event: Event) -> None:
        match event:
            case SceneSettled(external_id=name, status=status):
                print(name, status)
            case Retried(what=what, why=why):
                print("again:", what, why)

    create_inputs(client, scenes, project, on_event=show)

No event has a secret in it. The events of a scene end with `SceneSettled`, unless the run is cancelled or fails.
"""

from datetime import UTC, datetime

from attrs import field, frozen

from kognic_aio.model.target import InputCreationStatus, InputTarget

__all__ = [
    "CircuitClosed",
    "CircuitOpened",
    "Event",
    "FileSent",
    "HostEvent",
    "InputCreated",
    "LimitsChanged",
    "PreAnnotated",
    "PushedBack",
    "Retried",
    "SceneAbandoned",
    "SceneChecked",
    "SceneCommitted",
    "SceneCreated",
    "SceneEvent",
    "SceneRestarted",
    "SceneSettled",
    "SceneStarted",
    "SceneTaken",
]


def _now() -> datetime:
    return datetime.now(UTC)


@frozen(kw_only=True)
class Event:
    """Something that has happened.

    Args:
        time: When it happened, in UTC.
    """

    time: datetime = field(factory=_now)


@frozen(kw_only=True)
class SceneEvent(Event):
    """Something that has happened to a scene.

    Args:
        external_id: The scene's external id; None if the source yielded something other than a scene.
        number: Its place in the source, from 1 on. External ids may come twice.
    """

    external_id: str | None
    number: int


@frozen(kw_only=True)
class SceneTaken(SceneEvent):
    """The scene was taken from the source."""


@frozen(kw_only=True)
class SceneChecked(SceneEvent):
    """The scene, its targets and its pre-annotations were found to be in order."""


@frozen(kw_only=True)
class SceneStarted(SceneEvent):
    """The platform has accepted the scene, and waits for its files. It may be started again after it was abandoned.

    Args:
        scene_uuid: The scene's uuid.
    """

    scene_uuid: str


@frozen(kw_only=True)
class FileSent(SceneEvent):
    """A file of the scene was uploaded.

    Args:
        name: Its name.
        size: Its size in bytes.
        seconds: How long the upload took, with all attempts.
    """

    name: str
    size: int
    seconds: float


@frozen(kw_only=True)
class SceneCommitted(SceneEvent):
    """All files are uploaded, in this run or an earlier one, and the platform processes the scene.

    Args:
        scene_uuid: The scene's uuid.
    """

    scene_uuid: str


@frozen(kw_only=True)
class SceneCreated(SceneEvent):
    """The platform has processed the scene.

    Args:
        scene_uuid: The scene's uuid.
        seconds: How long this run has waited for it.
    """

    scene_uuid: str
    seconds: float


@frozen(kw_only=True)
class PreAnnotated(SceneEvent):
    """A pre-annotation of the scene was created.

    Args:
        name: Its name, None for the one of `pre_annotation=`.
        preannotation_uuid: Its uuid.
    """

    name: str | None
    preannotation_uuid: str


@frozen(kw_only=True)
class InputCreated(SceneEvent):
    """The input of a target was created.

    Args:
        target: The target.
        input_uuid: The input's uuid; of several, that of the first.
    """

    target: InputTarget
    input_uuid: str


@frozen(kw_only=True)
class SceneAbandoned(SceneEvent):
    """The scene will not be finished, and is invalidated.

    Args:
        scene_uuid: The scene's uuid.
    """

    scene_uuid: str


@frozen(kw_only=True)
class SceneRestarted(SceneEvent):
    """The scene is started afresh, because its signed URLs were lost or have expired.

    Args:
        why: The error.
    """

    why: str


@frozen(kw_only=True)
class SceneSettled(SceneEvent):
    """The scene has come to its end, and nothing more is told of it.

    Args:
        status: How it ended, as in its result.
        is_skipped: Whether it has no result, because an earlier run has delivered it, or its inputs were there already.
        why: Why it failed, None if it did not.
    """

    status: InputCreationStatus
    is_skipped: bool = False
    why: str | None = None


@frozen(kw_only=True)
class Retried(Event):
    """A request failed, and is tried again.

    Args:
        external_id, number: The scene that it is about; None if it is about no scene, or about several.
        what: The request, by its method and its URL without a query.
        why: The error.
        seconds: The pause before the next attempt.
    """

    external_id: str | None = None
    number: int | None = None
    what: str
    why: str
    seconds: float


@frozen(kw_only=True)
class HostEvent(Event):
    """Something that has happened to a host. All runs on one client are told.

    Args:
        host: The host, by its URL.
    """

    host: str


@frozen(kw_only=True)
class PushedBack(HostEvent):
    """The host has refused a request because it gets too many.

    Args:
        why: How it did so: `status 429` or `status 503`.
        seconds: The pause that it asked for, 0 if it named none.
    """

    why: str
    seconds: float = 0.0


@frozen(kw_only=True)
class LimitsChanged(HostEvent):
    """The host has pushed back, or was found to serve at least twice or half as many requests at once as before.

    Args:
        concurrency: The most requests in flight, None for any number.
        rate: The most requests per second, None for any number.
        pause: Seconds in which no request starts.
        waiting: Requests that wait for their turn.
        why: How the host has pushed back; empty if it has not.
        is_first: Whether this is the first push-back for some time.
    """

    concurrency: int | None = None
    rate: float | None = None
    pause: float = 0.0
    waiting: int = 0
    why: str = ""
    is_first: bool = False


@frozen(kw_only=True)
class CircuitOpened(HostEvent):
    """The host is taken to be broken: nothing more is sent to it for a while.

    Args:
        failed: How many requests in a row have failed after all retries.
    """

    failed: int


@frozen(kw_only=True)
class CircuitClosed(HostEvent):
    """The host responds again."""
