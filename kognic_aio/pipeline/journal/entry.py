"""What a journal knows."""

from enum import StrEnum

from attrs import frozen

from kognic_aio.pipeline.result import InputCreationResult, InputCreationStage


class Step(StrEnum):
    """The steps of a scene's life, in their order. Each is recorded before it is taken, or when it has been."""

    STARTING = "starting"
    COMMITTING = "committing"
    COMMITTED = "committed"
    PRE_ANNOTATING = "pre-annotating"
    PRE_ANNOTATED = "pre-annotated"
    CREATING_INPUT = "creating-input"
    SETTLED = "settled"


@frozen
class Destination:
    """Where the scenes of a journal go.

    Args:
        host: The URL of the input API.
        workspace: The id of the workspace.
        project: External id of the project.
        batch: External id of the batch, None for the latest open one.
    """

    host: str
    workspace: str
    project: str
    batch: str | None

    def __str__(self) -> str:
        batch = "its latest open batch" if self.batch is None else f"batch {self.batch!r}"
        return f"project {self.project!r}, {batch}, workspace {self.workspace!r} at {self.host}"


@frozen(kw_only=True)
class Entry:
    """What is known of one scene.

    Args:
        key: Tells the scene from others.
        step: How far it has come.
        fingerprint: Tells its content from another.
        scene_uuid: The scene that the platform knows, None if there is none or it has been abandoned.
        preannotation_uuid: Its pre-annotation, if one was created.
        result: How it ended, if it is SETTLED.
        delivered: Whether the consumer has taken that result.
    """

    key: str
    step: Step
    fingerprint: str | None = None
    scene_uuid: str | None = None
    preannotation_uuid: str | None = None
    result: InputCreationResult | None = None
    delivered: bool = False


@frozen
class Failure:
    """Why a scene failed.

    Args:
        key: Tells the scene from others.
        stage: Where it failed.
        message: The platform's words, or what is wrong with what was given.
    """

    key: str
    stage: InputCreationStage
    message: str
